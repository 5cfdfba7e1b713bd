"""Pictures on the wire: what changed between two, run-length encoded, and a receiver's own copy.

A picture is RGBA rows, four bytes a pixel. PIXELS_DELTA carries the picture before xor the picture now, as
tokens of whole pixels (``docs/reference/bitstream.md``):

    u16 little-endian: the two high bits say what follows, the 14 low bits how many pixels n (1 to 16,383)
    0x0000 | n                 SAME     n pixels stay
    0x4000 | n, 4 bytes        REPEAT   n pixels xor the same 4 bytes
    0x8000 | n, 4 * n bytes    LITERAL  n pixels xor 4 bytes each

Pixels after the last token stay. So a picture that did not change is an empty payload.

>>> black, white = bytes(4 * 300), bytes([255]) * 4 * 300
>>> delta(black, white).hex(" ")
'2c 41 ff ff ff ff'
>>> apply_delta(black, delta(black, white)) == white
True
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.errors import ApplianceError

PIXEL: Final = 4
RUN_LIMIT: Final = 0x3FFF
SAME, REPEAT, LITERAL = 0, 1, 2
PICTURE_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of a picture that :class:`Picture` takes: 3840 x 2160 fits."""

Words = NDArray[np.uint32]


def delta(previous: bytes, now: bytes) -> bytes:
    """The payload of PIXELS_DELTA that turns `previous` into `now`.

    Args:
        previous: RGBA rows, a multiple of four bytes; zeros for a frame with KEYFRAME.
        now: as many bytes.

    Raises:
        ApplianceError: SIG308, the two are not pictures of one size.
    """
    if len(previous) != len(now):
        raise _unreadable("The two pictures differ in size.", {"previous": len(previous), "now": len(now)})
    words = _words(previous) ^ _words(now)
    starts, lengths, ops = _tokens(words)
    if ops.size and ops[-1] == SAME:
        starts, lengths, ops = starts[:-1], lengths[:-1], ops[:-1]
    return _written(words, *_split(starts, lengths, ops))


def apply_delta(previous: bytes, payload: bytes) -> bytes:
    """The picture after `payload`: always as many bytes as `previous`.

    Raises:
        ApplianceError: SIG308, a token is unknown, empty, cut short, or reaches over the picture's end.
    """
    picture = _words(previous).copy()
    at, end, pixel = 0, len(payload), 0
    while at < end:
        op, n, data = _token(payload, at, picture.size - pixel)
        if op == REPEAT:
            picture[pixel : pixel + n] ^= np.frombuffer(payload, "<u4", 1, at + 2)
        elif op == LITERAL:
            picture[pixel : pixel + n] ^= np.frombuffer(payload, "<u4", n, at + 2)
        at += 2 + data
        pixel += n
    return picture.tobytes()


class Picture:
    """A receiver's own picture, kept up to date by PIXELS and PIXELS_DELTA frames.

    >>> picture = Picture()
    >>> picture.take(Frame(FrameType.PIXELS, bytes(8), width=2, height=1))
    >>> picture.take(Frame(FrameType.PIXELS_DELTA, bytes.fromhex("0140ff0000ff"), width=2, height=1))
    >>> picture.data.hex(" ", 4)
    'ff0000ff 00000000'

    Attributes:
        width, height: pixels; 0 before the first picture.
        data: RGBA rows.
    """

    def __init__(self, limit: int = PICTURE_LIMIT) -> None:
        self._limit = limit
        self.width = 0
        self.height = 0
        self.data = b""

    def take(self, frame: Frame) -> None:
        """Take a picture, or a change of it.

        Raises:
            ApplianceError: SIG302, larger than the limit, told before any memory is taken. SIG305, a change of a
                picture of another size, or of none: ask ``need_sync``. SIG308, it cannot be read.
        """
        size = self._size(frame)
        if frame.type == FrameType.PIXELS:
            if len(frame.payload) != size:
                details = {"said": [frame.width, frame.height], "bytes": len(frame.payload)}
                raise _unreadable("The picture's bytes are not its width times height.", details)
            data = frame.payload
        else:
            data = apply_delta(self._base(frame, size), frame.payload)
        self.width, self.height, self.data = frame.width, frame.height, data

    def _size(self, frame: Frame) -> int:
        size = frame.width * frame.height * PIXEL
        if size > self._limit:
            raise ApplianceError("SIG302", "The picture is over the limit.", {"bytes": size, "limit": self._limit})
        if not size:
            raise _unreadable("The picture has no pixels.", [frame.width, frame.height])
        return size

    def _base(self, frame: Frame, size: int) -> bytes:
        if frame.flags & KEYFRAME:
            return bytes(size)
        if (frame.width, frame.height) != (self.width, self.height):
            raise ApplianceError(
                "SIG305", "The change is not of this picture.", {"have": [self.width, self.height], "change": size}
            )
        return self.data


