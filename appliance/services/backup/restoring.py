"""``appliance restore``: a box comes back from one file, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.errors import ApplianceError
from appliance.pgflex.dump import check_unused, client_programs, holds_data, loaded
from appliance.pgflex.server import folder_faults
from appliance.services.backup.archive import DATABASE, Manifest, unpack
from appliance.services.backup.profiles import Profile

_GENERATION = "keys/generation"
_WHOLE_AREAS = ("bridge", "gateway")


def restore(profile: Profile, file: Path, passphrase: str, *, replace: bool) -> Manifest:
    """Check a backup, then put its database and its files in the place of those that are there.

    Args:
        profile: the box; it must not run.
        file: the backup.
        passphrase: it was sealed with; empty: it was not.
        replace: a box that holds data already may be replaced.

    Raises:
        ApplianceError: BRG470, the box holds data; BRG471, the file is damaged or the passphrase wrong; BRG472, it is
            newer than this program; BRG473, parts are running; BRG474, the database cannot be loaded; PGF1xx, the
            disk and the database. In all cases the box is as it was.
    """
    data = profile.settings.data
    programs = client_programs(profile.settings)
    with _scratch(data) as staged:
        manifest = unpack(file, passphrase, staged)
        with profile.target() as server:
            check_unused(server)
            if not replace and (holds_data(server) or profile.place("bridge/screens.json").exists()):
                raise ApplianceError(
                    "BRG470",
                    f"The box in {data} holds data already.",
                    None,
                    "Choose an empty one, or give up what it holds: --replace",
                )
            with loaded(server, programs, staged / DATABASE, manifest.about.database), folder_faults(data):
                _put(profile, staged, manifest)
    return manifest


@contextmanager
def _scratch(data: Path) -> Iterator[Path]:
    made = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        if made:
            data.chmod(0o700)
        staged = Path(tempfile.mkdtemp(prefix=".restore-", dir=data))
    except OSError as error:
        code = "PGF107" if error.errno == errno.ENOSPC else "PGF108"
        raise ApplianceError(code, f"The data folder {data} cannot be used.", str(error), None) from None
    try:
        yield staged
    finally:
        shutil.rmtree(staged)
        if made:
            with suppress(OSError):  # something is in it: it is a box now
                data.rmdir()


def _put(profile: Profile, staged: Path, manifest: Manifest) -> None:
    """Put the files in their places; all of them, or what was there stays."""
    names = sorted(manifest.members.keys() - {DATABASE})
    if _GENERATION in names:  # screens believe nothing older than what they have heard
        _take_later(staged / _GENERATION, profile.place(_GENERATION))
    done: list[tuple[Path, Path | None]] = []
    try:
        for path in _others(profile, names):
            done.append((path, _aside(path)))
        for name in names:
            _put_one(profile, name, staged / name, done)
    except BaseException:
        for path, aside in reversed(done):
            path.unlink(missing_ok=True)
            if aside is not None:
                aside.replace(path)
        raise
    for _, aside in done:
        if aside is not None:
            aside.unlink()


def _put_one(profile: Profile, name: str, source: Path, done: list[tuple[Path, Path | None]]) -> None:
    path, owner = profile.place(name), profile.owner(name)
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(mode=0o700)
            if owner is not None:
                os.chown(parent, *owner)
    draft = path.with_name(f".{path.name}.restored")
    shutil.copyfile(source, draft)  # the parts of a box may be on different disks
    draft.chmod(0o644 if path.suffix == ".crt" else 0o600)
    if owner is not None:
        os.chown(draft, *owner)
    done.append((path, _aside(path)))
    draft.replace(path)


def _aside(path: Path) -> Path | None:
    aside = path.with_name(f".{path.name}.before")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return None
    return aside


def _others(profile: Profile, names: list[str]) -> list[Path]:
    """Files of the box that is replaced which would be mixed with those that come back."""
    ours = {profile.place(name) for name in names}
    found = (path for area in _WHOLE_AREAS for folder in profile.folders(area) for path in folder.glob("*.json"))
    return [path for path in found if path not in ours]


def _take_later(staged: Path, here: Path) -> None:
    with suppress(OSError, ValueError):
        staged.write_text(str(max(int(staged.read_text()), int(here.read_text()))))
