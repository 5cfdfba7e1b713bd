"""Demo data in a real database: loaded once, moved to today, ticking; and never touching other people's rows."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from appliance.pgflex.catalog import read_catalog
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.demo import Demo, DemoCollection, Write, load_demo
from appliance.pgflex.seed import Seed
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box, running_box

TODAY = date(2026, 11, 23)


def small_demo() -> Demo:
    """Two collections; the tick moves the first bed, adds an appointment, and asks for a row that is not there."""

    def tick(rng: random.Random, now: datetime, rows: dict[str, list[dict[str, Any]]]) -> list[Write]:
        bed = rows["demo_beds"][0]
        return [
            Write("demo_beds", {"status": "free" if bed["status"] == "taken" else "taken"}, bed["id"]),
            Write("demo_visits", {"day": now.date().isoformat(), "who": "new"}),
            Write("demo_beds", {"status": "free"}, 999_999),
        ]

    return Demo(
        name="small",
        facility="Small House (demo)",
        collections=(
            DemoCollection("demo_beds", ({"bed": "A", "status": "free"}, {"bed": "B", "status": "taken"}), ("bed",)),
            DemoCollection("demo_visits", ({"day": "2026-11-23", "at": "2026-11-23T09:00:00+01:00", "who": "x"},)),
        ),
        questions=("How many beds are free?",),
        pinned=("Which beds are free?",),
        tick=tick,
    )


@pytest.fixture
def box() -> Iterator[Box]:
    with running_box() as box:
        yield box


async def rows_of(pool: Pool, collection: str) -> list[dict[str, Any]]:
    async with transaction(pool) as db:
        found = await db.execute(f"select to_jsonb(t) from api.{collection} t order by id")
        return [row[0] for row in await found.fetchall()]


async def test_small_demo(store: Store, pool: Pool) -> None:
    seed, demo = Seed(store), small_demo()
    assert await seed.facility() is None
    assert await seed.load(demo, TODAY)
    assert not await seed.load(demo, TODAY)
    facility = await seed.facility()
    assert facility is not None
    assert (facility.facility, facility.questions, facility.pinned) == (demo.facility, demo.questions, demo.pinned)
    assert [(row["id"], row["bed"]) for row in await rows_of(pool, "demo_beds")] == [(1, "A"), (2, "B")]
    wall = await read_catalog(pool, "wall")
    assert [(item.name, [field.name for field in item.fields]) for item in wall.collections] == [("demo_beds", ["bed"])]

    await store.insert("demo_visits", [{"day": "2026-11-23", "who": "mine"}], "staff")
    assert await seed.tick(demo, random.Random(1), datetime(2026, 11, 23, tzinfo=UTC)) == 2
    assert (await rows_of(pool, "demo_beds"))[0]["status"] == "taken"
    assert await seed.freshen(TODAY) == 0
    assert await seed.freshen(TODAY + timedelta(days=1)) == 0  # it lived through midnight
    assert await seed.freshen(TODAY + timedelta(days=8)) == 6
    assert await seed.freshen(TODAY + timedelta(days=8)) == 0
    visits = await rows_of(pool, "demo_visits")
    assert [(row["day"], row["at"], row["who"]) for row in visits] == [
        ("2026-11-29", "2026-11-29T08:00:00+00:00", "x"),
        ("2026-11-23", None, "mine"),
        ("2026-11-29", None, "new"),
    ]


@pytest.mark.parametrize("name", ["hospital", "lawfirm"])
async def test_shipped_demo(name: str, store: Store, pool: Pool) -> None:
    seed, demo = Seed(store), load_demo(name, TODAY)
    began = time.monotonic()
    assert await seed.load(demo, TODAY)
    assert time.monotonic() - began < 3.0
    catalog = await read_catalog(pool, "staff")
    assert {item.name: item.count for item in catalog.collections} == {
        item.name: len(item.rows) for item in demo.collections
    }
    for item in demo.collections:
        rows = await rows_of(pool, item.name)
        assert [row["id"] for row in rows] == list(range(1, len(item.rows) + 1))
        assert all(row.keys() == {"id", *{label for doc in item.rows for label in doc}} for row in rows)
    wall = {item.name: {field.name for field in item.fields} for item in (await read_catalog(pool, "wall")).collections}
    assert wall == {item.name: set(item.wall) for item in demo.collections if item.wall}
    rng = random.Random(7)
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    written = [await seed.tick(demo, rng, now + timedelta(minutes=turn)) for turn in range(20)]
    assert sum(written) >= 15
