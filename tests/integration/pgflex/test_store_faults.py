"""PostgreSQL is killed under twenty writers: every acknowledged document is there, and none twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.database import open_pool, transaction
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        yield box


async def test_acknowledged_is_there_once(box: Box) -> None:
    acknowledged: list[int] = []
    lost: list[str] = []
    over = asyncio.Event()

    async def write(store: Store, first: int) -> None:
        number = first
        while not over.is_set():
            number += 1
            try:
                await store.insert("log", [{"n": number, f"f{number % 50}": number}], "staff")
                acknowledged.append(number)
            except ApplianceError as error:
                lost.append(error.code)
                await asyncio.sleep(0.05)

    async with open_pool(box.dsn) as pool:
        stores = [Store(pool), Store(pool)]
        await stores[0].insert("log", [{"n": 0}], "staff")
        writers = [asyncio.create_task(write(stores[which % 2], which * 10**6)) for which in range(20)]
        await asyncio.sleep(1.5)
        await asyncio.to_thread(box.kill_postgres)
        before = len(acknowledged)
        await asyncio.to_thread(box.restart_postgres)
        for _ in range(100):
            if len(acknowledged) > before + 100:
                break
            await asyncio.sleep(0.1)
        over.set()
        await asyncio.gather(*writers)
        async with transaction(pool) as db:
            found = await db.execute("select n from api.log where n > 0")
            held = Counter(row[0] for row in await found.fetchall())
    assert len(acknowledged) > before + 100, "writers go on when it is back"
    assert lost and set(lost) <= {"PGF101", "PGF100"}, "and were told meanwhile"
    assert {number for number in acknowledged if held[number] != 1} == set()
    assert max(held.values()) == 1
