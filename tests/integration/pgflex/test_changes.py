"""The change feed against a real PostgreSQL: order, resuming, gaps, roles, and a database that dies."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import psycopg
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.changes import QUEUE_LIMIT, CatalogChanged, Event, Feed, Gap, Kept, Ready
from appliance.pgflex.database import transaction
from appliance.pgflex.writes.store import Store
from appliance.types import Change
from tests.integration.pgflex_box import Box

SOON_S = 5.0


@pytest.fixture
async def feed(box: Box) -> AsyncIterator[Feed]:
    async with Feed(box.dsn).running() as feed:
        yield feed


async def following(events: AsyncGenerator[Event, None]) -> Event:
    """The next event, soon."""
    return await asyncio.wait_for(anext(events), SOON_S)


async def change(events: AsyncGenerator[Event, None]) -> Change:
    event = await following(events)
    assert isinstance(event, Change)
    return event


async def changes_of(events: AsyncGenerator[Event, None], count: int) -> list[Change]:
    """The next `count` changes; Ready may come between them, for it tells only where the feed itself is."""
    got: list[Change] = []
    while len(got) < count:
        event = await following(events)
        assert isinstance(event, Change | Ready)
        if isinstance(event, Change):
            got.append(event)
    return got


async def reached(feed: Feed, box: Box) -> None:
    """The feed has read all there is."""
    async with await psycopg.AsyncConnection.connect(box.dsn) as db:
        row = await (
            await db.execute("select number || '.' || last_seq from flex.commits order by number desc limit 1")
        ).fetchone()
    for _ in range(200):
        if row is None or (feed.live and feed.position == row[0]):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the feed did not catch up")


async def test_every_kind_of_change(store: Store, feed: Feed) -> None:
    async with aclosing(feed.subscribe("staff", "kinds")) as events:
        assert isinstance(await following(events), Ready)
        (row,) = await store.insert("kinds", [{"a": 1, "b": "x", "c": None}], "staff")
        await store.update("kinds", row["id"], {"b": "y"}, "staff")
        await store.update("kinds", row["id"], {"b": "y"}, "staff")
        await store.insert("others", [{"a": 1}], "staff")
        await store.delete("kinds", row["id"], "staff")
        made, moved, gone = [await change(events) for _ in range(3)]
    assert (made.op, made.key, made.row, made.changed) == ("insert", 1, {"id": 1, "a": 1, "b": "x"}, ("a", "b", "id"))
    assert (moved.op, moved.row, moved.changed) == ("update", {"id": 1, "a": 1, "b": "y"}, ("b",))
    assert (gone.op, gone.key, gone.row, gone.changed) == ("delete", 1, None, ())
    assert made.audience == "staff" and made.at.endswith("+00:00")


async def test_a_change_comes_at_once(store: Store, feed: Feed) -> None:
    async with aclosing(feed.subscribe("staff", "quick")) as events:
        await following(events)
        await store.insert("quick", [{"a": 0}], "staff")
        await change(events)
        loop = asyncio.get_running_loop()
        took = []
        for number in range(20):
            began = loop.time()
            await store.insert("quick", [{"a": number}], "staff")
            await change(events)
            took.append(loop.time() - began)
    assert sorted(took)[10] < 0.1


async def test_changes_come_in_the_order_of_their_commits(store: Store, box: Box, feed: Feed) -> None:
    await store.insert("late", [{"who": "start"}], "staff")
    await reached(feed, box)
    async with aclosing(feed.subscribe("staff", "late")) as events:
        await following(events)
        first = await psycopg.AsyncConnection.connect(box.dsn)
        second = await psycopg.AsyncConnection.connect(box.dsn)
        await first.execute("insert into api.late (who) values ('first')")
        await second.execute("insert into api.late (who) values ('second')")
        await second.execute("update api.late set who = 'second was here' where id = 1")
        await second.commit()
        begun = [await change(events) for _ in range(2)]
        await first.execute("update api.late set who = 'first was here' where id = 1")
        await first.commit()
        ended = [await change(events) for _ in range(2)]
        await first.close()
        await second.close()
    assert [item.row for item in begun] == [{"id": 3, "who": "second"}, {"id": 1, "who": "second was here"}]
    assert [item.row for item in ended] == [{"id": 2, "who": "first"}, {"id": 1, "who": "first was here"}]


async def test_a_transaction_that_runs_for_long_holds_nobody_back(store: Store, box: Box, feed: Feed) -> None:
    await store.insert("blocked", [{"who": "start"}], "staff")
    await reached(feed, box)
    async with aclosing(feed.subscribe("staff", "blocked")) as events:
        await following(events)
        async with await psycopg.AsyncConnection.connect(box.dsn) as blocker:
            await blocker.execute("insert into api.blocked (who) values ('open')")
            await store.insert("blocked", [{"who": "x"}], "staff")
            assert (await change(events)).row == {"id": 3, "who": "x"}
            await blocker.rollback()
        await store.insert("blocked", [{"who": "y"}], "staff")
        assert (await change(events)).row == {"id": 4, "who": "y"}


async def test_what_a_savepoint_took_back_is_not_told(store: Store, box: Box, feed: Feed) -> None:
    await store.insert("saved", [{"n": 0}], "staff")
    await reached(feed, box)
    async with aclosing(feed.subscribe("staff", "saved")) as events:
        await following(events)
        async with await psycopg.AsyncConnection.connect(box.dsn) as db:
            await db.execute("savepoint s; insert into api.saved (n) values (1); rollback to savepoint s")
            await db.execute("insert into api.saved (n) values (2)")
            await db.execute("savepoint t; insert into api.saved (n) values (3); release savepoint t")
            await db.commit()
        assert [item.row["n"] for item in await changes_of(events, 2) if item.row] == [2, 3]


async def test_many_writers_are_told_in_an_order_that_replays_to_what_is_there(store: Store, box: Box) -> None:
    await store.insert("raced", [{"n": 0, "by": 0} for _ in range(5)], "staff")

    async def write(writer: int) -> None:
        async with await psycopg.AsyncConnection.connect(box.dsn) as db:
            for step in range(60):
                await db.execute("update api.raced set n = n + 1, by = %s where id = %s", [writer, step % 5 + 1])
                if step % 3 == writer % 3:
                    await asyncio.sleep(0.001)
                    await db.execute("insert into api.raced (n, by) values (%s, %s)", [step, writer])
                await (db.rollback() if step % 11 == 10 else db.commit())

    async with Feed(box.dsn).running() as feed, aclosing(feed.subscribe("staff", "raced", "0.0")) as events:
        await following(events)
        await asyncio.gather(*(write(writer) for writer in range(8)))
        await store.insert("raced", [{"n": -1, "by": -1}], "staff")
        copy: dict[int, Any] = {}
        async with aclosing(feed.subscribe("staff", "raced", "0.0")) as again:
            while True:
                event = await following(again)
                if isinstance(event, Change):
                    copy[event.key] = event.row
                    if event.row and event.row["n"] == -1:
                        break
    async with transaction(store.pool) as db:
        rows = await (await db.execute("select to_jsonb(r) from api.raced r")).fetchall()
    assert copy == {row[0]["id"]: row[0] for row in rows}


async def test_resuming_gives_what_was_missed_once(store: Store, feed: Feed) -> None:
    async with aclosing(feed.subscribe("staff", "resumed")) as events:
        await following(events)
        await store.insert("resumed", [{"n": number} for number in range(3)], "staff")
        seen = [await change(events) for _ in range(3)]
    await store.insert("resumed", [{"n": number} for number in range(3, 1500)], "staff")
    async with aclosing(feed.subscribe("staff", "resumed", seen[1].position)) as events:
        replayed = await changes_of(events, 1498)
        await store.insert("resumed", [{"n": 1500}], "staff")
        replayed += await changes_of(events, 1)
    assert [item.row["n"] for item in replayed if item.row] == list(range(2, 1501))


async def test_a_write_during_the_replay_is_told_once(store: Store, feed: Feed) -> None:
    start = feed.position
    await store.insert("busy", [{"n": number} for number in range(600)], "staff")
    got: list[Any] = []
    async with aclosing(feed.subscribe("staff", "busy", start)) as events:
        while len(got) < 640:
            event = await following(events)
            if isinstance(event, Change) and event.row:
                got.append(event.row["n"])
                if len(got) in range(10, 410, 10):
                    await store.insert("busy", [{"n": 600 + len(got) // 10 - 1}], "staff")
    assert got == list(range(640))


async def test_a_new_feed_resumes_where_an_old_one_was(store: Store, box: Box) -> None:
    async with Feed(box.dsn).running() as old, aclosing(old.subscribe("staff", "handed")) as events:
        await following(events)
        await store.insert("handed", [{"n": 1}], "staff")
        seen = await change(events)
    await store.insert("handed", [{"n": 2}], "staff")
    async with Feed(box.dsn).running() as new, aclosing(new.subscribe("staff", "handed", seen.position)) as events:
        assert [item.row for item in await changes_of(events, 1)] == [{"id": 2, "n": 2}]


async def test_stopping_the_feed_ends_its_streams(box: Box) -> None:
    async with Feed(box.dsn).running() as feed:
        events = feed.subscribe("staff")
        await following(events)
    with pytest.raises(StopAsyncIteration):
        await following(events)


async def test_a_slow_reader_loses_its_queue_and_no_change(store: Store, box: Box, feed: Feed) -> None:
    got: list[Event] = []
    async with aclosing(feed.subscribe("staff", "flood")) as events:
        await following(events)
        for start in range(0, QUEUE_LIMIT + 700, 300):
            await store.insert("flood", [{"n": number} for number in range(start, start + 300)], "staff")
        await reached(feed, box)
        assert feed.waiting == 0, "nothing is held for a reader that is so far behind"
        feed.tell("staff", CatalogChanged("v2"))
        await store.insert("flood", [{"n": -1}], "staff")
        while not (isinstance(got and got[-1], Change) and got[-1].row["n"] == -1):  # type: ignore[union-attr,index]
            got.append(await following(events))
    told = [event.row["n"] for event in got if isinstance(event, Change) and event.row]
    assert told == [*range(QUEUE_LIMIT + 700), -1]
    assert CatalogChanged("v2") in got


async def test_wall_sees_its_fields_only(store: Store, box: Box, feed: Feed) -> None:
    await store.insert("walls", [{"bed": "A", "patient": "P"}], "staff")
    await reached(feed, box)
    async with transaction(store.pool) as db:
        await store.show_on_walls(db, "walls", ["bed"])
    async with aclosing(feed.subscribe("wall")) as events:
        await following(events)
        await store.update("walls", 1, {"patient": "Q"}, "staff")
        await store.insert("kinds", [{"a": 2}], "staff")
        await store.update("walls", 1, {"bed": "B", "patient": "R"}, "staff")
        told = await change(events)
    assert (told.row, told.changed, told.audience) == ({"id": 1, "bed": "B"}, ("bed",), "wall")


async def test_forgotten_changes_are_a_gap(store: Store, box: Box) -> None:
    async with Feed(box.dsn, Kept(rows=10)).running() as feed:
        start = feed.position if feed.position != "0.0" else "1.1"
        async with aclosing(feed.subscribe("staff", "kept")) as events:
            await following(events)
            for number in range(50):
                await store.insert("kept", [{"n": number}], "staff")
            seen = [await change(events) for _ in range(50)]
        await store.insert("kept", [{"n": 50}], "staff")
        await reached(feed, box)
        await feed.trim()
        async with aclosing(feed.subscribe("staff", "kept", seen[45].position)) as events:
            assert [(await change(events)).row["n"] for _ in range(4)] == [46, 47, 48, 49]  # type: ignore[index]
        async with transaction(store.pool) as db:
            left = await (await db.execute("select count(*), count(distinct xid) from flex.changes")).fetchone()
            commits = await (await db.execute("select count(*) from flex.commits")).fetchone()
        assert left == (10, 10) and commits == (10,)
        for gone in (start, seen[5].position, "99999999999.1"):
            async with aclosing(feed.subscribe("staff", "kept", gone)) as events:
                event = await following(events)
                assert isinstance(event, Gap)
                assert (event.after, event.position) == (gone, feed.position)
                assert await following(events) == Ready(feed.position)


async def test_changes_are_forgotten_by_age_and_by_size(store: Store, box: Box) -> None:
    async with Feed(box.dsn, Kept(days=2)).running() as feed:
        for number in range(6):
            await store.insert("aged", [{"n": number}], "staff")
        await reached(feed, box)
        async with transaction(store.pool) as db:
            row = await (await db.execute("select max(number) - 3 from flex.commits")).fetchone()
            await db.execute("update flex.commits set at = at - interval '3 days' where number <= %s", row)
        await feed.trim()
        async with transaction(store.pool) as db:
            assert await (await db.execute("select count(*) from flex.changes")).fetchone() == (3,)
    async with Feed(box.dsn, Kept(size=20_000)).running() as feed:
        for number in range(40):
            await store.insert("sized", [{"n": number, "text": f"{number:05}" * 200}], "staff")
        await reached(feed, box)
        await feed.trim()
        async with transaction(store.pool) as db:
            kept = await (await db.execute("select count(*) from flex.changes")).fetchone()
        assert kept and 0 < kept[0] < 40


async def test_the_feed_tells_how_far_it_is_behind(store: Store, box: Box) -> None:
    async with Feed(box.dsn).running() as feed:
        await store.insert("behind", [{"n": 0}], "staff")
        await reached(feed, box)
        async with transaction(store.pool) as db:
            assert await feed.lag(db) == (0, 0.0)
    await store.insert("behind", [{"n": 1}, {"n": 2}], "staff")
    async with transaction(store.pool) as db:
        lag = await feed.lag(db)
    assert lag.commits == 1 and 0 < lag.seconds < 60


async def test_killed_postgres_loses_nothing_and_repeats_nothing(store: Store, box: Box, feed: Feed) -> None:
    acknowledged: list[int] = []
    async with aclosing(feed.subscribe("staff", "survivors")) as events:
        await following(events)
        await store.insert("survivors", [{"n": -1}], "staff")
        writer = asyncio.create_task(_write_until_refused(store, acknowledged))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(box.kill_postgres)
        await asyncio.wait_for(writer, 20)
        await asyncio.to_thread(box.restart_postgres)
        await _write_again(store)
        got: list[int] = []
        while not got or got[-1] != 1_000_000:
            event = await change(events)
            assert event.row is not None
            got.append(event.row["n"])
    async with transaction(store.pool) as db:
        kept = [row[0] for row in await (await db.execute("select n from api.survivors order by id")).fetchall()]
    assert len(acknowledged) > 20
    assert set(acknowledged) <= set(kept)
    assert got == kept


async def _write_until_refused(store: Store, acknowledged: list[int]) -> None:
    for number in range(100_000):
        try:
            await store.insert("survivors", [{"n": number}], "staff")
        except ApplianceError as error:
            assert error.code == "PGF101"
            return
        acknowledged.append(number)


async def _write_again(store: Store) -> None:
    for _ in range(100):
        try:
            await store.insert("survivors", [{"n": 1_000_000}], "staff")
            return
        except ApplianceError:
            await asyncio.sleep(0.1)
    raise AssertionError("PostgreSQL did not come back")
