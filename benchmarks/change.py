"""Row to screen: a row is committed, and the answer that counts it changes on a screen.

    commit ──► NOTIFY ──► change feed (/changes) ──► the answer is read anew ──► signal ──► screen
       └────► a bare LISTEN beside it hears the same commit: the baseline

Written two ways: over ``/rest`` as any client would, and straight into the database, where the moment of the
commit is exact. A third part fills the board with answers about the same rows and waits for all of them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import msgspec
import psycopg
from httpx_sse import aconnect_sse

from benchmarks.box import Box, running_box
from benchmarks.report import Measure, Ratio, Result, Shares, split
from benchmarks.screen import Screen, Values, connected

WARM_UP = 5
WAIT_S = 30.0
QUESTION = "How many beds are free?"
ABOUT_BEDS = tuple(
    f"How many beds are {status} in {ward}?"
    for ward in ("cardiology", "surgery", "maternity")
    for status in ("free", "occupied", "reserved", "in cleaning")
)
Write = Callable[[str], Awaitable[None]]
"""Sets the bed's status and returns when that is committed."""


class Moment(msgspec.Struct, frozen=True):
    """One change, as seconds on one clock: sent, committed, heard by the bare LISTEN, by the feed, by the screen."""

    sent: float
    committed: float
    notified: float
    fed: float
    shown: float


class Ear:
    """When something was heard."""

    def __init__(self) -> None:
        self._times: asyncio.Queue[float] = asyncio.Queue()

    def hear(self) -> None:
        """It is heard now."""
        self._times.put_nowait(time.perf_counter())

    def forget(self) -> None:
        """Forget what was heard before."""
        while not self._times.empty():
            self._times.get_nowait()

    async def next(self) -> float:
        """When it was heard next."""
        return await asyncio.wait_for(self._times.get(), WAIT_S)


class Bench:
    """A box, a bed whose status is changed, and all that listens."""

    def __init__(self, box: Box, screen: Screen, client: httpx.AsyncClient, database: psycopg.AsyncConnection) -> None:
        self.box, self.screen, self.client, self.database = box, screen, client, database
        self.notified, self.fed = Ear(), Ear()
        self.answer = ""
        self.bed = 0
        self._free = True

    async def prepare(self) -> None:
        """Find a free bed, and ask for the answer that counts it."""
        found = await self.client.get("/rest/beds?select=id&status=eq.free&limit=1")
        self.bed = found.raise_for_status().json()[0]["id"]
        self.answer = (await self.ask(QUESTION))["id"]

    async def ask(self, question: str) -> dict[str, Any]:
        """Put an answer on the board."""
        found = await self.client.post("/api/ask", json={"question": question})
        answer: dict[str, Any] = found.raise_for_status().json()
        return answer

    async def by_rest(self, status: str) -> None:
        """Write as any client of the box does."""
        wanted = {"Prefer": "return=minimal"}
        found = await self.client.patch(f"/rest/beds?id=eq.{self.bed}", json={"status": status}, headers=wanted)
        found.raise_for_status()

    async def by_database(self, status: str) -> None:
        """Write beside the box's doors; returns with the commit."""
        await self.database.execute("update api.beds set status = %s where id = %s", (status, self.bed))

    async def change(self, write: Write, shown: Callable[[], Awaitable[float]]) -> Moment:
        """Change the bed once, and wait until everything has heard of it."""
        # At no fixed beat, so that nothing in the box can fall into step with it.
        await asyncio.sleep(random.uniform(0.03, 0.08))
        for ear in (self.notified, self.fed, self.screen):
            ear.forget()
        self._free = not self._free
        sent = time.perf_counter()
        await write("free" if self._free else "occupied")
        committed = time.perf_counter()
        return Moment(sent, committed, await self.notified.next(), await self.fed.next(), await shown())

    async def one_shown(self) -> float:
        """When the answer's new rows arrive on the screen."""
        return (await self.screen.until(lambda values: f"answer.{self.answer}.rows" in values)).at

    async def all_shown(self) -> float:
        """When the last of all answers about beds was read anew and arrives on the screen."""
        waiting = {f"answer.{id_}.read_at" for id_ in about_beds(self.screen.values)}

        def last(values: Values) -> bool:
            waiting.difference_update(values)
            return not waiting

        return (await self.screen.until(last)).at


