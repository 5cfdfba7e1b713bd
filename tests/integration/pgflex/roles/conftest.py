"""What the tests of roles share: patients, a role nurse, and a PostgREST beside the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from appliance.pgflex.access.roles import Roles
from appliance.pgflex.access.tokens import Tokens
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        box.start_postgrest()
        yield box


@pytest.fixture
def roles(pool: Pool) -> Roles:
    return Roles(pool)


@pytest.fixture
def tokens(pool: Pool, box: Box) -> Tokens:
    return Tokens(pool, box.secret, 3600)


@pytest.fixture
async def patients(store: Store, pool: Pool, roles: Roles) -> AsyncIterator[str]:
    """Three patients, and a role nurse; both of this test alone."""
    rows: list[dict[str, Any]] = [
        {"Name": "Maria Schmidt", "Ward": "Cardiology", "Born": "1961-04-12", "Income": 52_340, "IBAN": "DE0012345678"},
        {"Name": "  Jan Peter van Dyk ", "Ward": "Surgery", "Born": "1987-01-01", "Income": 0, "IBAN": "1234"},
        {"Name": None, "Ward": "Cardiology", "Born": None, "Income": None, "IBAN": None},
    ]
    await store.insert("patients", rows, "staff")
    await roles.declare("nurse", {"label": "Nurse", "level": "staff"}, "admin")
    yield "patients"
    async with transaction(pool) as db:
        await db.execute("delete from flex.roles where name = 'nurse'")
        await db.execute("delete from flex.masks")
        await db.execute("delete from flex.policies")
        await db.execute("drop table api.patients cascade")
        await db.execute("delete from flex.collections where name = 'patients'")
