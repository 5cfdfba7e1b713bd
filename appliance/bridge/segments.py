"""Segments: append-only files of recorded frames, and the index of their keyframes.

A segment is records back to back: a mark, the length of what follows, a checksum, a time, and a frame as it went to
receivers (``docs/reference/recordings.md``). It begins with what it is a recording of, then a SIGNAL_SYNC; a keyframe
comes again every so often, DIFFs between. A file may end anywhere and hold any damage: what is whole is read, the rest
is passed over, and after damage the next keyframe goes on.

    >>> raw = pack(1_700_000_000_000, encode(Frame(FrameType.SIGNAL_SYNC, b'{"$":{"v":1}}', KEYFRAME)))
    >>> [record.at for record in walk(io.BytesIO(raw + raw[:30]))]
    [1700000000000]
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from appliance.bridge.frame import HEADER, HEADER_SIZE, KEYFRAME, Frame, FrameType, decode
from appliance.bridge.signals import Copy
from appliance.errors import ApplianceError

MARK: Final = b"\xd5DS\x01"
HEAD: Final = struct.Struct("<4sIIQ")
RECORD_LIMIT: Final = 64 * 1024 * 1024
WINDOW: Final = 65_536
SEGMENT: Final = ".seg"
INDEX: Final = ".idx"
MARK_MS: Final = 10_000
"""How finely an index counts changes."""
_CHECKED: Final = struct.Struct("<IQ")


class Record(msgspec.Struct, frozen=True):
    """One frame in a segment.

    Attributes:
        offset, end: where it begins and ends in the file, bytes.
        at: when it was recorded, milliseconds since 1970.
        raw: the encoded frame.
    """

    offset: int
    end: int
    at: int
    raw: bytes

    @property
    def type(self) -> int:
        """The frame's type."""
        return self.raw[0]

    @property
    def is_keyframe(self) -> bool:
        """Whether a reader may begin here."""
        return self.type == FrameType.SIGNAL_SYNC and bool(self.raw[1] & KEYFRAME)

    @property
    def is_change(self) -> bool:
        """Whether it holds signals, rather than a word about the recording."""
        return self.type in (FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF)

    def frame(self) -> Frame:
        """The frame.

        Raises:
            ApplianceError: SIG3xx, it is not one of this version.
        """
        return decode(self.raw, RECORD_LIMIT)


def pack(at: int, raw: bytes) -> bytes:
    """A record of an encoded frame at a time, milliseconds since 1970."""
    return HEAD.pack(MARK, len(raw), _checksum(at, raw), at) + raw


def walk(file: BinaryIO, offset: int = 0) -> Iterator[Record]:
    """The whole records from an offset on; damage is passed over, a torn end is the end. Blocks on the disk."""
    size = file.seek(0, io.SEEK_END)
    place: int | None = offset
    while place is not None:
        record = read_at(file, place, size)
        if record is None:
            place = _next_mark(file, place + 1)
        else:
            yield record
            place = record.end


def read_at(file: BinaryIO, offset: int, size: int) -> Record | None:
    """The record at an offset of a file of this size, or None when there is no whole one. Blocks on the disk."""
    file.seek(offset)
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    mark, length, checksum, at = HEAD.unpack(head)
    end = offset + HEAD.size + length
    if mark != MARK or not HEADER_SIZE <= length <= RECORD_LIMIT or end > size:
        return None
    raw = file.read(length)
    if len(raw) < length or _checksum(at, raw) != checksum or HEADER.unpack_from(raw)[6] != length - HEADER_SIZE:
        return None
    return Record(offset, end, at, raw)


def unpack(pieces: Iterable[bytes]) -> Iterator[Record]:
    """The records of bytes that arrive in any pieces over a connection that loses nothing.

    Raises:
        ApplianceError: BRG461, they are no records, or end in the middle of one.
    """
    held, offset = bytearray(), 0
    for piece in pieces:
        held += piece
        while len(held) >= HEAD.size and len(held) >= (end := HEAD.size + min(HEAD.unpack_from(held)[1], RECORD_LIMIT)):
            record = read_at(io.BytesIO(held), 0, len(held))
            if record is None:
                raise ApplianceError("BRG461", "A recording cannot be read.", f"at byte {offset}")
            yield msgspec.structs.replace(record, offset=offset, end=offset + end)
            del held[:end]
            offset += end
    if held:
        raise ApplianceError("BRG461", "A recording cannot be read.", "it ends in the middle of a record")


def _next_mark(file: BinaryIO, offset: int) -> int | None:
    while True:
        file.seek(offset)
        window = file.read(WINDOW)
        found = window.find(MARK)
        if found >= 0:
            return offset + found
        if len(window) < WINDOW:
            return None
        offset += WINDOW - len(MARK) + 1


