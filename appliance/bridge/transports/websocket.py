"""Frames over a WebSocket that the bridge's service accepted: one binary message holds whole frames.

The web framework stays outside: anything with ``receive_bytes``, ``send_bytes`` and ``close`` will do.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from appliance.bridge.fanout import Parcel
from appliance.bridge.frame import Decoder, Frame
from appliance.bridge.transports import ConnectionLost
from appliance.errors import ApplianceError

POLICY_VIOLATION = 1008
_BINARY: Final = 0x82
"""The first byte of a message in one piece."""


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


class Direct(Protocol):
    """The road under the web framework, where its server shows it."""

    def is_free(self) -> bool:
        """Whether the socket is open and all that was written before has left the process."""
        ...

    def write(self, *pieces: bytes) -> None:
        """Write the bytes of whole messages; to be called only while it is free."""
        ...


class WebSocketConnection:
    """A :class:`~appliance.bridge.transports.Connection` over an accepted WebSocket.

    Args:
        socket: the web framework's socket.
        peer: who is at the other end.
        frame_limit: payload bytes of a frame that is accepted.
        direct: lets :meth:`send_now` write without the framework; without it nothing is ever sent at once.
    """

    def __init__(self, socket: Socket, peer: str, frame_limit: int, direct: Direct | None = None) -> None:
        self._direct = direct
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
        if self._direct is not None and self._direct.is_free():
            self._direct.write(message_head(len(raw)) + raw)
            return
        try:
            await self._socket.send_bytes(raw)
        except Exception as error:
            raise ConnectionLost(str(error)) from None

    def send_now(self, parcel: Parcel, seq: int) -> bool:
        """Send a frame as one binary message if the road is free."""
        if self._direct is None or not self._direct.is_free():
            return False
        if parcel.before is None:
            parcel.before = message_head(parcel.size)
        self._direct.write(*parcel.pieces(seq))
        return True

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


def message_head(size: int) -> bytes:
    """What stands before a binary message of so many bytes from a server (RFC 6455, section 5.2)."""
    if size < 126:
        return bytes((_BINARY, size))
    if size <= 0xFFFF:
        return bytes((_BINARY, 126)) + size.to_bytes(2, "big")
    return bytes((_BINARY, 127)) + size.to_bytes(8, "big")
