"""The question sets of `tests/ask`: a line is a question, what it deserves, and the plan of its gold rows.

The values of a plan may name days, so that a set does not age: ``{today}``, ``{monday}`` (this week's),
``{ago_3}`` and ``{in_14}`` (days from today), ``{age_80}`` (the birthday of who turns 80 today), ``{now}``.

    >>> read_set("hospital")[0].readings(days(datetime(2026, 11, 25)))[0].collection
    'beds'
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.llm.plan import Query, read_query
from appliance.llm.training.judge import Expected

SETS: Final = Path(__file__).resolve().parent.parent / "ask"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a set: `plan` is the gold reading, `others` (``or``) are readings that are as honest."""

    question: str
    expect: Expected
    plan: dict[str, Any] | None = None
    others: tuple[dict[str, Any], ...] = msgspec.field(default=(), name="or")

    def readings(self, named: Mapping[str, str]) -> list[Query]:
        """The plans whose rows are right."""
        return [read_query(_filled(plan, named)) for plan in (self.plan, *self.others) if plan is not None]


def read_set(name: str) -> list[Asked]:
    return [msgspec.json.decode(line, type=Asked) for line in (SETS / f"{name}.jsonl").read_bytes().splitlines()]


def days(now: datetime) -> dict[str, str]:
    """The days that a set may name."""
    today = now.date()
    monday, month, year = today - timedelta(days=today.weekday()), today.replace(day=1), today.replace(month=1, day=1)
    october = date(today.year - (today.month < 10), 10, 1)
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    named = {
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "overmorrow": today + timedelta(days=2),
        "yesterday": today - timedelta(days=1),
        "coming_friday": friday,
        "after_friday": friday + timedelta(days=1),
        "monday": monday,
        "next_monday": monday + timedelta(weeks=1),
        "second_monday": monday + timedelta(weeks=2),
        "last_monday": monday - timedelta(weeks=1),
        "month": month,
        "next_month": (month + timedelta(days=31)).replace(day=1),
        "last_month": (month - timedelta(days=1)).replace(day=1),
        "october": october,
        "november": october.replace(month=11),
        "year": year,
        "next_year": year.replace(year=year.year + 1),
    }
    named |= {f"ago_{count}": today - timedelta(days=count) for count in range(1, 400)}
    named |= {f"in_{count}": today + timedelta(days=count) for count in range(1, 400)}
    named |= {f"age_{count}": _years_before(today, count) for count in range(1, 110)}
    return {name: day.isoformat() for name, day in named.items()} | {"now": now.isoformat(timespec="seconds")}


def _years_before(day: date, years: int) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if leap else day.day)


def _filled(plan: dict[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    tests = {key: [test | {"value": _named(test["value"], named)} for test in plan.get(key, ())]
             for key in ("where", "having")}  # fmt: skip
    return plan | tests


def _named(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_named(item, named) for item in value]
    return value.format_map(named) if isinstance(value, str) else value
