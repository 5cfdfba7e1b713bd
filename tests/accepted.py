"""A WebSocket of a test's own server, as the bridge's transport wants it."""

from __future__ import annotations

from websockets.asyncio.server import ServerConnection


class Accepted:
    """Binary messages both ways."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def receive_bytes(self) -> bytes:
        message = await self._socket.recv()
        assert isinstance(message, bytes)
        return message

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await self._socket.close(code, reason or "")
