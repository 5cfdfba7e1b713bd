"""A screen that only shows pixels and plays samples, for tests: the frames as they come, over either transport.

async with over_websocket(box) as screen:
    await screen.subscribe(pixels={"width": 64, "height": 32})
    await screen.until(lambda: screen.picture.data)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Decoder, Frame, FrameType, control, encode, input_frame
from appliance.bridge.frame import DEFAULT_LIMIT, KEYFRAME
from appliance.bridge.identity import load_or_create
from appliance.bridge.pixels import Picture
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports.iroh import dial
from tests.box import Box
from tests.receiver import PING_S, socket_url

SIGNALS = (FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF)


class DumbScreen:
    """What one screen was sent.

    Attributes:
        picture: what it shows.
        frames: every frame but CONTROL, in order.
        said: the CONTROL frames, in order.
    """

    def __init__(self, send: Callable[[bytes], Any]) -> None:
        self.picture = Picture()
        self.frames: list[Frame] = []
        self.said: list[dict[str, Any]] = []
        self._send = send
        self._news = asyncio.Event()

    def take(self, frame: Frame) -> None:
        """A frame that arrived."""
        if frame.type == FrameType.CONTROL:
            self.said.append(frame.json())
        else:
            self.frames.append(frame)
        if frame.type in (FrameType.PIXELS, FrameType.PIXELS_DELTA):
            self.picture.take(frame)
        self._news.set()

    async def send(self, frame: Frame) -> None:
        """Send a frame up."""
        await self._send(encode(frame))

    async def subscribe(self, **wishes: Any) -> None:
        """Subscribe and wait until that is done, or refused."""
        before = len(self.said)
        await self.send(control("subscribe", stream="main", **wishes))
        await self.until(lambda: any(said["type"] in ("subscribed", "error") for said in self.said[before:]))

    async def ask(self, question: str) -> None:
        """Ask as a screen with a keyboard does."""
        await self.send(input_frame("ask", question=question))

    async def until(self, met: Callable[[], Any], timeout_s: float = 15) -> None:
        """Wait until what was sent is as `met` wants it."""
        async with asyncio.timeout(timeout_s):
            while not met():
                self._news.clear()
                await self._news.wait()

    def kinds(self) -> list[int]:
        """The types of the frames, in order."""
        return [frame.type for frame in self.frames]

    def sound(self) -> list[Frame]:
        """The AUDIO frames since the last one that began a text."""
        heard = [frame for frame in self.frames if frame.type == FrameType.AUDIO]
        begun = [index for index, frame in enumerate(heard) if frame.flags & KEYFRAME]
        return heard[begun[-1] :] if begun else []

    async def ping(self) -> None:
        """Show the box that this screen is there, until cancelled."""
        while True:
            await asyncio.sleep(PING_S)
            await self.send(control("ping", t=0))


@asynccontextmanager
async def over_websocket(box: Box, role: str = "wall") -> AsyncIterator[DumbScreen]:
    """A screen on a WebSocket of the box's public door."""
    async with connect(socket_url(box.url, role), compression=None, proxy=None, max_size=None) as socket:
        screen = DumbScreen(socket.send)
        async with _running(screen, _from_socket(socket, screen)):
            yield screen


@asynccontextmanager
async def over_iroh(box: Box, folder: Path, role: str = "wall") -> AsyncIterator[DumbScreen]:
    """A screen on Iroh, with the key of a role."""
    endpoint_id, _, address = box.ticket().partition("@")
    identity = await asyncio.to_thread(load_or_create, folder / "screen.key")
    road = await dial(identity, endpoint_id, [address], 5, DEFAULT_LIMIT)
    screen = DumbScreen(road.send)
    async with _running(screen, _from_road(road, screen)):
        await screen.send(control("hello", version=1, kind="wall", credential=box.key(role)))
        yield screen
    await road.close()


@asynccontextmanager
async def _running(screen: DumbScreen, listening: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(listening), asyncio.create_task(screen.ping())]
    try:
        yield
        if tasks[0].done():
            tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _from_socket(socket: ClientConnection, screen: DumbScreen) -> None:
    decoder = Decoder()
    async for message in socket:
        assert isinstance(message, bytes)
        for frame in decoder.feed(message):
            screen.take(frame)


async def _from_road(road: Connection, screen: DumbScreen) -> None:
    try:
        while True:
            screen.take(await road.receive())
    except ConnectionLost:
        return
