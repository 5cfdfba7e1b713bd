"""Numbers large enough to be read across a room, drawn with half blocks: three lines each.

>>> print(large("7"))
▀▀█
  █
  ▀
"""

from __future__ import annotations

from typing import Final

HEIGHT: Final = 3
_GLYPHS: Final[dict[str, tuple[str, str, str]]] = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": ("▀█ ", " █ ", "▀▀▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", "▀▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
    "-": ("   ", "▀▀▀", "   "),
    ".": (" ", " ", "▀"),
    ",": (" ", " ", "█"),
    ":": ("▄", " ", "▀"),
    "%": ("▀ █", " █ ", "█ ▀"),
}


def large(text: str) -> str | None:
    """The text in large digits, or None where it has a character that is none."""
    if not text or any(char not in _GLYPHS for char in text):
        return None
    return "\n".join(" ".join(_GLYPHS[char][line] for char in text).rstrip() for line in range(HEIGHT))
