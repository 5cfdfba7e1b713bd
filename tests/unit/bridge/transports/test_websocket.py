"""Frames over a real WebSocket: a server of the box's own kind, and a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from appliance.bridge.frame import Frame, FrameType, control, decode, encode
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports.websocket import POLICY_VIOLATION, WebSocketConnection
from appliance.errors import ApplianceError
from tests.box import free_port

Serve = Callable[[Connection], Awaitable[None]]
LIMIT = 1000


@asynccontextmanager
async def client(serve: Serve) -> AsyncIterator[websockets.ClientConnection]:
    """A client of a server that does `serve` with each connection; what `serve` raises is raised here."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await serve(WebSocketConnection(socket, "lobby", LIMIT))
            ended.set_result(None)
        except Exception as error:
            ended.set_exception(error)

    port = free_port()
    app = Starlette(routes=[WebSocketRoute("/ws", endpoint)])
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="error", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    running = asyncio.create_task(server.main_loop())
    try:
        async with asyncio.timeout(10), websockets.connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as connected:
            yield connected
            await ended
    finally:
        server.should_exit = True
        await running
        await server.shutdown()


async def test_frames_go_both_ways() -> None:
    async def echo(connection: Connection) -> None:
        assert connection.peer == "lobby"
        for _ in range(3):
            await connection.send(encode(await connection.receive()))

    async with client(echo) as socket:
        for n in range(3):
            await socket.send(encode(control("ping", t=n)))
        answers = [await socket.recv() for _ in range(3)]
    assert [decode(raw).json()["t"] for raw in answers if isinstance(raw, bytes)] == [0, 1, 2]


async def test_a_message_may_hold_several_frames_and_a_frame_several_messages() -> None:
    heard: list[bytes] = []

    async def listen(connection: Connection) -> None:
        heard.extend([(await connection.receive()).payload for _ in range(3)])

    async with client(listen) as socket:
        await socket.send(encode(Frame(FrameType.APP, b"one")) + encode(Frame(FrameType.APP, b"two")))
        raw = encode(Frame(FrameType.APP, b"three"))
        await socket.send(raw[:10])
        await socket.send(raw[10:])
    assert heard == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("a text", "SIG300"),
        (b"\x31\x80" + bytes(14), "SIG301"),
        (encode(Frame(FrameType.APP, bytes(LIMIT + 1))), "SIG302"),
    ],
)
async def test_what_cannot_be_read_is_told(message: str | bytes, code: str) -> None:
    async def listen(connection: Connection) -> None:
        with pytest.raises(ApplianceError, match=code):
            await connection.receive()

    async with client(listen) as socket:
        await socket.send(message)


async def test_a_peer_that_left_is_lost_to_reading_writing_and_closing() -> None:
    async def listen(connection: Connection) -> None:
        with pytest.raises(ConnectionLost):
            await connection.receive()
        with pytest.raises(ConnectionLost):
            await connection.receive()
        with pytest.raises(ConnectionLost):
            for _ in range(100):
                await connection.send(encode(control("ping")))
                await asyncio.sleep(0.01)
        with pytest.raises(ConnectionLost):
            await connection.close()

    async with client(listen) as socket:
        await socket.close()


async def test_a_peer_that_was_cut_off_is_lost() -> None:
    async def listen(connection: Connection) -> None:
        with pytest.raises(ConnectionLost):
            await connection.receive()

    async with client(listen) as socket:
        socket.transport.abort()


@pytest.mark.parametrize(("reason", "code"), [("", 1000), ("BRG409", POLICY_VIOLATION), ("é" * 200, POLICY_VIOLATION)])
async def test_closing_tells_the_peer_why(reason: str, code: int) -> None:
    async def leave(connection: Connection) -> None:
        await connection.close(reason)

    async with client(leave) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code
        assert (socket.close_reason or "")[:6] == reason[:6]
