"""Watching in a real PostgreSQL: counted once, told once, over when it is over, and only to those who may know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.catalog import Catalogs
from appliance.pgflex.changes import Feed
from appliance.pgflex.database import Pool, connection, transaction
from appliance.pgflex.watching.counts import KINDS, LOAD, PAUSE
from appliance.pgflex.watching.digest import Digests
from appliance.pgflex.watching.watch import Watching
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box

USUAL = 24
"""Admissions that came on each earlier day, one in each hour."""
ZONE = timezone(timedelta(hours=12 - datetime.now(UTC).hour))
"""Where it is about noon now, so that no test runs through midnight."""


class Clock:
    """The present, or some time after it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    @property
    def now(self) -> datetime:
        return datetime.now(ZONE) + self.ahead

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def watching(pool: Pool, store: Store, clock: Clock) -> AsyncIterator[Watching]:
    """Ten weeks in which the same number of admissions came in each hour of the day; at the end nothing is left."""
    await store.insert("admissions", [row("A", 5)], "staff")
    watching = Watching(pool, ZONE, clock)
    await watching.round()
    await history(pool, clock.now)
    yield watching
    async with transaction(pool) as db:
        for table in ("rates", "unwatched", "unusual", "watching", "policies"):
            await db.execute(sql.SQL("delete from {}").format(sql.Identifier("flex", table)))
        await db.execute("truncate api.admissions restart identity")
        await db.execute("select flex.apply_access('admissions')")


def row(ward: str, fee: float) -> dict[str, Any]:
    return {"ward": ward, "fee": fee, "note": f"{ward} {fee}"}


async def history(pool: Pool, now: datetime) -> None:
    """One admission in each hour of the last ten weeks, none today; watched since long before."""
    async with transaction(pool) as db:
        await db.execute("delete from flex.rates")
        await db.execute("update flex.watching set since = %s", [now - timedelta(days=80)])
        await db.execute("update flex.collections set created = %s", [now - timedelta(days=80)])
        await db.execute(
            "insert into flex.rates (collection, at, came) select 'admissions', at, 1 "
            "from generate_series(%s::timestamptz, %s::timestamptz, '1 hour') as at",
            [day(now) - timedelta(days=70), day(now) - timedelta(hours=1)],
        )


def day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


async def counted(pool: Pool) -> tuple[int, ...]:
    """What was counted since midnight: came, changed, went, loaded."""
    query = "select sum(came), sum(changed), sum(went), sum(loaded) from flex.rates where at >= %s"
    async with connection(pool) as db:
        found = await (await db.execute(query, [day(datetime.now(ZONE))])).fetchone()
    assert found is not None
    return tuple(int(each or 0) for each in found)


async def test_every_change_is_counted_once(watching: Watching, store: Store, pool: Pool) -> None:
    await store.insert("admissions", [row("A", n) for n in range(10)], "staff")
    await asyncio.gather(*(watching.round() for _ in range(5)))
    await store.update("admissions", 2, {"ward": "B"}, "staff")
    await store.delete("admissions", 3, "staff")
    await watching.round()
    await watching.round(everything=True)
    assert await counted(pool) == (10, 1, 1, 0)


async def test_a_load_is_no_days_work(watching: Watching, store: Store, pool: Pool) -> None:
    await store.insert("admissions", [row("A", n) for n in range(LOAD + 1)], "staff")
    await watching.round()
    assert await counted(pool) == (0, 0, 0, LOAD + 1)
    assert await watching.events("admin") == []


async def test_what_is_unusual_is_told_once_with_its_rows(watching: Watching, store: Store, clock: Clock) -> None:
    rows = await store.insert("admissions", [row("A", n) for n in range(80)], "staff")
    for _ in range(3):
        await watching.round()
    [told] = await watching.events("staff", "active")
    assert (told["collection"], told["what"], told["side"], told["value"]) == ("admissions", "came", "above", 80)
    assert (told["basis"], told["days"], told["audience"]) == ("weekday", 8, "staff")
    assert (told["scale"], told["usual"]) == ("day", clock.now.hour + 1)
    assert told["percent"] == round(100 * (80 - told["usual"]) / told["usual"])
    assert told["keys"][:80] == [each["id"] for each in reversed(rows)]
    assert await watching.events("wall") == []

    await store.insert("admissions", [row("A", 81)], "staff")
    await watching.round()
    [again] = await watching.events("staff")
    assert (again["id"], again["value"], again["told_at"]) == (told["id"], 81, told["told_at"])


