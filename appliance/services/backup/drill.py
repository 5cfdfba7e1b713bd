"""A restore drill: a backup is restored into a place of its own, beside the box, and its rows are counted there.

    python -m appliance.services.backup.drill       a Drill on standard input, what came of it on standard output

It runs as a process of its own, so that it can be stopped; its place goes with it.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import load
from appliance.errors import ApplianceError
from appliance.pgflex.dump import count_rows
from appliance.services.backup import embedded, restore

__all__ = ["Drill", "drill"]


class Drill(msgspec.Struct, frozen=True):
    """What to try: the file, its passphrase, a folder with room, and the settings that name PostgreSQL."""

    file: str
    passphrase: str
    folder: str
    settings: dict[str, Any] = {}


def drill(wanted: Drill) -> dict[str, Any]:
    """Restore and count.

    Returns:
        ``ok``, ``took_s``, ``at`` (when the backup was made) and ``collections``: of each its rows as they were
        ``written`` and as they were ``restored``.

    Raises:
        ApplianceError: as :func:`restore`.
    """
    began = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="drill-", dir=wanted.folder))
    try:
        place.chmod(0o755)
        profile = embedded(load({**wanted.settings, "data": place / "box"}, environ={}))
        manifest = restore(profile, Path(wanted.file), wanted.passphrase, replace=False)
        with profile.target() as server:
            found = count_rows(server)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    written = manifest.about.database.rows
    names = sorted(written.keys() | found.keys())
    told = [{"name": name, "written": written.get(name), "restored": found.get(name)} for name in names]
    ok = all(each["written"] in (None, each["restored"]) for each in told) and (not written or written == found)
    return {"ok": ok, "took_s": round(time.monotonic() - began, 1), "at": manifest.about.at, "collections": told}


def main() -> None:
    """Entry point of the process."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that its place is taken away
    told: object
    try:
        told = drill(msgspec.json.decode(sys.stdin.buffer.read(), type=Drill))
    except ApplianceError as error:
        told = error.shape()
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
