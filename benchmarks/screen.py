"""A screen without a picture: speaks the bitstream over a WebSocket and notes when each frame arrived.

async with connected(box.url) as screen:
    await screen.ask("How many beds are free?")
    heard = await screen.until(lambda values: "answers.order" in values)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Copy, Decoder, FrameType, control, diff, encode, input_frame

PING_S = 2.0
WAIT_S = 30.0
Values = dict[str, Any]


class Heard(msgspec.Struct, frozen=True):
    """Signals that a frame set, and when it arrived on the clock of ``time.perf_counter``."""

    at: float
    values: Values


class Refused(Exception):
    """The box told this screen an error."""


class Screen:
    """One connection; what it has heard waits until :meth:`until` looks at it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._copy = Copy()
        self._decoder = Decoder()
        self._heard: asyncio.Queue[Heard | Exception] = asyncio.Queue()
        self.subscribed = asyncio.Event()

    @property
    def values(self) -> Values:
        """Every signal as it is now."""
        return self._copy.values

    async def ask(self, question: str) -> None:
        """Send a question up; the answer comes as signals."""
        await self._socket.send(encode(input_frame("ask", question=question)))

    async def until(self, wanted: Callable[[Values], bool]) -> Heard:
        """The next frame whose signals `wanted` accepts; those before it are dropped.

        Raises:
            TimeoutError: it did not come within 30 s.
            Refused: the box told an error instead.
        """
        async with asyncio.timeout(WAIT_S):
            while True:
                heard = await self._heard.get()
                if isinstance(heard, Exception):
                    raise heard
                if wanted(heard.values):
                    return heard

    def forget(self) -> None:
        """Drop what was heard and not looked at."""
        while not self._heard.empty():
            self._heard.get_nowait()

    async def listen(self) -> None:
        """Read frames until the connection ends."""
        async for message in self._socket:
            at = time.perf_counter()
            assert isinstance(message, bytes)
            for frame in self._decoder.feed(message):
                self._take(at, FrameType(frame.type), frame.json())
        self._heard.put_nowait(Refused("The box closed the connection."))

    def _take(self, at: float, kind: FrameType, said: Values) -> None:
        if kind == FrameType.SIGNAL_SYNC:
            before = self._copy.values
            self._copy.sync(said)
            self._heard.put_nowait(Heard(at, diff(before, self._copy.values).values))
        elif kind == FrameType.SIGNAL_DIFF:
            self._copy.diff(said)
            self._heard.put_nowait(Heard(at, said))
        elif said.get("type") == "subscribed":
            self.subscribed.set()
        elif said.get("type") == "error":
            self._heard.put_nowait(Refused(f"{said.get('code')} {said.get('message')}"))

    async def ping(self) -> None:
        """Tell the box every 2 s that this screen is there."""
        while True:
            await asyncio.sleep(PING_S)
            await self._socket.send(encode(control("ping", t=0)))

    async def subscribe(self) -> None:
        """Ask for the box's stream."""
        await self._socket.send(encode(control("subscribe", stream="main")))
        async with asyncio.timeout(WAIT_S):
            await self.subscribed.wait()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Screen]:
    """A screen that has the whole state and is live.

    Args:
        url: the box's address, ``http://127.0.0.1:8080``.
    """
    address = url.replace("http", "ws", 1) + "/ws"
    async with connect(address, compression=None, proxy=None, max_size=None) as socket:
        screen = Screen(socket)
        tasks = [asyncio.create_task(screen.listen()), asyncio.create_task(screen.ping())]
        try:
            await screen.subscribe()
            yield screen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
