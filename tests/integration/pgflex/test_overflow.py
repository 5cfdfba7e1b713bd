"""Values that do not fit their column yet: kept beside it, given back at their place, moved in when it is wider."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.writes.placing import Limits
from appliance.pgflex.writes.store import Store
from appliance.pgflex.writes.widening import Widening
from tests.integration.pgflex_box import Box

FEW = Limits(widen_rows=3)


@pytest.fixture
def narrow(pool: Pool) -> Store:
    """A store to which four rows are many."""
    return Store(pool, FEW)


async def table(pool: Pool, collection: str) -> list[dict[str, Any]]:
    """The table as it stands."""
    async with transaction(pool) as db:
        found = await db.execute(f"select to_jsonb(_t) from api.{collection} _t order by id".encode())
        return [row[0] for row in await found.fetchall()]


async def columns(pool: Pool, collection: str) -> dict[str, str]:
    async with transaction(pool) as db:
        found = await db.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attname",
            [f"api.{collection}"],
        )
        return dict(await found.fetchall())


async def filled(store: Store, collection: str, **more: Any) -> None:
    await store.insert(collection, [{"n": number, **more} for number in range(1, 6)], "staff")


async def test_a_value_that_does_not_fit_stays_beside_its_column(narrow: Store, pool: Pool) -> None:
    await filled(narrow, "spilled")
    rows = await narrow.insert("spilled", [{"n": 6}, {"n": "seven"}, {"n": Decimal("8.50")}], "staff")
    assert [row["n"] for row in rows] == [6, "seven", Decimal("8.50")]
    assert all("extra" not in row for row in rows)
    held = await table(pool, "spilled")
    assert held[6] == {"id": 7, "n": None, "extra": {"n": "seven"}}
    assert (await columns(pool, "spilled"))["n"] == "bigint"
    again = await narrow.insert("spilled", [{"n": "nine"}], "staff")
    assert again[0]["n"] == "nine", "the second one takes the short way"


async def test_a_later_value_takes_the_place_of_overflow(narrow: Store, pool: Pool) -> None:
    await filled(narrow, "replaced")
    assert (await narrow.update("replaced", 1, {"n": "one"}, "staff"))["n"] == "one"
    assert (await narrow.update("replaced", 1, {"note": "x"}, "staff")) == {"id": 1, "n": "one", "note": "x"}
    assert (await narrow.update("replaced", 1, {"n": 11}, "staff"))["n"] == 11
    assert (await table(pool, "replaced"))[0]["extra"] is None
    assert (await narrow.update("replaced", 1, {"n": "one"}, "staff"))["n"] == "one"
    assert (await narrow.update("replaced", 1, {"n": "uno"}, "staff"))["n"] == "uno"
    assert (await narrow.update("replaced", 1, {"n": None}, "staff"))["n"] is None
    assert (await table(pool, "replaced"))[0]["extra"] is None
    row, made = await narrow.replace("replaced", 1, {"n": "whole"}, "staff")
    assert (row, made) == ({"id": 1, "n": "whole", "note": None}, False)
    await narrow.delete("replaced", 1, "staff")
    assert [row["id"] for row in await table(pool, "replaced")] == [2, 3, 4, 5]


async def test_the_column_becomes_wider_in_the_background(narrow: Store, pool: Pool) -> None:
    await filled(narrow, "moved")
    await narrow.insert("moved", [{"n": "six"}, {"n": Decimal("7.50")}, {"n": True}], "staff")
    await narrow.update("moved", 2, {"n": "two"}, "staff")
    await Widening(pool, FEW.widen_rows).work()
    assert await columns(pool, "moved") == {"id": "bigint", "n": "text"}
    assert [row["n"] for row in await table(pool, "moved")] == ["1", "two", "3", "4", "5", "six", "7.50", "1"]
    rows = await narrow.insert("moved", [{"n": "nine"}, {"n": 10}], "staff")
    assert [row["n"] for row in rows] == ["nine", "10"]


async def test_a_widening_that_grows_while_it_fills(narrow: Store, pool: Pool) -> None:
    await filled(narrow, "regrown")
    await narrow.insert("regrown", [{"n": "six"}], "staff")
    widening = Widening(pool, FEW.widen_rows)
    for _ in range(2):
        job = await widening._next()
        assert job is not None
        await widening._advance(job)
    rows = await narrow.insert("regrown", [{"n": [7]}, {"n": "eight"}, {"n": 9}], "staff")
    assert [row["n"] for row in rows] == [[7], "eight", 9]
    assert all(name in ("id", "n") for row in rows for name in row)
    await widening.work()
    assert await columns(pool, "regrown") == {"id": "bigint", "n": "jsonb"}
    assert [row["n"] for row in await table(pool, "regrown")] == [1, 2, 3, 4, 5, "six", [7], "eight", 9]


async def test_two_columns_of_all_types(narrow: Store, pool: Pool) -> None:
    await narrow.insert("several", [{"d": "2026-11-23", "b": True, "j": "x"}] * 5, "staff")
    (row,) = await narrow.insert("several", [{"d": "2026-11-23T10:00:00+02:00", "b": 7, "j": {"deep": [1.5]}}], "staff")
    assert (row["d"], row["b"], row["j"]) == ("2026-11-23T10:00:00+02:00", 7, {"deep": [Decimal("1.5")]})
    await Widening(pool, FEW.widen_rows).work()
    assert await columns(pool, "several") == {
        "id": "bigint",
        "d": "timestamp with time zone",
        "b": "bigint",
        "j": "jsonb",
    }
    held = await table(pool, "several")
    assert [held[0][name] for name in "dbj"] == ["2026-11-23T00:00:00+00:00", 1, "x"]
    assert [held[5][name] for name in "dbj"] == ["2026-11-23T08:00:00+00:00", 7, {"deep": [Decimal("1.5")]}]


async def test_a_computed_field_in_the_way(store: Store, pool: Pool) -> None:
    await store.insert("wards", [{"beds": 10, "taken": 4}], "staff")
    async with transaction(pool) as db:
        await db.execute("alter table api.wards add free bigint generated always as (beds - taken) stored")
        await db.execute(
            "insert into flex.fields (collection, name, label, type, formula, expression)"
            " values ('wards', 'free', 'free', 'integer', 'beds - taken', 'beds - taken')"
        )
        await db.execute("select flex.apply_access('wards')")
    (row,) = await store.insert("wards", [{"beds": "ten", "taken": 4}], "staff")
    assert row == {"id": 2, "beds": "ten", "taken": 4, "free": None}
    (row,) = await store.insert("wards", [{"beds": 11, "taken": 4}], "staff")
    assert row["free"] == 7
    await Widening(pool).work()
    assert (await columns(pool, "wards"))["beds"] == "bigint"
    with pytest.raises(ApplianceError, match="Free is computed") as caught:
        await store.insert("wards", [{"beds": 12, "Free": 1}], "staff")
    assert (caught.value.code, caught.value.details) == ("PGF103", {"field": "Free"})
    async with transaction(pool) as db:
        await db.execute("alter table api.wards drop free")
        await db.execute("delete from flex.fields where (collection, name) = ('wards', 'free')")
    await Widening(pool).work()
    assert await columns(pool, "wards") == {"id": "bigint", "beds": "text", "taken": "bigint"}
    assert [row["beds"] for row in await table(pool, "wards")] == ["10", "ten", "11"]


async def test_a_policy_goes_with_its_column(narrow: Store, pool: Pool, box: Box) -> None:
    await filled(narrow, "policed", ward="A")
    async with transaction(pool) as db:
        await db.execute(
            "insert into flex.policies (collection, role, condition, expression)"
            " select 'policed', 'staff', c, flex.condition_sql('policed', c)"
            """ from jsonb('[{"field": "n", "op": "null", "value": false}]') as c"""
        )
        await db.execute("select flex.apply_access('policed')")
    await narrow.insert("policed", [{"n": "six"}], "admin")
    await Widening(pool, FEW.widen_rows).work()
    assert (await columns(pool, "policed"))["n"] == "text"
    with psycopg.connect(box.dsn) as db:
        db.execute("set role staff")
        assert db.execute("select count(*) from api.policed").fetchone() == (6,)


async def test_a_role_that_may_not_read_everything(narrow: Store, pool: Pool) -> None:
    await filled(narrow, "veiled", name="A. Person")
    async with transaction(pool) as db:
        await db.execute(
            "insert into flex.masks (collection, field, role, kind) values ('veiled', 'name', 'staff', 'hidden')"
        )
        await db.execute("select flex.apply_access('veiled')")
    (row,) = await narrow.insert("veiled", [{"n": 6}], "staff")
    assert row == {"id": 6, "n": 6}
    (row,) = await narrow.insert("veiled", [{"n": "seven", "new": 1}], "staff")
    assert row == {"id": 7, "n": "seven", "new": 1}
    assert await narrow.update("veiled", 1, {"n": "one"}, "staff") == {"id": 1, "n": "one", "new": None}
    assert await narrow.update("veiled", 1, {"n": 11}, "staff") == {"id": 1, "n": 11, "new": None}
    row, made = await narrow.replace("veiled", 2, {"n": "two"}, "staff")
    assert (row, made) == ({"id": 2, "n": "two", "new": None}, False)
    with pytest.raises(ApplianceError, match="PGF106"):
        await narrow.update("veiled", 1, {"name": "B. Person"}, "staff")
    held = {row["id"]: row for row in await table(pool, "veiled")}
    assert held[2]["name"] == "A. Person", "what the role cannot see stays"
    assert (held[1]["extra"], held[7]["extra"]) == (None, {"n": "seven"})
