"""A screen for tests: the box's own codec over a WebSocket, and a copy of the signals that keeps up by itself.

async with joined(box.url) as screen:
    await screen.until(lambda signals: signals.get("box.name"))
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Copy, Decoder, Frame, FrameType, control, encode, input_frame

PING_S = 2.0
Signals = Mapping[str, Any]


class Receiver:
    """What one screen has been told.

    Attributes:
        hello: the box's hello.
        errors: CONTROL errors, in order.
        acks: refs of the inputs that are done, in order.
        history: for each signal the values it has had, in order.
        raw: every byte that reached it.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.hello: dict[str, Any] = {}
        self.errors: list[dict[str, Any]] = []
        self.acks: list[str] = []
        self.history: dict[str, list[Any]] = {}
        self.raw = bytearray()
        self._socket = socket
        self._copy = Copy()
        self._news = asyncio.Event()
        self.subscribed = asyncio.Event()

    @property
    def signals(self) -> Signals:
        """The signals as they are now."""
        return self._copy.values

    async def listen(self) -> None:
        """Take frames until the box closes."""
        decoder = Decoder()
        try:
            async for message in self._socket:
                assert isinstance(message, bytes)
                self.raw += message
                for frame in decoder.feed(message):
                    await self._take(frame)
                self._news.set()
        except websockets.ConnectionClosed:
            pass

    async def _take(self, frame: Frame) -> None:
        said = frame.json()
        if frame.type == FrameType.CONTROL:
            await self._control(said)
            return
        (self._copy.sync if frame.type == FrameType.SIGNAL_SYNC else self._copy.diff)(said)
        for name in said.keys() - {"$"}:
            self.history.setdefault(name, []).append(said[name])

    async def _control(self, said: dict[str, Any]) -> None:
        if said["type"] == "hello":
            self.hello = said
            await self.send(control("subscribe", stream="main"))
        elif said["type"] == "subscribed":
            self.subscribed.set()
        elif said["type"] == "error":
            self.errors.append(said)
        elif said["type"] == "ack":
            self.acks.append(said["ref"])

    async def ping(self) -> None:
        """Show the box that this screen is there, until cancelled."""
        while True:
            await asyncio.sleep(PING_S)
            await self.send(control("ping", t=0))

    async def send(self, frame: Frame) -> None:
        """Send a frame up."""
        await self._socket.send(encode(frame))

    async def ask(self, question: str, **more: Any) -> None:
        """Ask as a page does."""
        await self.send(input_frame("ask", question=question, **more))

    async def until(self, met: Callable[[Signals], Any], timeout_s: float = 10) -> float:
        """Wait until the signals are as `met` wants them; returns the seconds that took."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                while not met(self.signals):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(
                f"not so within {timeout_s:g} s; errors: {self.errors}; {dict(self.signals)}"
            ) from None
        return time.monotonic() - began

    async def answer_to(self, question: str, timeout_s: float = 15) -> dict[str, Any]:
        """The finished answer to a question, by the short names of its signals, ``id`` too."""

        def done(signals: Signals) -> str | None:
            for name, value in signals.items():
                if name.endswith(".question") and value == question and name[:-8] + "status" in signals:
                    return name.split(".")[1]
            return None

        await self.until(done, timeout_s)
        return self.answer(str(done(self.signals)))

    def answer(self, answer_id: str) -> dict[str, Any]:
        """The signals ``answer.<id>.*`` by their short names, and the id."""
        prefix = f"answer.{answer_id}."
        found = {name.removeprefix(prefix): value for name, value in self.signals.items() if name.startswith(prefix)}
        return found | {"id": answer_id}


def socket_url(url: str, role: str = "") -> str:
    """The address of the box's WebSocket."""
    return url.replace("http", "ws", 1) + "/ws" + (f"?role={role}" if role else "")


@asynccontextmanager
async def joined(url: str, role: str = "", **headers: str) -> AsyncIterator[Receiver]:
    """A screen that is connected, subscribed and caught up; it may not fall behind or be left dangling."""
    async with joined_over(url, None, headers, role) as receiver:
        yield receiver


@asynccontextmanager
async def joined_over(
    url: str, context: ssl.SSLContext | None, headers: Mapping[str, str], role: str = ""
) -> AsyncIterator[Receiver]:
    """The same, over TLS that `context` trusts."""
    async with connect(
        socket_url(url, role), additional_headers=headers, compression=None, proxy=None, ssl=context
    ) as socket:
        receiver = Receiver(socket)
        tasks = [asyncio.create_task(receiver.listen()), asyncio.create_task(receiver.ping())]
        try:
            async with asyncio.timeout(10):
                await receiver.subscribed.wait()
            yield receiver
            if tasks[0].done():
                tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
