"""Schemaless writes beside a hand-made table: documents a second, and how fast what was written adds up.

    documents ──► Store.insert ──► a collection: its columns, its policies, its feed
            ├───► a plain parameterised INSERT ──► a hand-made table of the same columns: the baseline
            ├───► the same INSERT ──► a hand-made table that has the feed as well
            └───► one INSERT ──► a table with one jsonb column

All of them in one process, over the same pool, in turns, and each gives the stored rows back. A batch is a commit, and
so is a document of one writer alone. Of eight writers at once the store puts documents that wait for each other into
one commit; the others commit each of them.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from appliance.config import load
from appliance.pgflex.database import Pool, open_pool
from appliance.pgflex.embedded import bootstrap, postgres_command, prepare, release
from appliance.pgflex.fields import read_rows
from appliance.pgflex.writes.store import Store
from benchmarks.report import Measure, Ratio, Result

WRITERS: Final = 8
BATCH: Final = 1000
ROUNDS: Final = 5
BATCHES: Final = 6
ROWS: Final = 500_000
STOP_S: Final = 15.0
COLUMNS: Final = {
    "patient": "text",
    "ward": "text",
    "bed": "bigint",
    "weight": "numeric",
    "urgent": "boolean",
    "admitted": "date",
    "seen": "timestamptz",
    "note": "text",
}
FILL: Final = """
insert into hand.plain ({})
select 'Person ' || g, 'Ward ' || g % 12, g % 40, 50 + (g % 500) / 10.0, g % 7 = 0, date '2026-11-01' + g % 28,
  timestamptz '2026-11-23 00:15Z' + make_interval(hours => g % 24),
  'Came in walking, feels well, wants to go home on Friday.'
