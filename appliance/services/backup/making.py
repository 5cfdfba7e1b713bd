"""``appliance backup``: a box becomes one file, while it runs."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

import appliance
from appliance.errors import ApplianceError
from appliance.pgflex.dump import client_programs, dump
from appliance.services.backup.archive import DATABASE, FORMAT, Header, Manifest, Writer
from appliance.services.backup.profiles import AREAS, LEFT_OUT, MODELS, RECORDINGS, SETTINGS_FILES, Profile

SUFFIX: Final = ".backup"
PLACE: Final = ".backup-"
"""What the folder's name begins with in which the database is dumped first."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in besides database, keys and screens, and the passphrase that seals it (empty: none)."""

    recordings: bool = False
    models: bool = False
    passphrase: str = ""


def backup(profile: Profile, path: Path, wanted: Wanted) -> tuple[Path, Manifest]:
    """Write a backup; in a folder it gets a name with the time.

    Returns:
        The file, and what is in it.

    Raises:
        ApplianceError: PGF101, the database does not answer; PGF107 and PGF108, the disk; BRG411, pg_dump is missing;
            BRG474, the database cannot be dumped.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    name = profile.settings.box_name
    if path.is_dir():
        slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "box"
        path = path / f"{slug}-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
    programs = client_programs(profile.settings)
    sweep(path.parent)
    with (
        _faults(path),
        profile.source() as server,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=PLACE) as at,
        in_use(Path(at)),
    ):
        dumped = dump(server, programs, Path(at) / DATABASE)
        with Writer(path, wanted.passphrase) as writer, in_use(writer.draft):
            writer.add(DATABASE, Path(at) / DATABASE)
            for member, file in _files(profile, wanted):
                with suppress(FileNotFoundError):  # a recording whose time has come meanwhile
                    writer.add(member, file)
            about = Header(FORMAT, appliance.__version__, now.isoformat().replace("+00:00", "Z"), name, dumped)
            return path, writer.finish(about)


def sweep(folder: Path) -> None:
    """Take away what backups left that a power cut or a kill ended: the database lies there in the open. Blocks."""
    for left in [*folder.glob(f"{PLACE}*"), *folder.glob(f".*{SUFFIX}.new")]:
        with suppress(OSError), _opened(left) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """While this goes on, nobody sweeps it away."""
    with _opened(path) as descriptor:
        with suppress(OSError):  # some network folders know no locks; what is there is not swept either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _files(profile: Profile, wanted: Wanted) -> Iterator[tuple[str, Path]]:
    areas = AREAS + (RECORDINGS if wanted.recordings else ()) + (MODELS if wanted.models else ())
    for name in SETTINGS_FILES:
        if profile.place(name).is_file():
            yield name, profile.place(name)
    for area in areas:
        for folder in profile.folders(area):
            for file in sorted(folder.rglob("*")):
                within = file.relative_to(folder)
                name = f"{area}/{within.as_posix()}"
                hidden = any(part.startswith(".") for part in within.parts) or name.endswith(".new")
                if file.is_file() and not file.is_symlink() and not hidden and name not in LEFT_OUT:
                    yield name, file


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ApplianceError("PGF107", "There is no room for the backup.", str(error), "Free some space.") from None
        raise ApplianceError(
            "PGF108", f"The backup {path} cannot be written.", str(error), "Choose a folder you may write to."
        ) from None
