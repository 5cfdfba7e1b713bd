"""The server's end of a WebSocket under the services' own server: direct writing, and peers that do not read."""

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

from appliance.bridge.fanout import Parcel
from appliance.bridge.frame import Frame, FrameType, decode, encode
from appliance.bridge.transports.websocket import WebSocketConnection, message_head
from appliance.services.sockets import SocketProtocol, direct
from tests.box import free_port

LIMIT = 8_000_000


@asynccontextmanager
async def client(
    serve: Callable[[WebSocketConnection, SocketProtocol], Awaitable[None]],
) -> AsyncIterator[websockets.ClientConnection]:
    """A client of a server that does `serve` with each connection."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        road = direct(socket.scope)
        assert road is not None
        try:
            await serve(WebSocketConnection(socket, "x", LIMIT, road), road)
            ended.set_result(None)
        except Exception as error:
            ended.set_exception(error)

    port = free_port()
    app = Starlette(routes=[WebSocketRoute("/ws", endpoint)])
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="error", lifespan="off", ws=SocketProtocol)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    running = asyncio.create_task(server.main_loop())
    try:
        async with asyncio.timeout(10):
            async with websockets.connect(
                f"ws://127.0.0.1:{port}/ws", proxy=None, max_size=None, max_queue=1, compression=None
            ) as connected:
                yield connected
                await ended
    finally:
        server.should_exit = True
        await running
        await server.shutdown()


@pytest.mark.parametrize("size", [1, 109, 110, 65_519, 65_520, 200_000])
async def test_what_is_written_directly_is_a_message(size: int) -> None:
    payload = b"x" * size

    async def serve(connection: WebSocketConnection, _: SocketProtocol) -> None:
        assert connection.send_now(Parcel(FrameType.SIGNAL_DIFF, payload, 0, 0), 5)
        await connection.receive()

    async with client(serve) as far:
        message = await far.recv()
        assert isinstance(message, bytes)
        assert decode(message, LIMIT) == Frame(FrameType.SIGNAL_DIFF, payload, seq=5)
        await far.send(encode(Frame(FrameType.CONTROL, b"{}")))


async def test_for_a_peer_that_does_not_read_one_frame_is_kept() -> None:
    parcel, kept, taken = Parcel(FrameType.SIGNAL_DIFF, b"x" * 100_000, 0, 0), [], [0]

    async def serve(connection: WebSocketConnection, road: SocketProtocol) -> None:
        for _ in range(200):
            taken[0] += connection.send_now(parcel, 0)
            kept.append(road.transport.get_write_buffer_size())
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                for _ in range(200):  # the kernel of the peer takes some megabytes; then whoever sends waits
                    await connection.send(parcel.frame(0))
                    kept.append(road.transport.get_write_buffer_size())
                    taken[0] += 1
        told.set()
        await connection.receive()

    told = asyncio.Event()
    async with client(serve) as far:
        far.transport.pause_reading()
        await told.wait()
        far.transport.resume_reading()
        for _ in range(taken[0]):
            assert len(await far.recv()) == parcel.size
        await far.send(encode(Frame(FrameType.CONTROL, b"{}")))
    assert taken[0] < 200
    assert 0 < max(kept) <= parcel.size + 10


async def test_nothing_is_written_to_who_has_left() -> None:
    async def serve(connection: WebSocketConnection, road: SocketProtocol) -> None:
        with pytest.raises(Exception):  # noqa: B017 (that it is gone, however it is said)
            await connection.receive()
        assert not road.is_free()
        assert not connection.send_now(Parcel(FrameType.SIGNAL_DIFF, b"{}", 0, 0), 0)

    async with client(serve) as far:
        await far.close()


async def test_many_small_messages_arrive_whole_and_in_order() -> None:
    async def serve(connection: WebSocketConnection, _: SocketProtocol) -> None:
        for step in range(200):
            assert (await connection.receive()).payload == b"%d" % step

    async with client(serve) as far:
        for step in range(200):
            await far.send(encode(Frame(FrameType.CONTROL, b"%d" % step)))


def test_another_server_has_no_direct_road() -> None:
    assert direct({"extensions": {}}) is None
    assert direct({}) is None


def test_heads_of_messages() -> None:
    assert [len(message_head(size)) for size in (0, 125, 126, 65_535, 65_536)] == [2, 2, 4, 4, 10]