def _checksum(at: int, raw: bytes) -> int:
    return zlib.crc32(raw, zlib.crc32(_CHECKED.pack(len(raw), at)))


def apply_record(copy: Copy, record: Record) -> bool:
    """Bring a copy of the signals forward by a record; False where it says nothing or does not follow on it.

    Raises:
        ApplianceError: SIG3xx, the frame cannot be read.
    """
    if record.type == FrameType.SIGNAL_SYNC:
        copy.sync(record.frame().json())
        return True
    if record.type != FrameType.SIGNAL_DIFF:
        return False
    try:
        copy.diff(record.frame().json())
    except ApplianceError as error:
        if error.code != "SIG305":
            raise
        return False  # what it follows on was damaged: the next keyframe goes on
    return True


class Index(msgspec.Struct):
    """Where to begin reading a segment.

    Attributes:
        covers: bytes of the file it knows, up to the end of the last whole record.
        first, last: times of its first and last record, milliseconds since 1970; 0 while there is none.
        ended: whether the segment was finished, rather than left by a crash or still being written.
        keys: time and offset of each keyframe, in the file's order.
        marks: how many changes there were in each ten seconds, by their number since 1970. The state that a segment
            begins with is none.
        meta: what the file says it is a recording of.
    """

    covers: int = 0
    first: int = 0
    last: int = 0
    ended: bool = False
    keys: list[tuple[int, int]] = []
    marks: dict[int, int] = {}
    meta: dict[str, Any] = {}

    def take(self, record: Record) -> None:
        """Add the next record."""
        self.first = self.first or record.at
        self.last, self.covers = record.at, record.end
        if record.is_change:
            mark = record.at // MARK_MS
            self.marks[mark] = self.marks.get(mark, 0) + bool(self.marks)
        if record.is_keyframe:
            self.keys.append((record.at, record.offset))
        elif record.type == FrameType.CONTROL:
            self._control(record.frame().json())

    def _control(self, said: dict[str, Any]) -> None:
        self.ended = self.ended or said.get("type") == "end"
        if said.get("type") == "recording":
            self.meta = self.meta or said

    def keys_before(self, at: int) -> list[int]:
        """Offsets of the keyframes not after a time, the latest first."""
        return [offset for time, offset in reversed(self.keys) if time <= at]


def began(path: Path) -> int:
    """The time in a segment's name, milliseconds since 1970; 0 where there is none."""
    return int(path.stem) if path.stem.isdecimal() else 0


def load_index(path: Path, known: Index | None = None) -> Index:
    """The index of a segment: the kept one where it fits, made anew where it does not. Blocks on the disk.

    Args:
        path: the segment.
        known: its index as it was a while ago; what was appended since is added to it.

    Raises:
        ApplianceError: BRG461, the segment cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            index = known if known is not None and known.covers <= size else _kept(path, file) or Index()
            for record in walk(file, index.covers):
                index.take(record)
    except OSError as error:
        raise unreadable(path, error) from None
    return index


def save_index(path: Path, index: Index) -> None:
    """Keep the index beside its segment."""
    body = msgspec.json.encode(index)
    draft = path.with_suffix(".idx.new")
    draft.write_bytes(b"%08x\n" % zlib.crc32(body) + body)
    os.replace(draft, path.with_suffix(INDEX))


def _kept(path: Path, file: BinaryIO) -> Index | None:
    try:
        checksum, _, body = path.with_suffix(INDEX).read_bytes().partition(b"\n")
        index = msgspec.json.decode(body, type=Index)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    counts = bool(index.marks) == bool(index.keys)  # earlier versions did not count
    fits = counts and checksum == b"%08x" % zlib.crc32(body) and index.covers <= file.seek(0, io.SEEK_END)
    return index if fits and _leads_to_a_keyframe(file, index) else None


def _leads_to_a_keyframe(file: BinaryIO, index: Index) -> bool:
    """Whether the first and the last entry are true: an index of another file is none."""
    size = file.seek(0, io.SEEK_END)
    for at, offset in (*index.keys[:1], *index.keys[-1:]):
        record = read_at(file, offset, size)
        if record is None or record.at != at or not record.is_keyframe:
            return False
    return True


def mend(path: Path) -> Index:
    """Cut the torn end of a segment that nobody writes any more, and keep its index. Blocks on the disk.

    Raises:
        ApplianceError: BRG461, the file cannot be read or written.
    """
    index = load_index(path)
    try:
        if path.stat().st_size > index.covers:
            os.truncate(path, index.covers)
        save_index(path, index)
    except OSError as error:
        raise unreadable(path, error) from None
    return index


def unreadable(path: Path, error: OSError) -> ApplianceError:
    """The error BRG461."""
    return ApplianceError(
        "BRG461", "A recording cannot be read.", f"{path.name}: {error.strerror or error}", "Look at the disk."
    )
