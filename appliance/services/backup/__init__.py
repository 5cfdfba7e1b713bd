"""A whole box in one file, and back.

    backup(source_of(settings), Path("box.backup"), Wanted(passphrase="correct horse"))
    restore(target_of(settings), Path("box.backup"), "correct horse", replace=True)

The file is a tar archive: the files that make this box this box (keys, identity, the screens it knows), a dump of the
database, on wish recordings and models, and at its end ``manifest.json`` with the size and SHA-256 of each. With a
passphrase all of it is sealed. A restore reads and checks the whole file before it touches anything.
"""

from appliance.services.backup.archive import Manifest
from appliance.services.backup.making import Wanted, backup
from appliance.services.backup.profiles import Profile, deployed, embedded
from appliance.services.backup.restoring import restore

__all__ = ["Manifest", "Profile", "Wanted", "backup", "deployed", "embedded", "restore"]
