"""A receiver of the bridge that behaves: keeps its copy, asks for the whole state when it must, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import websockets
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Copy, Decoder, Frame, FrameType, control, encode
from appliance.errors import ApplianceError
from benchmarks.peers import Server
from benchmarks.wires import STREAM

PING_S: Final = 2.0
BACK_S: Final = 0.25


class Stayer:
    """One receiver.

    Attributes:
        syncs: whole states that it was sent.
    """

    def __init__(self, server: Server) -> None:
        self._url = f"ws://127.0.0.1:{server.port}/ws"
        self._headers = {"Authorization": f"Bearer {server.token}", "X-Role": "staff"}
        self._copy = Copy()
        self.syncs = 0

    @property
    def values(self) -> dict[str, Any]:
        """The signals as it has them."""
        return self._copy.values

    async def run(self) -> None:
        """Receive until cancelled."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with connect(
                    self._url, additional_headers=self._headers, compression=None, proxy=None, ping_interval=None
                ) as road:
                    await self._follow(road)
            await asyncio.sleep(BACK_S)

    async def _follow(self, road: ClientConnection) -> None:
        await road.send(encode(control("subscribe", stream=STREAM, e=self._copy.epoch, v=self._copy.version)))
        pinging = asyncio.create_task(self._ping(road))
        decoder = Decoder()
        try:
            async for message in road:
                for frame in decoder.feed(message if isinstance(message, bytes) else message.encode()):
                    await self._take(road, frame)
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _take(self, road: ClientConnection, frame: Frame) -> None:
        if frame.type == FrameType.SIGNAL_SYNC:
            self.syncs += 1
            self._copy.sync(frame.json())
        elif frame.type == FrameType.SIGNAL_DIFF:
            try:
                self._copy.diff(frame.json())
            except ApplianceError:
                await road.send(encode(control("need_sync")))

    async def _ping(self, road: ClientConnection) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await road.send(encode(control("ping", t=0)))
