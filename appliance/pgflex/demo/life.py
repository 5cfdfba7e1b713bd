"""How a demo keeps moving: a set of small changes, of which each tick makes one.

A change looks at the rows and gives the writes of one believable event, or nothing when there is none
now. What happens by the clock (an appointment ends, a shift begins) is paced by `now` and not by the
number of ticks, so that days of ticking leave the facility as busy as it was. Rows are never deleted: the
oldest finished ones become new ones. A box that was off moves its dates on by whole days; what then lies
ahead again is scheduled again.

A write names only the fields that change; a row somebody else wrote may lack any field.

    >>> tick = live(((nap, 1.0), (lunch, 2.0)))  # doctest: +SKIP
    >>> tick(random.Random(1), datetime.now().astimezone(), {"cats": [{"id": 1, "status": "awake"}]})  # doctest: +SKIP
    [Write(collection='cats', document={'status': 'asleep'}, key=1)]
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from appliance.pgflex.demo import Write

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Change = Callable[[random.Random, datetime, Rows], list[Write]]

BATCH: Final = 12
"""Writes a single tick makes at most while it catches up with the clock."""


def live(changes: Sequence[tuple[Change, float]]) -> Change:
    """A tick that makes one of `changes`, the heavier the more often; another one where that has nothing to do."""

    def tick(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
        # The largest of u^(1/weight) falls on each change in proportion to its weight.
        order = sorted(changes, key=lambda item: rng.random() ** (1 / item[1]), reverse=True)
        for change, _ in order:
            writes = change(rng, now, rows)
            if writes:
                return writes
        return []

    return tick


def update(collection: str, row: Row, **fields: Any) -> Write:
    """The write that gives `row` these fields."""
    return Write(collection, fields, row["id"])


def put(collection: str, document: Row, count: int, limit: int, spare: Row | None) -> Write | None:
    """The write that adds `document` to `count` rows: a new row below `limit`, else in place of `spare`."""
    if count < limit:
        return Write(collection, document)
    return Write(collection, document, spare["id"]) if spare else None


def text(row: Row, field: str) -> str:
    """The text a row holds, or "" where it holds none."""
    value = row.get(field)
    return value if isinstance(value, str) else ""


def number(row: Row, field: str) -> float | None:
    """The number a row holds, or None."""
    value = row.get(field)
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def having(rows: Sequence[Row], **fields: str) -> list[Row]:
    """The rows whose fields have these values."""
    found = list(rows)
    for name, value in fields.items():
        found = [row for row in found if row.get(name) == value]
    return found


def weighted(rng: random.Random, rows: Sequence[Row], weights: Mapping[str, float]) -> Row | None:
    """A row, the likelier the heavier its ``status``; None when no row has a weight."""
    heavy = [(row, weights[text(row, "status")]) for row in rows if text(row, "status") in weights]
    if not heavy:
        return None
    return rng.choices([row for row, _ in heavy], [weight for _, weight in heavy])[0]


def any_of(rng: random.Random, shares: Mapping[str, float]) -> str:
    """One of the names, as likely as its share."""
    return rng.choices(list(shares), list(shares.values()))[0]
