"""Conditions: which rows a role reads and writes, in a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.catalog import Catalogs
from appliance.pgflex.database import Pool
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex.roles.wards import WARD, refused, rows


async def test_a_condition_hides_rows_from_reading_and_writing(
    pool: Pool, patients: str, roles: Roles, store: Store
) -> None:
    told = await roles.permit("nurse", "patients", {"where": [WARD]}, "admin")
    assert told["where"] == [{"field": "ward", "op": "eq", "value": "Cardiology"}]
    assert await rows(pool, "nurse", "id") == [(1,), (3,)]
    assert await rows(pool, "staff", "id") == [(1,), (2,), (3,)]
    assert (await store.update("patients", 1, {"Income": 1}, "nurse"))["income"] == 1
    await refused("PGF113", store.update("patients", 2, {"Income": 1}, "nurse"))
    await refused("PGF113", store.delete("patients", 2, "nurse"))
    await refused("PGF106", store.insert("patients", [{"Ward": "Surgery"}], "nurse"))
    await refused("PGF106", store.update("patients", 1, {"Ward": "Surgery"}, "nurse"))
    await roles.unpermit("nurse", "patients", "admin")
    assert len(await rows(pool, "nurse", "id")) == 3


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ([{"field": "Income", "op": "gte", "value": 0}], [1, 2]),
        ([{"field": "Income", "op": "gt", "value": 0.5}], [1]),
        ([{"field": "income", "op": "in", "value": [0, 7]}], [2]),
        ([{"field": "Born", "op": "lt", "value": "1970-01-01"}], [1]),
        ([{"field": "Born", "op": "null", "value": True}], [3]),
        ([{"field": "Name", "op": "null", "value": False}], [1, 2]),
        ([{"field": "Name", "op": "like", "value": "VAN d"}], [2]),
        ([{"field": "Name", "op": "like", "value": "%"}], []),
        ([{"field": "Ward", "op": "neq", "value": 'it\'s \\ "x" %s'}], [1, 2, 3]),
        ([WARD, {"field": "Name", "op": "eq", "value": "Maria Schmidt"}], [1]),
        ([], [1, 2, 3]),
    ],
)
async def test_conditions(pool: Pool, patients: str, roles: Roles, where: list[Any], ids: list[int]) -> None:
    await roles.permit("nurse", "patients", {"where": where}, "admin")
    assert [row[0] for row in await rows(pool, "nurse", "id")] == ids


async def test_reading_without_writing_and_neither(pool: Pool, patients: str, roles: Roles, store: Store) -> None:
    await roles.permit("nurse", "patients", {"access": "read"}, "admin")
    assert len(await rows(pool, "nurse", "id")) == 3
    for write in (
        store.insert("patients", [{"Ward": "x"}], "nurse"),
        store.insert("patients", [{"A new field": "x"}], "nurse"),
        store.update("patients", 1, {"Ward": "x"}, "nurse"),
        store.delete("patients", 1, "nurse"),
    ):
        await refused("PGF106", write)
    assert len((await Catalogs(pool).read("staff")).collections[0].fields) == 5
    await roles.permit("nurse", "patients", {"access": "none"}, "admin")
    with pytest.raises(ApplianceError):
        await rows(pool, "nurse", "id")
    assert (await Catalogs(pool).read("nurse")).collection("patients") is None
    await refused("PGF106", roles.check_reads("nurse", "patients"))
    await roles.check_reads("nurse", "nothing")


@pytest.mark.parametrize("value", [7.5, "about ten", [1]])
async def test_rights_outlive_a_type(pool: Pool, patients: str, roles: Roles, store: Store, value: Any) -> None:
    """A field that widens keeps its condition and its mask, and what they let through stays let through."""
    await roles.permit("nurse", "patients", {"where": [{"field": "Income", "op": "gte", "value": 100}]}, "admin")
    await roles.mask("nurse", "patients", "Income", {"mask": "rounded"}, "admin")
    await roles.mask("nurse", "patients", "Name", {"mask": "initials"}, "admin")
    await store.insert("patients", [{"Income": value, "Name": "Ada Lovelace"}], "staff")
    seen = await rows(pool, "nurse", "id, name__initials, income__rounded::int")
    assert seen == ([] if value == [1] else [(1, "M.S.", 50_000)])
    with pytest.raises(ApplianceError):
        await rows(pool, "nurse", "income")
