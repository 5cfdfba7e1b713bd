"""How values are said: labels, numbers, days and spans of days, one or many.

>>> say_days(date(2026, 11, 23), date(2026, 11, 24), today=date(2026, 11, 23))
'today'
>>> number(1234.5)
'1,234.5'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from appliance.llm.words import singular
from appliance.types import Collection

_MONTHS: Final = "January February March April May June July August September October November December".split()

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])[A-Z](?=[a-z])")
"""Where a new word begins in ``minStock``."""


def say_label(collection: Collection, name: str) -> str:
    """A field's label for people: underscores are spaces, and ``minStock`` is "min stock"."""
    return _CAMEL.sub(lambda found: f" {found[0].lower()}", collection.label_of(name).replace("_", " "))


def say_collection(collection: Collection, count: int = 2) -> str:
    """A collection's label for one or for many: "bed", "beds"; "inventory item", "inventory items"."""
    *before, head = collection.label.replace("_", " ").split() or ["row"]
    if not head.endswith("s"):
        return " ".join([*before, head, "item" if count == 1 else "items"])
    return " ".join([*before, singular(head) if count == 1 else head])


def say_name(name: str) -> str:
    """A collection's name as words: "work orders"."""
    return name.replace("_", " ")


def plural(label: str) -> str:
    """A label in the plural: ``category`` -> ``categories``."""
    if singular(label.rpartition(" ")[2].lower()) != label.rpartition(" ")[2].lower():
        return label
    if label.endswith("y") and label[-2:-1] not in tuple("aeiou"):
        return f"{label[:-1]}ies"
    return f"{label}{'es' if label.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def number(value: Any) -> str:
    """A number as people write it: thousands apart, at most two decimals, no trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return say_value(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{round(value, 2) + 0:,.2f}".rstrip("0").rstrip(".")  # + 0: never "-0"


def say_value(value: Any) -> str:
    """A value in a sentence: nothing is none, booleans are yes and no, days are written out, lists have "or"."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, list | tuple):
        return " or ".join(say_value(item) for item in value)
    moment = _moment(value) if isinstance(value, str) and len(value) >= 10 and value[4:5] == "-" else None
    if moment is None:
        return str(value)
    clock = "" if len(value) == 10 or (moment.hour, moment.minute) == (0, 0) else f" {moment:%H:%M}"
    return say_day(moment.date()) + clock


def say_day(day: date) -> str:
    """``23 November 2026``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def say_days(start: date, end: date, today: date) -> str:
    """The days from `start` up to, not including, `end`, as the end of "... are there"."""
    last = end - timedelta(days=1)
    if last == start:
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((start - today).days)
        return near or f"on {say_day(start)}"
    if (start.year, start.month) == (last.year, last.month):
        return f"from {start.day} to {say_day(last)}"
    return f"from {say_day(start)} to {say_day(last)}"


def say_span(start: datetime, end: datetime, today: date) -> str:
    """The time from `start` up to `end` as the end of "... are there": whole days, or hours of one day.

    >>> say_span(datetime(2026, 11, 24, 14), datetime(2026, 11, 25), today=date(2026, 11, 23))
    'tomorrow from 14:00'
    """
    if start.time() == end.time() == time():
        return say_days(start.date(), end.date(), today)
    day = say_days(start.date(), start.date() + timedelta(days=1), today)
    if end - start == timedelta(minutes=1):
        return f"{day} at {start:%H:%M}"
    if start.time() == time():
        return f"{day} before {end:%H:%M}"
    return f"{day} from {start:%H:%M}" + (f" to {end:%H:%M}" if end.time() != time() else "")


def span(start: Any, end: Any) -> tuple[datetime, datetime] | None:
    """Two bounds of a time field, without their zones, where they are whole days or minutes of one day; else None."""
    moments = [moment.replace(tzinfo=None) for moment in (_moment(start), _moment(end)) if moment]
    if len(moments) < 2 or moments[0] >= moments[1] or any(m.second or m.microsecond for m in moments):
        return None
    first, last = moments
    whole = first.time() == last.time() == time()
    one_day = (last - timedelta(minutes=1)).date() == first.date()
    return (first, last) if whole or one_day else None


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):  # an eight-digit number is no day
        return None


def join(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)
