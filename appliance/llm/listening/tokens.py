r"""The pieces of words that the model writes: 32,768 of them, each with the bytes it stands for.

The file is the model's own (``tokenizer.bin``): for each piece its length, in seven bits or in fourteen, and its bytes.
``\u2581`` stands for the space before a word. A piece of no bytes is one that is never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

BEGIN: Final = 1
END: Final = 2
SPACE: Final = "\u2581"
_SPECIAL: Final = 3
_BYTES: Final = 256


class Tokens:
    """Turns pieces into text and text into pieces.

    Args:
        pieces: the bytes of each.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._numbers: dict[bytes, int] = {}
        for number, piece in enumerate(pieces):
            if number >= _SPECIAL + _BYTES and piece:
                self._numbers.setdefault(piece, number)

    def __len__(self) -> int:
        return len(self._pieces)

    @classmethod
    def read(cls, file: Path) -> Tokens:
        """The pieces of a model's file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is cut short.
        """
        raw, at, pieces = file.read_bytes(), 0, list[bytes]()
        while at < len(raw):
            length = raw[at]
            at += 1
            if length >= 128:
                if at >= len(raw):
                    raise ValueError("the last piece has half a length")
                length += 128 * raw[at] - 128
                at += 1
            if at + length > len(raw):
                raise ValueError("the last piece is cut short")
            pieces.append(raw[at : at + length])
            at += length
        return cls(pieces)

    def text(self, numbers: Iterable[int]) -> str:
        """What the pieces say."""
        raw = b"".join(self._pieces[number] for number in numbers if number >= _SPECIAL)
        return " ".join(raw.decode(errors="replace").replace(SPACE, " ").split())

    def pieces(self, text: str) -> tuple[int, ...]:
        """A word or two as the model would write them within a sentence; empty where it has no pieces for it.

        Pieces are joined as byte pair encoding does: of all neighbours that make a piece, those whose piece has the
        lowest number come first (Sennrich et al. 2016).
        """
        parts = [char.encode() for char in SPACE + text.replace(" ", SPACE)]
        while len(parts) > 1:
            joined = [self._numbers.get(left + right) for left, right in pairwise(parts)]
            best = min((number for number in joined if number is not None), default=None)
            if best is None:
                break
            at = joined.index(best)
            parts[at : at + 2] = [self._pieces[best]]
        found = [self._numbers.get(part) for part in parts]
        return tuple(number for number in found if number is not None) if None not in found else ()