async def test_it_is_over_the_next_day_and_may_be_told_again_then(
    watching: Watching, store: Store, clock: Clock
) -> None:
    await store.insert("admissions", [row("A", n) for n in range(80)], "staff")
    await watching.round()
    clock.ahead = timedelta(days=1)
    await watching.round(everything=True)
    [told] = await watching.events("staff")
    assert told["state"] == "over" and told["over_at"] > told["told_at"]
    assert await watching.events("staff", "active") == []


async def test_nothing_is_told_of_a_young_collection_or_of_times_that_were_not_watched(
    watching: Watching, store: Store, clock: Clock, pool: Pool
) -> None:
    async with transaction(pool) as db:
        await db.execute("update flex.watching set since = %s", [clock.now - timedelta(days=5)])
    await store.insert("admissions", [row("A", n) for n in range(80)], "staff")
    await watching.round()
    assert await watching.events("admin") == []
    async with transaction(pool) as db:
        await db.execute("update flex.watching set since = %s", [clock.now - timedelta(days=80)])
        off = [day(clock.now) - timedelta(days=60), day(clock.now) + timedelta(days=1)]
        await db.execute("insert into flex.unwatched values (%s, %s)", off)
    await watching.round(everything=True)
    assert await watching.events("admin") == []


async def test_a_pause_of_the_box_is_remembered(watching: Watching, clock: Clock, pool: Pool) -> None:
    clock.ahead = PAUSE / 2
    await watching.round()
    clock.ahead += 2 * PAUSE
    await watching.round()
    async with connection(pool) as db:
        [(start, until)] = await (await db.execute("select start, until from flex.unwatched")).fetchall()
    assert 2 * PAUSE <= until - start < 2.1 * PAUSE


