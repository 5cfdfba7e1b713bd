"""A large table's column becomes wider while it is written to: nobody waits long and nothing is lost."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest

from appliance.pgflex.database import Pool, open_pool, transaction
from appliance.pgflex.writes.placing import Limits
from appliance.pgflex.writes.store import Store
from appliance.pgflex.writes.widening import Widening
from tests.integration.pgflex_box import Box, running_box

ROWS = 200_000
PATIENCE_S = 0.1

_WORK = """
import asyncio, sys
from appliance.pgflex.database import open_pool
from appliance.pgflex.writes.widening import Widening
async def main():
    async with open_pool(sys.argv[1]) as pool:
        print("ready", flush=True)
        await Widening(pool, 1000).run()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        yield box


@pytest.fixture
async def wide(box: Box) -> AsyncIterator[Pool]:
    async with open_pool(box.dsn, 8) as pool:
        yield pool


async def fill(store: Store, collection: str, rows: int) -> None:
    """A collection with this many rows, n from 1 on, in the database's own way."""
    await store.insert(collection, [{"n": 1, "who": "nobody"}], "staff")
    async with transaction(store.pool) as db:
        await db.execute("select set_config('flex.quiet', 'on', true), set_config('statement_timeout', '0', true)")
        await db.execute(
            f"insert into api.{collection} (n, who) select g, 'nobody' from generate_series(2, {rows}) g".encode()
        )
    async with store.pool.connection() as db:
        await db.execute(f"analyze api.{collection}".encode())


async def column_type(pool: Pool, collection: str) -> str:
    async with transaction(pool) as db:
        found = await db.execute(
            "select format_type(atttypid, -1) from pg_attribute where attrelid = %s::regclass and attname = 'n'",
            [f"api.{collection}"],
        )
        row = await found.fetchone()
    assert row is not None
    return str(row[0])


async def waited(
    writes: list[float], store: Store, collection: str, oracle: dict[int, Any], until: asyncio.Event
) -> None:
    """Write without pause, some values too wide for the column, and note how long each took."""
    rng = random.Random(len(oracle))
    while not until.is_set():
        number = rng.randrange(10**6)
        value = rng.choice([number, f"text {number}"])
        key = rng.randrange(1, ROWS)
        began = time.monotonic()
        if rng.random() < 0.5:
            (row,) = await store.insert(collection, [{"n": value, "who": "writer"}], "staff")
            key = row["id"]
        else:
            # Every writer has rows of its own, so that the oracle knows who was last.
            key = key - key % 4 + int(asyncio.current_task().get_name())  # type: ignore[union-attr]
            await store.update(collection, key, {"n": value}, "staff")
        writes.append(time.monotonic() - began)
        oracle[key] = value
        await asyncio.sleep(0.002)


async def test_writers_go_on_while_a_large_column_becomes_wider(wide: Pool) -> None:
    store = Store(wide)
    await fill(store, "large", ROWS)
    oracle: dict[int, Any] = {}
    writes: list[float] = []
    over = asyncio.Event()
    writers = [
        asyncio.create_task(waited(writes, store, "large", oracle, over), name=str(number)) for number in range(4)
    ]
    await asyncio.sleep(0.5)
    began = time.monotonic()
    while await column_type(wide, "large") == "bigint" and time.monotonic() - began < 60:
        await Widening(wide).work()
    took = time.monotonic() - began
    await asyncio.sleep(0.2)
    over.set()
    await asyncio.gather(*writers)
    await Widening(wide).work()
    async with transaction(wide) as db:
        found = await db.execute("select id, n from api.large")
        held = dict(await found.fetchall())
        extra = await (
            await db.execute(
                "select count(*) from pg_attribute where attrelid = 'api.large'::regclass and attname = 'extra'"
            )
        ).fetchone()
        told = await (await db.execute("select count(*) from flex.changes where collection = 'large'")).fetchone()
    assert await column_type(wide, "large") == "text"
    assert extra == (0,)
    assert {key: held[key] for key in oracle} == {key: str(value) for key, value in oracle.items()}
    assert all(held[key] == str(key) for key in range(1, ROWS + 1) if key not in oracle)
    assert told is not None and told[0] <= len(writes) + 1, "filling is not told as changes"
    longest = sorted(writes)[-5:]
    print(f"{len(writes)} writes while {ROWS} rows took {took:.1f} s; the slowest took {longest}")
    assert sorted(writes)[int(len(writes) * 0.99)] < PATIENCE_S


def killed_soon(dsn: str, rng: random.Random) -> None:
    """Let a process work on what there is, and kill it on the way."""
    worker = subprocess.Popen([sys.executable, "-c", _WORK, dsn], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker.stdout:
        worker.stdout.readline()
        time.sleep(rng.uniform(0.01, 0.25))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()


async def test_killed_at_any_point_it_goes_on(wide: Pool, box: Box) -> None:
    store = Store(wide)
    await fill(store, "killed", 100_000)
    await store.insert("killed", [{"n": "wide"}], "staff")
    small = Store(wide, Limits(widen_rows=1000))
    (row,) = await small.insert("killed", [{"n": [100_002]}], "staff")
    assert row["n"] == [100_002]
    states = set()
    rng = random.Random(3)
    for _ in range(60):
        await asyncio.to_thread(killed_soon, box.dsn, rng)
        with psycopg.connect(box.dsn, autocommit=True) as db:
            found = db.execute("select state from flex.widenings where collection = 'killed'").fetchone()
        states.add(found[0] if found else "done")
        if "done" in states:
            break
    await Widening(wide, 1000).work()
    assert await column_type(wide, "killed") == "jsonb"
    assert len(states) > 1, "it was killed on the way, too"
    async with transaction(wide) as db:
        rows = await db.execute("select id, n from api.killed order by id")
        held = dict(await rows.fetchall())
        left = await (
            await db.execute(
                "select count(*) from pg_trigger where tgrelid = 'api.killed'::regclass and tgname like 'flex_wider%'"
            )
        ).fetchone()
    assert held == {**{key: key for key in range(1, 100_001)}, 100_001: "wide", 100_002: [100_002]}
    assert left == (0,)
