"""Twenty writers while PostgreSQL or the data service is killed: what was acknowledged is there, once.

A writer that gets no answer does not try again: whether its document was stored cannot be known, and both are right.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest

from appliance.bridge.sources.feed import follow
from tests.box import Box, running_box

pytestmark = pytest.mark.alone

WRITERS = 20
BACK_S = 20.0


@pytest.fixture(scope="module")
def hurt() -> Iterator[Box]:
    with running_box("--no-mdns") as box:
        yield box


@pytest.fixture
async def door(hurt: Box) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=WRITERS + 5)
    async with httpx.AsyncClient(base_url=hurt.url, timeout=20, trust_env=False, limits=limits) as door:
        yield door


class Writers:
    """Writers that store numbered documents until they are told to stop."""

    def __init__(self, door: httpx.AsyncClient, collection: str) -> None:
        self._door, self._path = door, f"/flex/{collection}"
        self.acknowledged: list[str] = []
        self.refused = 0
        self.longest_wait_s = 0.0
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Write from twenty tasks at once."""
        await asyncio.gather(*(self._write(writer) for writer in range(WRITERS)))

    async def _write(self, writer: int) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            name = f"{writer}-{number}"
            # A field that is new now and then, so that tables grow while they are written.
            document = {"name": name, "number": number, f"field {number // 20 % 7}": writer}
            began = time.monotonic()
            try:
                answer = await self._door.post(self._path, json=document)
            except httpx.HTTPError:
                self.refused += 1
                continue
            if answer.status_code == 201:
                self.acknowledged.append(name)
                self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)
            else:
                assert answer.status_code in (500, 502, 503, 504), answer.text
                assert {"code", "message", "details", "hint"} <= answer.json().keys(), "always the one error shape"
                self.refused += 1
                await asyncio.sleep(0.02)


class Copy:
    """How often each document was told by the feed, which is followed as any reader does, resuming by itself."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.ready = asyncio.Event()
        self._more = asyncio.Event()

    async def follow(self, door: httpx.AsyncClient, url: str) -> None:
        """Read until cancelled."""
        async for event in follow(door, url):
            if event.event == "ready":
                self.ready.set()
            elif event.event == "change":
                change = msgspec.json.decode(event.data)
                assert change["op"] == "insert"
                self.told[change["row"]["name"]] += 1
                self._more.set()
            elif event.event == "error":
                assert msgspec.json.decode(event.data)["code"] == "PGF101", event.data
            else:
                assert event.event in ("lost", "catalog"), f"{event.event} {event.data}"

    async def reached(self, count: int) -> None:
        """Wait until so many were told."""
        async with asyncio.timeout(BACK_S):
            while len(self.told) < count:
                self._more.clear()
                await self._more.wait()


def kill_whole(pid: int) -> None:
    """End a process and its children the hard way, all at once: PostgreSQL's workers would else end what they do."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@pytest.mark.parametrize("name", ["postgres", "pgflex"])
async def test_kill_in_the_middle_of_twenty_writers(hurt: Box, door: httpx.AsyncClient, name: str) -> None:
    collection = f"kept_{name}"
    assert (await door.post(f"/flex/{collection}", json={"name": "first"})).status_code == 201
    copy = Copy()
    reader = asyncio.create_task(copy.follow(door, f"{hurt.url}/changes?collection={collection}"))
    await asyncio.wait_for(copy.ready.wait(), BACK_S)
    writers = Writers(door, collection)
    writing = asyncio.create_task(writers.run())
    await asyncio.sleep(1.5)
    before = len(writers.acknowledged)
    kill_whole(hurt.pids()[name])
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    after = len(writers.acknowledged)
    await asyncio.sleep(1.5)
    writers.stopping.set()
    await asyncio.wait_for(writing, BACK_S)
    assert before > WRITERS and len(writers.acknowledged) > after + WRITERS, "they wrote before it and after it"
    assert writers.refused or writers.longest_wait_s > 0.5, "it was felt"

    rows = (await door.get(f"/rest/{collection}?select=name&limit=1000000")).raise_for_status().json()
    kept = Counter(row["name"] for row in rows)
    assert set(writers.acknowledged) <= kept.keys(), "every acknowledged document is there"
    assert max(kept.values()) == 1, "once"

    reached = asyncio.create_task(copy.reached(len(kept) - 1))
    await asyncio.wait({reader, reached}, return_when=asyncio.FIRST_COMPLETED)
    if reader.done():
        reader.result()
    await reached
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert copy.told == kept - Counter(["first"]), "each was told once, also those of which nobody heard"
