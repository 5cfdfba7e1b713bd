"""Which windows of time are compared with which: the same time of day, on the same weekday where there are enough.

A day is the facility's own, from its midnight, and may have 23 or 25 hours.

    >>> zone = ZoneInfo("Europe/Vienna")
    >>> now = datetime(2026, 11, 23, 14, 5, tzinfo=zone)
    >>> day_so_far(now).start.hour, day_so_far(now).end.hour, hour_of(now, -1).start.hour
    (0, 14, 13)
    >>> [window.start.day for window in earlier(day_so_far(now), "weekday")][:2]
    [16, 9]
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["LEAST", "Basis", "Window", "day_so_far", "earlier", "hour_of", "is_known", "quarter", "zone_of"]

Basis = Literal["weekday", "day"]
BASES: Final[tuple[Basis, ...]] = ("weekday", "day")
"""What a window is compared with, the better first."""
LEAST: Final[dict[Basis, int]] = {"weekday": 4, "day": 7}
"""How many earlier windows must be known before anything is said."""
MOST: Final[dict[Basis, int]] = {"weekday": 8, "day": 14}
DAYS_KEPT: Final = 100
"""Longer than the longest comparison of a day looks back."""
_QUARTER: Final = timedelta(minutes=15)
_WEEK: Final = 7


class Window(NamedTuple):
    """From `start` up to, not including, `end`; both in the facility's timezone."""

    start: datetime
    end: datetime


@cache
def zone_of(name: str) -> tzinfo:
    """A timezone by name, the machine's where the name is empty: with its summer times, which an offset has not.

    It is read from a file once, so a service asks for it before it begins to serve.
    """
    with suppress(ZoneInfoNotFoundError, ValueError):
        if known := name or os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(known)
    with suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
        return ZoneInfo.from_file(file, "localtime")
    return UTC


def quarter(at: datetime, ahead: int = 0) -> datetime:
    """The start of the quarter of an hour that a time lies in, or of one `ahead` of it."""
    whole = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return (whole.astimezone(UTC) + ahead * _QUARTER).astimezone(at.tzinfo)


def day_so_far(now: datetime, ahead: int = 0) -> Window:
    """Today from midnight to the quarter of an hour that is running, or to the end of it with `ahead` 1."""
    return Window(datetime.combine(now.date(), time(), now.tzinfo), quarter(now, ahead))


def hour_of(now: datetime, ahead: int = 0) -> Window:
    """The hour of the clock that is running, or with `ahead` -1 the one before it."""
    whole = now.replace(minute=0, second=0, microsecond=0).astimezone(UTC) + timedelta(hours=ahead)
    return Window(whole.astimezone(now.tzinfo), (whole + timedelta(hours=1)).astimezone(now.tzinfo))


def earlier(window: Window, basis: Basis) -> list[Window]:
    """The windows a window is compared with, the newest first: the same times by the clock, whole days or weeks ago.

    A window that is longer than a day has no comparison by the day, and none with a window that it touches.
    """
    days = (window.end - window.start) / timedelta(days=1)
    if basis == "day" and days > 1:
        return []
    step = 1 if basis == "day" else _WEEK * max(1, math.ceil(days / _WEEK))
    return [_moved(window, -step * n) for n in range(1, MOST[basis] + 1)]


def is_known(window: Window, since: datetime, unwatched: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether all of a window was watched."""
    return window.start >= since and not any(start < window.end and window.start < until for start, until in unwatched)


def _moved(window: Window, days: int) -> Window:
    """The same times by the clock some days away: arithmetic with a timezone is by the clock."""
    return Window(window.start + timedelta(days=days), window.end + timedelta(days=days))
