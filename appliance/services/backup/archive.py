"""The file of a backup: written member by member, read and checked as a whole.

>>> with Writer(Path("box.backup"), "") as made:  # doctest: +SKIP
...     made.add("keys/staff.key", Path("keys/staff.key"))
...     made.finish(header)
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.dump import Dumped
from appliance.services.backup import sealing
from appliance.services.backup.profiles import AREAS, LEFT_OUT, MODELS, RECORDINGS, SETTINGS_FILES

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.dump"
FORMAT: Final = 1
_MANIFEST_LIMIT: Final = 64 * 1024 * 1024
_STEP: Final = 1024 * 1024
_NAME: Final = re.compile(r"(?!\.)[^/\0]+(/(?!\.)[^/\0]+)*")


class Member(msgspec.Struct, frozen=True):
    """One file of it."""

    bytes: int
    sha256: str


class Header(msgspec.Struct, frozen=True):
    """What a backup says of itself: its form, the program's version, when (ISO 8601), which box's, and what of."""

    format: int
    version: str
    at: str
    box: str
    database: Dumped


class Manifest(msgspec.Struct, frozen=True):
    """The header, and every member by its name."""

    about: Header
    members: dict[str, Member]


class Writer:
    """Writes a backup beside `path` and gives it that name when it is whole; nobody else may read it.

    Args:
        path: the file.
        passphrase: seals it; empty leaves it open.

    Attributes:
        draft: where it is until then.

    Raises:
        ApplianceError: PGF107 and PGF108, no room, or the folder cannot be written to.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path, self.draft, self._passphrase = path, path.with_name(f".{path.name}.new"), passphrase
        self._members: dict[str, Member] = {}

    def __enter__(self) -> Self:
        self._file = os.fdopen(os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._sealer = sealing.Sealer(self._file, self._passphrase) if self._passphrase else None
        self._tar = tarfile.open(mode="w|", fileobj=self._sealer or self._file, format=tarfile.PAX_FORMAT)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            self._give_up()

    def add(self, name: str, file: Path) -> None:
        """Add a file as it is now; what is appended to it meanwhile is left out."""
        with file.open("rb") as source:
            self._add(name, source, os.fstat(source.fileno()).st_size)

    def finish(self, about: Header) -> Manifest:
        """Write the manifest and close the file."""
        manifest = Manifest(about, dict(self._members))
        told = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._add(MANIFEST, io.BytesIO(told), len(told))
        self._tar.close()
        if self._sealer is not None:
            self._sealer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.draft.replace(self._path)
        return manifest

    def _give_up(self) -> None:
        for layer in (self._tar, self._sealer, self._file):  # outermost first, else each writes to a closed one later
            if layer is not None:
                with contextlib.suppress(OSError):
                    layer.close()
        self.draft.unlink(missing_ok=True)

    def _add(self, name: str, source: BinaryIO, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        digest = _Hashed(source)
        self._tar.addfile(entry, digest)
        self._members[name] = Member(size, digest.hash.hexdigest())


class _Hashed(io.RawIOBase):
    """A source whose bytes are hashed as they are read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self.hash = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.hash.update(data)
        return data


def unpack(path: Path, passphrase: str, into: Path | None) -> Manifest:
    """Read a backup to its end and check every byte; with `into`, leave its members there.

    Raises:
        ApplianceError: BRG471, it is not whole, or not a backup, or sealed with another passphrase; BRG472, its form
            is newer than this program; PGF107 and PGF108, the disk.
    """
    try:
        with path.open("rb") as file:
            return _unpacked(_opened(file, passphrase), into)
    except (tarfile.TarError, EOFError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise _damaged(str(error)) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ApplianceError("PGF107", "There is no room left to unpack the backup.", str(error), None) from None
        raise ApplianceError("BRG471", f"{path} cannot be read.", error.strerror or str(error), None) from None


def _opened(file: BinaryIO, passphrase: str) -> BinaryIO:
    sealed = file.read(len(sealing.MAGIC)) == sealing.MAGIC
    file.seek(0)
    if not sealed:
        return file
    if not passphrase:
        raise ApplianceError(
            "BRG471", "The backup is sealed.", None, "Name the file with its passphrase: --passphrase-file"
        )
    return io.BufferedReader(sealing.Opener(file, passphrase), _STEP)


def _unpacked(source: BinaryIO, into: Path | None) -> Manifest:
    found: dict[str, Member] = {}
    told = b""
    with tarfile.open(mode="r|", fileobj=source) as tar:
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            if content is None or told or entry.name in found or not _NAME.fullmatch(entry.name):
                raise _damaged(entry.name)
            if entry.name == MANIFEST:
                told = content.read(_MANIFEST_LIMIT)
            else:
                found[entry.name] = _kept(content, into / entry.name if into else None)
    while source.read(_STEP):  # what follows the archive's end is authenticated too
        pass
    return _checked(told, found)


def _may_hold(name: str) -> bool:
    """Whether a backup that a box made can have a file of this name: what is another's must reach nothing else."""
    area, _, within = name.partition("/")
    known = name in (DATABASE, *SETTINGS_FILES) or (bool(within) and area in AREAS + RECORDINGS + MODELS)
    return known and name not in LEFT_OUT


def _kept(content: object, path: Path | None) -> Member:
    read: Callable[[int], bytes] = content.read  # type: ignore[attr-defined]
    digest, size = hashlib.sha256(), 0
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) if path else os.devnull, "wb") as out:
        while data := read(_STEP):
            digest.update(data)
            size += len(data)
            out.write(data)
    return Member(size, digest.hexdigest())


def _checked(told: bytes, found: dict[str, Member]) -> Manifest:
    if not told:
        raise _damaged("it ends too early")
    form = msgspec.json.decode(told, type=dict[str, msgspec.Raw]).get("about")
    if form and msgspec.json.decode(form, type=_Form).format > FORMAT:
        raise ApplianceError(
            "BRG472", "The backup was made by a newer version of the box.", None, "Install that version."
        )
    manifest = msgspec.json.decode(told, type=Manifest)
    wrong = sorted(name for name in {*found, *manifest.members} if found.get(name) != manifest.members.get(name))
    if wrong:
        raise _damaged(wrong[0])
    if foreign := sorted(name for name in found if not _may_hold(name)):
        raise _damaged(foreign[0])
    if DATABASE not in found:
        raise _damaged(f"there is no {DATABASE}")
    return manifest


class _Form(msgspec.Struct):
    format: int


def _damaged(details: str) -> ApplianceError:
    return ApplianceError(
        "BRG471",
        "This is not a backup of a box, or it is damaged.",
        details,
        "Restore another one; nothing was changed.",
    )
