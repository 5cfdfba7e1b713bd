"""The bridge process: sources on one side, screens on the other, one stream of signals between them.

In order: make the streams; follow the change feed and the model's work; take the assistant's signals;
serve screens over Iroh (the local network) and over WebSocket (browsers, through the gateway).
"""

from __future__ import annotations

import asyncio
import gc
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from appliance.bridge import Member, Session, Streams, control, encode
from appliance.bridge.archive import Archive
from appliance.bridge.archive_road import ALPN as ARCHIVE
from appliance.bridge.archive_road import ArchiveServer
from appliance.bridge.discovery import announced
from appliance.bridge.forks import Forks
from appliance.bridge.identity import load_or_create
from appliance.bridge.limits import Limits
from appliance.bridge.mesh import Mesh, next_generation
from appliance.bridge.recorders import Recorders, Wanted
from appliance.bridge.sources import changes, inference, writer
from appliance.bridge.sources.screens import Screens, SetLimits
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import IrohListener, listen
from appliance.bridge.transports.ports import kept_port
from appliance.bridge.transports.websocket import WebSocketConnection
from appliance.config import Runtime, Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.services import bridge_recordings, bridge_screens, bridge_views, clients
from appliance.services.access import Access
from appliance.services.hearing import Hearing
from appliance.services.internal import Json, checked_role, essential, make_app, start
from appliance.services.joining import Joining
from appliance.services.offers import Offers
from appliance.services.past_zone import zone_of
from appliance.services.snapshots import Snapshots
from appliance.services.sockets import direct
from appliance.types import Role, rank

MAIN = "main"
COLLECT_S = 5.0
log = logger("bridge")


class Bridge:
    """What the process holds: streams, inputs on their way up, and the screens that are connected."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.settings = said = runtime.settings
        self.streams = Streams(self.settings.diffs_kept, _limits(self.settings), self.settings.streams_limit)
        self.streams.keep(MAIN)
        self.inputs = writer.Inputs()
        self.sets = Screens(_set_limits(self.settings))
        self.sessions: set[Session] = set()
        self.screens: dict[int, str] = {}
        self.sources: set[str] = set()
        self.iroh: IrohListener | None = None
        self.offers = Offers(self.settings, lambda: "assistant" in self.sources)
        self.snapshots = Snapshots(self.offers.pictures)
        self.client = clients.loopback_client(runtime)
        self.hearing = Hearing(runtime, self.client) if said.listening else None
        self._access = Access(runtime)
        self.joining = Joining(self.settings, self._access, self.streams)
        wanted = Wanted.read(said.record, said.record_roles, said.record_days, said.record_bytes)
        self.recorders = Recorders(
            self.streams, said.data / "recordings", wanted, said.box_name, zone_of(said.timezone)
        )
        self.streams.past = self.recorders.past
        self.forks = Forks(self.streams)
        self.archive = ArchiveServer(Archive([said.data / "recordings", said.data / "archive"]))

    async def archives(self, connection: Connection) -> None:
        """Serve one peer that fetches archives until it leaves."""
        await self.archive.serve(connection, lambda said: self._peer(connection, said))

    def _peer(self, connection: Connection, said: dict[str, Any]) -> Member:
        """Who fetches archives: a screen that is in, or who has a key. Nobody waits to be let in for that."""
        credential = str(said.get("credential") or "")
        known = self.joining.registry.find(f"iroh:{connection.peer}")
        if known is not None and not credential:
            return self.joining.member(known)
        return Member(connection.peer[:16], self._access.key_role(credential))

    async def receiver(self, connection: Connection, member: Member | None) -> None:
        """Serve one screen until it leaves."""
        if len(self.screens) >= self.settings.receivers_limit:
            await connection.close("BRG409")
            return
        self.screens[id(connection)] = member.screen if member else connection.peer
        log.info("screen joined", peer=connection.peer, screens=len(self.screens))
        admit = None if member else lambda said: self.joining.admit(connection, said)
        address = getattr(connection, "address", "")
        session = Session(
            connection,
            self.streams,
            self.settings.box_name,
            self.inputs.hear,
            member,
            admit,
            may=self.joining.may,
            met=lambda met: self.joining.arrived(met, session, address),
            offer=self.offers.offer,
            write=self.sets.set,
            mesh=self.joining.mesh,
            understanding=self.hearing,
        )
        self.sessions.add(session)
        try:
            await session.run()
        finally:
            self.sessions.discard(session)
            self.joining.left(session)
            del self.screens[id(connection)]
            log.info("screen left", peer=connection.peer, screens=len(self.screens))

    def browser(self, screen: str, role: Role) -> Member:
        """Who a browser is: a known screen, with its room; at most the role that the door gave."""
        known = self.joining.registry.screens.get(screen)
        if known is None:
            return Member(screen, role)
        member = self.joining.member(known)
        return msgspec.structs.replace(member, role=min(member.role, role, key=rank))

    async def source(self, connection: Connection, name: str, stream: str) -> None:
        """Serve one source until it leaves."""
        try:
            opened = self.streams.open(stream)
        except ApplianceError as error:
            await connection.send(encode(control("error", **error.shape())))
            await connection.close(error.code)
            return
        self.sources.add(name)
        log.info("source connected", source=name, stream=stream)
        try:
            with opened.usage.writing():
                await writer.run(connection, name, opened, self.inputs, self.streams.open, self.joining.done)
        finally:
            self.sources.discard(name)
            log.warn("source left", source=name)

    async def collect(self) -> None:
        """Forget what nobody uses any more, until cancelled."""
        while True:
            await asyncio.sleep(COLLECT_S)
            self.sets.collect({session.member.screen for session in self.sessions if session.member})
            for name in self.streams.collect(self.settings.stream_kept_s):
                log.info("stream collected", stream=name)

    async def told(self) -> dict[str, Any]:
        """What the health page shows of the bridge."""
        view = self.streams.open(MAIN).view("admin")
        return {
            "status": "ok",
            "screens": len(self.screens),
            "sources": sorted(self.sources),
            "streams": self.streams.names(),
            "signals": len(view.values),
            "version": view.version,
            "pictures": self.offers.pictures.count,
            "voice": await self.offers.voice.find() is not None,
            "endpoint_id": self.iroh.endpoint_id if self.iroh else None,
            "addresses": self.iroh.addresses() if self.iroh else [],
            "recording": self.recorders.told(),
        }


def make(runtime: Runtime) -> FastAPI:
    """The bridge's app."""
    bridge = Bridge(runtime)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await bridge.joining.load()
        async with _feeds(bridge), _network(bridge):
            yield
        await bridge.offers.pictures.close()
        await bridge.client.aclose()

    app = make_app("bridge", runtime, lifespan)
    app.state.endings = [bridge.joining.close]
    app.state.joining = bridge.joining

    @app.get("/health")
    async def health() -> Json:
        return Json(await bridge.told())

    @app.websocket("/ws")
    async def receiver(socket: WebSocket) -> None:
        async with _accepted(socket, runtime) as connection:
            role = checked_role(socket.headers.get("x-role"))
            await bridge.receiver(connection, bridge.browser(socket.headers.get("x-screen", "browser"), role))

    bridge_screens.install(app, bridge.joining)
    bridge_views.install(app, bridge)

    @app.websocket("/source/{name}")
    async def source(socket: WebSocket, name: str, stream: str = MAIN) -> None:
        async with _accepted(socket, runtime) as connection:
            await bridge.source(connection, name, stream)

    bridge_recordings.install(app, bridge)
    return app


