"""Whether a file is a whole Whisper model in GGML's first format, before whisper.cpp is let near it.

    magic, 11 numbers of the network, filters, vocabulary, then each array: rank, length of its name, kind, shape, name,
    values. Little-endian, 32 bits each.

The library trusts what it reads, and ends the process where that is nonsense or cut short; here the file is walked
through to its end first, which reads a few kilobytes of it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

MAGIC: Final = b"lmgg"
NUMBERS: Final = (
    "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer", "n_text_ctx", "n_text_state",
    "n_text_head", "n_text_layer", "n_mels", "ftype",
)  # fmt: skip
LARGEST: Final = {"n_vocab": 100_000, "n_mels": 256, "ftype": 100_000}
_ANY: Final = 8192
"""What no other number of a network comes to: those of the largest are below 2,000."""
_WIDE: Final = 256
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (_WIDE, 84), 11: (_WIDE, 110), 12: (_WIDE, 144), 13: (_WIDE, 176), 14: (_WIDE, 210),
}  # fmt: skip
"""For each kind of value, how many stand together and the bytes that they take."""
_RANK: Final = 4
_NAME: Final = 128


def fault(file: Path) -> str:
    """Why a file is no such model, as half a sentence; empty where it is one."""
    try:
        with file.open("rb") as opened:
            return _fault(opened, file.stat().st_size)
    except struct.error:
        return "is cut short"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _fault(file: BinaryIO, size: int) -> str:
    if file.read(len(MAGIC)) != MAGIC:
        return "is no GGML file"
    numbers = dict(zip(NUMBERS, _numbers(file, len(NUMBERS)), strict=True))
    for name, value in numbers.items():
        if not (0 if name == "ftype" else 1) <= value <= LARGEST.get(name, _ANY):
            return f"is no model of Whisper's: {name} is {value}"
    mels, bins = _numbers(file, 2)
    if mels != numbers["n_mels"] or not 0 < bins <= _ANY:
        return "is no model of Whisper's: its filters fit no sound"
    file.seek(4 * mels * bins, 1)
    (words,) = _numbers(file, 1)
    if not 0 < words <= numbers["n_vocab"]:
        return "is no model of Whisper's: its vocabulary has another size"
    for _ in range(words):
        (length,) = _numbers(file, 1)
        if not 0 <= length <= _ANY:
            return "is no model of Whisper's: it has a word of that length"
        file.seek(length, 1)
    return _arrays_fault(file, size)


def _arrays_fault(file: BinaryIO, size: int) -> str:
    if file.tell() >= size:
        return "is cut short"
    while file.tell() < size:
        rank, length, kind = _numbers(file, 3)
        if not 0 < rank <= _RANK or not 0 < length <= _NAME or kind not in _BLOCKS:
            return "is no model of Whisper's: an array is of no known kind"
        count = 1
        for extent in _numbers(file, rank):
            if extent <= 0:
                return "is no model of Whisper's: an array has no values"
            count *= extent
        together, taken = _BLOCKS[kind]
        file.seek(length + count // together * taken, 1)
    return "is cut short" if file.tell() > size else ""


def _numbers(file: BinaryIO, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}i", file.read(4 * count))