def _words(picture: bytes) -> Words:
    if len(picture) % PIXEL:
        raise _unreadable("A picture has four bytes a pixel.", {"bytes": len(picture)})
    return np.frombuffer(picture, "<u4")


def _token(payload: bytes, at: int, room: int) -> tuple[int, int, int]:
    """What the token at `at` does, to how many pixels, and how many bytes of data follow its two."""
    head = int.from_bytes(payload[at : at + 2], "little")
    op, n = head >> 14, head & RUN_LIMIT
    data = (0, PIXEL, PIXEL * n)[op] if op <= LITERAL else 0
    if op > LITERAL or not n or n > room or at + 2 + data > len(payload):
        raise _unreadable("The change of a picture cannot be read.", {"at": at, "token": head, "pixels left": room})
    return op, n, data


def _tokens(words: Words) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Where each token starts, how many pixels it spans, and what it is.

    A run of equal pixels becomes a token of its own where that is shorter; what is between becomes LITERAL.
    """
    starts = np.concatenate(([0], np.flatnonzero(words[1:] != words[:-1]) + 1))[: words.size]
    lengths = np.diff(starts, append=words.size)
    zero = words[starts] == 0
    ops = np.where(zero & (lengths >= 2), SAME, np.where(lengths >= 3, REPEAT, LITERAL))
    first = np.ones(ops.size, bool)
    first[1:] = (ops[1:] != LITERAL) | (ops[:-1] != LITERAL)  # neighbouring literals are one
    starts, ops = starts[first], ops[first]
    return starts, np.diff(starts, append=words.size), ops


def _split(
    starts: NDArray[Any], lengths: NDArray[Any], ops: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The same tokens, none longer than 16,383 pixels."""
    parts = -(-lengths // RUN_LIMIT)
    part = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    left = np.repeat(lengths, parts) - part * RUN_LIMIT
    return np.repeat(starts, parts) + part * RUN_LIMIT, np.minimum(left, RUN_LIMIT), np.repeat(ops, parts)


def _written(words: Words, starts: NDArray[Any], lengths: NDArray[Any], ops: NDArray[Any]) -> bytes:
    """The tokens as bytes. All parts are multiples of two bytes, so they are placed as 16-bit words at once."""
    pixels = np.where(ops == LITERAL, lengths, np.where(ops == REPEAT, 1, 0))
    sizes = 1 + 2 * pixels
    heads = np.cumsum(sizes) - sizes
    is_head = np.zeros(int(sizes.sum()), bool)
    is_head[heads] = True
    index = np.repeat(starts - (np.cumsum(pixels) - pixels), pixels) + np.arange(pixels.sum())
    out = np.empty(is_head.size, "<u2")
    out[is_head] = ops << 14 | lengths
    out[~is_head] = words[index].view("<u2")
    return out.tobytes()


def _unreadable(message: str, details: Any) -> ApplianceError:
    return ApplianceError("SIG308", message, details)
