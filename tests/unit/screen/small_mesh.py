"""Screens behind screens on loopback: a small box that signs, agents that relay, agents that take from them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.bridge import Member, Session, passes
from appliance.bridge.frame import DEFAULT_LIMIT, Decoder, Frame, encode
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.mesh import Mesh, Relay
from appliance.bridge.rooms import own_stream
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.mesh import Side
from appliance.screen.roads import Roads
from appliance.screen.ticket import Ticket
from appliance.types import Role
from tests.unit.screen.small_box import SmallBox

NAMES = ("near", "far", "late", "one", "two", "three")
NOWHERE = ("127.0.0.1:9",)


class SigningBox(SmallBox):
    """A small box whose sessions sign, as the bridge's do; it counts the screens connected to it."""

    def __init__(self, identity: Identity, key: str = "") -> None:
        super().__init__(identity, key)
        self.generation = 1
        self.mesh = Mesh(identity, self.generation)
        self.role: Role = "staff"
        self.room = ""
        self.connected: list[str] = []

    async def start_again(self) -> None:
        """Where it was; a screen that looked for it may hold the port for a moment."""
        async with asyncio.timeout(10):
            while True:
                try:
                    await self.start()
                    return
                except ApplianceError:
                    await asyncio.sleep(0.2)

    def forget(self) -> None:
        """What a restart of the bridge loses: the history; the generation grows."""
        self.generation += 1
        self.mesh = Mesh(self.identity, self.generation)

    async def _serve(self, connection: Connection) -> None:
        self.connected.append(connection.peer)
        admit: Callable[[dict[str, Any]], Member] = lambda said: self._let_in(connection, said)  # noqa: E731
        try:
            await Session(connection, self.streams, "Small", self._hear, None, admit, mesh=self.mesh).run()
        finally:
            self.connected.remove(connection.peer)

    def _let_in(self, connection: Connection, said: dict[str, Any]) -> Member:
        self._admit(said)
        return Member(connection.peer[:16], self.role, self.room, "", own_stream(self.room))

    def _hear(self, member: Member, said: dict[str, Any]) -> None:
        self.heard.put_nowait({**said, "role": member.role, "screen": member.screen})


class Altering:
    """A connection of a relay that does not pass on what it got: `change` sees every frame on its way to the peer."""

    def __init__(self, road: Connection, change: Callable[[Frame], Frame | None]) -> None:
        self._road = road
        self._change = change
        self.peer = road.peer

    async def send(self, raw: bytes) -> None:
        changed = [self._change(frame) for frame in Decoder().feed(raw)]
        await self._road.send(b"".join(encode(frame) for frame in changed if frame is not None))

    async def receive(self) -> Frame:
        return await self._road.receive()

    async def close(self, reason: str = "") -> None:
        await self._road.close(reason)


class Room:
    """The agents of a test, each with its own key below one folder."""

    def __init__(self, folder: Path, box: SigningBox) -> None:
        self.box = box
        self._keys = {name: load_or_create(folder / name / "iroh.key") for name in NAMES}

    def agent(
        self, name: str, *, via: tuple[Ticket, ...] = (), relays: bool = False, role: Role = "staff", near: bool = False
    ) -> Agent:
        """An agent that knows its box; one that is not `near` does not reach it, and has a pass already."""
        identity = self._keys[name]
        side = Side(identity, relay=Relay(identity.endpoint_id, 4) if relays else None)
        if not near:
            given = passes.issue(self.box.identity, identity.endpoint_id, role=role, name=name, room=self.box.room)
            side.pass_text = given
        place = self.box.ticket if near else Ticket(self.box.identity.endpoint_id, NOWHERE)
        peers: Callable[[], frozenset[str]] = lambda: side.relay.peers if side.relay else frozenset()  # noqa: E731
        roads = Roads(identity, place, faithful=True, frame_limit=DEFAULT_LIMIT, via=via, look=False, peers=peers)
        return Agent(roads, side=side)

    @asynccontextmanager
    async def door(self, agent: Agent, change: Callable[[Frame], Frame | None] | None = None) -> AsyncIterator[Ticket]:
        """A relaying agent's own door; with `change` it alters what it passes on."""
        relay = agent.side.relay
        assert relay is not None

        async def serve(road: Connection) -> None:
            await relay.serve(Altering(road, change) if change else road)

        listener = await listen(agent.side.identity, "127.0.0.1:0", serve, DEFAULT_LIMIT)
        try:
            yield Ticket(listener.endpoint_id, tuple(listener.addresses()[:1]))
        finally:
            await listener.close()


@asynccontextmanager
async def all_running(*agents: Agent) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
