"""The frame: 16 bytes of header and a payload, as ``docs/reference/bitstream.md`` says.

>>> raw = encode(Frame(FrameType.SIGNAL_DIFF, b'{"beds.free":7}', timestamp=41))
>>> len(raw), decode(raw).payload
(31, b'{"beds.free":7}')
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError

HEADER: Final = struct.Struct("<BBHIHHI")
HEADER_SIZE: Final = HEADER.size
DEFAULT_LIMIT: Final = 4 * 1024 * 1024
DEFLATE_FROM: Final = 512

INPUT: Final = 0x01
KEYFRAME: Final = 0x02
DEFLATE: Final = 0x04
_KNOWN_FLAGS: Final = INPUT | KEYFRAME | DEFLATE


class FrameType(enum.IntEnum):
    """The frame types of version 1."""

    APP = 0x00
    PIXELS = 0x01
    PIXELS_DELTA = 0x02
    AUDIO = 0x10
    SIGNAL_SYNC = 0x30
    SIGNAL_DIFF = 0x31
    INPUT = 0x40
    CONTROL = 0xF0


_KNOWN_TYPES: Final = frozenset(FrameType)
JSON_TYPES: Final = frozenset({FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF, FrameType.INPUT, FrameType.CONTROL})


class Frame(msgspec.Struct, frozen=True):
    """One unit on the wire.

    Attributes:
        type: a :class:`FrameType`, or another number that a receiver skips.
        payload: the payload as it is meant, inflated; of an unknown type as it came.
        flags: INPUT and KEYFRAME; DEFLATE is the codec's own business and set on frames of unknown types only.
        seq: per connection, 0 to 65,535, wraps.
        timestamp: milliseconds since the stream's epoch began, 32 bits.
        width, height: pixels; for audio the sample rate / 100 and the channels; else 0.
    """

    type: int
    payload: bytes = b""
    flags: int = 0
    seq: int = 0
    timestamp: int = 0
    width: int = 0
    height: int = 0

    def json(self) -> dict[str, Any]:
        """The payload of a signal, input or control frame.

        Raises:
            ApplianceError: SIG303, it is not a JSON object.
        """
        try:
            value = msgspec.json.decode(self.payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ApplianceError("SIG303", "The frame's payload is not JSON.", str(error)) from None
        if not isinstance(value, dict):
            raise ApplianceError("SIG303", "The frame's payload is not a JSON object.", type(value).__name__)
        return value


def encode(frame: Frame, *, deflate: bool = False) -> bytes:
    """Header and payload as bytes.

    Args:
        frame: what to send.
        deflate: compress a payload of at least 512 bytes where that makes it smaller.
    """
    known = frame.type in _KNOWN_TYPES
    payload, flags = frame.payload, frame.flags & (INPUT | KEYFRAME if known else _KNOWN_FLAGS)
    if deflate and known and len(payload) >= DEFLATE_FROM:
        squeezed = _squeeze(payload)
        if len(squeezed) < len(payload):
            payload, flags = squeezed, flags | DEFLATE
    head = HEADER.pack(
        frame.type, flags, frame.seq & 0xFFFF, frame.timestamp & 0xFFFFFFFF, frame.width, frame.height, len(payload)
    )
    return head + payload


def decode(raw: bytes, limit: int = DEFAULT_LIMIT) -> Frame:
    """Exactly one frame.

    Args:
        raw: a header and its whole payload, nothing more.
        limit: payload bytes the receiver accepts, before and after inflating.

    Raises:
        ApplianceError: SIG300 (too short, or bytes left over), SIG301 (unknown flag), SIG302 (over `limit`),
            SIG304 (bad deflate).
    """
    length = payload_length(raw, limit)
    if len(raw) != HEADER_SIZE + length:
        raise ApplianceError(
            "SIG300", "The frame's length does not match its payload.", {"said": length, "got": len(raw) - HEADER_SIZE}
        )
    kind, flags, seq, timestamp, width, height, _ = HEADER.unpack_from(raw)
    payload = bytes(raw[HEADER_SIZE:])
    if flags & DEFLATE and kind in _KNOWN_TYPES:
        payload, flags = _inflate(payload, limit), flags & ~DEFLATE
    return Frame(kind, payload, flags, seq, timestamp, width, height)


def payload_length(header: bytes, limit: int = DEFAULT_LIMIT) -> int:
    """The payload length a header announces, checked before a byte of payload is read.

    Raises:
        ApplianceError: SIG300 (fewer than 16 bytes), SIG301 (unknown flag), SIG302 (over `limit`).
    """
    if len(header) < HEADER_SIZE:
        raise ApplianceError("SIG300", "The frame is shorter than its header.", {"bytes": len(header)})
    _, flags, _, _, _, _, length = HEADER.unpack_from(header)
    if flags & ~_KNOWN_FLAGS:
        raise ApplianceError("SIG301", "The frame has a flag this version does not know.", {"flags": flags})
    if length > limit:
        raise ApplianceError("SIG302", "The frame's payload is over the limit.", {"length": length, "limit": limit})
    return int(length)


class Decoder:
    """Frames from a byte stream that arrives in any pieces (Iroh, files).

    Holds at most one unfinished frame, so its memory is bounded by the limit and the largest piece fed.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that `piece` completes.

        Raises:
            ApplianceError: as :func:`decode`; the stream cannot be read on after that.
        """
        self._rest += piece
        while len(self._rest) >= HEADER_SIZE:
            end = HEADER_SIZE + payload_length(bytes(self._rest[:HEADER_SIZE]), self._limit)
            if len(self._rest) < end:
                return
            raw = bytes(self._rest[:end])
            del self._rest[:end]
            yield decode(raw, self._limit)


def _squeeze(payload: bytes) -> bytes:
    squeezer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeezer.compress(payload) + squeezer.flush()


def _inflate(payload: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    try:
        plain = inflater.decompress(payload, limit + 1)
    except zlib.error as error:
        raise ApplianceError("SIG304", "The frame's payload cannot be inflated.", str(error)) from None
    if len(plain) > limit or inflater.unconsumed_tail:
        raise ApplianceError("SIG302", "The frame's payload is over the limit once inflated.", {"limit": limit})
    if not inflater.eof or inflater.unused_data:
        raise ApplianceError("SIG304", "The frame's deflate payload is cut short or has bytes left over.")
    return plain


def control(kind: str, /, **values: Any) -> Frame:
    """A CONTROL frame of this kind."""
    return Frame(FrameType.CONTROL, msgspec.json.encode({"type": kind, **values}))


def input_frame(kind: str, /, **values: Any) -> Frame:
    """An INPUT frame of this kind, screen to box."""
    return Frame(FrameType.INPUT, msgspec.json.encode({"type": kind, **values}), flags=INPUT)
