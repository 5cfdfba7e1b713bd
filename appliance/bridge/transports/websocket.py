"""Frames over a WebSocket that the bridge's service accepted: one binary message holds whole frames.

The web framework stays outside: anything with ``receive_bytes``, ``send_bytes`` and ``close`` will do.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from appliance.bridge.frame import Decoder, Frame
from appliance.bridge.transports import ConnectionLost
from appliance.errors import ApplianceError

POLICY_VIOLATION = 1008


class Socket(Protocol):
    """What is asked of the web framework's socket; any exception it raises means the peer is gone."""

    async def receive_bytes(self) -> bytes:
        """One binary message."""
        ...

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message."""
        ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the socket."""
        ...


class WebSocketConnection:
    """A :class:`~appliance.bridge.transports.Connection` over an accepted WebSocket."""

    def __init__(self, socket: Socket, peer: str, frame_limit: int) -> None:
        self._socket = socket
        self._peer = peer
        self._decoder = Decoder(frame_limit)
        self._frames: deque[Frame] = deque()

    @property
    def peer(self) -> str:
        """The screen's name or address."""
        return self._peer

    async def send(self, raw: bytes) -> None:
        """Send encoded frames as one binary message."""
        try:
            await self._socket.send_bytes(raw)
        except Exception as error:
            raise ConnectionLost(str(error)) from None

    async def receive(self) -> Frame:
        """The next frame."""
        while not self._frames:
            self._frames.extend(self._decoder.feed(await self._message()))
        return self._frames.popleft()

    async def _message(self) -> bytes:
        try:
            return await self._socket.receive_bytes()
        except KeyError:
            raise ApplianceError("SIG300", "A text message is not a frame.", None, "Send binary messages.") from None
        except Exception as error:
            raise ConnectionLost(str(error)) from None

    async def close(self, reason: str = "") -> None:
        """Close the socket; `reason` is told to the peer."""
        try:
            short = reason.encode()[:120].decode(errors="ignore")  # a close frame holds 123 bytes of reason
            await self._socket.close(POLICY_VIOLATION if reason else 1000, short)
        except Exception as error:
            raise ConnectionLost(str(error)) from None
