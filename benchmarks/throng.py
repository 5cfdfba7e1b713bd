"""A crowd process and a source, driven from here.

async with throng(server, count=1000) as crowd, source(server) as write:
    run = await driven(crowd, write, rate=10, seconds=5, size=200)
"""

from __future__ import annotations

import asyncio
import itertools
import select
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from benchmarks.arrivals import Told, delays_ms
from benchmarks.crowd import READ, Order, open_road
from benchmarks.peers import PeerFault, Server
from benchmarks.report import percentile
from benchmarks.wires import WIRES, payload_of

JOIN_S: Final = 120.0
LINE: Final = 64 * 1024 * 1024


class Run(msgspec.Struct, frozen=True):
    """One drive at one rate.

    Attributes:
        rate: steps a second asked for.
        took_s: seconds from the first step to the last.
        delays: for each step, ms from its writing to its arrival at the last receiver.
        sent: steps written.
        told: what the crowd said.
        server_busy: share of one core that the server took.
        crowd_busy: the same of the crowd.
    """

    rate: float
    took_s: float
    delays: tuple[float, ...]
    sent: int
    told: Told
    server_busy: float
    crowd_busy: float

    def p(self, percent: float) -> float:
        """A percentile of the delays, in ms; endless where a receiver is without the last step."""
        if self.told.missing or not self.delays:
            return float("inf")
        return percentile(self.delays, percent)

    @property
    def deliveries(self) -> float:
        """Units of news a second that arrived, at all receivers together."""
        return self.told.units / self.took_s


class Crowd:
    """The far end of a crowd process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ready(self) -> None:
        """Wait until all have subscribed.

        Raises:
            PeerFault: they could not.
        """
        async with asyncio.timeout(JOIN_S):
            await self._line()

    async def forget(self) -> None:
        """Start anew with the counting."""
        await self._told(b"forget\n")

    async def report(self, final: int) -> Told:
        """What arrived, once step `final` is there or is waited for no more."""
        return msgspec.json.decode(await self._told(f"report {final}\n".encode()), type=Told)

    async def _told(self, words: bytes) -> bytes:
        assert self._process.stdin is not None
        self._process.stdin.write(words)
        return await self._line()

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise PeerFault("The crowd of receivers ended; its reason is above.")
        return line


@asynccontextmanager
async def throng(server: Server, count: int, **more: Any) -> AsyncIterator[Crowd]:
    """Receivers of a server in a process of their own, all subscribed."""
    order = Order(server.wire, server.port, count, server.token, **more)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.crowd", msgspec.json.encode(order).decode(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE, start_new_session=True,
    )  # fmt: skip
    try:
        crowd = Crowd(process)
        await crowd.ready()
        yield crowd
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Source:
    """One that writes steps."""

    def __init__(self, server: Server) -> None:
        self._wire = WIRES[server.wire]()
        self._road, self._rest = open_road(self._wire, server.port, server.token, source=True)
        self._steps = itertools.count(1)

    def close(self) -> None:
        """Leave."""
        self._road.close()

    def drive(
        self, rate: float, seconds: float, size: int, payload: Callable[[int, int], bytes] = payload_of
    ) -> dict[int, int]:
        """Write steps at a rate; returns when each was about to be written, in nanoseconds. Blocks.

        Args:
            rate: steps a second.
            seconds: for how long.
            size: bytes of a step.
            payload: makes the JSON of a step of a size.
        """
        sent, begin = {}, time.monotonic()
        for turn in range(max(1, round(rate * seconds))):
            wait = begin + turn / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            step = next(self._steps)
            written = self._wire.publish(payload(step, size))
            sent[step] = time.monotonic_ns()  # before: on a busy machine it may have arrived before this goes on
            self._road.sendall(written)
            self._listen()
        return sent

    def _listen(self) -> None:
        """Answer what the server wants answered."""
        while select.select([self._road], [], [], 0)[0]:
            piece = self._road.recv(READ)
            if not piece:
                raise PeerFault(f"{self._wire.name} closed the source's connection.")
            self._rest += piece
            for unit in self._wire.split(self._rest):
                if said := self._wire.answer(unit):
                    self._road.sendall(said)


@asynccontextmanager
async def source(server: Server) -> AsyncIterator[Source]:
    """A source that is connected."""
    found = await asyncio.to_thread(Source, server)
    try:
        yield found
    finally:
        found.close()


async def driven(server: Server, crowd: Crowd, writer: Source, rate: float, seconds: float, size: int) -> Run:
    """Write steps at a rate for some seconds and see when the last receiver had each."""
    busy, crowd_busy = server.busy_s(), (await _fresh(crowd)).busy_s
    began = time.monotonic()
    sent = await asyncio.to_thread(writer.drive, rate, seconds, size)
    told = await crowd.report(max(sent))
    took = time.monotonic() - began
    first, last = min(sent.values()), max([*told.last.values(), *sent.values()])
    return Run(
        rate, (last - first) / 1e9 or took, tuple(delays_ms(sent, told.last)), len(sent), told,
        (server.busy_s() - busy) / took, (told.busy_s - crowd_busy) / took,
    )  # fmt: skip


async def _fresh(crowd: Crowd) -> Told:
    await crowd.forget()
    return await crowd.report(0)
