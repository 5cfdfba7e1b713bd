"""The catalog against a real PostgreSQL: statistics, roles, and what is kept between reads."""

import asyncio

from appliance.pgflex.catalog import FRESH_S, Catalogs, read_catalog
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.store import Store
from appliance.types import Field


async def test_statistics(store: Store, pool: Pool) -> None:
    rows = [
        {"Ward": ("Cardiology", "Surgery")[n % 2], "bed": f"B-{n % 61}", "age": n, "note": "x" * 81 if n == 3 else "ok"}
        for n in range(200)
    ]
    await store.insert("beds", rows, "staff")
    await store.insert("empty", [{"a": "gone"}], "staff")
    await store.delete("empty", 1, "staff")
    catalog = await read_catalog(pool, "staff")
    beds = catalog.collection("beds")
    assert beds is not None
    assert (beds.name, beds.label, beds.count) == ("beds", "beds", 200)
    assert beds.field("ward") == Field("ward", "Ward", "text", values=("Cardiology", "Surgery"), distinct=2)
    assert beds.field("bed") == Field(
        "bed", "bed", "text", examples=("B-0", "B-1", "B-10", "B-11", "B-12"), distinct=61
    )
    assert beds.field("age") == Field("age", "age", "integer", distinct=200)
    assert beds.field("note") == Field("note", "note", "text", examples=("ok",), distinct=2)
    empty = catalog.collection("empty")
    assert empty is not None and empty.count == 0
    assert empty.field("a") == Field("a", "a", "text")


async def test_each_role_sees_its_own(store: Store, pool: Pool) -> None:
    await store.insert("board", [{"bed": "C-01", "patient": "A. Person"}], "staff")
    assert (await read_catalog(pool, "wall")).collection("board") is None
    async with transaction(pool) as db:
        await store.show_on_walls(db, "board", ["bed"])
    wall = await read_catalog(pool, "wall")
    assert [item.name for item in wall.collections] == ["board"]
    assert [field.name for field in wall.collections[0].fields] == ["bed"]
    assert "Person" not in repr(wall)
    staff = (await read_catalog(pool, "staff")).collection("board")
    assert staff is not None and staff.field("patient") is not None


async def test_only_what_changed_is_counted_again(store: Store, pool: Pool) -> None:
    catalogs = Catalogs(pool)
    await store.insert("states", [{"state": "free"}], "staff")
    first = await catalogs.read("staff")
    await store.insert("states", [{"state": "taken"}], "staff")
    assert await catalogs.read("staff") == first
    catalogs.mark("states")
    assert (await catalogs.read("staff"), catalogs.stale) == (first, True), "counted at most about once a second"
    await asyncio.sleep(FRESH_S + 0.1)
    second = await catalogs.read("staff")
    assert second.version != first.version
    assert not catalogs.stale
    states = second.collection("states")
    assert states is not None and states.count == 2


async def test_new_fields_show_at_once(store: Store, pool: Pool) -> None:
    catalogs = Catalogs(pool)
    await store.insert("growing", [{"a": 1}], "staff")
    first = await catalogs.read("staff")
    await store.insert("growing", [{"b": 1}], "staff")
    second = await catalogs.read("staff")
    growing = second.collection("growing")
    assert growing is not None and growing.field("b") is not None
    assert first.version != second.version


async def test_rows_alone_do_not_change_the_version(store: Store, pool: Pool) -> None:
    await store.insert("steady", [{"n": 1, "state": "free"}], "staff")
    first = await read_catalog(pool, "staff")
    await store.insert("steady", [{"n": 2, "state": "free"}], "staff")
    second = await read_catalog(pool, "staff")
    assert first.version == second.version
    assert first != second


async def test_wide_collection(store: Store, pool: Pool) -> None:
    await store.insert("wide", [{f"field {number}": "x" for number in range(250)}], "staff")
    wide = (await read_catalog(pool, "staff")).collection("wide")
    assert wide is not None and len(wide.fields) == 250
    assert all(field.values == ("x",) for field in wide.fields)
