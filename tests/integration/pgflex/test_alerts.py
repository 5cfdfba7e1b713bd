"""Alerts in a real PostgreSQL: crossings told once, hysteresis, groups, rows that flip, roles, and rules that break."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.alerts.watch import Alerts
from appliance.pgflex.changes import Feed
from appliance.pgflex.database import Pool, act_as, connection, transaction
from appliance.pgflex.writes.store import Store
from appliance.types import Change, Role
from tests.integration.pgflex_box import Box

LOW = {
    "name": "Low stock",
    "collection": "stock",
    "where": [{"field": "kind", "op": "eq", "value": "gloves"}],
    "aggregate": {"op": "sum", "field": "units"},
    "group": ["ward"],
    "direction": "below",
    "threshold": 50,
    "clear_at": 60,
    "message": "Only {value} units left in {ward}.",
}
WARM = {
    "name": "Fridge too warm",
    "collection": "fridges",
    "field": "temp",
    "direction": "above",
    "threshold": 8,
    "clear_at": 7.5,
    "message": "{fridge} is at {value} °C, {threshold} at most.",
    "audience": "wall",
}


@pytest.fixture
async def alerts(pool: Pool, store: Store) -> AsyncIterator[Alerts]:
    """Stock of two wards and two fridges; at the end no rule and no row is left."""
    await store.insert("stock", [stock("A", 40), stock("A", 30), stock("B", 80), stock("B", 1, "masks")], "staff")
    await store.insert("fridges", [{"fridge": "F1", "temp": 4.5}, {"fridge": "F2", "temp": 5}], "staff")
    yield Alerts(pool)
    async with transaction(pool) as db:
        await db.execute("delete from flex.alerts")
        await db.execute("do $$ begin truncate api.alerts; exception when undefined_table then null; end $$")
        for name in ("stock", "fridges"):
            await db.execute(sql.SQL("truncate {} restart identity").format(sql.Identifier("api", name)))


def stock(ward: str | None, units: float | None, kind: str = "gloves") -> dict[str, Any]:
    return {"ward": ward, "units": units, "kind": kind}


async def sets(pool: Pool, table: str, key: int, **values: Any) -> None:
    """One committed update, by column."""
    parts = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(k), sql.Literal(v)) for k, v in values.items())
    async with connection(pool) as db:
        await db.execute(sql.SQL("update {} set {} where id = {}").format(sql.Identifier("api", table), parts, key))


async def history(alerts: Alerts, role: Role = "admin") -> list[tuple[str, str, str]]:
    """Subject, message and state of all that fired, the oldest first."""
    found = await alerts.events(role)
    return [(event["subject"], event["message"], event["state"]) for event in reversed(found)]


async def refused(code: str, awaitable: Awaitable[Any]) -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        await awaitable
    assert told.value.code == code
    return told.value


@asynccontextmanager
async def running(box: Box, alerts: Alerts) -> AsyncIterator[Feed]:
    """The feed and the watching of alerts, as the data service runs them."""
    feed = Feed(box.dsn)
    feed.watch(alerts.mark)
    async with feed.running():
        task = asyncio.create_task(alerts.run())
        try:
            yield feed
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_sum_per_group_fires_once_per_crossing(alerts: Alerts, pool: Pool) -> None:
    rule = await alerts.declare(LOW, "admin")
    assert (rule["active"], rule["clear_at"], rule["problem"]) == (0, 60, None)
    for units in (19, 12, 5, 19):
        await sets(pool, "stock", 1, units=units)
        await alerts.evaluate(rule["id"])
    assert await history(alerts) == [("A", "Only 49 units left in A.", "active")]
    await sets(pool, "stock", 1, units=29.0)  # 59: not over yet
    assert await alerts.evaluate(rule["id"]) == 0
    await sets(pool, "stock", 1, units=30)
    assert await alerts.evaluate(rule["id"]) == 1
    await sets(pool, "stock", 1, units=0)
    await alerts.evaluate(rule["id"])
    assert [state for _, _, state in await history(alerts)] == ["cleared", "active"]
    [event, _] = await alerts.events("staff")
    assert event["value"] == 30 and event["threshold"] == 50 and event["rule"] == "Low stock"


async def test_only_what_matters_is_evaluated(alerts: Alerts, pool: Pool, store: Store) -> None:
    rule = await alerts.declare(LOW, "admin")
    async with transaction(pool) as db:  # a change of which the feed says nothing
        await db.execute("select set_config('flex.quiet', 'on', true)")
        await db.execute("update api.stock set units = 1 where ward = 'A'")
    await store.update("stock", 1, {"note": "counted"}, "staff")
    assert await alerts.evaluate(rule["id"]) == 0
    await store.update("stock", 3, {"kind": "other"}, "staff")
    assert await alerts.evaluate(rule["id"]) == 1
    assert await history(alerts) == [("A", "Only 2 units left in A.", "active")]


async def test_a_group_that_vanishes_is_over(alerts: Alerts, pool: Pool, store: Store) -> None:
    await store.insert("stock", [stock("C", 3), stock(None, 4)], "staff")
    rule = await alerts.declare(LOW, "admin")
    assert await history(alerts) == [
        (subject, f"Only {value} units left in {subject}.", "active") for subject, value in sorted([("C", 3), ("–", 4)])
    ]
    async with connection(pool) as db:
        await db.execute("delete from api.stock where ward = 'C' or ward is null")
    assert await alerts.evaluate(rule["id"]) == 2
    assert {state for _, _, state in await history(alerts)} == {"cleared"}


async def test_no_number_is_no_alert(alerts: Alerts, pool: Pool) -> None:
    above = {**LOW, "direction": "above", "threshold": 100, "clear_at": None, "message": "x"}
    rules = [(await alerts.declare(it, "admin"))["id"] for it in (LOW, above)]
    async with connection(pool) as db:
        await db.execute("update api.stock set units = null where ward = 'A'")
        await db.execute("alter table api.stock alter units type numeric")
        await db.execute("update api.stock set units = 'NaN' where ward = 'B'")
    assert [await alerts.evaluate(rule, anyway=True) for rule in rules] == [0, 0]
    await sets(pool, "stock", 1, units=10)
    await alerts.evaluate(rules[0])
    await sets(pool, "stock", 1, units="NaN")
    assert await alerts.evaluate(rules[0]) == 1
    assert [state for _, _, state in await history(alerts)] == ["cleared"]


async def test_a_row_that_flips_and_flips_back_is_seen(alerts: Alerts, pool: Pool, store: Store) -> None:
    rule = await alerts.declare(WARM, "admin")
    for temp in (9.25, 8.5, 7.8, 7.5, 3, 8.1, 4):
        await sets(pool, "fridges", 1, temp=temp)
    await store.insert("fridges", [{"fridge": "F3", "temp": 20}], "staff")
    await store.delete("fridges", 3, "staff")
    assert await alerts.evaluate(rule["id"]) == 6
    assert await history(alerts) == [
        ("1", "F1 is at 9.25 °C, 8 at most.", "cleared"),
        ("1", "F1 is at 8.1 °C, 8 at most.", "cleared"),
        ("3", "F3 is at 20 °C, 8 at most.", "cleared"),
    ]
    [*_, first] = await alerts.events("wall")
    assert first["fired_at"] < first["cleared_at"]


async def test_a_row_may_be_watched_for_its_conditions_alone(alerts: Alerts, pool: Pool, store: Store) -> None:
    body = {
        "name": "Door",
        "collection": "fridges",
        "where": [{"field": "Door open", "op": "eq", "value": True}, {"field": "fridge", "op": "like", "value": "f"}],
        "message": "{fridge} stands open ({Door open}).",
    }
    await store.update("fridges", 2, {"Door open": True}, "staff")
    rule = await alerts.declare(body, "admin")
    assert await history(alerts) == [("2", "F2 stands open (true).", "active")]
    await store.update("fridges", 2, {"Door open": False}, "staff")
    await alerts.evaluate(rule["id"])
    assert await history(alerts) == [("2", "F2 stands open (true).", "cleared")]


async def test_every_kind_of_condition(alerts: Alerts, store: Store) -> None:
    rows = [
        {"place": n, "name": f"Ward {n}", "ok": n % 2 == 0, "day": f"2026-01-0{n}", "price": n / 2} for n in (1, 2, 3)
    ]
    await store.insert("places", rows, "staff")
    kinds: list[tuple[str, str, Any, int]] = [
        ("place", "eq", 2, 1), ("place", "neq", 2, 2), ("place", "gt", 1.5, 2), ("price", "lte", 1, 2),
        ("place", "lt", 3, 2), ("place", "gte", 3, 1), ("name", "like", "ward 2", 1), ("name", "like", "%", 0),
        ("name", "in", ["Ward 1", "Ward 3"], 2), ("ok", "eq", True, 1), ("day", "gt", "2026-01-01", 2),
        ("day", "null", True, 0), ("day", "null", False, 3), ("name", "eq", "'; drop table api.places; --", 0),
    ]  # fmt: skip
    for field, op, value, count in kinds:
        where = [{"field": field, "op": op, "value": value}]
        rule = await alerts.declare({"name": "x", "collection": "places", "where": where, "message": "m"}, "admin")
        assert rule["active"] == count, (field, op, value)


async def test_fields_of_a_row_held_against_each_other(alerts: Alerts, pool: Pool, store: Store) -> None:
    rows = [{"part": "pads", "units": 6, "least": 10}, {"part": "plugs", "units": 55, "least": 20.5}]
    await store.insert("parts", rows, "staff")
    where = [{"field": "units", "op": "lt", "other": "least"}]
    rule = {"name": "Low", "collection": "parts", "where": where, "message": "{part}: {units} of {least}."}
    declared = await alerts.declare(rule, "admin")
    assert declared["active"] == 1
    await sets(pool, "parts", 2, least=60)
    assert await alerts.evaluate(declared["id"]) == 1
    assert sorted(message for _, message, _ in await history(alerts)) == ["pads: 6 of 10.", "plugs: 55 of 60."]
    for other in ("part", "nothing"):
        wrong = [{"field": "units", "op": "lt", "other": other}]
        await refused("PGF117", alerts.declare({**rule, "name": other, "where": wrong}, "admin"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"collection": "nowhere"}, "PGF104"),
        ({"collection": "No"}, "PGF105"),
        ({"collection": "alerts"}, "PGF117"),
        ({"name": " "}, "PGF117"),
        ({"message": "{units} left"}, "PGF117"),
        ({"message": "{ left"}, "PGF117"),
        ({"group": ["wards"]}, "PGF117"),
        ({"aggregate": {"op": "sum", "field": "kind"}}, "PGF117"),
        ({"aggregate": {"op": "median", "field": "units"}}, "PGF117"),
        ({"aggregate": None}, "PGF117"),
        ({"field": "units"}, "PGF117"),
        ({"threshold": None}, "PGF117"),
        ({"threshold": "NaN"}, "PGF117"),
        ({"clear_at": 40}, "PGF117"),
        ({"audience": "king"}, "PGF117"),
        ({"extra": 1}, "PGF117"),
        ({"where": [{"field": "units", "op": "eq", "value": "many"}]}, "PGF117"),
        ({"where": [{"field": "units", "op": "eq", "value": True}]}, "PGF117"),
        ({"where": [{"field": "kind", "op": "gt", "value": "a"}]}, "PGF117"),
        ({"where": [{"field": "kind", "op": "in", "value": []}]}, "PGF117"),
    ],
)
async def test_what_cannot_be_declared(alerts: Alerts, change: dict[str, Any], code: str) -> None:
    await alerts.declare(LOW, "admin")
    await refused(code, alerts.declare({**LOW, **change}, "admin"))
    assert len(await alerts.rules("admin")) == 1


async def test_a_rule_is_stopped_started_and_removed(alerts: Alerts, pool: Pool) -> None:
    rule = (await alerts.declare(LOW, "admin"))["id"]
    await sets(pool, "stock", 1, units=0)
    await alerts.evaluate(rule)
    assert (await alerts.enable(rule, False, "admin"))["active"] == 0
    assert await alerts.evaluate(rule, anyway=True) == 0
    told = await alerts.enable(rule, True, "admin")
    assert (told["active"], told["enabled"]) == (1, True)
    await alerts.delete(rule, "admin")
    assert [state for _, _, state in await history(alerts)] == ["cleared", "cleared"]
    for gone in (alerts.get(rule, "admin"), alerts.delete(rule, "admin"), alerts.enable(rule, True, "admin")):
        await refused("PGF118", gone)
    for forbidden in (alerts.declare(LOW, "staff"), alerts.delete(rule, "staff"), alerts.enable(rule, True, "wall")):
        await refused("PGF106", forbidden)


async def test_an_alert_is_acknowledged_once_and_kept(alerts: Alerts, pool: Pool) -> None:
    rule = (await alerts.declare(WARM, "admin"))["id"]
    await sets(pool, "fridges", 1, temp=9)
    await alerts.evaluate(rule)
    [event] = await alerts.events("wall", "active")
    await refused("PGF106", alerts.acknowledge(event["id"], "", "wall"))
    told = await alerts.acknowledge(event["id"], "  Maria\n", "staff")
    assert (told["acknowledged_by"], told["state"]) == ("Maria (staff)", "active")
    again = await alerts.acknowledge(event["id"], "Tom", "admin")
    assert (again["acknowledged_by"], again["acknowledged_at"]) == ("Maria (staff)", told["acknowledged_at"])
    await sets(pool, "fridges", 1, temp=1)
    await alerts.evaluate(rule)
    [event] = await alerts.events("staff", "cleared")
    assert (event["acknowledged_at"], event["acknowledged_by"]) == (told["acknowledged_at"], "Maria (staff)")
    assert "acknowledged_by" not in (await alerts.events("wall"))[0]
    await refused("PGF118", alerts.acknowledge(10**6, "", "staff"))


async def test_a_role_reads_what_is_for_it_and_writes_nothing(alerts: Alerts, pool: Pool, box: Box) -> None:
    for audience in ("wall", "staff", "admin"):
        await alerts.declare({**WARM, "name": audience, "audience": audience, "threshold": 1, "clear_at": 1}, "admin")
    seen: dict[Role, list[str]] = {"wall": ["wall"], "staff": ["wall", "staff"], "admin": ["wall", "staff", "admin"]}
    for role, names in seen.items():
        assert [rule["name"] for rule in await alerts.rules(role)] == names
        assert {event["rule"] for event in await alerts.events(role)} == set(names)
        for statement in (
            "insert into api.alerts default values",
            "update api.alerts set state = 'x'",
            "delete from api.alerts",
        ):
            with pytest.raises(ApplianceError) as told:
                async with transaction(pool) as db:
                    await act_as(db, role)
                    await db.execute(statement.encode())
            assert told.value.code == "PGF106"
    [hidden] = [
        event["id"] for event in await alerts.events("admin") if event["rule"] == "admin" and event["subject"] == "1"
    ]
    await refused("PGF118", alerts.acknowledge(hidden, "", "staff"))


async def test_a_role_of_the_facility_reads_no_more_than_its_level(alerts: Alerts, pool: Pool) -> None:
    await alerts.declare({**WARM, "threshold": 1, "clear_at": 1, "audience": "admin"}, "admin")
    async with transaction(pool) as db:
        await db.execute("insert into flex.roles (name, label, level) values ('porter', 'Porter', 'staff')")
        row = await (await db.execute("select expression from flex.policies where role = 'porter'")).fetchone()
        assert row is not None and "admin" not in row[0]
        await db.execute("update flex.roles set level = 'admin' where name = 'porter'")
        assert await (await db.execute("select from flex.policies where role = 'porter'")).fetchone() is None
        raise psycopg.Rollback


async def test_the_feed_hides_an_alert_from_lower_roles(alerts: Alerts, pool: Pool, box: Box) -> None:
    for audience in ("wall", "staff"):
        await alerts.declare({**WARM, "audience": audience}, "admin")
    seen: dict[Role, list[Change]] = {"wall": [], "staff": []}
    async with running(box, alerts) as feed:
        ready = asyncio.Event()

        async def listen(role: Role) -> None:
            async for event in feed.subscribe(role, "alerts", None):
                if isinstance(event, Change):
                    seen[role].append(event)
                else:
                    ready.set()

        tasks = [asyncio.create_task(listen(role)) for role in seen]
        await asyncio.wait_for(ready.wait(), 5)
        await sets(pool, "fridges", 1, temp=9)
        async with asyncio.timeout(5):
            while len(seen["staff"]) < 2 or not seen["wall"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [change.row["message"] for change in seen["staff"] if change.row] == 2 * ["F1 is at 9 °C, 8 at most."]
    assert {change.row["audience"] for change in seen["wall"] if change.row} == {"wall"}


async def test_a_broken_rule_stops_with_its_reason_and_the_others_go_on(alerts: Alerts, pool: Pool, box: Box) -> None:
    async with connection(pool) as db:
        await db.execute("alter table api.fridges add column tilt bigint")
        await db.execute(
            "insert into flex.fields (collection, name, label, type) values ('fridges', 'tilt', 'tilt', 'integer')"
        )
    broken = (await alerts.declare({**WARM, "field": "tilt", "message": "x"}, "admin"))["id"]
    whole = (await alerts.declare(WARM, "admin"))["id"]
    async with connection(pool) as db:
        await db.execute("delete from flex.fields where collection = 'fridges' and name = 'tilt'")
        await db.execute("alter table api.fridges drop column tilt")
    async with running(box, alerts):
        await sets(pool, "fridges", 1, temp=9)
        async with asyncio.timeout(5):
            while not await alerts.events("wall", "active"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    told = await alerts.get(broken, "admin")
    assert (told["enabled"], told["problem"]) == (False, "fridges has no field tilt.")
    assert (await alerts.get(whole, "admin"))["active"] == 1
    await refused("PGF117", alerts.enable(broken, True, "admin"))


async def test_a_field_that_grows_keeps_its_rule_one_that_becomes_text_stops_it(
    alerts: Alerts, pool: Pool, store: Store
) -> None:
    await store.insert("tanks", [{"level": 5}], "staff")
    body = {
        "name": "t",
        "collection": "tanks",
        "field": "level",
        "direction": "below",
        "threshold": 4,
        "message": "{value}",
    }
    rule = (await alerts.declare(body, "admin"))["id"]
    await store.insert("tanks", [{"level": 3.5}], "staff")
    assert await alerts.evaluate(rule) == 1
    assert await history(alerts) == [("2", "3.5", "active")]
    async with connection(pool) as db:
        await db.execute("alter table api.tanks alter level type text")
        await db.execute("update flex.fields set type = 'text' where collection = 'tanks' and name = 'level'")
    await store.insert("tanks", [{"level": "low"}], "staff")
    assert await alerts.evaluate(rule) == 0
    told = await alerts.get(rule, "admin")
    assert (told["enabled"], told["problem"]) == (False, "The field level holds no numbers.")


async def test_a_value_in_the_overflow_counts(alerts: Alerts, pool: Pool) -> None:
    rule = (await alerts.declare(WARM, "admin"))["id"]
    async with connection(pool) as db:
        await db.execute("alter table api.fridges add column if not exists extra jsonb")
    await sets(pool, "fridges", 1, temp=None, extra='{"temp": 12.5}')
    assert await alerts.evaluate(rule) == 1
    [event] = await alerts.events("admin")
    assert event["value"] == Decimal("12.5")


async def test_a_rule_that_holds_for_too_much_is_stopped(alerts: Alerts, pool: Pool) -> None:
    async with connection(pool) as db:
        await db.execute("insert into api.fridges (fridge, temp) select 'F' || n, 20 from generate_series(1, 1100) n")
    told = await alerts.declare(WARM, "admin")
    assert (told["enabled"], told["active"]) == (False, 0)
    assert "1,000" in told["problem"]
    assert await alerts.events("admin") == []


async def test_changes_that_are_no_longer_kept_are_made_up_for_by_the_rows(alerts: Alerts, pool: Pool) -> None:
    rule = (await alerts.declare(WARM, "admin"))["id"]
    await sets(pool, "fridges", 1, temp=9)
    async with transaction(pool) as db:
        await db.execute("delete from flex.changes")
        await db.execute(
            "insert into flex.settings "
            "select 'feed_floor', jsonb_build_object('number', max(number), 'seq', 0) from flex.commits "
            "on conflict (key) do update set value = excluded.value"
        )
    assert await alerts.evaluate(rule) == 1
    assert await alerts.evaluate(rule) == 0


async def test_many_writers_around_the_threshold_and_two_that_evaluate(alerts: Alerts, pool: Pool, box: Box) -> None:
    """What the history says is what happened to each row, in order: fired and cleared in turn, none twice."""
    rule = (await alerts.declare(WARM, "admin"))["id"]
    other = Alerts(pool)

    async def write(key: int) -> None:
        for place in range(40):
            await sets(pool, "fridges", key, temp=9 if place % 2 == 0 else 5)

    async def evaluate(by: Alerts, until: asyncio.Task[Any]) -> None:
        while not until.done():
            await by.evaluate(rule)

    writing = asyncio.gather(write(1), write(2))
    waits = asyncio.ensure_future(writing)
    await asyncio.gather(waits, evaluate(alerts, waits), evaluate(other, waits))  # type: ignore[arg-type]
    await alerts.evaluate(rule)
    events = await alerts.events("admin", limit=1000)
    assert [sum(event["subject"] == key for event in events) for key in ("1", "2")] == [20, 20]
    assert all(event["state"] == "cleared" and event["fired_at"] < event["cleared_at"] for event in events)


async def test_from_row_to_alert_in_milliseconds(alerts: Alerts, pool: Pool, box: Box) -> None:
    await alerts.declare(LOW, "admin")
    await alerts.declare(WARM, "admin")
    took = []
    async with running(box, alerts) as feed:
        events = feed.subscribe("admin", "alerts")
        await anext(events)
        for place in range(20):
            began = time.perf_counter()
            await sets(pool, "fridges", 1, temp=9 if place % 2 == 0 else 5)
            await asyncio.wait_for(anext(events), 5)
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.02)
        await events.aclose()
    took.sort()
    print(f"row written -> alert in the feed: median {took[10]:.1f} ms, most {took[-1]:.1f} ms")
    assert took[10] < 250
