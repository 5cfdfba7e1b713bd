"""Shapes over a real PostgreSQL: nothing lost and nothing told twice, changed rights, limits, a database that dies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.changes import Event, Feed, Gap, Ready
from appliance.pgflex.database import Pool
from appliance.pgflex.shapes import shape as shape_module
from appliance.pgflex.shapes import shapes as shapes_module
from appliance.pgflex.shapes.rows import offset_at
from appliance.pgflex.shapes.shape import Definition, Shape
from appliance.pgflex.shapes.shapes import Shapes
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box

SOON_S = 10.0


@asynccontextmanager
async def following(box: Box, pool: Pool, shapes_limit: int = 50, rows_limit: int = 10_000) -> AsyncIterator[Shapes]:
    async with Feed(box.dsn).running() as feed:
        shapes = Shapes(box.dsn, pool, feed, shapes_limit=shapes_limit, rows_limit=rows_limit)
        async with shapes.running():
            yield shapes


@pytest.fixture
async def shapes(box: Box, pool: Pool) -> AsyncIterator[Shapes]:
    async with following(box, pool) as shapes:
        yield shapes


async def execute(box: Box, query: str) -> None:
    async with await psycopg.AsyncConnection.connect(box.admin_dsn, autocommit=True) as db:
        await db.execute(query)


class Reader:
    """Keeps a shape's rows, and is strict: a row enters once, and changes and leaves only while it is in."""

    def __init__(self, shapes: Shapes, definition: Definition) -> None:
        self._shapes, self._definition = shapes, definition
        self.rows: dict[str, dict[str, Any]] = {}
        self.offset = 0
        self.shape: Shape | None = None

    async def begin(self) -> None:
        self.shape = await self._shapes.open(self._definition)
        reading = await self._shapes.read(self.shape)
        self.offset = reading.offset
        self.rows = {str(key): msgspec.json.decode(row) for key, row in reading.rows}

    async def step(self, timeout_s: float = 0.2) -> bool:
        """Take what there is; whether there was something."""
        assert self.shape is not None and self.shape.holds(self.offset), "the shape went on without its reader"
        entries = await self.shape.wait(self.offset, timeout_s)
        for entry in entries:
            assert entry.offset > self.offset
            self.offset = entry.offset
            self._apply(msgspec.json.decode(entry.body))
        return bool(entries)

    def _apply(self, message: dict[str, Any]) -> None:
        key = message["value"]["id"]
        operation = message["headers"]["operation"]
        assert (key in self.rows) == (operation != "insert"), f"{operation} of {key}"
        if operation == "delete":
            del self.rows[key]
        else:
            self.rows[key] = self.rows.get(key, {}) | message["value"]
            for name, before in message.get("old_value", {}).items():
                assert before != message["value"][name]