@asynccontextmanager
async def _accepted(socket: WebSocket, runtime: Runtime) -> AsyncIterator[WebSocketConnection]:
    given = socket.headers.get("authorization", "").encode("latin-1")
    if not hmac.compare_digest(given, f"Bearer {runtime.token}".encode()):
        await socket.close(1008, "BRG401")
        raise WebSocketDisconnect(1008)
    await socket.accept()
    peer, limit = socket.headers.get("x-screen", "source"), runtime.settings.frame_limit
    yield WebSocketConnection(socket, peer, limit, direct(socket.scope))


@asynccontextmanager
async def _feeds(bridge: Bridge) -> AsyncIterator[None]:
    runtime, stream = bridge.runtime, bridge.streams.open(MAIN)
    headers = {"Authorization": f"Bearer {runtime.token}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        tasks = [
            essential("bridge", changes.run(client, f"{runtime.pgflex_url}/changes?role=admin&whole=", stream)),
            essential("bridge", inference.run(client, f"{runtime.llm_url}/events", stream)),
            essential("bridge", bridge.collect()),
            essential("bridge", bridge.recorders.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _network(bridge: Bridge) -> AsyncIterator[None]:
    settings = bridge.settings
    identity = await asyncio.to_thread(load_or_create, settings.data / "keys" / "iroh.key")
    bridge.joining.identity = identity
    number = await asyncio.to_thread(next_generation, settings.data / "keys" / "generation")
    await bridge.joining.vouch(Mesh(identity, number, allow=bridge.joining.allow))
    host = "0.0.0.0" if settings.lan else "127.0.0.1"  # noqa: S104 (--lan says so)
    port = settings.iroh_port or await asyncio.to_thread(kept_port, settings.data / "keys" / "iroh.port")

    async def met(connection: Connection) -> None:
        await bridge.receiver(connection, None)

    others = {ARCHIVE: bridge.archives}
    bridge.iroh = await listen(identity, f"{host}:{port}", met, settings.frame_limit, others)
    log.info("Iroh endpoint is up", id=bridge.iroh.endpoint_id, addresses=",".join(bridge.iroh.addresses()))
    try:
        name, iroh = settings.box_name, bridge.iroh
        told = announced(name, iroh.endpoint_id, iroh.addresses, lan=settings.lan) if settings.mdns else nullcontext()
        async with told:
            yield
    finally:
        await bridge.iroh.close()


def _limits(settings: Settings) -> Limits:
    return Limits(settings.stream_signals_limit, settings.signal_bytes_limit, settings.stream_bytes_limit)


def _set_limits(settings: Settings) -> SetLimits:
    """What screens may set; all together a quarter of a stream, so that the box's own signals keep their room."""
    most = SetLimits(settings.set_signals_limit, settings.set_bytes_limit, kept_s=settings.set_kept_s)
    everybody = (settings.stream_signals_limit // 4, settings.stream_bytes_limit // 4)
    return msgspec.structs.replace(most, all_signals=everybody[0], all_bytes=everybody[1])


def main() -> None:
    """Entry point of ``appliance-bridge``."""
    # Looking for cycles among the objects of a thousand receivers takes 100 ms, and there are hardly any: do it seldom.
    gc.set_threshold(100_000, 50, 100)
    start("bridge", make)


if __name__ == "__main__":
    main()
