"""Judge: whether an answer's rows are the rows that a question asks for, and what became of the question.

An answer is right by what it holds, not by how it was asked: its plan may show more columns, count another way,
or rank more groups than were asked for. The gold plan is run without its limit (:func:`uncut`), so that rows
which are level at the cut are known: any of them may stand there.

    >>> count = Query("beds", (Select("*", "count"),))
    >>> by_id = Query("beds", (Select("id", "count"),))
    >>> same_rows(count, [{"count": 24}], by_id, [{"count": 24.0}])
    True
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final, Literal

import msgspec

from appliance.llm.plan import GROUPS_AT_MOST, ROWS_AT_MOST, Order, Query, Select, keys

Row = dict[str, Any]
Expected = Literal["answered", "clarify", "refused"]
Outcome = Literal["right", "asked back", "refused", "wrong"]

_PLAIN: Final = (None, "min", "max")
"""The value of one row: shown as it is, or as the lowest or highest of those asked for."""
_ID: Final = Select("id")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")

_Values = tuple[Any, ...]


def outcome(expected: Expected, status: str, fits: bool) -> Outcome:
    """What became of a question.

    Args:
        expected: what the question deserves; to refuse and to ask back are equally good where it has no answer.
        status: the answer's.
        fits: whether the answer's rows are those asked for.
    """
    if status == "answered":
        return "right" if expected == "answered" and fits else "wrong"
    if expected != "answered":
        return "right"
    return "asked back" if status == "clarify" else "refused"


def uncut(plan: Query) -> Query:
    """A gold plan as it is to be run for :func:`same_rows`: without its limit."""
    return msgspec.structs.replace(plan, limit=GROUPS_AT_MOST)


def same_rows(gold_plan: Query, gold_rows: Sequence[Row], answer_plan: Query, answer_rows: Sequence[Row]) -> bool:
    """Whether an answer holds the rows that a gold plan asks for.

    The values of the gold plan's columns are compared, as a multiset of rows; other columns of the answer do not
    count, and the row's ``id`` only where both carry it. The order counts where the gold plan has one, between
    rows that are not level.

    Args:
        gold_plan: what the question means; a column that it orders by should be selected.
        gold_rows: the rows of :func:`uncut` of it.
        answer_plan: how the question was read.
        answer_rows: what was shown for it.
    """
    if gold_plan.collection != answer_plan.collection:
        return False
    wanted = [select for select in gold_plan.select if select != _ID or _ID in answer_plan.select]
    own = [keys(gold_plan)[gold_plan.select.index(select)] for select in wanted]
    order = _order_of(gold_plan, wanted)
    gold = _picked(gold_rows, own)
    return any(_fits(gold_plan, gold, answer_plan, _picked(answer_rows, columns), order)
               for columns in _columns(wanted, answer_plan))  # fmt: skip


def _columns(wanted: Sequence[Select], answer: Query) -> Iterator[tuple[str, ...]]:
    """Every choice of the answer's columns that may hold the wanted ones."""
    if not wanted:
        return iter(())
    named = list(zip(answer.select, keys(answer), strict=True))
    whole = Select("*") in answer.select
    choices = [
        [key for select, key in named if _tells(select, each)] or [each.field] * (whole and each.aggregate is None)
        for each in wanted
    ]
    return product(*choices)


def _tells(select: Select, wanted: Select) -> bool:
    """Whether a column of an answer may hold what is wanted; the values decide."""
    if wanted.aggregate == "count":
        return select.aggregate == "count"
    if (select.field, select.bucket) != (wanted.field, wanted.bucket):
        return False
    return select.aggregate == wanted.aggregate or (select.aggregate in _PLAIN and wanted.aggregate in _PLAIN)


def _order_of(plan: Query, wanted: Sequence[Select]) -> list[int]:
    """The places of the columns that the gold plan orders by; empty where it has no order or does not show it."""
    places = [(select.field, select.aggregate) for select in wanted]
    ordered = [(each.field, each.aggregate) for each in plan.order]
    return [places.index(each) for each in ordered] if set(ordered) <= set(places) else []


def _fits(gold_plan: Query, gold: list[_Values], answer: Query, given: list[_Values], order: list[int]) -> bool:
    must, may = _cut(gold_plan, gold, order)
    least = min(gold_plan.limit, len(gold))
    if _ranks(answer, gold_plan) and len(given) > least:
        given = given[: max(least, 1)]
    if len(gold) > ROWS_AT_MOST == len(given) and gold_plan.limit >= ROWS_AT_MOST:
        return not Counter(given) - Counter(gold)  # as many of them as a box shows
    held = Counter(given)
    complete = not must - held and not held - must - may and len(given) >= least
    return complete and (not order or _in_order(gold, given, order))


def _cut(plan: Query, gold: list[_Values], order: list[int]) -> tuple[Counter[_Values], Counter[_Values]]:
    """The rows that must be there, and those that are level at the limit, of which enough must be."""
    if len(gold) <= plan.limit or plan.limit >= ROWS_AT_MOST:
        return Counter(gold), Counter()
    last = _level(gold[plan.limit - 1], order)
    level = [row for row in gold if order and _level(row, order) == last]
    first = next((place for place, row in enumerate(gold) if row in level), plan.limit)
    return Counter(gold[:first]), Counter(level)


def _level(row: _Values, order: list[int]) -> _Values:
    return tuple(row[place] for place in order)


def _in_order(gold: list[_Values], given: list[_Values], order: list[int]) -> bool:
    expected = [_level(row, order) for row in gold[: len(given)]]
    return [_level(row, order) for row in given] == expected


def _ranks(answer: Query, gold: Query) -> bool:
    """Whether an answer ranks groups as the gold plan does: it may show those that follow, too."""
    return bool(answer.group and gold.group and gold.order) and _way(answer.order) == _way(gold.order)


def _way(order: tuple[Order, ...]) -> list[tuple[str, str | None, bool]]:
    return [("*" if each.aggregate == "count" else each.field, each.aggregate, each.descending) for each in order[:1]]


def _picked(rows: Sequence[Row], columns: Sequence[str]) -> list[_Values]:
    return [tuple(_value(row.get(column)) for column in columns) for row in rows]


def _value(value: Any) -> Any:
    """A value so that equal ones are equal: numbers to nine digits, times in UTC, lists and documents as text."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(f"{value:.9g}")
    if isinstance(value, str) and _TIME.fullmatch(value):
        return _time(value)
    return msgspec.json.encode(value, order="deterministic") if isinstance(value, list | dict) else value


def _time(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
