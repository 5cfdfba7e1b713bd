"""A source for tests: writes a stream of a running box as one of its own processes does.

async with writing(box, "ward") as source:
    await source.signals({"box.facility": "Ward 3"})
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Frame, FrameType, encode
from appliance.bridge.sources.writer import write
from appliance.types import Role
from tests.box import Box


class Source:
    """One source's connection to the bridge."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def signals(self, values: dict[str, Any], audience: Role = "wall") -> None:
        """Say all that this source says to an audience."""
        await self._socket.send(write(FrameType.SIGNAL_SYNC, values, audience))

    async def viewer(self, page: bytes) -> None:
        """Give the stream a viewer of its own; an empty one takes it back."""
        await self._socket.send(encode(Frame(FrameType.APP, page), deflate=True))


def _runtime(box: Box) -> dict[str, Any]:
    """What the bridge was told at its start; the key between the box's processes is in nothing but their memory."""
    told = Path(f"/proc/{box.pids()['bridge']}/environ").read_bytes().split(b"\0")
    found: dict[str, Any] = json.loads(
        next(line for line in told if line.startswith(b"DREAMSTACK_RUNTIME=")).partition(b"=")[2]
    )
    return found


@asynccontextmanager
async def writing(box: Box, stream: str) -> AsyncIterator[Source]:
    """A source of a stream of this name."""
    runtime = _runtime(box)
    url = f"{runtime['bridge_url'].replace('http', 'ws', 1)}/source/test?stream={quote(stream)}"
    headers = {"Authorization": f"Bearer {runtime['token']}"}
    async with connect(url, additional_headers=headers, compression=None, proxy=None) as socket:
        yield Source(socket)
