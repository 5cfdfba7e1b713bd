"""The bridge's own session behind a WebSocket, for receivers that are programs of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from appliance.bridge import Member, Session, Streams
from appliance.bridge.sources.screens import Screens, SetLimits
from appliance.bridge.transports.websocket import WebSocketConnection
from tests.accepted import Accepted

KEY = "the board's key"


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
