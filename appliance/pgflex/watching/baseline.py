"""What is usual, and what is not: the mathematics, without a database or a clock.

The usual number is the median of the same window on earlier days. How far days spread is known from all of them but
the farthest, which may have been unusual itself; it is never less than chance alone makes of such a number (the square
root of it, as of Poisson's counts). A number is told when it lies far outside of that spread, by a good share, by more
than a handful of rows, and beyond every one of the days it is compared with. It is over when it is near the usual
again, which is a nearer line than the one it crossed: a number that wavers about a line is told once.

Simulated with a look every quarter of an hour, a quarter of a year in which nothing is unusual tells 0 to 0.2 times
where only chance is at work (60 to 2,000 rows a day), 0.5 times where days vary by 14 % besides, 4 times where by 31 %.

    >>> monday = usual([24, 21, 26, 24, 23])
    >>> monday.value
    24.0
    >>> side_of(25, monday), side_of(80, monday), percent(80, monday)
    (None, 'above', 233)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Final, Literal

import msgspec

__all__ = ["OVER", "TELL", "Limits", "Side", "Usual", "is_past", "percent", "side_of", "usual"]

Side = Literal["above", "below"]
SIDES: Final[tuple[Side, ...]] = ("above", "below")
_NORMAL: Final = 1.4826
"""The standard deviation of what is normally distributed, for each unit of its median distance from the median."""


_TRIMMED: Final = 1.3
"""The same for the root mean square of all distances but the farthest, of about eight days."""
_UNSURE: Final = 4


class Limits(msgspec.Struct, frozen=True):
    """How far from the usual: in spreads (`score`), as a share of the usual, and in rows. All three must be passed."""

    score: float
    share: float
    rows: float


TELL: Final = Limits(score=4.0, share=0.3, rows=8)
OVER: Final = Limits(score=2.0, share=0.15, rows=4)


class Usual(msgspec.Struct, frozen=True):
    """What is usual: the number, its spread, the least and the most there were, and of how many days."""

    value: float
    spread: float
    least: int
    most: int
    days: int


def usual(samples: Sequence[int]) -> Usual:
    """What is usual, from the counts of at least one earlier day.

    The spread of a few days says little of that of many: the fewer there are, the wider it is taken.
    """
    days, centre = len(samples), float(median(samples))
    away = sorted(abs(each - centre) for each in samples)
    # The farthest day may itself have been unusual: the others say how far days spread.
    seen = max(_NORMAL * median(away), _TRIMMED * math.hypot(*away[:-1]) / math.sqrt(max(1, days - 1)))
    seen *= 1 + _UNSURE / days
    spread = max(seen, math.sqrt(centre + 1)) * math.sqrt(1 + 1 / days)
    return Usual(centre, spread, min(samples), max(samples), days)


def is_past(value: float, known: Usual, side: Side, limits: Limits) -> bool:
    """Whether a number is past the limits on that side of the usual."""
    away = value - known.value if side == "above" else known.value - value
    return away >= max(limits.rows, limits.share * known.value, limits.score * known.spread)


def side_of(value: float, known: Usual) -> Side | None:
    """The side of the usual on which a number is to be told, or None: it is as usual."""
    if value > known.most and is_past(value, known, "above", TELL):
        return "above"
    if value < known.least and is_past(value, known, "below", TELL):
        return "below"
    return None


def percent(value: float, known: float | Usual) -> int | None:
    """How many percent a number is above (or, negative, below) the usual; None where the usual is less than one."""
    centre = known.value if isinstance(known, Usual) else known
    return None if centre < 1 else round(100 * (value - centre) / centre)
