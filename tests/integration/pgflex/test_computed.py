"""Computed fields in a real PostgreSQL: declared, replaced, over one another, refused, and removed."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Pool, act_as, connection, transaction
from appliance.pgflex.formulas.computed import Computed
from appliance.pgflex.formulas.formula import Known, check, parse
from appliance.pgflex.formulas.formula_sql import FUNCTIONS
from appliance.pgflex.writes.store import Store
from appliance.types import FieldType
from tests.integration.pgflex_box import Box


@pytest.fixture
def computed(pool: Pool) -> Computed:
    return Computed(pool)


@pytest.fixture
async def wards(store: Store, pool: Pool) -> AsyncIterator[str]:
    """Three wards, in a collection of this test alone."""
    await store.insert(
        "wards",
        [
            {"ward": "Cardiology", "capacity": 20, "occupied": 15, "opened": "2020-02-01", "closed": None},
            {"ward": "Surgery", "capacity": 0, "occupied": 0, "opened": "2021-03-01", "closed": "2021-03-31"},
            {"ward": "Maternity", "capacity": 9, "occupied": None, "opened": None, "closed": None},
        ],
        "staff",
    )
    yield "wards"
    async with transaction(pool) as db:
        await db.execute("drop table api.wards cascade")
        await db.execute("delete from flex.collections where name = 'wards'")


async def column(pool: Pool, name: str, collection: str = "wards") -> list[Any]:
    async with connection(pool) as db:
        found = await db.execute(
            sql.SQL("select {} from api.{} order by id").format(sql.Identifier(name), sql.Identifier(collection))
        )
        return [row[0] for row in await found.fetchall()]


async def declare(computed: Computed, label: str, formula: str, **more: Any) -> dict[str, Any]:
    return await computed.declare("wards", label, {"formula": formula, **more}, "admin")


async def refused(code: str, awaitable: Any) -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        await awaitable
    assert told.value.code == code
    return told.value


async def test_a_field_is_computed_for_old_and_new_rows(
    wards: str, computed: Computed, store: Store, pool: Pool
) -> None:
    told = await declare(computed, "Free beds", "capacity - occupied")
    assert (told["field"].name, told["field"].type, told["uses"]) == ("free_beds", "numeric", ["capacity", "occupied"])
    assert told["cost"]["bytes"] > 0
    assert await column(pool, "free_beds") == [5, 0, None]
    [row] = await store.insert("wards", [{"ward": "New", "capacity": 2**63 - 1, "occupied": -(2**62)}], "staff")
    assert row["free_beds"] == 2**63 - 1 + 2**62
    assert (await store.update("wards", 1, {"occupied": 19}, "staff"))["free_beds"] == 1


async def test_every_function_becomes_a_stored_column(wards: str, computed: Computed, pool: Pool) -> None:
    formulas = {
        "coalesce": ("coalesce(occupied, 0)", [15, 0, 0]),
        "round": ("round(occupied / 7, 2)", [pytest.approx(2.14), 0, None]),
        "abs": ("abs(occupied - capacity)", [5, 0, None]),
        "floor": ("floor(occupied / 2)", [7, 0, None]),
        "ceil": ("ceil(occupied / 2)", [8, 0, None]),
        "least": ("least(capacity, 10)", [10, 0, 9]),
        "greatest": ("greatest(capacity, 10)", [20, 10, 10]),
        "length": ("length(ward)", [10, 7, 9]),
        "lower": ("lower(ward)", ["cardiology", "surgery", "maternity"]),
        "upper": ("upper(ward)", ["CARDIOLOGY", "SURGERY", "MATERNITY"]),
        "concat": ("concat(ward, ': ', occupied)", ["Cardiology: 15", "Surgery: 0", "Maternity: "]),
        "if": ("if(occupied / capacity > 0.7, 'full', 'free')", ["full", "free", "free"]),
        "days_between": ("days_between(opened, closed)", [None, 30, None]),
        "initials": ("initials(concat(ward, ' de  la', ' Ward'))", ["C.D.L.W.", "S.D.L.W.", "M.D.L.W."]),
        "year": ("year(opened)", [2020, 2021, None]),
        "share": ("occupied % 4 = 3 or not (capacity / occupied >= 0 and opened < '2021-01-01')", [True, True, None]),
    }
    assert formulas.keys() - {"share"} == FUNCTIONS.keys()
    for label, (formula, values) in formulas.items():
        await declare(computed, f"x {label}", formula)
        assert [
            v if v is None or isinstance(v, str | bool) else float(v) for v in await column(pool, f"x_{label}")
        ] == values


async def test_no_value_of_a_row_makes_a_formula_fail(wards: str, computed: Computed, store: Store, pool: Pool) -> None:
    await declare(computed, "share", "occupied / capacity + occupied % capacity")
    await declare(computed, "days", "days_between(opened, closed)")
    async with connection(pool) as db:
        await db.execute("update api.wards set opened = '-infinity', closed = 'infinity', capacity = 0, occupied = 1")
    assert await column(pool, "share") == [None, None, None]
    assert await column(pool, "days") == [None, None, None]


async def test_one_over_another_follows_when_that_is_declared_anew(wards: str, computed: Computed, pool: Pool) -> None:
    await declare(computed, "free", "capacity - occupied")
    await declare(computed, "share", "round(free / capacity, 2)")
    await declare(computed, "told", "concat(ward, ' ', share)")
    assert await column(pool, "told") == ["Cardiology 0.25", "Surgery ", "Maternity "]
    await declare(computed, "free", "capacity - coalesce(occupied, 0)", wall=True)
    assert await column(pool, "share") == [pytest.approx(0.25), None, 1]
    assert await column(pool, "told") == ["Cardiology 0.25", "Surgery ", "Maternity 1.00"]
    error = await refused("PGF115", declare(computed, "free", "share * 2"))
    assert "itself" in error.message
    error = await refused("PGF116", computed.remove("wards", "free", "admin"))
    assert error.details == {"used_by": ["share"]}
    for label in ("told", "share", "free"):
        await computed.remove("wards", label, "admin")
    assert {item.name for item in await computed.fields("wards", "staff")} == {
        "ward",
        "capacity",
        "occupied",
        "opened",
        "closed",
    }


async def test_a_formula_of_another_type_replaces_the_first(wards: str, computed: Computed, pool: Pool) -> None:
    await declare(computed, "state", "capacity - occupied", unit="beds")
    await declare(computed, "state", "if(occupied < capacity, 'room', 'full')")
    assert await column(pool, "state") == ["room", "full", "full"]
    [told] = [item for item in await computed.fields("wards", "staff") if item.name == "state"]
    assert (told.type, told.formula, told.unit) == ("text", "if(occupied < capacity, 'room', 'full')", "beds")


async def test_what_cannot_be_declared(wards: str, computed: Computed, store: Store) -> None:
    await refused("PGF116", declare(computed, "Capacity", "1 + 1"))
    await refused("PGF106", computed.declare("wards", "x", {"formula": "1"}, "staff"))
    await refused("PGF104", computed.declare("nowhere", "x", {"formula": "1"}, "admin"))
    await refused("PGF115", computed.declare("wards", "x", {"formla": "1"}, "admin"))
    await refused("PGF105", declare(computed, " ", "1"))
    await refused("PGF116", computed.remove("wards", "capacity", "admin"))
    await refused("PGF113", computed.remove("wards", "nothing", "admin"))
    await declare(computed, "free", "capacity - occupied")
    error = await refused("PGF115", declare(computed, "x", "capacity - taken"))
    assert error.details["character"] == 12


async def test_walls_see_it_only_when_told(wards: str, computed: Computed, store: Store, pool: Pool) -> None:
    async with transaction(pool) as db:
        await store.show_on_walls(db, "wards", ["ward"])
    await declare(computed, "hidden", "capacity - occupied")
    await declare(computed, "free", "capacity - occupied", wall=True)
    assert [item.name for item in await computed.fields("wards", "wall")] == ["ward", "free"]
    async with transaction(pool) as db:
        await act_as(db, "wall")
        assert [row[0] for row in await (await db.execute("select free from api.wards order by id")).fetchall()][
            :2
        ] == [5, 0]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with db.transaction():
                await db.execute("select hidden from api.wards")
    await declare(computed, "free", "capacity - occupied", wall=False)
    assert [item.name for item in await computed.fields("wards", "wall")] == ["ward"]


async def test_who_may_not_read_a_field_does_not_read_it_computed(
    wards: str, computed: Computed, store: Store, pool: Pool
) -> None:
    await declare(computed, "free", "capacity - occupied")
    await declare(computed, "shout", "upper(ward)")
    await declare(computed, "twice", "concat(shout, shout)")
    async with transaction(pool) as db:
        await db.execute("insert into flex.roles (name, label, level) values ('porter', 'Porter', 'staff')")
        await db.execute(
            "insert into flex.masks (collection, field, role, kind) values ('wards', 'ward', 'porter', 'hidden')"
        )
        row = await (
            await db.execute("select flex.readable('porter', 'wards'), flex.readable('staff', 'wards')")
        ).fetchone()
        assert row is not None
        assert row[0] == ["id", "capacity", "occupied", "opened", "closed", "free"]
        assert row[1] is None
        raise psycopg.Rollback


async def test_a_column_that_changes_its_sense_is_refused_not_read_otherwise(
    wards: str, computed: Computed, pool: Pool
) -> None:
    await declare(computed, "same", "capacity = occupied")
    for kind in ("numeric", "text"):
        change = sql.SQL("alter table api.wards alter capacity type {0}, alter occupied type {0}").format(sql.SQL(kind))
        async with transaction(pool) as db:
            await db.execute("select flex.loosen('wards')")
            await db.execute(change)
            if kind == "numeric":
                await db.execute("select flex.tighten('wards')")
                continue
            with pytest.raises(psycopg.errors.DatatypeMismatch):
                async with db.transaction():
                    await db.execute("select flex.tighten('wards')")
            raise psycopg.Rollback
    assert await column(pool, "same") == [False, True, None]


async def test_it_cannot_be_written_and_no_document_is_lost_for_it(
    wards: str, computed: Computed, store: Store, pool: Pool
) -> None:
    await declare(computed, "Free beds", "capacity - occupied")
    await refused("PGF103", store.insert("wards", [{"ward": "X", "Free beds": 3}], "staff"))
    [row] = await store.insert("wards", [{"ward": "X", "capacity": 2.5, "occupied": 2}], "staff")
    assert float(row["free_beds"]) == 0.5
    [row] = await store.insert("wards", [{"ward": "Y", "capacity": "many", "occupied": 2}], "staff")
    assert (row["capacity"], row["free_beds"]) == ("many", None)
    assert [float(v) for v in await column(pool, "free_beds") if v is not None] == [5, 0, 0.5]


async def test_writers_in_the_way_are_not_waited_for_long(wards: str, computed: Computed, box: Box) -> None:
    with psycopg.connect(box.dsn) as other:
        other.execute("update api.wards set capacity = 1")
        await refused("PGF114", declare(computed, "x", "capacity + 1"))
        other.rollback()
    await declare(computed, "x", "capacity + 1")


async def test_a_large_table_is_written_again_only_when_wanted(
    wards: str, computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.pgflex.formulas.computed.REWRITE_LIMIT", 1000)
    error = await refused("PGF116", declare(computed, "x", "capacity + 1"))
    assert error.details["bytes"] > 1000
    await declare(computed, "x", "capacity + 1", rewrite=True)


async def test_all_sql_that_formulas_make_is_immutable(box: Box) -> None:
    kinds: tuple[FieldType, ...] = ("boolean", "integer", "numeric", "date", "text")
    known: dict[str, Known] = {kind: Known(kind, kind) for kind in kinds}
    formulas = ["coalesce(date, '2026-01-01')", "least(integer, numeric)", "date > '2026-01-01'", "upper(text) = 'X'"]
    with psycopg.connect(box.admin_dsn) as db:
        db.execute("create temp table t (boolean boolean, integer bigint, numeric numeric, date date, text text)")
        for place, formula in enumerate(formulas):
            typed = check(parse(formula), known)
            db.execute(
                f"alter table t add column c{place} {typed.type} generated always as ({typed.expression}) stored"
            )
