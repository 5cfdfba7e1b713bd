"""Questions about data that nobody tuned for: whether the rows that a client gets are those asked for.

A line of a set is a question and its gold rows, or that there is no answer. Rows are compared by the values they
hold and by nothing else: not by their columns' names, and not by how the question was read.

    >>> fits(Gold(values=[["Seabird", 12.5]]), [{"id": 3, "name": "Seabird", "length_m": 12.50}])
    True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from appliance.llm.training.judge import Outcome, outcome

TOLERANCE: Final = 0.01
"""How far numbers may lie apart and still be the same: an answer may round an average."""

Row = Mapping[str, Any]


class Gold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows that a question asks for.

    Attributes:
        values: of each row the values that an answer must show; it may show more of a row, not more rows.
        sql: what read them from the documents.
        ordered: the rows must come in this order.
        ranked: a question for the first of a ranking: others may follow them.
    """

    values: list[list[Any]] = []
    sql: str = ""
    ordered: bool = False
    ranked: bool = False


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line of a set; `others` (``or``) are gold rows that are as honest, `expect` says that there are none."""

    question: str
    collection: str = ""
    gold: Gold | None = None
    others: tuple[Gold, ...] = msgspec.field(default=(), name="or")
    expect: Literal["answered", "clarify", "refused"] = "answered"


def read_set(file: Path) -> list[Asked]:
    """The questions of a file, a line each."""
    return [msgspec.json.decode(line, type=Asked) for line in file.read_bytes().splitlines()]


def judged(asked: Asked, answer: Mapping[str, Any]) -> Outcome:
    """What became of a question, by the body of ``POST /api/ask``."""
    golds = [gold for gold in (asked.gold, *asked.others) if gold is not None]
    return outcome(asked.expect, answer["status"], any(fits(gold, answer["rows"]) for gold in golds))


def fits(gold: Gold, rows: Sequence[Row]) -> bool:
    """Whether rows are the gold rows: each once and no other, in the same order where that counts."""
    if gold.ranked and gold.values:
        rows = rows[: len(gold.values)]
    if len(rows) != len(gold.values):
        return False
    if gold.ordered:
        return all(_holds(row, values) for row, values in zip(rows, gold.values, strict=True))
    return _paired([[place for place, row in enumerate(rows) if _holds(row, values)] for values in gold.values])


def _paired(choices: Sequence[Sequence[int]]) -> bool:
    """Whether each may have a place of its own among its choices."""
    taken: dict[int, int] = {}
    return all(_placed(one, choices, taken, set()) for one in range(len(choices)))


def _placed(one: int, choices: Sequence[Sequence[int]], taken: dict[int, int], seen: set[int]) -> bool:
    """Give one a place, moving others to other places where that helps."""
    for place in choices[one]:
        if place not in seen:
            seen.add(place)
            if place not in taken or _placed(taken[place], choices, taken, seen):
                taken[place] = one
                return True
    return False


def _holds(row: Row, values: Sequence[Any]) -> bool:
    """Whether a row has all these values, each in a column of its own."""
    held = list(row.values())
    return _paired([[place for place, value in enumerate(held) if _same(value, wanted)] for wanted in values])


def _same(value: Any, wanted: Any) -> bool:
    if _is_number(value) and _is_number(wanted):
        return bool(abs(value - wanted) <= TOLERANCE)
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted or _moment(value) == (_moment(wanted) or "")
    return type(value) is type(wanted) and bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: str) -> datetime | None:
    """A day or a time as a moment in UTC, so that a month is its first day however it is written."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
