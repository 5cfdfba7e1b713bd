"""Bounds: conditions made of stored values, days and moments."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

from appliance.llm.dates import Span
from appliance.llm.plan import NUMBERS, TIMES, Condition
from appliance.llm.words import fold
from appliance.types import Field

_NOTHING: Final = frozenset({"none", "no", "nothing", "n/a", "na", "-"})
"""Stored texts that say that there is nothing."""


def one_of(field: str, values: list[str], negated: bool) -> list[Condition]:
    """The field is one of these values, or none of them."""
    values = list(dict.fromkeys(values))
    if negated:
        return [Condition(field, "neq", value) for value in values]
    return [Condition(field, "eq", values[0]) if len(values) == 1 else Condition(field, "in", tuple(values))]


def union(spans: tuple[Span, ...]) -> tuple[date | None, date | None, list[Span]]:
    """The days of spans that follow each other without a gap, and the spans that do not."""
    first, *others = sorted(spans, key=lambda span: (span.start or date.min, span.end or date.max))
    start, end, left = first.start, first.end, list[Span]()
    for span in others:
        whole = not span.part and not first.part and span.start is not None and span.end is not None
        if whole and end is not None and start is not None and span.start == end:
            end = span.end
        else:
            left.append(span)
    return start, end, left


def bounds(field: str, first: str | None, last: str | None) -> list[Condition]:
    """From `first` up to, not including, `last`; either may be open."""
    made = [Condition(field, "gte", first)] if first is not None else []
    return made + ([Condition(field, "lt", last)] if last is not None else [])


def moment(field: Field | None, day: date | datetime, now: datetime) -> str:
    """A day, or a point in time, as a value of a time field; a day begins at midnight where `now` is."""
    if field is not None and field.type == "date":
        return (day.date() if isinstance(day, datetime) else day).isoformat()
    whole = day if isinstance(day, datetime) else datetime.combine(day, time.min, now.tzinfo)
    return on_clock(field, whole.isoformat(timespec="seconds"))


def on_clock(field: Field | None, moment: str) -> str:
    """A moment in ISO 8601, told where the facility is, as a field holds it: as a text that sorts, where it is one."""
    if field is None or not field.clock:
        return moment
    return datetime.fromisoformat(moment).replace(tzinfo=None).isoformat(sep=field.clock, timespec="minutes")


def filled(field: Field, rows: int) -> bool:
    """Whether every one of so many rows has a value of a field."""
    return field.count >= rows > 0


def absent(field: Field, rows: int, empty: bool) -> Condition:
    """That a field is empty, or is not; where every row has a value, and one says so, that it is that value, or 0."""
    says = [value for value in field.values if fold(value) in _NOTHING]
    if len(says) == 1 and filled(field, rows):
        return Condition(field.name, "eq" if empty else "neq", says[0])
    if field.type in NUMBERS and filled(field, rows) and field.low == 0:
        return Condition(field.name, "eq" if empty else "gt", 0)
    return Condition(field.name, "null", empty)


def ended(field: Field, now: datetime) -> Condition | None:
    """That a day is over; None where a field holds none."""
    return Condition(field.name, "lt", moment(field, now, now)) if field.type in TIMES else None