async def test_readers_that_begin_amid_writes_lose_and_repeat_nothing(box: Box, store: Store, shapes: Shapes) -> None:
    rng = random.Random(7)
    first = await store.insert("busy", [{"a": place, "on": place % 2 == 0} for place in range(20)], "staff")
    ids = [row["id"] for row in first]
    writing = True

    async def write(place: int) -> None:
        mine = ids[place::4]
        for _ in range(60):
            chosen = rng.random()
            if chosen < 0.3:
                mine += [row["id"] for row in await store.insert("busy", [{"a": 1, "on": True}] * 3, "staff")]
            elif chosen < 0.8:
                await store.update(
                    "busy", rng.choice(mine), {"a": rng.randint(0, 5), "on": rng.random() < 0.5}, "staff"
                )
            elif len(mine) > 1:
                await store.delete("busy", mine.pop(rng.randrange(len(mine))), "staff")

    async def read(reader: Reader, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await reader.begin()
        while await reader.step() or writing:
            pass

    definitions = [
        Definition("staff", "busy"),
        Definition("staff", "busy", where='"on" and a > 1', replica="full"),
        Definition("staff", "busy", ("a",), where='not "on"'),
    ]
    readers = [Reader(shapes, definitions[place % 3]) for place in range(15)]
    reading = [asyncio.create_task(read(reader, place * 0.03)) for place, reader in enumerate(readers)]
    await asyncio.gather(*(write(place) for place in range(4)))
    writing = False
    await asyncio.gather(*reading)
    for reader, definition in zip(readers, [*definitions] * 5, strict=True):
        shape = await shapes.open(definition)
        now = {str(key): msgspec.json.decode(row) for key, row in (await shapes.read(shape)).rows}
        assert reader.rows == now
        assert len(now) > 3
    assert shapes.count == 3, "readers of one definition share its shape"


async def test_a_large_commit_and_one_that_overlaps(box: Box, store: Store, shapes: Shapes) -> None:
    await store.insert("large", [{"a": 0}], "staff")
    reader = Reader(shapes, Definition("staff", "large", where="a < 4000"))
    await reader.begin()
    async with await psycopg.AsyncConnection.connect(box.admin_dsn) as late:
        await late.execute("insert into api.large (a) values (-1)")
        await execute(box, "insert into api.large (a) select g from generate_series(1, 5000) g")
        await late.execute("update api.large set a = -2 where a = -1")
        await late.commit()
    until = asyncio.get_running_loop().time() + SOON_S
    while len(reader.rows) < 4001 and asyncio.get_running_loop().time() < until:
        await reader.step()
    assert sorted(int(row["a"]) for row in reader.rows.values()) == [-2, *range(4000)]


async def ended(shape: Shape) -> None:
    await until(lambda: shape.ended)


async def until(so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


async def test_a_shape_ends_when_its_columns_change_and_not_for_others(store: Store, shapes: Shapes) -> None:
    await store.insert("growing", [{"a": 1, "b": "x"}], "staff")
    every = await shapes.open(Definition("staff", "growing"))
    some = await shapes.open(Definition("staff", "growing", ("b",)))
    judged = await shapes.open(Definition("staff", "growing", ("b",), where="a = 1"))
    await store.insert("growing", [{"a": 1, "c": True}], "staff")
    await ended(every)
    await store.insert("growing", [{"a": 1.5}], "staff")
    await ended(judged)
    assert not some.ended
    again = await shapes.open(every.definition)
    assert again is not every and "c" in again.outline.names


async def test_rights_that_change_end_the_shape_at_once(box: Box, store: Store, shapes: Shapes) -> None:
    await store.insert("rights", [{"a": 1, "b": "x"}], "staff")
    await execute(box, "update flex.collections set audience = 'wall', wall_fields = '{a,b}' where name = 'rights'")
    await execute(box, "select flex.apply_access('rights')")
    wall = Definition("wall", "rights", where="b = 'x'")
    shape = await shapes.open(wall)
    assert shape.outline.names == ("id", "a", "b")
    staff = await shapes.open(Definition("staff", "rights"))
    await execute(box, "update flex.collections set wall_fields = '{a}' where name = 'rights'")
    await execute(box, "select flex.apply_access('rights')")
    await ended(shape)
    with pytest.raises(ApplianceError) as refused:
        await shapes.open(wall)
    assert refused.value.code == "PGF119"
    fewer = await shapes.open(Definition("wall", "rights"))
    assert fewer.outline.names == ("id", "a")
    assert not staff.ended
    await execute(box, "update flex.collections set audience = 'staff' where name = 'rights'")
    await execute(box, "select flex.apply_access('rights')")
    await ended(fewer)
    with pytest.raises(ApplianceError) as gone:
        await shapes.open(Definition("wall", "rights"))
    assert gone.value.code == "PGF104"


async def test_a_row_policy_cuts_a_shape(box: Box, store: Store, shapes: Shapes) -> None:
    await store.insert("policed", [{"ward": "A"}, {"ward": "B"}], "staff")
    whole = await shapes.open(Definition("staff", "policed"))
    await execute(
        box,
        "insert into flex.policies (collection, role, condition, expression)"
        " values ('policed', 'staff', '{}', $$ward = 'A'$$)",
    )
    await execute(box, "select flex.apply_access('policed')")
    await ended(whole)
    reader = Reader(shapes, Definition("staff", "policed", where="ward is not null"))
    await reader.begin()
    assert [row["ward"] for row in reader.rows.values()] == ["A"]
    columns, where = await shapes.access(
        Definition("staff", "policed", ("ward",), where="ward <> $1", params=((1, "'"),))
    )
    assert columns == ("id", "ward")
    assert where == """(ward = 'A') AND ("ward" <> '''')"""


async def test_a_declared_role_reads_its_rows_and_masks(store: Store, shapes: Shapes, pool: Pool) -> None:
    first, second = await store.insert(
        "sick", [{"ward": "A", "name": "Ada Byron"}, {"ward": "B", "name": "Bob Dole"}], "staff"
    )
    roles = Roles(pool)
    await roles.declare("nurse", {"label": "Nurse", "level": "staff"}, "admin")
    await roles.permit("nurse", "sick", {"where": [{"field": "ward", "op": "eq", "value": "A"}]}, "admin")
    masked = await roles.mask("nurse", "sick", "name", {"mask": "initials"}, "admin")
    with pytest.raises(ApplianceError) as refused:
        await shapes.open(Definition("nurse", "sick", where="name like 'A%'"))
    assert refused.value.code == "PGF119"
    reader = Reader(shapes, Definition("nurse", "sick", replica="full"))
    await reader.begin()
    shown = masked["shown"]
    assert reader.rows == {str(first["id"]): {"id": str(first["id"]), "ward": "A", shown: "A.B."}}
    await store.update("sick", second["id"], {"ward": "A"}, "staff")
    await store.update("sick", first["id"], {"ward": "B"}, "staff")
    await store.update("sick", second["id"], {"name": "Cay Dole"}, "staff")
    async with asyncio.timeout(SOON_S):
        while [row.get(shown) for row in reader.rows.values()] != ["C.D."]:
            await reader.step()
    assert [sorted(row) for row in reader.rows.values()] == [sorted(["id", "ward", shown])]
    assert reader.shape is not None
    await roles.unmask("nurse", "sick", "name", "admin")
    await ended(reader.shape)
    await reader.begin()
    assert [row["name"] for row in reader.rows.values()] == ["Cay Dole"]


async def test_a_log_that_is_cut_sends_its_readers_away(
    store: Store, shapes: Shapes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_module, "LOG_ENTRIES", 10)
    (row,) = await store.insert("cut", [{"a": 0}], "staff")
    reader = Reader(shapes, Definition("staff", "cut"))
    await reader.begin()
    assert reader.shape is not None
    for place in range(1, 10):
        await store.update("cut", row["id"], {"a": place}, "staff")
    while await reader.step():
        pass
    assert reader.rows[str(row["id"])]["a"] == "9"
    old = reader.offset
    for place in range(12):
        await store.update("cut", row["id"], {"a": -place}, "staff")
    shape = reader.shape
    await until(lambda: not shape.holds(old))
    assert len(shape.after(0)) == 10


async def test_too_many_rows_are_refused_and_end_a_shape(box: Box, store: Store, pool: Pool) -> None:
    await store.insert("many", [{"a": place} for place in range(6)], "staff")
    async with following(box, pool, rows_limit=5) as shapes:
        with pytest.raises(ApplianceError) as refused:
            await shapes.open(Definition("staff", "many"))
        assert refused.value.code == "PGF109"
        shape = await shapes.open(Definition("staff", "many", where="a < 5"))
        await store.insert("many", [{"a": 1}], "staff")
        await ended(shape)


async def test_the_longest_unused_shape_makes_room(box: Box, store: Store, pool: Pool) -> None:
    await store.insert("room", [{"a": 1}], "staff")
    async with following(box, pool, shapes_limit=2) as shapes:
        opened = [await shapes.open(Definition("staff", "room", where=f"a = {place}")) for place in range(3)]
        assert [shape.ended for shape in opened] == [True, False, False]
        waiting = [asyncio.create_task(shape.wait(shape._floor, 5)) for shape in opened[1:]]
        await asyncio.sleep(0)
        with pytest.raises(ApplianceError) as refused:
            await shapes.open(Definition("staff", "room"))
        assert refused.value.code == "PGF121"
        shapes.end_waits()
        assert await asyncio.gather(*waiting) == [[], []]


async def test_large_shapes_make_room_by_their_rows(
    box: Box, store: Store, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes_module, "SHAPES_FULL", 1)
    await store.insert("bulky", [{"a": place} for place in range(4)], "staff")
    async with following(box, pool, rows_limit=5) as shapes:
        opened = [await shapes.open(Definition("staff", "bulky", where=f"a >= {place - 9}")) for place in range(3)]
        assert [shape.ended for shape in opened] == [True, False, False]
        assert opened[2].size == 4


async def test_a_shape_nobody_asks_for_is_let_go(store: Store, shapes: Shapes, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.insert("idle", [{"a": 1}], "staff")
    shape = await shapes.open(Definition("staff", "idle"))
    monkeypatch.setattr(shapes_module, "IDLE_S", 0.0)
    await ended(shape)
    assert shapes.count == 0


class Gappy(Feed):
    """A feed that fails once, then has forgotten what its reader asks for, and remembers from where it was asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.forget = asyncio.Event()

    def subscribe(
        self, role: str, collection: str | None = None, after: str | None = None
    ) -> AsyncGenerator[Event, None]:
        self.asked.append(after)
        return self._say(len(self.asked))

    async def _say(self, time: int) -> AsyncGenerator[Event, None]:
        if time == 1:
            yield Ready("3.1")
            raise ApplianceError("PGF101", "PostgreSQL does not answer.")
        await self.forget.wait()
        yield Gap("3.1", "9.1")
        yield Ready("9.1")
        await asyncio.Event().wait()


async def test_a_gap_in_the_feed_ends_the_shapes_and_new_ones_begin(box: Box, store: Store, pool: Pool) -> None:
    await store.insert("gappy", [{"a": 1}], "staff")
    feed = Gappy()
    shapes = Shapes(box.dsn, pool, feed, shapes_limit=5, rows_limit=5)
    async with shapes.running():
        shape = await shapes.open(Definition("staff", "gappy"))
        await until(lambda: len(feed.asked) == 2)
        assert feed.asked == [None, "3.1"] and shape.holds(offset_at(10**6))
        feed.forget.set()
        await ended(shape)
        again = await shapes.open(Definition("staff", "gappy"))
        assert again is not shape and (await shapes.read(again)).rows == [(1, '{"id":"1","a":"1"}')]


async def test_a_value_that_postgresql_cannot_read_is_the_filters_fault(store: Store, shapes: Shapes) -> None:
    await store.insert("dates", [{"day": "2026-01-01"}], "staff")
    with pytest.raises(ApplianceError) as refused:
        await shapes.open(Definition("staff", "dates", where="day > 'soon'"))
    assert refused.value.code == "PGF119"


async def test_columns_of_any_name(store: Store, shapes: Shapes) -> None:
    await store.insert("named", [{"r": 1, "v": 2, "d": 3, "place": 4, "a%b": 5}], "staff")
    reader = Reader(shapes, Definition("staff", "named", where="r = 1 and v <> 3 and d = 3"))
    await reader.begin()
    await store.update("named", 1, {"place": 5}, "staff")
    await reader.step(5)
    assert reader.rows["1"] == {"id": "1", "r": "1", "v": "2", "d": "3", "place": "5", "a_b": "5"}


async def test_a_value_that_does_not_fit_its_column_yet_is_nothing_in_both(
    box: Box, store: Store, shapes: Shapes
) -> None:
    await store.insert("spilled", [{"size": 1, "day": "2026-01-01", "on": True}], "staff")
    await execute(box, "alter table api.spilled add column if not exists extra jsonb")
    reader = Reader(shapes, Definition("staff", "spilled", where="size is null"))
    await reader.begin()
    query = """insert into api.spilled ("on", extra) values (true, '{"size": "5", "day": "2026-01-01T10:00:00Z"}')"""
    await execute(box, query)
    await reader.step(5)
    seen = {key: (row["size"], row["day"], row["on"]) for key, row in reader.rows.items()}
    assert seen == {"2": (None, None, "true")}
    await reader.begin()
    assert {key: (row["size"], row["day"], row["on"]) for key, row in reader.rows.items()} == seen


async def test_a_database_that_dies_loses_nothing(box: Box, store: Store, shapes: Shapes) -> None:
    await store.insert("dying", [{"a": 0}], "staff")
    reader = Reader(shapes, Definition("staff", "dying"))
    await reader.begin()
    await asyncio.to_thread(box.kill_postgres)
    await asyncio.to_thread(box.restart_postgres)
    for place in range(1, 4):
        await store.insert("dying", [{"a": place}], "staff")
    async with asyncio.timeout(SOON_S):
        while len(reader.rows) < 4:
            await reader.step()
    assert sorted(row["a"] for row in reader.rows.values()) == ["0", "1", "2", "3"]
