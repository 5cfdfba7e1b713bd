"""The bridge process: sources on one side, screens on the other, one stream of signals between them.

In order: make the streams; follow the change feed and the model's work; take the assistant's signals;
serve screens over Iroh (the local network) and over WebSocket (browsers, through the gateway).
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from appliance.bridge import Member, Session, Streams
from appliance.bridge.discovery import announcing
from appliance.bridge.identity import load_or_create
from appliance.bridge.mesh import Mesh, next_generation
from appliance.bridge.sources import changes, inference, writer
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import IrohListener, listen
from appliance.bridge.transports.websocket import WebSocketConnection
from appliance.config import Runtime
from appliance.observation import logger
from appliance.services.access import Access
from appliance.services.internal import Json, checked_role, essential, make_app, start

MAIN = "main"
log = logger("bridge")


class Bridge:
    """What the process holds: streams, inputs on their way up, and the screens that are connected."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.settings = runtime.settings
        self.streams = Streams(self.settings.diffs_kept)
        self.streams.open(MAIN)
        self.inputs = writer.Inputs()
        self.screens: dict[int, str] = {}
        self.sources: set[str] = set()
        self.iroh: IrohListener | None = None
        self.mesh: Mesh | None = None
        self._access = Access(runtime)

    async def receiver(self, connection: Connection, member: Member | None) -> None:
        """Serve one screen until it leaves."""
        if len(self.screens) >= self.settings.receivers_limit:
            await connection.close("BRG409")
            return
        self.screens[id(connection)] = member.screen if member else connection.peer
        log.info("screen joined", peer=connection.peer, screens=len(self.screens))
        try:
            admit = None if member else lambda said: self._admit(connection, said)
            name, hear = self.settings.box_name, self.inputs.hear
            await Session(connection, self.streams, name, hear, member, admit, self.mesh).run()
        finally:
            del self.screens[id(connection)]
            log.info("screen left", peer=connection.peer, screens=len(self.screens))

    def _admit(self, connection: Connection, said: dict[str, Any]) -> Member:
        role = self._access.key_role(str(said.get("credential") or ""))
        return Member(connection.peer[:16], role)

    async def source(self, connection: Connection, name: str, stream: str) -> None:
        """Serve one source until it leaves."""
        self.sources.add(name)
        log.info("source connected", source=name, stream=stream)
        try:
            await writer.run(connection, name, self.streams.open(stream), self.inputs)
        finally:
            self.sources.discard(name)
            log.warn("source left", source=name)

    def told(self) -> dict[str, Any]:
        """What the health page shows of the bridge."""
        view = self.streams.open(MAIN).view("admin")
        return {
            "status": "ok",
            "screens": len(self.screens),
            "sources": sorted(self.sources),
            "streams": self.streams.names(),
            "signals": len(view.values),
            "version": view.version,
            "endpoint_id": self.iroh.endpoint_id if self.iroh else None,
            "addresses": self.iroh.addresses() if self.iroh else [],
        }


def make(runtime: Runtime) -> FastAPI:
    """The bridge's app."""
    bridge = Bridge(runtime)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with _feeds(bridge), _network(bridge):
            yield

    app = make_app("bridge", runtime, lifespan)

    @app.get("/health")
    async def health() -> Json:
        return Json(bridge.told())

    @app.websocket("/ws")
    async def receiver(socket: WebSocket) -> None:
        async with _accepted(socket, runtime) as connection:
            role = checked_role(socket.headers.get("x-role"))
            await bridge.receiver(connection, Member(socket.headers.get("x-screen", "browser"), role))

    @app.websocket("/source/{name}")
    async def source(socket: WebSocket, name: str, stream: str = MAIN) -> None:
        async with _accepted(socket, runtime) as connection:
            await bridge.source(connection, name, stream)

    return app


@asynccontextmanager
async def _accepted(socket: WebSocket, runtime: Runtime) -> AsyncIterator[WebSocketConnection]:
    given = socket.headers.get("authorization", "").encode("latin-1")
    if not hmac.compare_digest(given, f"Bearer {runtime.token}".encode()):
        await socket.close(1008, "BRG401")
        raise WebSocketDisconnect(1008)
    await socket.accept()
    yield WebSocketConnection(socket, socket.headers.get("x-screen", "source"), runtime.settings.frame_limit)


@asynccontextmanager
async def _feeds(bridge: Bridge) -> AsyncIterator[None]:
    runtime, stream = bridge.runtime, bridge.streams.open(MAIN)
    headers = {"Authorization": f"Bearer {runtime.token}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        tasks = [
            essential("bridge", changes.run(client, f"{runtime.pgflex_url}/changes?role=admin&whole=", stream)),
            essential("bridge", inference.run(client, f"{runtime.llm_url}/events", stream)),
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
    bridge.mesh = Mesh(identity, await asyncio.to_thread(next_generation, settings.data / "keys" / "generation"))
    host = "0.0.0.0" if settings.lan else "127.0.0.1"  # noqa: S104 (--lan says so)
    port = settings.iroh_port or await asyncio.to_thread(_kept_port, settings.data / "keys" / "iroh.port")

    async def met(connection: Connection) -> None:
        await bridge.receiver(connection, None)

    bridge.iroh = await listen(identity, f"{host}:{port}", met, settings.frame_limit)
    log.info("Iroh endpoint is up", id=bridge.iroh.endpoint_id, addresses=",".join(bridge.iroh.addresses()))
    try:
        async with _announced(bridge, bridge.iroh):
            yield
    finally:
        await bridge.iroh.close()


@asynccontextmanager
async def _announced(bridge: Bridge, iroh: IrohListener) -> AsyncIterator[None]:
    settings = bridge.settings
    tasks: list[asyncio.Task[None]] = []
    if settings.mdns:
        telling = announcing(settings.box_name, iroh.endpoint_id, iroh.addresses, lan=settings.lan)
        tasks.append(asyncio.create_task(telling))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _kept_port(path: Path) -> int:
    """The UDP port of earlier starts, so that a screen finds the box where it was."""
    with suppress(OSError, ValueError):
        return int(path.read_text())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    path.write_text(str(port))
    return port


def main() -> None:
    """Entry point of ``appliance-bridge``."""
    start("bridge", make)


if __name__ == "__main__":
    main()
