"""The measuring screen against the real session of the bridge, over a real WebSocket."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from appliance.bridge import Frame, Member, Session, Stream, Streams, decode
from appliance.bridge.transports import ConnectionLost
from appliance.types import Signal
from benchmarks.screen import Refused, connected


class Road:
    """A transport over the library's own server socket."""

    peer = "test"

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def send(self, raw: bytes) -> None:
        await self._socket.send(raw)

    async def receive(self) -> Frame:
        async for message in self._socket:
            assert isinstance(message, bytes)
            return decode(message)
        raise ConnectionLost("gone")

    async def close(self, reason: str = "") -> None:
        await self._socket.close(1000, reason)


class SmallBox:
    """A stream, what screens sent up, and the address of both."""

    def __init__(self) -> None:
        self.streams = Streams()
        self.stream: Stream = self.streams.open("main")
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sockets: list[ServerConnection] = []
        self.url = ""

    async def met(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        member = Member("test", "staff")
        await Session(Road(socket), self.streams, "box", lambda _, said: self.heard.put_nowait(said), member).run()


@asynccontextmanager
async def small_box() -> AsyncIterator[SmallBox]:
    box = SmallBox()
    box.stream.write("test", [Signal("beds.free", 7), Signal("box.name", "Small")])
    async with serve(box.met, "127.0.0.1", 0, compression=None) as server:
        box.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield box


async def test_a_connected_screen_has_the_whole_state() -> None:
    async with small_box() as box, connected(box.url) as screen:
        assert screen.values == {"beds.free": 7, "box.name": "Small"}


async def test_a_change_is_heard_once_and_after_it_was_made() -> None:
    async with small_box() as box, connected(box.url) as screen:
        screen.forget()
        began = time.perf_counter()
        box.stream.write("test", [Signal("beds.free", 6)])
        heard = await screen.until(lambda values: "beds.free" in values)
        assert heard.values["beds.free"] == 6
        assert heard.at > began
        assert screen.values["beds.free"] == 6


async def test_what_is_not_wanted_is_passed_over() -> None:
    async with small_box() as box, connected(box.url) as screen:
        for free in (6, 5, 4):
            box.stream.write("test", [Signal("beds.free", free)])
            await asyncio.sleep(0.01)
        assert (await screen.until(lambda values: values.get("beds.free") == 4)).values["beds.free"] == 4


async def test_a_question_goes_up() -> None:
    async with small_box() as box, connected(box.url) as screen:
        await screen.ask("How many beds are free?")
        async with asyncio.timeout(5):
            assert await box.heard.get() == {"type": "ask", "question": "How many beds are free?"}


async def test_a_closed_connection_ends_the_wait() -> None:
    async with small_box() as box, connected(box.url) as screen:
        screen.forget()
        await box.sockets[0].close()
        with pytest.raises(Refused, match="closed the connection"):
            await screen.until(lambda values: "beds.free" in values)
