"""Days and times of the demos, in the machine's timezone.

Times are written as ISO 8601 with the local offset. Rows may come back from a database as text or as
values, and a person may have written anything into them, so reading gives None for what is no date.

    >>> day_of("2026-11-23")
    datetime.date(2026, 11, 23)
    >>> day_of("soon") is None
    True
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any


def local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """This wall-clock time of `day`, with the machine's offset on that day."""
    return datetime.combine(day, time(hour, minute)).astimezone()


def iso(moment: datetime) -> str:
    """As text with the machine's offset, to the second."""
    return moment.astimezone().isoformat(timespec="seconds")


def day_of(value: Any) -> date | None:
    """The date a row holds, or None."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone().date()
    return value if isinstance(value, date) else None


def moment_of(value: Any) -> datetime | None:
    """The time a row holds, or None; a time without an offset is local."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.astimezone()


def today_at(now: datetime) -> date:
    """The local date at `now`."""
    return now.astimezone().date()


def day_share(now: datetime) -> float:
    """How much of the local day has passed, 0 to 1."""
    here = now.astimezone()
    return (here.hour * 60 + here.minute) / 1440


def is_weekday(day: date) -> bool:
    """Monday to Friday."""
    return day.weekday() < 5


def days(today: date, first: int, last: int) -> list[date]:
    """The dates from `first` to `last` days after `today`, both included."""
    return [today + timedelta(days=offset) for offset in range(first, last + 1)]


def later(moment: datetime, days_apart: int, after: date) -> datetime:
    """`moment` moved by whole periods of `days_apart` days to a date after `after`, at the same wall-clock time."""
    here = moment.astimezone()
    day = later_day(here.date(), days_apart, after)
    return local(day, here.hour, here.minute)


def later_day(day: date, days_apart: int, after: date) -> date:
    """`day` moved by whole periods of `days_apart` days, at least one, to a date after `after`."""
    periods = max(1, (after - day).days // days_apart + 1)
    return day + timedelta(days=days_apart * periods)


def born(rng: random.Random, today: date, youngest: int, oldest: int) -> date:
    """A birth date of somebody `youngest` to `oldest` years old."""
    return today - timedelta(days=rng.randint(youngest * 366, oldest * 365))