async def test_silence_is_told_after_the_fact(watching: Watching, clock: Clock, pool: Pool) -> None:
    async with transaction(pool) as db:
        await db.execute("update flex.rates set came = 20")
    await watching.round(everything=True)
    [told] = await watching.events("staff")
    assert (told["side"], told["scale"], told["value"], told["percent"]) == ("below", "day", 0, -100)
    whole = told["until"] - day(clock.now)
    assert told["usual"] == 20 * -(-whole // timedelta(hours=1))


async def test_the_feed_wakes_it(watching: Watching, store: Store, box: Box) -> None:
    feed = Feed(box.dsn)
    feed.watch(watching.mark)
    async with feed.running():
        task = asyncio.create_task(watching.run())
        try:
            await asyncio.sleep(0.5)
            await store.insert("admissions", [row("A", n) for n in range(80)], "staff")
            async with asyncio.timeout(15):
                while not await watching.events("staff", "active"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_acknowledging(watching: Watching, store: Store) -> None:
    await store.insert("admissions", [row("A", n) for n in range(80)], "staff")
    await watching.round()
    [told] = await watching.events("staff")
    assert (await watching.acknowledge(told["id"], " Maria ", "staff"))["acknowledged_by"] == "Maria (staff)"
    assert (await watching.acknowledge(told["id"], "Paul", "admin"))["acknowledged_by"] == "Maria (staff)"
    for which, who, role, code in ((told["id"], "", "wall", "PGF106"), (999, "", "staff", "PGF160")):
        with pytest.raises(ApplianceError) as refused:
            await watching.acknowledge(which, who, role)
        assert refused.value.code == code
    with pytest.raises(ApplianceError, match="PGF103"):
        await watching.acknowledge(told["id"], "x" * 101, "staff")


async def test_who_does_not_read_every_row_is_not_told(watching: Watching, store: Store, pool: Pool) -> None:
    roles = Roles(pool)
    await roles.declare("nurse", {"label": "Nurse", "level": "staff"}, "admin")
    await roles.permit("nurse", "admissions", {"where": [{"field": "ward", "op": "eq", "value": "A"}]}, "admin")
    began = datetime.now(ZONE)
    await store.insert("admissions", [row("B", n) for n in range(80)], "staff")
    await store.insert("admissions", [row("A", n) for n in range(3)], "staff")
    await watching.round()
    assert len(await watching.events("staff")) == 1
    assert await watching.events("nurse") == []
    digests, now = Digests(pool, Catalogs(pool)), datetime.now(ZONE)
    [mine] = await digests.tell("nurse", began, now, "admissions")
    [theirs] = await digests.tell("staff", began, now, "admissions")
    assert (mine["counts"]["came"], theirs["counts"]["came"]) == (3, 83)
    assert mine["usual"] is None
    assert (mine["sums"][0]["sum"], mine["groups"]) == (3, None), "one ward has no groups"
    assert theirs["groups"]["top"] == [{"value": "B", "count": 80}, {"value": "A", "count": 3}]
    await roles.remove("nurse", "admin")


async def test_a_digest_of_a_day(watching: Watching, store: Store, pool: Pool, clock: Clock) -> None:
    began = datetime.now(ZONE)
    await store.insert("admissions", [row("A", 10), row("A", 20.5), row("B", 30)], "staff")
    await store.update("admissions", 1, {"ward": "B"}, "staff")
    await watching.round()
    digests = Digests(pool, Catalogs(pool))
    [line] = await digests.tell("staff", began, datetime.now(UTC), "admissions")
    assert line["counts"] == {"came": 3, "changed": 1, "went": 0, "loaded": 0}
    assert [(each["field"], float(each["sum"])) for each in line["sums"]] == [("fee", 60.5)]
    assert line["groups"]["top"][0] == {"value": "A", "count": 2}
    assert len(line["keys"]) == 3
    yesterday = day(clock.now) - timedelta(days=1)
    [past] = await digests.tell("staff", yesterday, day(clock.now), "admissions")
    assert past["usual"]["came"] == {"value": USUAL, "percent": -100, "unusual": "below"}
    with pytest.raises(ApplianceError, match="PGF104"):
        await digests.tell("wall", began, datetime.now(UTC), "admissions")


async def test_a_digest_goes_further_back_than_the_outbox(
    watching: Watching, store: Store, pool: Pool, clock: Clock
) -> None:
    await watching.round()
    async with transaction(pool) as db:
        await db.execute("delete from flex.changes")
        await db.execute("delete from flex.commits")
        await db.execute(
            "insert into flex.settings values ('feed_floor', "
            "jsonb_build_object('number', (select number from flex.watching), 'seq', 0))"
        )
    try:
        yesterday = day(clock.now) - timedelta(days=1)
        [line] = await Digests(pool, Catalogs(pool)).tell("staff", yesterday, day(clock.now), "admissions")
        assert line["counts"] == {"came": USUAL, "changed": 0, "went": 0, "loaded": 0}
        assert (line["keys"], line["sums"], line["groups"]) == ([], [], None)
        assert line["usual"]["came"] == {"value": USUAL, "percent": 0, "unusual": None}
        assert line["counted_from"] == yesterday
    finally:
        async with transaction(pool) as db:
            await db.execute("delete from flex.settings where key = 'feed_floor'")


async def test_the_counts_can_be_made_again_from_the_outbox(watching: Watching, store: Store, pool: Pool) -> None:
    await store.insert("admissions", [row("A", n) for n in range(12)], "staff")
    await watching.round()
    async with transaction(pool) as db:
        await db.execute("delete from flex.rates")
        await db.execute("delete from flex.watching")
    await watching.round()
    came, *_ = await counted(pool)
    assert came >= 12 and set(KINDS) == {"came", "changed", "went"}
