"""Letters for panels of lamps: capitals three lamps wide and five high, sharp where a scaled font is a blur.

>>> width_of("17")
7
>>> sum(lamp for row in lamps("I") for lamp in row)
9
"""

from __future__ import annotations

import unicodedata
from typing import Final

HEIGHT: Final = 5

_DRAWN: Final = """
A .#.|#.#|###|#.#|#.#
B ##.|#.#|##.|#.#|##.
C .##|#..|#..|#..|.##
D ##.|#.#|#.#|#.#|##.
E ###|#..|##.|#..|###
F ###|#..|##.|#..|#..
G .##|#..|#.#|#.#|.##
H #.#|#.#|###|#.#|#.#
I ###|.#.|.#.|.#.|###
J ..#|..#|..#|#.#|.#.
K #.#|#.#|##.|#.#|#.#
L #..|#..|#..|#..|###
M #...#|##.##|#.#.#|#...#|#...#
N #..#|##.#|#.##|#..#|#..#
O .#.|#.#|#.#|#.#|.#.
P ##.|#.#|##.|#..|#..
Q .#.|#.#|#.#|.#.|..#
R ##.|#.#|##.|#.#|#.#
S .##|#..|.#.|..#|##.
T ###|.#.|.#.|.#.|.#.
U #.#|#.#|#.#|#.#|###
V #.#|#.#|#.#|#.#|.#.
W #...#|#...#|#.#.#|##.##|#...#
X #.#|#.#|.#.|#.#|#.#
Y #.#|#.#|.#.|.#.|.#.
Z ###|..#|.#.|#..|###
0 ###|#.#|#.#|#.#|###
1 .#.|##.|.#.|.#.|###
2 ###|..#|###|#..|###
3 ###|..#|###|..#|###
4 #.#|#.#|###|..#|..#
5 ###|#..|###|..#|###
6 ###|#..|###|#.#|###
7 ###|..#|..#|.#.|.#.
8 ###|#.#|###|#.#|###
9 ###|#.#|###|..#|###
. .|.|.|.|#
, ..|..|..|.#|#.
: .|#|.|#|.
; ..|.#|..|.#|#.
! #|#|#|.|#
? ##.|..#|.#.|...|.#.
' #|#|.|.|.
" #.#|#.#|...|...|...
- ...|...|###|...|...
+ ...|.#.|###|.#.|...
/ ..#|..#|.#.|#..|#..
% #.#|..#|.#.|#..|#.#
( .#|#.|#.|#.|.#
) #.|.#|.#|.#|#.
= ...|###|...|###|...
& .#..|#.#.|.#..|#.#.|.#.#
# .#.#.|#####|.#.#.|#####|.#.#.
* #.#|.#.|#.#|...|...
_ ...|...|...|...|###
< ..#|.#.|#..|.#.|..#
> #..|.#.|..#|.#.|#..
€ .##|#..|##.|#..|.##
° ##|##|..|..|..
"""
_GLYPHS: Final = {line[0]: tuple(line[2:].split("|")) for line in _DRAWN.strip().splitlines()} | {" ": ("..",) * 5}
_LIKE: Final = str.maketrans(
    {"–": "-", "—": "-", "·": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "…": ".", "ß": "S", "Ø": "O", "Æ": "E"}
)


def plain(text: str) -> str:
    """The text in letters that are drawn here: capitals without accents; what has no likeness is a question mark."""
    split = unicodedata.normalize("NFD", text.upper().translate(_LIKE))
    bare = "".join(char for char in split if not unicodedata.combining(char))
    return "".join(char if char in _GLYPHS else "?" for char in bare)


def width_of(text: str) -> int:
    """Lamps that a plain text takes, one dark column between letters."""
    return max(0, sum(len(_GLYPHS[char][0]) + 1 for char in text) - 1)


def lamps(text: str) -> list[list[bool]]:
    """A plain text as five rows of lamps."""
    return [[lamp == "#" for lamp in ".".join(_GLYPHS[char][row] for char in text)] for row in range(HEIGHT)]
