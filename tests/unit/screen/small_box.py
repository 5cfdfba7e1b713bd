"""A box as small as can be: a real Iroh endpoint and a real session over a stream that a test writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from appliance.bridge import Member, Session, Streams, control
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import Identity
from appliance.bridge.members import Waiting
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import IrohListener, listen
from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.finder import Finder
from appliance.screen.ticket import Ticket
from appliance.types import Signal

KEY = "the right key"


class SmallBox:
    """Its stream `main` outlives a stop, as the box's own would not: set `streams` anew to lose the history."""

    def __init__(self, identity: Identity, key: str = "") -> None:
        self.identity = identity
        self.key = key
        self.streams = Streams(256)
        self.streams.open("main")
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.hellos: list[dict[str, Any]] = []
        self.acknowledges = True
        self.refuses: ApplianceError | None = None
        self.waiting: Waiting | None = None
        self.port = 0
        self._listener: IrohListener | None = None

    async def start(self, port: int | None = None) -> None:
        self._listener = await listen(
            self.identity, f"127.0.0.1:{self.port if port is None else port}", self._serve, DEFAULT_LIMIT
        )
        self.port = int(self._listener.addresses()[0].rpartition(":")[2])

    async def stop(self) -> None:
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def write(self, values: dict[str, Any]) -> None:
        self.streams.open("main").write("test", [Signal(name, value) for name, value in values.items()])

    @property
    def ticket(self) -> Ticket:
        return Ticket(self.identity.endpoint_id, (f"127.0.0.1:{self.port}",))

    async def _serve(self, connection: Connection) -> None:
        def hear(member: Member, said: dict[str, Any]) -> None:
            self.heard.put_nowait({**said, "role": member.role})
            if said.get("ack") and self.acknowledges:
                told = control("error", **self.refuses.shape(), ref=said["ref"]) if self.refuses else None
                tasks.add(asyncio.create_task(session.tell(told or control("ack", ref=said["ref"]))))

        tasks: set[asyncio.Task[None]] = set()
        session = Session(connection, self.streams, "Small", hear, None, self._admit)
        await session.run()
        await asyncio.gather(*tasks)

    def _admit(self, said: dict[str, Any]) -> Member | Waiting:
        self.hellos.append(said)
        if self.waiting is not None:
            return self.waiting
        if said.get("credential") != self.key:
            raise ApplianceError("BRG401", "The box does not know this credential.")
        return Member("screen", "staff")


@contextlib.asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(agent.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(agent: Agent, met: Callable[[], bool], timeout_s: float = 10) -> None:
    """Wait until what a test expects of an agent is so."""
    changed = asyncio.Event()
    agent.listeners.append(changed.set)
    try:
        async with asyncio.timeout(timeout_s):
            while not met():
                changed.clear()
                await changed.wait()
    finally:
        agent.listeners.remove(changed.set)


def agent_for(screen: Identity, box: Ticket | None, **more: Any) -> Agent:
    return Agent(Finder(screen, box, faithful=True, frame_limit=DEFAULT_LIMIT), **more)


def an_answer(answer_id: str, **values: Any) -> dict[str, Any]:
    """The signals of an answer."""
    return {f"answer.{answer_id}.{name}": value for name, value in values.items()}
