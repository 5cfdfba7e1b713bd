"""The catalog against a real PostgreSQL: statistics, roles, and what is kept between reads."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import msgspec

from appliance.pgflex.catalog import FRESH_S, LARGE, Catalogs, read_catalog
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.relations.discovery import Discovery
from appliance.pgflex.writes.store import Store
from appliance.types import Field, Relation


def told(field: Field | None) -> Field:
    """A field without when and by whom it was first written."""
    assert field is not None
    assert datetime.now(UTC) - datetime.fromisoformat(field.first_seen) < timedelta(minutes=10)
    return msgspec.structs.replace(field, first_seen="", who="")


async def test_statistics(store: Store, pool: Pool) -> None:
    rows = [
        {
            "Ward": ("Cardiology", "Surgery")[n % 2],
            "bed": f"B-{n % 61}",
            "age": n,
            "note": "x" * 81 if n == 3 else "ok",
            "Weight (kg)": 0.5 + n if n % 2 else None,
            "since": f"2026-01-{n % 28 + 1:02}",
        }
        for n in range(200)
    ]
    await store.insert("beds", rows, "staff")
    await store.insert("empty", [{"a": "gone"}], "staff")
    await store.delete("empty", 1, "staff")
    catalog = await read_catalog(pool, "staff")
    beds = catalog.collection("beds")
    assert beds is not None
    assert (beds.name, beds.label, beds.count) == ("beds", "beds", 200)
    ward = Field("ward", "Ward", "text", values=("Cardiology", "Surgery"), distinct=2, count=200)
    assert told(beds.field("ward")) == ward
    assert beds.field("extra") is None
    bed = beds.field("bed")
    assert bed is not None and (bed.examples, bed.distinct) == (("B-0", "B-1", "B-10", "B-11", "B-12"), 61)
    age, weight, since, note = (beds.field(name) for name in ("age", "weight_kg", "since", "note"))
    assert age is not None and (age.distinct, age.low, age.high) == (200, 0, 199)
    assert weight is not None and (weight.count, weight.low, weight.high, weight.unit) == (100, 1.5, 199.5, "kg")
    assert since is not None and (since.low, since.high) == ("2026-01-01", "2026-01-28")
    assert note is not None and (note.examples, note.distinct) == (("ok",), 2)
    empty = catalog.collection("empty")
    assert empty is not None and empty.count == 0
    assert told(empty.field("a")) == Field("a", "a", "text")


async def test_a_masked_field_shows_what_stands_in_its_place(store: Store, pool: Pool) -> None:
    await store.insert("people", [{"Name": "Ana Smith", "phone": "555-CALL"}], "staff")
    async with transaction(pool) as db:
        await db.execute(
            "insert into flex.masks (collection, field, role, kind, shown, type)"
            " values ('people', 'name', 'staff', 'initials', 'name_initials', 'text'),"
            " ('people', 'phone', 'staff', 'hidden', null, null)"
        )
        await db.execute("select flex.loosen('people')")
        await db.execute("select flex.tighten('people')")
    catalog = await read_catalog(pool, "staff")
    people = catalog.collection("people")
    assert people is not None
    [name] = people.fields
    assert (name.name, name.label, name.type, name.masked) == ("name_initials", "Name", "text", True)
    assert len(name.values) == 1
    assert "Ana" not in repr(catalog) and "555-CALL" not in repr(catalog)
    whole = (await read_catalog(pool, "admin")).collection("people")
    assert whole is not None
    assert [(field.name, field.masked) for field in whole.fields] == [("name", False), ("phone", False)]


async def test_relations_are_told_to_who_may_read_both_ends(store: Store, pool: Pool) -> None:
    await store.insert("wings", [{"name": "East"}], "staff")
    await store.insert("rooms", [{"wing_id": 1, "room": "1"}], "staff")
    before = await read_catalog(pool, "staff")
    await Discovery(pool).look()
    after = await read_catalog(pool, "staff")
    assert after.relations == (Relation("rooms", "wing_id", "wings", "id"),)
    assert after.relation("rooms", "wing_id") == after.relations[0]
    assert after.version != before.version
    async with transaction(pool) as db:
        await store.show_on_walls(db, "rooms", ["wing_id"])
    assert (await read_catalog(pool, "wall")).relations == ()
    async with transaction(pool) as db:
        await store.show_on_walls(db, "rooms", [])


async def test_a_large_collection_is_sampled(store: Store, pool: Pool) -> None:
    await store.insert("readings", [{"state": "rare", "n": 1, "note": "x" * 100}], "staff")
    async with transaction(pool) as db:
        await db.execute(
            "insert into api.readings (state, n, note) select (array['ok', 'low', 'high'])[1 + n %% 3],"
            " n, md5(n::text) from generate_series(1, %s) as n",
            [LARGE + 50_000],
        )
        await db.execute("insert into api.readings (state) values ('newest')")
        await db.execute("analyze api.readings")
    began = time.monotonic()
    readings = (await read_catalog(pool, "staff")).collection("readings")
    took = time.monotonic() - began
    assert readings is not None and abs(readings.count - LARGE - 50_000) < 5_000
    state, number, note = (readings.field(name) for name in ("state", "n", "note"))
    assert state is not None and {"ok", "low", "high", "newest"} <= set(state.values) <= {*state.values, "rare"}
    assert abs(state.count - readings.count) < 5_000 and state.distinct in (4, 5)
    assert number is not None and number.distinct > 200_000 and number.low is None
    assert note is not None and len(note.examples) == 5 and note.values == ()
    assert took < 3
    versions = {(await read_catalog(pool, "staff")).version for _ in range(4)}
    assert len(versions) == 1, "the same rows are looked at each time: a catalog does not change by itself"


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


async def test_texts_that_are_times_without_an_offset_are_told(store: Store, pool: Pool) -> None:
    rows = [
        {
            "t": f"2026-11-{n:02}T14:30",
            "s": f"2026-11-{n:02} 09:00:00.5",
            "mixed": "2026-11-01T10:00",
            "id no": "2026-11",
        }
        for n in range(1, 8)
    ]
    rows[3]["mixed"] = "2026-11-04 10:00"
    await store.insert("talks", rows, "staff")
    talks = (await read_catalog(pool, "staff")).collection("talks")
    assert talks is not None
    assert {field.name: field.clock for field in talks.fields} == {"t": "T", "s": " ", "mixed": "", "id_no": ""}
    assert talks.field("t").type == "text"  # type: ignore[union-attr]
