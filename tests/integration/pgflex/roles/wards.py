"""What tests of roles ask of the patients, and how they are masked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.access.roles import Roles
from appliance.pgflex.database import Pool, act_as, transaction

WARD = {"field": "Ward", "op": "eq", "value": "Cardiology"}
MASKED = ["id", "ward", "name__initials", "born__year", "income__rounded", "iban__last4"]


async def rows(pool: Pool, role: str, columns: str = "*", rest: str = "") -> list[tuple[Any, ...]]:
    """What a role reads of the patients."""
    query = sql.SQL(f"select {columns} from api.patients {rest} order by id")
    async with transaction(pool) as db:
        await act_as(db, role)
        return await (await db.execute(query)).fetchall()


async def until(met: Callable[[], bool]) -> None:
    """Return once something is so."""
    while True:
        if met():
            return
        await asyncio.sleep(0.01)


async def refused(code: str, awaitable: Any) -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        await awaitable
    assert told.value.code == code, told.value
    return told.value


async def masked(roles: Roles, role: str = "nurse") -> None:
    for label, kind in {"Name": "initials", "Born": "year", "Income": "rounded", "IBAN": "last4"}.items():
        await roles.mask(role, "patients", label, {"mask": kind}, "admin")
