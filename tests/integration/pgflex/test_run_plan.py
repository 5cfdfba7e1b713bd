"""run_plan: any plan that fits the catalog runs, as PostgREST would run it where it can, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args
from urllib.parse import quote

import httpx
import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.plan import (
    ITEMS_AT_MOST,
    Aggregate,
    Bucket,
    Comparison,
    Condition,
    Having,
    Operator,
    Order,
    Query,
    Related,
    Select,
    keys,
    validate,
)
from appliance.llm.render import is_plain, to_rest
from appliance.pgflex.catalog import read_catalog
from appliance.pgflex.database import Pool, act_as, transaction
from appliance.pgflex.relations.discovery import Discovery
from appliance.pgflex.rest import Rest
from appliance.pgflex.writes.store import Store
from appliance.types import Catalog
from tests.integration.pgflex_box import Box, opened, running_box

COUNT = Select("*", "count")
MOST = Order("*", True, "count")


def rows_of_patients() -> list[dict[str, Any]]:
    rng = random.Random(7)
    return [
        {
            "name": rng.choice(["Ana", "Ben", "ben'; drop table", "Zoë", 'a "b"', "50%", "under_score", None]),
            "ward_id": rng.choice([1, 2, 3, None]),
            "age": rng.choice([0, 5, 5, 33, 2**40, None]),
            "cost": rng.choice([0.5, 12.25, 1e-7, 99999.99, None]),
            "vip": rng.choice([True, False, None]),
            "admitted_on": rng.choice(["2026-11-01", "2026-11-30", "2025-12-29", "2024-02-29", None]),
            "seen_at": rng.choice(["2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z", "2026-11-01T23:30:00.5Z", None]),
            "notes": rng.choice([{"a": 1}, [1, 2], None]),
        }
        for _ in range(60)
    ]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        asyncio.run(prepare(box))
        box.start_postgrest()
        token = Rest(box.rest_url, box.secret).token("staff")
        for _ in range(100):
            if httpx.get(f"{box.rest_url}/wards", headers={"Authorization": f"Bearer {token}"}).status_code == 200:
                break
            time.sleep(0.05)
        yield box


async def prepare(box: Box) -> None:
    async with opened(box) as pool:
        store = Store(pool)
        wards = [{"name": "Surgery", "house_id": 1, "beds": 10}, {"name": "Oncology", "house_id": 2, "beds": 4}]
        await store.insert("houses", [{"city": "Berlin"}, {"city": "Lima"}], "staff")
        await store.insert("wards", [*wards, {"name": "Empty", "house_id": None, "beds": None}], "staff")
        await store.insert("patients", rows_of_patients(), "staff")
        at = ["2026-11-25T14:30", "2026-11-25T14:45:10", "2026-11-26T09:00", "soon"]
        await store.insert("talks", [{"at": each} for each in at], "staff")
        await store.insert("secrets", [{"word": "x", "patient_id": 1}], "staff")
        await Discovery(pool).look()
        async with transaction(pool) as db:
            await store.show_on_walls(db, "wards", ["name"])
            await db.execute("update flex.collections set audience = 'admin' where name = 'secrets'")
            await db.execute("select flex.apply_access('secrets')")
            # One that leads to a value that is there twice: no row may be counted twice for it.
            await db.execute("insert into flex.relations (collection, field, target, target_field, origin, key)"
                             " values ('houses', 'city', 'patients', 'name', 'declared', 'none')")  # fmt: skip
            await db.execute("update api.houses set city = 'Ana' where id = 1")


@pytest.fixture
async def rest(box: Box) -> AsyncIterator[Rest]:
    rest = Rest(box.rest_url, box.secret)
    yield rest
    await rest.close()


async def run(rest: Rest, plan: Any, role: Any = "staff") -> list[dict[str, Any]]:
    told = json.dumps(msgspec.to_builtins(plan))
    return await rest.get(f"/rpc/run_plan?plan={quote(told, safe='')}", role)


def patients(*select: Select, **parts: Any) -> Query:
    return Query("patients", select, **parts)


# What it does that PostgREST does not


async def test_groups_are_ordered_by_an_aggregate_and_cut(rest: Rest) -> None:
    plan = patients(Select("ward_id"), COUNT, Select("age", "max"), group=("ward_id",), order=(MOST,), limit=2)
    rows, counted = await run(rest, plan), Counter(row["ward_id"] for row in rows_of_patients())
    assert [row["count"] for row in rows] == sorted(counted.values(), reverse=True)[:2]
    assert all(counted[row["ward_id"]] == row["count"] for row in rows)


async def test_groups_that_are_level_come_in_one_order(rest: Rest) -> None:
    plan = patients(Select("id"), COUNT, group=("id",), order=(MOST,), limit=5)
    assert [row["id"] for row in await run(rest, plan)] == [1, 2, 3, 4, 5]


async def test_groups_are_tested(rest: Rest) -> None:
    plan = patients(Select("ward_id"), COUNT, group=("ward_id",), having=(Having("*", "count", "gt", 15),))
    counted = Counter(row["ward_id"] for row in rows_of_patients())
    assert {row["ward_id"]: row["count"] for row in await run(rest, plan)} == {
        ward: count for ward, count in counted.items() if count > 15
    }


async def test_fields_of_a_row_are_held_against_each_other(rest: Rest) -> None:
    plan = patients(COUNT, where=(Condition("age", "gt", other="cost"), Condition("vip", "eq", True)))
    told = [row for row in rows_of_patients() if row["vip"] and None not in (row["age"], row["cost"])]
    assert await run(rest, plan) == [{"count": sum(row["age"] > row["cost"] for row in told)}]
    along = patients(COUNT, where=(Condition("age", "lte", other="ward_id.beds"),))
    assert (await run(rest, along))[0]["count"] > 0


async def test_rows_that_others_lead_to_and_rows_that_none_does(rest: Rest) -> None:
    of_wards = {row["ward_id"] for row in rows_of_patients()}
    for there in (True, False):
        plan = Query("wards", (Select("id"),), related=(Related("patients", "ward_id", there),))
        wards = {row["id"] for row in await run(rest, plan)}
        assert wards == {ward for ward in (1, 2, 3) if (ward in of_wards) == there}
        counted = Query("wards", (COUNT,), (Condition("beds", "gt", 5),), related=plan.related)
        assert await run(rest, counted) == [{"count": sum(ward == 1 for ward in wards)}]
    empty = Query("houses", (Select("city"),), related=(Related("wards", "house_id"),))
    assert await run(rest, empty) == []


async def test_what_a_role_may_not_see_is_not_told_by_rows_without_it(rest: Rest) -> None:
    plan = Query("patients", (COUNT,), related=(Related("secrets", "patient_id"),))
    assert await run(rest, plan, "admin") == [{"count": 59}]
    with pytest.raises(ApplianceError) as refused:
        await run(rest, plan)
    assert refused.value.code == "PGF106"


async def test_fields_along_relations(rest: Rest) -> None:
    plan = patients(
        Select("ward_id.name"), Select("ward_id.house_id.city"), COUNT,
        group=("ward_id.name", "ward_id.house_id.city"), order=(Order("ward_id.name"),),
    )  # fmt: skip
    counted = Counter(row["ward_id"] for row in rows_of_patients())
    assert await run(rest, plan) == [
        {"ward_id.name": "Empty", "ward_id.house_id.city": None, "count": counted[3]},
        {"ward_id.name": "Oncology", "ward_id.house_id.city": "Lima", "count": counted[2]},
        {"ward_id.name": "Surgery", "ward_id.house_id.city": "Ana", "count": counted[1]},
        {"ward_id.name": None, "ward_id.house_id.city": None, "count": counted[None]},
    ]
    tested = patients(COUNT, where=(Condition("ward_id.name", "like", "SURG"),))
    assert await run(rest, tested) == [{"count": counted[1]}]


async def test_a_relation_to_a_value_that_is_there_twice_doubles_no_row(rest: Rest) -> None:
    plan = Query("houses", (Select("city"), Select("city.id")), order=(Order("id"),))
    first = min(place for place, row in enumerate(rows_of_patients(), 1) if row["name"] == "Ana")
    assert await run(rest, plan) == [{"city": "Ana", "city.id": first}, {"city": "Lima", "city.id": None}]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("", ["2026-03-29", "2026-10-25", "2026-11-01"]),
        ("Europe/Berlin", ["2026-03-29", "2026-10-25", "2026-11-02"]),
        ("America/Lima", ["2026-03-28", "2026-10-24", "2026-11-01"]),
    ],
)
async def test_days_begin_where_the_plan_says(rest: Rest, zone: str, days: list[str]) -> None:
    plan = patients(
        Select("seen_at", bucket="day"), COUNT, group=("seen_at",), order=(Order("seen_at"),), timezone=zone,
        where=(Condition("seen_at", "null", False),),
    )  # fmt: skip
    assert [row["seen_at"] for row in await run(rest, plan)] == days


@pytest.mark.parametrize(
    ("bucket", "first"),
    [("day", "2024-02-29"), ("week", "2024-02-26"), ("month", "2024-02-01"), ("quarter", "2024-01-01"),
     ("year", "2024-01-01")],
)  # fmt: skip
async def test_buckets_of_days(rest: Rest, bucket: Bucket, first: str) -> None:
    plan = patients(
        Select("admitted_on", bucket=bucket), COUNT, group=("admitted_on",), order=(Order("admitted_on"),), limit=1
    )
    assert [row["admitted_on"] for row in await run(rest, plan)] == [first]


async def test_different_values_are_counted(rest: Rest) -> None:
    [told] = await run(rest, patients(Select("name", "distinct")))
    assert told == {"distinct": len({row["name"] for row in rows_of_patients()} - {None})}
    per_ward = await run(rest, patients(Select("ward_id"), Select("age", "distinct"), group=("ward_id",)))
    ages = {row["ward_id"]: row["distinct"] for row in per_ward}
    assert ages[1] == len({row["age"] for row in rows_of_patients() if row["ward_id"] == 1} - {None})


async def test_texts_that_are_times_go_into_buckets(rest: Rest) -> None:
    async def counted(bucket: Bucket) -> dict[str | None, int]:
        rows = await run(rest, Query("talks", (Select("at", bucket=bucket), COUNT), group=("at",)))
        return {row["at"]: row["count"] for row in rows}

    assert await counted("day") == {"2026-11-25": 2, "2026-11-26": 1, None: 1}
    assert await counted("hour") == {"2026-11-25T14:00:00": 2, "2026-11-26T09:00:00": 1, None: 1}


async def test_two_totals_have_two_names(rest: Rest) -> None:
    plan = patients(Select("age", "sum"), Select("cost", "sum"), COUNT)
    [row] = await run(rest, plan)
    assert set(row) == {"sum_age", "sum_cost", "count"}
    assert await rest.get(to_rest(plan), "staff") == [row]


# Who may, and what is refused


async def test_it_runs_as_who_asks(rest: Rest) -> None:
    assert len(await run(rest, Query("wards", (Select("name"), Select("id"))), "wall")) == 3
    assert await run(rest, Query("wards", (COUNT,)), "wall") == [{"count": 3}]
    assert set((await run(rest, Query("wards", (Select("*"),)), "wall"))[0]) == {"id", "name"}
    for role, plan in (
        ("wall", Query("wards", (Select("beds"),))),
        ("wall", Query("wards", (Select("name"),), where=(Condition("beds", "gt", 1),))),
        ("wall", patients(COUNT)),
        ("staff", Query("secrets", (COUNT,))),
        ("staff", Query("secrets", (Select("patient_id.name"),))),
        ("wall", Query("wards", (Select("house_id.city"),))),
    ):
        with pytest.raises(ApplianceError) as raised:
            await run(rest, plan, role)
        assert raised.value.details["code"] == "42501", plan


async def test_policies_hold(rest: Rest, box: Box) -> None:
    async with opened(box) as pool, transaction(pool) as db:
        await db.execute("insert into flex.policies values ('wards', 'staff', '{}', 'beds > 5')")
        await db.execute("select flex.apply_access('wards')")
    try:
        assert await run(rest, Query("wards", (Select("name"),))) == [{"name": "Surgery"}]
        named = patients(Select("ward_id.name"), COUNT, group=("ward_id.name",), order=(Order("ward_id.name"),))
        assert [row["ward_id.name"] for row in await run(rest, named)] == ["Surgery", None]
    finally:
        async with opened(box) as pool, transaction(pool) as db:
            await db.execute("delete from flex.policies")
            await db.execute("select flex.apply_access('wards')")


async def test_a_role_of_the_facility_may_run_plans(rest: Rest, box: Box) -> None:
    async with opened(box) as pool, transaction(pool) as db:
        await db.execute("insert into flex.roles (name, label, level) values ('nurse', 'Nurse', 'staff')")
        await db.execute("select flex.apply_access(name) from flex.collections")
    named = patients(Select("ward_id.name"), COUNT, group=("ward_id.name",), order=(Order("ward_id.name"),))
    assert await run(rest, named, "nurse") == await run(rest, named)


COUNTED = {"collection": "patients", "select": [{"field": "*", "aggregate": "count"}]}
REFUSED: list[tuple[str, Any, int, str]] = [
    ("no plan", [], 400, "22023"),
    ("no JSON", "{", 400, "22P02"),
    ("a text", '"x"', 400, "22023"),
    ("nothing", None, 400, "22023"),
    ("no collection", COUNTED | {"collection": "nope"}, 404, "42P01"),
    ("a collection that is SQL", COUNTED | {"collection": "patients; drop table api.wards"}, 404, "42P01"),
    ("a table of the box", COUNTED | {"collection": "flex.changes"}, 404, "42P01"),
    ("no field", COUNTED | {"select": [{"field": "nope"}]}, 400, "42703"),
    ("the overflow column", COUNTED | {"select": [{"field": "extra"}]}, 400, "42703"),
    ("a system column", COUNTED | {"select": [{"field": "xmin"}]}, 400, "42703"),
    ("a field that is SQL", COUNTED | {"select": [{"field": "name\" from api.secrets --"}]}, 400, "42703"),
    ("nothing selected", COUNTED | {"select": []}, 400, "22023"),
    ("no list", COUNTED | {"where": "x"}, 400, "22023"),
    ("a number for a field", COUNTED | {"select": [5]}, 400, "22023"),
    ("a text for an item", COUNTED | {"select": ["name"]}, 400, "22023"),
    ("no relation", COUNTED | {"select": [{"field": "age.name"}]}, 400, "42703"),
    ("a long way", COUNTED | {"select": [{"field": "ward_id.a.b.c.d"}]}, 400, "22023"),
    ("sum of a text", COUNTED | {"select": [{"field": "name", "aggregate": "sum"}]}, 400, "22023"),
    ("no aggregate", COUNTED | {"select": [{"field": "age", "aggregate": "pg_sleep"}]}, 400, "22023"),
    ("no bucket", COUNTED | {"select": [{"field": "seen_at", "bucket": "minute"}]}, 400, "22023"),
    ("ungrouped field", COUNTED | {"select": [{"field": "name"}, *COUNTED["select"]]}, 400, "22023"),
    ("order of a total", COUNTED | {"order": [{"field": "name"}]}, 400, "22023"),
    ("test of no group", COUNTED | {"having": [{"field": "age", "op": "gt", "value": 1}]}, 400, "22023"),
    ("no test", COUNTED | {"where": [{"field": "age", "op": "or 1=1", "value": 1}]}, 400, "22023"),
    ("SQL for a number", COUNTED | {"where": [{"field": "age", "op": "eq", "value": "1 or 1=1"}]}, 400, "22023"),
    ("SQL for a day", COUNTED | {"where": [{"field": "admitted_on", "op": "eq", "value": "' or 1=1"}]}, 400, "22007"),
    ("no other field", COUNTED | {"where": [{"field": "age", "op": "gt", "other": "nope"}]}, 400, "42703"),
    ("SQL for a field", COUNTED | {"where": [{"field": "age", "op": "gt", "other": "id or true"}]}, 400, "42703"),
    ("a number for it", COUNTED | {"where": [{"field": "age", "op": "gt", "other": 1}]}, 400, "22023"),
    ("a text for it", COUNTED | {"where": [{"field": "age", "op": "eq", "other": "name"}]}, 400, "22023"),
    ("a value beside it", COUNTED | {"where": [{"field": "age", "op": "gt", "value": 1, "other": "id"}]}, 400, "22023"),
    ("like another field", COUNTED | {"where": [{"field": "age", "op": "like", "other": "cost"}]}, 400, "22023"),
    ("no such rows", COUNTED | {"related": [{"collection": "nope", "field": "id"}]}, 400, "42703"),
    ("rows that lead elsewhere", COUNTED | {"related": [{"collection": "wards", "field": "house_id"}]}, 400, "42703"),
    ("SQL for a lead", COUNTED | {"related": [{"collection": "wards", "field": "id) or (true"}]}, 400, "42703"),
    ("no lead", COUNTED | {"related": ["wards"]}, 400, "22023"),
    ("a word for there", COUNTED | {"related": [{"collection": "wards", "field": "id", "there": "x"}]}, 400, "22023"),
    ("too many rows", COUNTED | {"limit": 1001}, 400, "22023"),
    ("no rows", COUNTED | {"limit": 0}, 400, "22023"),
    ("a word for a limit", COUNTED | {"limit": "all"}, 400, "22P02"),
    ("no timezone", COUNTED | {"timezone": "Mars/Olympus"}, 400, "22023"),
    ("two of one name", COUNTED | {"select": [{"field": "age", "bucket": n} for n in ("day", "week")]}, 400, "22023"),
    *((f"{name} without end", COUNTED | {name: [{"field": "age", "op": "eq", "value": 1}] * (most + 1)}, 400, "22023")
      for name, most in ITEMS_AT_MOST.items()),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "status", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_what_is_no_plan_is_refused(box: Box, rest: Rest, plan: Any, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer {rest.token('admin')}"}
    async with httpx.AsyncClient(base_url=box.rest_url, headers=headers) as client:
        told = plan if isinstance(plan, str) else json.dumps(plan)
        answer = await client.get("/rpc/run_plan", params={"plan": told})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        if not isinstance(plan, str):
            posted = await client.post("/rpc/run_plan", json={"plan": plan})
            assert (posted.status_code, posted.json()["code"]) == (status, code), posted.text


async def test_it_only_reads(box: Box, pool: Pool) -> None:
    async with transaction(pool) as db:
        await act_as(db, "staff")
        await db.execute("select api.run_plan(%s)", [json.dumps(COUNTED)])
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            async with db.transaction():
                await db.execute("delete from api.patients")


# Any plan


NAMES = ("id", "name", "ward_id", "age", "cost", "vip", "admitted_on", "seen_at", "notes", "ward_id.name",
         "ward_id.beds", "ward_id.house_id.city", "*")  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["Ana", "50%", "under_score", "ben'; drop table", "2026-11-01", "2026-11-01T23:30:00+00:00"]),
    st.booleans(),
    st.integers(-10, 40),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_characters="*"), max_size=5),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
)
NAME = st.sampled_from(NAMES)
AGGREGATE: st.SearchStrategy[Aggregate | None] = st.sampled_from([None, None, *get_args(Aggregate)])
SELECT = st.builds(Select, NAME, AGGREGATE, st.sampled_from([None, None, None, *get_args(Bucket)]))
CONDITION = st.builds(
    Condition, NAME, st.sampled_from(get_args(Operator)), VALUES | st.lists(VALUES, min_size=1, max_size=3)
)
CONDITION |= st.builds(Condition, NAME, st.sampled_from(get_args(Comparison)), st.none(), NAME)
HAVING = st.builds(
    Having, NAME, st.sampled_from(get_args(Aggregate)), st.sampled_from(get_args(Comparison)), VALUES
)  # fmt: skip
ORDER = st.builds(Order, NAME, st.booleans(), AGGREGATE)


@st.composite
def plans(draw: st.DrawFn, catalog: Catalog) -> Query:
    """A plan that fits: what does not is left out, piece by piece."""
    plan = Query("patients", (Select("id"),), limit=draw(st.sampled_from([1, 7, 200, 1000])))
    if draw(st.booleans()):
        group = tuple(draw(st.lists(st.sampled_from(NAMES[:-1]), max_size=2, unique=True)))
        plan = msgspec.structs.replace(plan, select=(COUNT,), group=group)
        buckets = st.sampled_from([None, *get_args(Bucket)])
        for name in group:
            plan = fitting(plan, catalog, "select", Select(name, bucket=draw(buckets)))
        plan = fitting(plan, catalog, "timezone", draw(st.sampled_from(["", "Europe/Berlin", "Asia/Kolkata"])))
    for part, items in (("select", SELECT), ("where", CONDITION), ("having", HAVING), ("order", ORDER)):
        for item in draw(st.lists(items, max_size=3)):
            plan = fitting(plan, catalog, part, item)
    return plan


def fitting(plan: Query, catalog: Catalog, part: str, item: Any) -> Query:
    held = getattr(plan, part)
    made = msgspec.structs.replace(plan, **{part: (*held, item) if isinstance(held, tuple) else item})
    try:
        validate(made, catalog)
    except ApplianceError:
        return plan
    return made


@pytest.fixture(scope="module")
def catalog(box: Box) -> Catalog:
    async def read() -> Catalog:
        async with opened(box) as pool:
            return await read_catalog(pool, "staff")

    return asyncio.run(read())


def test_any_plan_that_fits_runs_and_as_postgrest_runs_it(box: Box, catalog: Catalog) -> None:
    token = Rest(box.rest_url, box.secret).token("staff")
    seen = Counter[str]()
    with httpx.Client(base_url=box.rest_url, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:

        @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
        @given(plans(catalog))
        def check(plan: Query) -> None:
            answer = client.post("/rpc/run_plan", content=msgspec.json.encode({"plan": whole(plan)}),
                                 headers={"Content-Type": "application/json"})  # fmt: skip
            assert answer.status_code == 200, (plan, answer.text)
            ours = answer.json()
            assert len(ours) <= plan.limit
            assert all(set(row) >= set(keys(plan)) - {"*"} for row in ours), (plan, ours)
            seen["all"] += 1
            if not is_plain(plan):
                return
            theirs = client.get(to_rest(plan))
            assert theirs.status_code == 200, (plan, theirs.text)
            seen["both"] += 1
            alike(plan, ours, theirs.json())

        check()
    assert seen["both"] > 50 and seen["all"] > seen["both"] + 50


def whole(plan: Query) -> Query:
    """The plan as `to_rest` writes it, with whole numbers for whole floats."""
    return msgspec.structs.replace(
        plan,
        where=tuple(msgspec.structs.replace(test, value=number(test.value)) for test in plan.where),
        having=tuple(msgspec.structs.replace(test, value=number(test.value)) for test in plan.having),
    )


def number(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [number(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def alike(plan: Query, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """The same rows; where a limit cuts and the order leaves it open which, as many of them."""
    theirs = [{name: value for name, value in row.items() if name != "extra"} for row in theirs]
    if len(theirs) < plan.limit or any(order.field == "id" for order in plan.order):
        assert sorted(map(told, ours)) == sorted(map(told, theirs)), plan
    else:
        assert len(ours) == len(theirs), plan


def told(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)
