"""Frames between two ends of one process: the twin of the real transports for unit tests.

>>> here, there = pair()
"""

from __future__ import annotations

import asyncio
from collections import deque

from appliance.bridge.frame import DEFAULT_LIMIT, Decoder, Frame
from appliance.bridge.transports import ConnectionLost


class MemoryConnection:
    """One end of a :func:`pair`. `room` bounds what may wait to be read, so that a slow reader slows the writer."""

    def __init__(self, peer: str, inbox: asyncio.Queue[bytes | None], outbox: asyncio.Queue[bytes | None]) -> None:
        self._peer = peer
        self._inbox = inbox
        self._outbox = outbox
        self._decoder = Decoder(DEFAULT_LIMIT)
        self._frames: deque[Frame] = deque()
        self._closed = False

    @property
    def peer(self) -> str:
        """The name given to the other end."""
        return self._peer

    async def send(self, raw: bytes) -> None:
        """Hand over encoded frames; waits while the other end does not read."""
        if self._closed:
            raise ConnectionLost("closed")
        await self._outbox.put(raw)

    async def receive(self) -> Frame:
        """The next frame."""
        while not self._frames:
            piece = await self._inbox.get()
            if piece is None or self._closed:
                self._closed = True
                raise ConnectionLost("closed by the other end")
            self._frames.extend(self._decoder.feed(piece))
        return self._frames.popleft()

    async def close(self, reason: str = "") -> None:
        """End both directions."""
        if not self._closed:
            self._closed = True
            for queue in (self._outbox, self._inbox):
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(None)


def pair(room: int = 1000) -> tuple[MemoryConnection, MemoryConnection]:
    """Two connected ends; `room` pieces may wait in each direction."""
    one: asyncio.Queue[bytes | None] = asyncio.Queue(room)
    other: asyncio.Queue[bytes | None] = asyncio.Queue(room)
    return MemoryConnection("there", one, other), MemoryConnection("here", other, one)
