"""Stored fields that are added before any row has a value of them, and what dry runs say and leave alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.alerts.watch import Alerts
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.formulas.computed import Computed
from appliance.pgflex.writes.placing import Limits
from appliance.pgflex.writes.store import Store


@pytest.fixture
async def visits(store: Store, pool: Pool) -> AsyncIterator[str]:
    """Two rows in a collection of this test alone."""
    await store.insert("visits", [{"Visit No": "007", "minutes": 20}, {"Visit No": "008", "minutes": 5}], "staff")
    yield "visits"
    async with transaction(pool) as db:
        await db.execute("drop table api.visits cascade")
        await db.execute("delete from flex.collections where name = 'visits'")


async def refused(code: str, awaitable: Awaitable[Any]) -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        await awaitable
    assert told.value.code == code
    return told.value


async def names(pool: Pool) -> list[str]:
    return [field.name for field in await Computed(pool).fields("visits", "admin")]


async def test_a_field_is_there_before_its_values(visits: str, store: Store, pool: Pool) -> None:
    added = await store.add_field(visits, "Weight (kg)", "numeric", "staff", "screen 7")
    assert (added.name, added.label, added.type) == ("weight_kg", "Weight (kg)", "numeric")
    [field] = [field for field in await Computed(pool).fields(visits, "staff") if field.name == "weight_kg"]
    assert (field.type, field.who, field.wall, field.formula) == ("numeric", "screen 7", False, None)
    row = await store.update(visits, 1, {"Weight (kg)": 71.5}, "staff")
    assert row == {"id": 1, "visit_no": "007", "minutes": 20, "weight_kg": 71.5}
    [new] = await store.insert(visits, [{"Visit No": "009"}], "staff")
    assert new["weight_kg"] is None


@pytest.mark.parametrize("kind", ["boolean", "integer", "numeric", "date", "timestamptz", "text", "jsonb"])
async def test_a_field_of_every_type(visits: str, store: Store, kind: Any) -> None:
    assert (await store.add_field(visits, "x", kind, "admin")).type == kind


async def test_a_dry_run_adds_nothing(visits: str, store: Store, pool: Pool) -> None:
    before = await names(pool)
    assert (await store.add_field(visits, "x", "text", "staff", dry_run=True)).name == "x"
    told = await Computed(pool).declare(visits, "twice", {"formula": "minutes * 2"}, "admin", dry_run=True)
    assert (told["field"].type, told["uses"]) == ("numeric", ["minutes"])
    assert await names(pool) == before


async def test_names_that_columns_have_are_numbered(visits: str, store: Store) -> None:
    assert (await store.add_field(visits, "ID", "text", "staff")).name == "id_"
    assert (await store.add_field(visits, "visit/no", "text", "staff")).name == "visit_no_2"


async def test_what_cannot_be_added_is_refused(visits: str, store: Store, pool: Pool) -> None:
    await refused("PGF116", store.add_field(visits, "visit-no", "text", "staff"))
    await refused("PGF116", store.add_field(visits, "minutes", "text", "staff"))
    await refused("PGF105", store.add_field(visits, " ", "text", "staff"))
    await refused("PGF104", store.add_field("nope", "x", "text", "staff"))
    await refused("PGF105", store.add_field("No pe", "x", "text", "staff"))
    await refused("PGF106", store.add_field(visits, "x", "text", "wall"))
    await refused("PGF109", store.add_field(visits, "x" * 501, "text", "staff"))
    await refused("PGF109", Store(pool, Limits(fields=2)).add_field(visits, "x", "text", "staff"))


async def test_a_dry_run_of_an_alert_sets_none(visits: str, store: Store, pool: Pool) -> None:
    alerts = Alerts(pool)
    rule = {"name": "Long", "collection": visits, "message": "Long.", "field": "minutes",
            "direction": "above", "threshold": 30}  # fmt: skip
    told = await alerts.declare(rule, "admin", dry_run=True)
    assert (told["name"], told["collection"]) == ("Long", visits)
    assert await alerts.rules("admin") == []
    await refused("PGF106", alerts.declare(rule, "staff", dry_run=True))
    await refused("PGF117", alerts.declare(rule | {"field": "nope"}, "admin", dry_run=True))
    made = await alerts.declare(rule, "admin")
    await refused("PGF106", store.add_field("alerts", "x", "text", "admin"))
    await alerts.delete(made["id"], "admin")
