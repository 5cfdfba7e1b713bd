"""The server's end of a WebSocket: holds one message at most for a peer that does not read; can be written directly.

uvicorn's own protocol keeps up to 64 KiB that a peer did not take, and the kernel some megabytes. Here whoever sends
waits from the first byte that is left over, and the kernel keeps little: a slow screen gets its newest state soon
after it reads again, and costs no more than one frame until then.
"""

from __future__ import annotations

import socket
from asyncio.transports import BaseTransport
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

KERNEL_BYTES: Final = 131_072
"""Bytes asked for in the kernel for what is on its way to one peer; Linux doubles it for its bookkeeping."""
QUEUED: Final = 8
SMALL: Final = 4096
"""So many messages of at most so many bytes may wait for the application before reading stops."""
EXTENSION: Final = "appliance.direct"


class SocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection of uvicorn; the application finds it in its scope: see :func:`direct`."""

    def connection_made(self, transport: BaseTransport) -> None:
        """A peer is there."""
        super().connection_made(transport)
        # not 0: behind TLS that would count an empty buffer as a full one, and whoever sends would wait for nothing
        self.transport.set_write_buffer_limits(high=1, low=0)
        bound: Any = transport.get_extra_info("socket")
        if bound is not None:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    def handle_connect(self, event: Request) -> None:
        """The peer asks for a WebSocket: the application is started after this returns."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = {"road": self}

    def send_receive_event_to_app(self) -> None:
        """A message is complete. Reading goes on where the application has little waiting.

        uvicorn's own stops and starts it around every message: two system calls for each ping of a screen.
        """
        if self.read_paused or self.queue.qsize() >= QUEUED or sum(map(len, self.frames)) > SMALL:
            super().send_receive_event_to_app()
            return
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = False

    def is_free(self) -> bool:
        """Whether the socket is open and all that was written before has left the process."""
        transport = self.transport
        return (
            self.handshake_complete
            and not (self.close_sent or self.disconnected or transport.is_closing())
            and transport.get_write_buffer_size() == 0
        )

    def write(self, *pieces: bytes) -> None:
        """Write the bytes of whole messages."""
        for piece in pieces:
            self.transport.write(piece)


def direct(scope: Any) -> SocketProtocol | None:
    """The connection that a WebSocket's scope is of; None under another server."""
    found: SocketProtocol | None = scope.get("extensions", {}).get(EXTENSION, {}).get("road")
    return found
