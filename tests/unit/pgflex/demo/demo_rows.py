"""A demo's rows as the ticker sees them, and time passing over them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from appliance.pgflex.demo import Demo, Write

Row = dict[str, Any]
Rows = dict[str, list[Row]]

MONDAY = date(2026, 11, 23)
DAYS = (MONDAY, date(2026, 11, 28), date(2027, 1, 1), date(2028, 2, 29))
NAMES = ("hospital", "lawfirm")
TICKS = 20_000
STEP = timedelta(seconds=90)


def rows_of(demo: Demo) -> Rows:
    """The rows as the ticker sees them: with the ids the store gives."""
    return {item.name: [{"id": index + 1} | row for index, row in enumerate(item.rows)] for item in demo.collections}


def apply(writes: list[Write], rows: Rows) -> None:
    for write in writes:
        held = rows[write.collection]
        if write.key is None:
            held.append({"id": len(held) + 1} | write.document)
        else:
            held[write.key - 1].update(write.document)


def run(demo: Demo, rows: Rows, start: datetime, ticks: int, step: timedelta = STEP, seed: int = 7) -> datetime:
    rng, now = random.Random(seed), start
    for _ in range(ticks):
        now += step
        apply(demo.tick(rng, now, rows), rows)
    return now


def total(rows: list[Row], field: str) -> float:
    return float(sum(row[field] for row in rows))


def with_(rows: list[Row], **fields: Any) -> list[Row]:
    return [row for row in rows if all(row[name] == value for name, value in fields.items())]


def today_in(rows: list[Row], field: str, first: date, days: int = 1) -> list[Row]:
    span = {(first + timedelta(days=offset)).isoformat() for offset in range(days)}
    return [row for row in rows if row[field][:10] in span]


def week(today: date) -> date:
    return today - timedelta(days=today.weekday())