from generate_series(1, 500000) as g
"""
SUM: Final = "select ward, count(*), sum(bed), avg(weight) from {} group by ward order by ward"
SUM_JSON: Final = (
    "select doc ->> 'ward' as ward, count(*), sum((doc ->> 'bed')::bigint), avg((doc ->> 'weight')::numeric)"
    " from {} group by 1 order by 1"
)

Document = dict[str, Any]
Write = Callable[[list[Document]], Awaitable[int]]


def document(number: int) -> Document:
    """A document of eight fields."""
    return {
        "patient": f"Person {number}",
        "ward": f"Ward {number % 12}",
        "bed": number % 40,
        "weight": 50 + number % 500 / 10,
        "urgent": number % 7 == 0,
        "admitted": f"2026-11-{1 + number % 28:02}",
        "seen": f"2026-11-23T{number % 24:02}:15:00Z",
        "note": "Came in walking, feels well, wants to go home on Friday.",
    }


async def run(count: int) -> Result:
    """Measure rounds of `count` single documents per writer, and of batches; then sums over many rows."""
    async with _pool() as pool:
        writers = await _writers(pool)
        alone = await _rounds(writers, lambda write: _singles(write, count, 1))
        singles = await _rounds(writers, lambda write: _singles(write, count, WRITERS))
        batches = await _rounds(writers, _batches)
        sums = await _sums(pool)
    solo = {name: Measure(f"single documents/s, one writer: {name}", each, "1/s") for name, each in alone.items()}
    one = {
        name: Measure(f"single documents/s, {WRITERS} writers: {name}", each, "1/s") for name, each in singles.items()
    }
    many = {name: Measure(f"documents/s in batches of {BATCH}: {name}", each, "1/s") for name, each in batches.items()}
    summed = {name: Measure(f"sums over {ROWS} rows/s: {name}", each, "1/s") for name, each in sums.items()}
    ours, *peers = writers
    return Result(
        "insert",
        "documents into a collection, and sums over it",
        (*solo.values(), *one.values(), *many.values(), *summed.values()),
        (
            *(Ratio(solo[ours], solo[peer]) for peer in peers),
            *(Ratio(one[ours], one[peer]) for peer in peers),
            *(Ratio(many[ours], many[peer]) for peer in peers),
            *(Ratio(summed[ours], summed[peer]) for peer in ("hand-made table", "one jsonb column")),
        ),
        notes=(
            "The collection has its feed in every number; sums run as staff, under its policies.",
            f"Of {WRITERS} writers the store puts those that wait for each other into one commit; the others do not.",
        ),
    )


async def _rounds(
    writers: dict[str, Write], measured: Callable[[Write], Awaitable[float]]
) -> dict[str, tuple[float, ...]]:
    """What each writer reaches, in turns; the first round only warms up."""
    reached: dict[str, list[float]] = {name: [] for name in writers}
    for number in range(ROUNDS + 1):
        for name, write in writers.items():
            found = await measured(write)
            if number:
                reached[name].append(found)
    return {name: tuple(each) for name, each in reached.items()}


async def _singles(write: Write, count: int, writers: int) -> float:
    async def writer(first: int) -> None:
        for number in range(first, first + count):
            assert await write([document(number)]) == 1

    began = time.perf_counter()
    await asyncio.gather(*(writer(number * count) for number in range(writers)))
    return writers * count / (time.perf_counter() - began)


async def _batches(write: Write) -> float:
    batches = [[document(number * BATCH + place) for place in range(BATCH)] for number in range(BATCHES)]
    began = time.perf_counter()
    for batch in batches:
        assert await write(batch) == BATCH
    return BATCHES * BATCH / (time.perf_counter() - began)


async def _writers(pool: Pool) -> dict[str, Write]:
    """Ours first, then what it is measured against."""
    store = Store(pool)
    for name in ("ours", "fed"):
        await store.insert(name, [document(0)], "staff")
    typed = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    async with pool.connection() as db:
        await db.execute(
            f"create table hand.plain (id bigint generated by default as identity primary key, {typed})".encode()
        )
        await db.execute("create table hand.json (id bigint generated by default as identity primary key, doc jsonb)")

    async def ours(documents: list[Document]) -> int:
        return len(await store.insert("ours", documents, "staff"))

    async def json(documents: list[Document]) -> int:
        query = (
            b"insert into hand.json as t (doc) select value from jsonb_array_elements(%s) returning to_json(t)::text"
        )
        return await _written(pool, query, [msgspec.json.encode(documents).decode()])

    return {
        "ours": ours,
        "hand-made table": _plain(pool, sql.Identifier("hand", "plain")),
        "hand-made table with the feed": _plain(pool, sql.Identifier("api", "fed")),
        "one jsonb column": json,
    }


def _plain(pool: Pool, table: sql.Identifier) -> Write:
    """Writes with a parameter for each value."""
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    row = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(COLUMNS)))
    queries = {
        count: sql.SQL("insert into {} as t ({}) values {} returning to_json(t)::text")
        .format(table, names, sql.SQL(", ").join([row] * count))
        .as_bytes(None)
        for count in (1, BATCH)
    }

    async def write(documents: list[Document]) -> int:
        values = [each[name] for each in documents for name in COLUMNS]
        return await _written(pool, queries[len(documents)], values)

    return write


async def _written(pool: Pool, query: bytes, values: list[Any]) -> int:
    async with pool.connection() as db:
        found = await db.execute(query, values, prepare=True)
        return len(read_rows(row[0] for row in await found.fetchall()))


async def _sums(pool: Pool) -> dict[str, tuple[float, ...]]:
    """Sums a second over the same rows in each kind of table."""
    async with pool.connection() as db:
        await db.execute("select set_config('flex.quiet', 'on', false)")
        await db.execute("truncate api.ours, hand.plain, hand.json")
        names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        await db.execute(sql.SQL(FILL).format(names))
        await db.execute(sql.SQL("insert into api.ours ({0}) select {0} from hand.plain").format(names))
        await db.execute(b"insert into hand.json (doc) select to_jsonb(p) - 'id' from hand.plain p")
        for table in ("api.ours", "hand.plain", "hand.json"):
            await db.execute(f"vacuum analyze {table}".encode())
        await db.execute("grant usage on schema hand to staff")
        await db.execute("grant select on hand.plain, hand.json to staff")
        await db.execute("set role staff")
        queries = {
            "ours": SUM.format("api.ours"),
            "hand-made table": SUM.format("hand.plain"),
            "one jsonb column": SUM_JSON.format("hand.json"),
        }
        reached: dict[str, list[float]] = {name: [] for name in queries}
        for number in range(ROUNDS + 1):
            for name, query in queries.items():
                began = time.perf_counter()
                await (await db.execute(query.encode())).fetchall()
                if number:
                    reached[name].append(1 / (time.perf_counter() - began))
    return {name: tuple(each) for name, each in reached.items()}


@asynccontextmanager
async def _pool() -> AsyncIterator[Pool]:
    """A fresh PostgreSQL as the box has it, with nothing else running."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)
        settings = load({"data": Path(folder) / "data"}, environ={})
        cluster = await asyncio.to_thread(prepare, settings)
        command = postgres_command(cluster, settings)
        process = await asyncio.create_subprocess_exec(*command.argv, **command.options())
        try:
            await asyncio.to_thread(bootstrap, cluster)
            async with await psycopg.AsyncConnection.connect(cluster.dsn("dreamstack")) as db:
                await db.execute("create schema hand authorization flex")
            async with open_pool(cluster.dsn("flex")) as pool:
                yield pool
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), STOP_S)
            release(cluster)
