"""Many first writers at once: one column each, no deadlock, no document lost; and PostgREST follows."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.database import Pool, open_pool, transaction
from appliance.pgflex.rest import Rest
from appliance.pgflex.writes.reload import SPACING_S
from appliance.pgflex.writes.store import Store
from tests.integration.pgflex_box import Box, running_box

WRITERS = 20


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        box.start_postgrest()
        yield box


@pytest.fixture
async def stores(box: Box) -> AsyncIterator[list[Store]]:
    """A store each, as processes have: none knows what another one knows."""
    async with open_pool(box.dsn, WRITERS) as pool:
        yield [Store(pool) for _ in range(WRITERS)]


async def fields(pool: Pool, collection: str) -> list[str]:
    async with transaction(pool) as db:
        found = await db.execute("select name from flex.fields where collection = %s order by name", [collection])
        return [row[0] for row in await found.fetchall()]


async def rows(pool: Pool, collection: str) -> list[dict[str, Any]]:
    async with transaction(pool) as db:
        found = await db.execute(f"select to_jsonb(_t) from api.{collection} _t order by id".encode())
        return [row[0] for row in await found.fetchall()]


async def test_one_new_collection(stores: list[Store]) -> None:
    written = await asyncio.gather(
        *(store.insert("fresh", [{"Who": number}], "staff") for number, store in enumerate(stores))
    )
    assert sorted(row["who"] for (row,) in written) == list(range(WRITERS))
    assert await fields(stores[0].pool, "fresh") == ["who"]


async def test_one_new_field_again_and_again(stores: list[Store]) -> None:
    await stores[0].insert("round", [{"n": 0}], "staff")
    for turn in range(10):
        await asyncio.gather(
            *(
                store.insert("round", [{"n": turn, f"Field {turn}": number}], "staff")
                for number, store in enumerate(stores)
            )
        )
    assert await fields(stores[0].pool, "round") == sorted(["n", *(f"field_{turn}" for turn in range(10))])
    held = await rows(stores[0].pool, "round")
    for turn in range(10):
        assert sorted(row[f"field_{turn}"] for row in held if row[f"field_{turn}"] is not None) == list(range(WRITERS))


async def test_different_fields_and_collections_at_once(stores: list[Store]) -> None:
    async def write(number: int, store: Store) -> None:
        for turn in range(5):
            await store.insert(f"many_{(number + turn) % 3}", [{"by": number, f"own {number}": turn}], "staff")

    await asyncio.gather(*(write(number, store) for number, store in enumerate(stores)))
    held = [row for index in range(3) for row in await rows(stores[0].pool, f"many_{index}")]
    assert len(held) == 5 * WRITERS
    assert sorted((row["by"], row[f"own_{row['by']}"]) for row in held) == [
        (number, turn) for number in range(WRITERS) for turn in range(5)
    ]


async def test_types_that_grow_under_writers(stores: list[Store]) -> None:
    values: list[Any] = [1, True, 2.5, "x", "2026-11-23", [1], None, {"a": 1}, 2**70, "2026-11-23T10:00:00Z"]
    await stores[0].insert("growing", [{"who": -1, "v": True}], "staff")

    async def write(number: int, store: Store) -> None:
        for turn in range(5):
            await store.insert("growing", [{"who": number, "v": values[(number + turn) % len(values)]}], "staff")

    await asyncio.gather(*(write(number, store) for number, store in enumerate(stores)))
    held = await rows(stores[0].pool, "growing")
    assert len(held) == 1 + 5 * WRITERS
    assert sum(row["v"] is None for row in held) == 10
    assert sum(row["v"] == [1] for row in held) == 10


async def test_with_writers_of_postgrest(stores: list[Store], box: Box) -> None:
    await stores[0].insert("shared", [{"n": 0}], "staff")
    rest = Rest(box.rest_url, box.secret)
    headers = {"Authorization": f"Bearer {rest.token('staff')}"}
    await rest.close()
    async with httpx.AsyncClient(base_url=box.rest_url, headers=headers, timeout=30) as client:
        for _ in range(100):
            # A collection is known to PostgREST a moment after it is made.
            if (await client.post("/shared", json={"n": -1})).status_code == 201:
                break
            await asyncio.sleep(0.05)

        async def post(number: int) -> None:
            for turn in range(10):
                answer = await client.post("/shared", json={"n": 1000 + number * 10 + turn})
                assert answer.status_code == 201, answer.text

        async def write(number: int, store: Store) -> None:
            for turn in range(5):
                await store.insert("shared", [{"n": number * 5 + turn, f"new {turn}": number}], "staff")

        await asyncio.gather(*(write(number, store) for number, store in enumerate(stores)), *map(post, range(5)))
    held = [row["n"] for row in await rows(stores[0].pool, "shared")]
    assert sorted(held) == sorted([-1, 0, *range(5 * WRITERS), *range(1000, 1050)])


async def test_ids_given_by_hand_are_never_given_again(stores: list[Store]) -> None:
    await stores[0].insert("placed", [{"n": 0}], "staff")

    async def put(number: int) -> None:
        row, _ = await stores[number].replace("placed", 2 + number * 3, {"n": number}, "staff")
        assert row["id"] == 2 + number * 3

    async def post(number: int) -> None:
        for _ in range(5):
            await stores[number].insert("placed", [{"n": -1}], "staff")

    await asyncio.gather(*(put(number) for number in range(10)), *(post(number) for number in range(10, 20)))
    held = {row["id"]: row["n"] for row in await rows(stores[0].pool, "placed")}
    assert [held[2 + number * 3] for number in range(10)] == list(range(10))
    row, made = await stores[0].replace("placed", 10**6, {"n": 1}, "staff")
    assert made
    (row,) = await stores[0].insert("placed", [{"n": 2}], "staff")
    assert row["id"] > 10**6
    with pytest.raises(ApplianceError, match="cannot have the id"):
        await stores[0].replace("placed", 2**53, {"n": 1}, "staff")


async def test_a_burst_of_new_fields_is_a_few_reloads(stores: list[Store], box: Box) -> None:
    await stores[0].insert("bursting", [{"n": 0}], "staff")
    rest = Rest(box.rest_url, box.secret)
    for _ in range(100):
        try:
            await rest.get("/bursting", "staff")
            break
        except ApplianceError:
            await asyncio.sleep(0.05)
    over = asyncio.Event()
    reads = 0

    async def read() -> None:
        nonlocal reads
        while not over.is_set():
            assert len(await rest.get("/bursting?limit=1", "staff")) == 1
            reads += 1

    async def burst(number: int, store: Store) -> None:
        for turn in range(10):
            await store.insert("bursting", [{f"f {number} {turn}": turn}], "staff")

    async def count(heard: list[float]) -> None:
        async with await psycopg.AsyncConnection.connect(box.dsn, autocommit=True) as db:
            await db.execute("listen pgrst")
            async for _ in db.notifies():
                heard.append(time.monotonic())

    heard: list[float] = []
    counter = asyncio.create_task(count(heard))
    reader = asyncio.create_task(read())
    await asyncio.sleep(0.5)
    began = time.monotonic()
    await asyncio.gather(*(burst(number, store) for number, store in enumerate(stores)))
    took = time.monotonic() - began
    while True:
        try:
            await rest.get("/bursting?select=" + ",".join(await fields(stores[0].pool, "bursting")), "staff")
            break
        except ApplianceError as error:
            assert error.details["code"] == "42703"
            assert time.monotonic() - began - took < 1.0, "the new fields are served within a second"
            await asyncio.sleep(0.02)
    await asyncio.sleep(2 * SPACING_S)
    over.set()
    await reader
    counter.cancel()
    await rest.close()
    assert len(await fields(stores[0].pool, "bursting")) == 1 + 10 * WRITERS
    assert reads > 10
    assert heard, "PostgREST is told"
    assert all(later - earlier > SPACING_S * 0.9 for earlier, later in pairwise(heard)), "and not too often"
