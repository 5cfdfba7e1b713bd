"""The change feed: how soon a committed row is an event on ``/changes``, and how many changes a second it carries.

    commit ──► flex.changes ──► NOTIFY ──► the feed ──► /changes (through the door)
       └────► a bare LISTEN beside it hears the same commit: the baseline

The first part writes 100 rows a second, each its own commit. The second writes batches at rising rates; a rate is
sustained when every change arrived, in order, at most a second after its last commit. Beside it the same rows go
into a table without a feed.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, NamedTuple

import httpx
import psycopg
from psycopg import sql

from benchmarks.box import Box, running_box
from benchmarks.report import Measure, Ratio, Result

FIRST: Final = {"n": 0, "ward": "Cardiology", "note": "x" * 60}
PACE_S: Final = 0.01
RATES: Final = (2_500, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000)
BATCH: Final = 50
FOR_S: Final = 4.0
LATE_S: Final = 1.0
ATTEMPTS: Final = 2
WAIT_S: Final = 30.0
ONE: Final = "insert into api.paced (n, ward, note) values (%s, 'Cardiology', repeat('x', 60))"
_NUMBER: Final = re.compile(rb'"n":(\d+)')


class Paced(NamedTuple):
    """Milliseconds for each single change."""

    committed_to_fed: list[float]
    sent_to_fed: list[float]
    sent_to_heard: list[float]


class Reader:
    """Reads ``/changes`` of one collection; its rows are numbered in the field ``n``."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.times: list[float] = []
        self.ready = asyncio.Event()
        self._rest = b""
        self._awaited = 0
        self._more = asyncio.Event()

    async def run(self, client: httpx.AsyncClient, collection: str) -> None:
        """Read until cancelled."""
        async with client.stream("GET", f"/changes?collection={collection}") as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_raw():
                self._take(piece, time.perf_counter())

    def _take(self, piece: bytes, now: float) -> None:
        whole, end, self._rest = (self._rest + piece).rpartition(b"\r\n\r\n")
        if b"event: ready" in whole:
            self.ready.set()
        for number in _NUMBER.findall(whole + end):
            self.seen.append(int(number))
            self.times.append(now)
        if len(self.seen) >= self._awaited:
            self._more.set()

    async def reached(self, count: int, timeout_s: float) -> bool:
        """Whether so many changes arrive in time."""
        self._awaited = count
        self._more.clear()
        if len(self.seen) < count:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), timeout_s)
        return len(self.seen) >= count


async def run(count: int) -> Result:
    """Measure `count` times five single changes, then the rates."""
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(running_box())
        writer = await stack.enter_async_context(await box.database())
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=60))
        for name in ("paced", "rated"):
            (
                await client.post(f"/flex/{name}", json={"n": 0, "ward": "Cardiology", "note": "x" * 60})
            ).raise_for_status()
        paced = await _paced(box, client, writer, count * 5)
        best, bare = await _rated(box, client, writer)
    committed = Measure("commit -> event on /changes, 100 changes/s", tuple(paced.committed_to_fed))
    ours = Measure("write sent -> event on /changes", tuple(paced.sent_to_fed))
    baseline = Measure("write sent -> heard by a bare LISTEN", tuple(paced.sent_to_heard))
    sustained = Measure("changes/s sustained, in order, none lost", (best,), "1/s")
    plain = Measure("rows/s of the same inserts without a feed", (bare,), "1/s")
    return Result(
        "feed",
        "a change, from its commit to /changes",
        (committed, ours, baseline, sustained, plain),
        (Ratio(ours, baseline), Ratio(sustained, plain)),
        notes=(f"commits of {BATCH} rows, {FOR_S:g} s each at {RATES[0]:,} a second and up, until one fails twice.",),
    )


@asynccontextmanager
async def _reading(client: httpx.AsyncClient, collection: str) -> AsyncIterator[Reader]:
    reader = Reader()
    task = asyncio.create_task(reader.run(client, collection))
    try:
        await asyncio.wait_for(reader.ready.wait(), WAIT_S)
        yield reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _paced(box: Box, client: httpx.AsyncClient, writer: psycopg.AsyncConnection, count: int) -> Paced:
    """Write one row after the other at the pace."""
    heard: list[float] = []
    sent: list[float] = []
    committed: list[float] = []
    async with await box.database() as listener, _reading(client, "paced") as reader:
        await listener.execute("listen flex_changes")

        async def listen() -> None:
            async for _ in listener.notifies():
                heard.append(time.perf_counter())

        task = asyncio.create_task(listen())
        began = time.perf_counter()
        for number in range(1, count + 1):
            sent.append(time.perf_counter())
            await writer.execute(ONE, [number])
            committed.append(time.perf_counter())
            await asyncio.sleep(max(0.0, began + number * PACE_S - time.perf_counter()))
        if not await reader.reached(count, WAIT_S) or reader.seen != list(range(1, count + 1)):
            raise AssertionError(f"the feed told {len(reader.seen)} of {count} changes, or in another order")
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        fed = list(reader.times)
    return Paced(_after(committed, fed), _after(sent, fed), _after(sent, heard[-count:]))


def _after(starts: list[float], ends: list[float]) -> list[float]:
    # The event may be here before the writer hears that its commit is done.
    return [max(0.0, end - start) * 1000 for start, end in zip(starts, ends, strict=True)]


async def _rated(box: Box, client: httpx.AsyncClient, writer: psycopg.AsyncConnection) -> tuple[float, float]:
    """The highest rate sustained, and what the database takes without a feed."""
    best, number = 0.0, 0
    for rate in RATES:
        reached = 0.0
        for _ in range(ATTEMPTS):
            async with _reading(client, "rated") as reader:
                wrote, took = await _write(writer, "api.rated", rate, number + 1)
                arrived = await reader.reached(wrote, LATE_S)
                if reader.seen != list(range(number + 1, number + 1 + len(reader.seen))):
                    raise AssertionError("the feed told changes twice, in another order, or lost one")
            number += wrote
            if arrived and wrote / took >= rate * 0.95:
                reached = wrote / took
                break
        if not reached:
            break
        best = reached
    await writer.execute("reset role")
    await writer.execute(
        "create table flex.unfed (id bigint generated always as identity primary key, n bigint, ward text, note text)"
    )
    wrote, took = await _write(writer, "flex.unfed", 10**9, 1)
    return best, wrote / took


async def _write(writer: psycopg.AsyncConnection, table: str, rate: int, first: int) -> tuple[int, float]:
    """Write batches at `rate` rows a second; the rows written and the seconds it took."""
    query = sql.SQL(
        "insert into {} (n, ward, note) "
        "select n, 'Cardiology', repeat('x', 60) from generate_series(%s::bigint, %s) as n"
    ).format(sql.Identifier(*table.split(".")))
    began, wrote = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < FOR_S:
        if wrote > now * rate:
            await asyncio.sleep(wrote / rate - now)
        await writer.execute(query, [first + wrote, first + wrote + BATCH - 1])
        wrote += BATCH
    return wrote, time.perf_counter() - began
