"""What the domains of plain questions are made with: gold rows, told from the documents by plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from appliance.llm.training.unseen import Asked, Gold

Row = dict[str, Any]
NONE: Final = "none"
"""In the place of gold: the documents do not tell it."""


class Domain(NamedTuple):
    """Documents by collection, and the questions about them."""

    documents: dict[str, list[Row]]
    asked: list[Asked]


def asked(questions: Iterable[tuple[str, Any]]) -> list[Asked]:
    """Questions, each with its gold rows or :data:`NONE`."""
    return [question(text, [gold]) for text, gold in questions]


def question(text: str, golds: list[Any]) -> Asked:
    """A question with its gold rows, and others that are as good; ``[NONE]`` where the documents do not tell it."""
    if golds == [NONE]:
        return Asked(text, expect="clarify")
    first, *others = (Gold(values=values) for values in golds)
    return Asked(text, gold=first, others=tuple(others))


def d(value: str) -> date:
    """The day of an ISO text."""
    return date.fromisoformat(value[:10])


def last_month(value: str, today: date) -> bool:
    """Whether a day lies in the month before today's."""
    return this_month(value, today.replace(day=1) - timedelta(days=1))


def this_month(value: str, today: date) -> bool:
    """Whether a day lies in today's month."""
    return (d(value).year, d(value).month) == (today.year, today.month)


def this_week(value: str, today: date) -> bool:
    """Whether a day lies in today's week, which begins on Monday."""
    monday = today - timedelta(days=today.weekday())
    return monday <= d(value) < monday + timedelta(days=7)


def mean(values: Iterable[float]) -> float:
    """The average."""
    held = list(values)
    return sum(held) / len(held)


def grp(rows: Sequence[Row], key: str, told: Callable[[list[Row]], Any]) -> list[list[Any]]:
    """A row per value of a field, with what its rows tell."""
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return [[value, told(held)] for value, held in groups.items()]


def best(rows: Sequence[Row], key: str, told: Callable[[list[Row]], Any], rev: bool = True) -> list[list[Any]]:
    """The values of a field whose rows tell the most (or least), all that are level."""
    groups = grp(rows, key, told)
    end = (max if rev else min)(number for _, number in groups)
    return [[value] for value, number in groups if number == end]


def top(rows: Sequence[Row], key: str, n: int = 1, rev: bool = True, show: str = "name") -> list[list[Any]]:
    """The names of the first rows by a number."""
    return [[row[show]] for row in sorted(rows, key=lambda row: row[key], reverse=rev)[:n]]
