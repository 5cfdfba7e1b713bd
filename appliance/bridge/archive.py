"""The archive: finished segments, each known by a hash of its content.

A segment is cut into pieces of 128 KiB. Its manifest holds its length and the BLAKE3 of every piece; the BLAKE3 of the
manifest is the segment's hash. So whoever knows the hash can check the manifest, and with that each piece as it
arrives, whoever it comes from (``docs/reference/recordings.md``).

    >>> raw = make_manifest(io.BytesIO(b"x" * 300_000))
    >>> manifest = read_manifest(raw, hash_of(raw))
    >>> manifest.length, len(manifest.pieces)
    (300000, 3)
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from blake3 import blake3

from appliance.bridge.rooms import may_read_room
from appliance.bridge.segments import SEGMENT, load_index, unreadable
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, rank

MAGIC: Final = b"dreamstack/archive/1\n"
PIECE: Final = 131_072
DIGEST: Final = 32
SEAL: Final = ".b3"
_LENGTH: Final = struct.Struct("<Q")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Manifest(msgspec.Struct, frozen=True):
    """The length of a segment, bytes, and the BLAKE3 of each of its pieces, in order."""

    length: int
    pieces: tuple[bytes, ...]

    def check(self, number: int, piece: bytes) -> None:
        """Check a piece.

        Raises:
            ApplianceError: BRG464, it is not the one the manifest names.
        """
        known = 0 <= number < len(self.pieces)
        if not known or len(piece) != self.size(number) or blake3(piece).digest() != self.pieces[number]:
            raise _wrong(f"piece {number} is not the one")

    def size(self, number: int) -> int:
        """Bytes of a piece: 128 KiB, the last one what is left."""
        return min(PIECE, self.length - number * PIECE)


class Archived(msgspec.Struct, frozen=True):
    """A finished segment: its hash, file and size in bytes, what it recorded, and from when to when (ms since 1970)."""

    hash: str
    path: Path
    size: int
    stream: str
    role: Role
    first: int
    last: int

    def is_for(self, role: Role, own: str) -> bool:
        """Whether a role may have it whose own stream is `own`."""
        return rank(self.role) <= rank(role) and may_read_room(self.stream, own, role)

    def manifest(self) -> bytes:
        """Its manifest. Blocks on the disk.

        Raises:
            ApplianceError: BRG461, it cannot be read.
        """
        try:
            return self.path.with_suffix(SEAL).read_bytes()
        except OSError as error:
            raise unreadable(self.path, error) from None

    def told(self) -> dict[str, Any]:
        """What others may know of it."""
        return {name: getattr(self, name) for name in ("hash", "stream", "role", "first", "last", "size")}


def make_manifest(file: BinaryIO) -> bytes:
    """The manifest of a file from its beginning to its end. Blocks on the disk."""
    digests, length = [], 0
    while piece := file.read(PIECE):
        digests.append(blake3(piece).digest())
        length += len(piece)
    return MAGIC + _LENGTH.pack(length) + b"".join(digests)


def hash_of(manifest: bytes) -> str:
    """The hash of the segment that a manifest is of: 64 hexadecimal digits."""
    return blake3(manifest).hexdigest()


def check_hash(text: str) -> str:
    """A hash as somebody wrote it, in lower case.

    Raises:
        ApplianceError: BRG410, it is none.
    """
    wanted = text.strip().lower()
    if not _HASH.fullmatch(wanted):
        raise ApplianceError("BRG410", "This is no hash of an archive.", text[:80], "It has 64 hexadecimal digits.")
    return wanted


def read_manifest(raw: bytes, wanted: str) -> Manifest:
    """The manifest of the segment with this hash.

    Raises:
        ApplianceError: BRG464, it is another's, or none.
    """
    head = len(MAGIC) + _LENGTH.size
    if hash_of(raw) != wanted or not raw.startswith(MAGIC) or len(raw) < head:
        raise _wrong("the manifest is not of this hash")
    [length] = _LENGTH.unpack_from(raw, len(MAGIC))
    if (len(raw) - head) != -(-length // PIECE) * DIGEST:
        raise _wrong("the manifest does not fit its length")
    return Manifest(length, tuple(raw[place : place + DIGEST] for place in range(head, len(raw), DIGEST)))


def seal(path: Path) -> str:
    """Keep the manifest of a finished segment beside it; returns its hash. Blocks on the disk."""
    with path.open("rb") as file:
        raw = make_manifest(file)
    keep_manifest(path, raw)
    return hash_of(raw)


def keep_manifest(path: Path, raw: bytes) -> None:
    """Put a manifest beside its segment, at once or not at all."""
    draft = path.with_suffix(SEAL + ".new")
    draft.write_bytes(raw)
    os.replace(draft, path.with_suffix(SEAL))


class Archive:
    """The finished segments in some folders, and below them. Every method blocks on the disk."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._known: dict[Path, tuple[int, Archived]] = {}

    def items(self, role: Role, own: str = "main") -> list[Archived]:
        """Those that a role may have whose own stream is `own`, the newest first."""
        found = [item for item in self._all() if item.is_for(role, own)]
        return sorted(found, key=lambda item: (item.last, item.hash), reverse=True)

    def find(self, wanted: str, role: Role, own: str = "main") -> Archived:
        """The one with this hash.

        Raises:
            ApplianceError: BRG463, it is not here, or not for this role.
        """
        for item in self._all():
            if item.hash == wanted and item.is_for(role, own):
                return item
        raise ApplianceError("BRG463", "This archive is not here.", wanted, "See what is: appliance archive list")

    def _all(self) -> list[Archived]:
        seals = [seal for folder in self._folders for seal in folder.rglob(f"*{SEAL}")]
        self._known = {seal: known for seal in seals if (known := self._look(seal)) is not None}
        return [item for _, item in self._known.values()]

    def _look(self, seal: Path) -> tuple[int, Archived] | None:
        try:
            written = seal.stat().st_mtime_ns
            known = self._known.get(seal)
            return known if known and known[0] == written else (written, _read(seal))
        except (OSError, ApplianceError):
            return None  # it left meanwhile, or is no segment of this version


def _read(seal: Path) -> Archived:
    path = seal.with_suffix(SEGMENT)
    index, raw = load_index(path), seal.read_bytes()
    said = index.meta.get("role")
    role: Role = next((role for role in ROLES if role == said), "admin")  # what does not say is for the most trusted
    stream = str(index.meta.get("stream", ""))
    return Archived(hash_of(raw), path, path.stat().st_size, stream, role, index.first, index.last)


def read_piece(path: Path, number: int) -> bytes:
    """A piece of a segment. Blocks on the disk.

    Raises:
        ApplianceError: BRG461, it cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(number * PIECE)
            return file.read(PIECE)
    except OSError as error:
        raise unreadable(path, error) from None


def _wrong(details: str) -> ApplianceError:
    return ApplianceError(
        "BRG464",
        "What arrived is not the archive that was asked for.",
        details,
        "What was right of it is kept; ask another box or peer that has it.",
    )
