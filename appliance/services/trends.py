"""Trends: what an answer's number was earlier, so that a screen can say "2 more than at 08:15".

>>> now = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
>>> points = noted((), now, 5)
>>> points = noted(points, now + timedelta(minutes=5), 7)
>>> trend(points)
{'was': 5, 'since': '2026-11-28T09:00:00+00:00', 'points': [[1795856400000, 5], [1795856700000, 7]]}

A point is kept for each change. Once there are many, every other one of them goes, so that the line keeps its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

__all__ = ["UTC", "Point", "datetime", "noted", "number_of", "timedelta", "trend"]

Point = tuple[int, float]
"""Milliseconds since 1970 and the number from then on."""
POINTS: Final = 60
KEPT: Final = timedelta(hours=24)


def number_of(view: Mapping[str, Any]) -> float | None:
    """The one number of an answer, or None where it is not that."""
    value = view.get("value")
    is_one = view.get("kind") == "number" and isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_one else None


def noted(points: tuple[Point, ...], now: datetime, value: float) -> tuple[Point, ...]:
    """The points with one more, where the number is another than before; those of a day ago and older go."""
    at, oldest = round(now.timestamp() * 1000), round((now - KEPT).timestamp() * 1000)
    last_old = max((n for n, point in enumerate(points) if point[0] <= oldest), default=0)
    points = points[last_old:]  # the last of the old ones still held when the day began
    if points and points[-1][1] == value:
        return points
    points = (*points, (at, value))
    return points if len(points) <= POINTS else (points[0], *points[1:-1:2], points[-1])


def trend(points: tuple[Point, ...]) -> dict[str, Any] | None:
    """The signal ``answer.<id>.trend``; None while the number was never another."""
    if len(points) < 2:
        return None
    first, value = points[0]
    since = datetime.fromtimestamp(first / 1000, UTC).isoformat(timespec="seconds")
    return {"was": value, "since": since, "points": [list(point) for point in points]}
