"""Times of day in a question: "after 2pm", "between 9 and 11am", "before noon"; in minutes since midnight.

>>> [(place, minutes) for place, minutes in times_of_day("visits after 2pm")]
[((7, 16), (840, 1440))]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

DAY: Final = 24 * 60
PARTS_OF_DAY: Final = {"morning": (0, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (18, 24)}
_TIME: Final = (
    r"(?:(?P<h{0}>[0-9]{{1,2}})(?:[:.](?P<m{0}>[0-5][0-9]))? ?(?P<half{0}>am|pm|a\.m\.|p\.m\.|o'clock)?"
    r"|(?P<noon{0}>noon|midday))"
)
_CLOCK: Final = re.compile(
    rf"(?<![\w-])(?:(?P<side>after|from|since|before|until|till|by|at|past) {_TIME.format(1)}"
    rf"|between {_TIME.format(2)} and {_TIME.format(3)})(?![\w%:-])"
)
PART_OF_DAY: Final = re.compile(r"(?<![\w-])(?:in the |at )?(?P<part>morning|afternoon|evening)(?!\w)")


def times_of_day(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where a text in lower case names a time of day, and the minutes it means, from and up to."""
    for match in _CLOCK.finditer(text):
        minutes = _minutes(match)
        if minutes is not None:
            yield match.span(), minutes


def _minutes(match: re.Match[str]) -> tuple[int, int] | None:
    """The minutes of the day that a time of day means, with the word before it."""
    if match["side"] is None:
        first, last = _minute(match, "2", match["half3"]), _minute(match, "3", None)
        return None if first is None or last is None or last <= first else (first, last)
    minute = _minute(match, "1", None)
    if minute is None:
        return None
    if match["side"] == "at":
        return minute, minute + 1
    return (0, minute) if match["side"] in ("before", "until", "till", "by") else (minute, DAY)


def _minute(match: re.Match[str], which: str, half: str | None) -> int | None:
    """The minute of the day; None where a number is no time of day: "after 5"."""
    if match["noon" + which]:
        return DAY // 2
    hour, minute, half = int(match["h" + which]), match["m" + which], match["half" + which] or half
    if not (minute or half) or hour > 23:
        return None
    if half and half[0] in "ap":
        hour = hour % 12 + 12 * (half[0] == "p")
    return 60 * hour + int(minute or 0)
