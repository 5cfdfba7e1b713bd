"""What the tests of PgFlex share: a real PostgreSQL per file, a pool of the data service's role, and a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from appliance.pgflex.database import Pool
from appliance.pgflex.writes.store import Store
from appliance.services.data_writes import limits
from tests.integration.pgflex_box import Box, opened, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """PostgreSQL on a fresh data folder; files that need other settings have their own."""
    with running_box() as box:
        yield box


@pytest.fixture
async def pool(box: Box) -> AsyncIterator[Pool]:
    async with opened(box) as pool:
        yield pool


@pytest.fixture
def store(pool: Pool, box: Box) -> Store:
    return Store(pool, limits(box.settings))
