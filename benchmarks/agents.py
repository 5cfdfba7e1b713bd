"""A hundred screen agents over Iroh: how long they take to join, and the same delays as :mod:`benchmarks.fanout`.

All agents are endpoints of this process, each with a key of its own; the bridge is another process. They dial at once.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from appliance.bridge import FrameType, control, encode
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.transports import ConnectionLost
from appliance.bridge.transports.iroh import IrohConnection, dial
from benchmarks.arrivals import Arrivals, delays_ms
from benchmarks.fanout import SIZE
from benchmarks.peers import Server, running, staff_key
from benchmarks.report import Measure, Ratio, Result
from benchmarks.throng import Source, driven, source, throng
from benchmarks.wires import STREAM, step_of

AGENTS: Final = 100
LIMIT: Final = 4 * 1024 * 1024
JOIN_S: Final = 60.0
PING_S: Final = 2.0


class Agent:
    """One screen agent, no more than its road."""

    def __init__(self, index: int, road: IrohConnection) -> None:
        self.index, self.road = index, road

    async def subscribe(self) -> None:
        """Say hello and wait until the state is here."""
        await self.road.send(encode(control("hello", version=1, kind="wall", credential=staff_key())))
        await self.road.send(encode(control("subscribe", stream=STREAM)))
        while True:
            frame = await self.road.receive()
            if frame.type == FrameType.CONTROL and frame.json().get("type") == "subscribed":
                return

    async def listen(self, arrivals: list[Arrivals]) -> None:
        """Note every step."""
        while True:
            try:
                frame = await self.road.receive()
            except ConnectionLost:
                return
            if frame.type in (FrameType.SIGNAL_DIFF, FrameType.SIGNAL_SYNC):
                step = step_of(frame.payload)
                if step > 0:
                    arrivals[0].got(self.index, step, time.monotonic_ns())

    async def ping(self) -> None:
        """Show that it is there."""
        while True:
            await asyncio.sleep(PING_S)
            await self.road.send(encode(control("ping", t=0)))


async def run(count: int) -> Result:
    """Measure `count` steps at 10 a second and a tenth of that at 1 a second; WebSocket receivers for comparison."""
    seconds = min(30.0, max(3.0, count / 10))
    async with running("bridge") as server, source(server) as writer:
        await asyncio.to_thread(writer.drive, 5, 1, SIZE)
        async with joined(server) as (agents, each_s):
            arrivals = [Arrivals(AGENTS)]
            tasks = [asyncio.create_task(work) for agent in agents for work in (agent.listen(arrivals), agent.ping())]
            slow = await _drive(writer, arrivals, 1, seconds)
            quick = await _drive(writer, arrivals, 10, seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        async with throng(server, AGENTS) as crowd:
            sockets = await driven(server, crowd, writer, 10, seconds, SIZE)
    ten = Measure("10 steps a second", tuple(quick))
    beside = Measure(f"{AGENTS} WebSocket receivers instead: 10 steps a second", sockets.delays)
    return Result(
        "agents",
        f"{AGENTS} agents over Iroh, to the last of them",
        (
            Measure("dial -> subscribed, each of them", tuple(second * 1000 for second in each_s)),
            Measure("dial -> all subscribed", (max(each_s) * 1000,)),
            Measure("1 step a second", tuple(slow)), ten, beside,
        ),
        (Ratio(ten, beside),),
    )  # fmt: skip


async def _drive(writer: Source, arrivals: list[Arrivals], rate: float, seconds: float) -> list[float]:
    arrivals[0] = Arrivals(AGENTS)
    sent = await asyncio.to_thread(writer.drive, rate, seconds, SIZE)
    for _ in range(500):
        if arrivals[0].all_have(max(sent)):
            break
        await asyncio.sleep(0.01)
    return delays_ms(sent, arrivals[0].complete())


@asynccontextmanager
async def joined(server: Server) -> AsyncIterator[tuple[list[Agent], list[float]]]:
    """Agents that have subscribed, and the seconds that each took."""
    box, address = server.iroh()
    agents: list[Agent] = []
    keys = await asyncio.to_thread(_keys)

    async def join(index: int) -> float:
        began = time.perf_counter()
        agent = Agent(index, await dial(keys[index], box, [address], JOIN_S, LIMIT))
        agents.append(agent)
        async with asyncio.timeout(JOIN_S):
            await agent.subscribe()
        return time.perf_counter() - began

    try:
        yield agents, await asyncio.gather(*(join(index) for index in range(AGENTS)))
    finally:
        await asyncio.gather(*(agent.road.close() for agent in agents), return_exceptions=True)


def _keys() -> list[Identity]:
    with tempfile.TemporaryDirectory(prefix="agents-") as folder:
        return [load_or_create(Path(folder) / f"{index}.key") for index in range(AGENTS)]