def about_beds(values: Values) -> list[str]:
    """The ids of the answers on a screen that are read from the beds."""
    ids: list[str] = values.get("answers.order", [])
    return [id_ for id_ in ids if (values.get(f"answer.{id_}.plan") or {}).get("collection") == "beds"]


async def run(count: int) -> Result:
    """Measure `count` changes each way."""
    async with _bench() as bench:
        few = len(about_beds(bench.screen.values))
        by_rest = await _many(bench, bench.by_rest, bench.one_shown, count)
        by_database = await _many(bench, bench.by_database, bench.one_shown, count)
        for question in ABOUT_BEDS:
            await bench.ask(question)
        full = await _many(bench, bench.by_database, bench.all_shown, count)
        return _result(by_rest, by_database, full, few, len(about_beds(bench.screen.values)))


async def _many(bench: Bench, write: Write, shown: Callable[[], Awaitable[float]], count: int) -> list[Moment]:
    for _ in range(WARM_UP):
        await bench.change(write, shown)
    return [await bench.change(write, shown) for _ in range(count)]


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(running_box())
        screen = await stack.enter_async_context(connected(box.url))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=60))
        writer = await stack.enter_async_context(await box.database())
        listener = await stack.enter_async_context(await box.database())
        bench = Bench(box, screen, client, writer)
        await bench.prepare()
        await listener.execute("listen flex_changes")
        stack.push_async_callback(_ended, asyncio.create_task(_listen(listener, bench.notified)))
        ready = asyncio.Event()
        stack.push_async_callback(_ended, asyncio.create_task(_follow(client, bench.fed, ready)))
        await asyncio.wait_for(ready.wait(), WAIT_S)
        yield bench


async def _listen(listener: psycopg.AsyncConnection, ear: Ear) -> None:
    async for _ in listener.notifies():
        ear.hear()


async def _follow(client: httpx.AsyncClient, ear: Ear, ready: asyncio.Event) -> None:
    async with aconnect_sse(client, "GET", "/changes?collection=beds") as feed:
        async for event in feed.aiter_sse():
            if event.event == "change":
                ear.hear()
            elif event.event == "ready":
                ready.set()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _result(by_rest: list[Moment], by_database: list[Moment], full: list[Moment], few: int, many: int) -> Result:
    bare = _measure("write sent -> heard by a bare LISTEN", by_database, "sent", "notified")
    return Result(
        "change",
        "a row, from its commit to a screen",
        (
            _measure("commit -> screen, written straight into the database", by_database, "committed", "shown"),
            _measure("commit -> screen, written over /rest (its response)", by_rest, "committed", "shown"),
            _measure("write sent -> screen, over /rest", by_rest, "sent", "shown"),
            _measure("write sent -> screen, straight", by_database, "sent", "shown"),
            _measure(f"commit -> all {many} answers about these rows on the screen", full, "committed", "shown"),
            bare,
        ),
        (Ratio(_measure("write sent -> screen, straight", by_database, "sent", "shown"), bare),),
        (_shares("commit -> screen, straight", by_database), _shares("response -> screen, over /rest", by_rest)),
        (f"{few} answers about these rows were on the board, in the last part {many}.",),
    )  # fmt: skip


def _measure(what: str, moments: list[Moment], start: str, end: str) -> Measure:
    return Measure(what, tuple(_between(moments, start, end)))


def _between(moments: list[Moment], start: str, end: str) -> list[float]:
    return [(getattr(moment, end) - getattr(moment, start)) * 1000 for moment in moments]


def _shares(whole: str, moments: list[Moment]) -> Shares:
    fed = {"commit -> event on /changes": _between(moments, "committed", "fed")}
    return split(whole, _between(moments, "committed", "shown"), fed, "event -> read anew, signal, screen")
