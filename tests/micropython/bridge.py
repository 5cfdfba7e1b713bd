"""The bridge's own session behind a WebSocket, for receivers that are programs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from appliance.bridge import Member, Session, Streams
from appliance.bridge.sources.screens import Screens, SetLimits
from appliance.bridge.transports.websocket import WebSocketConnection

KEY = "the board's key"


class Accepted:
    """A WebSocket of the test's server, as the bridge's transport wants it."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def receive_bytes(self) -> bytes:
        message = await self._socket.recv()
        assert isinstance(message, bytes)
        return message

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await self._socket.close(code, reason or "")


@asynccontextmanager
async def bridge(streams: Streams) -> AsyncIterator[int]:
    """The bridge for one kind of screen, a wall called ``board``; gives its port."""
    write = Screens(SetLimits()).set

    async def meet(socket: ServerConnection) -> None:
        assert socket.request is not None
        if socket.request.headers.get("Authorization") != f"Bearer {KEY}":
            await socket.close(1008, "BRG401")
            return
        road = WebSocketConnection(Accepted(socket), "board", 1_000_000)
        await Session(road, streams, "Box", lambda *_: None, Member("board", "wall"), write=write).run()

    async with serve(meet, "127.0.0.1", 0, ping_interval=0.2, compression=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]
