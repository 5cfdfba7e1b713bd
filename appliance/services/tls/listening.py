"""One port for two kinds of callers: a connection that begins with TLS is met with TLS, any other in the open.

The first byte tells: a TLS record of a handshake begins with 0x16, and no HTTP request does. It is looked at
and left where it is, so that what takes the connection over reads it from the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

HANDSHAKE: Final = b"\x16"
FIRST_BYTE_S: Final = 10.0
HANDSHAKE_S: Final = 10.0
CLOSING_S: Final = 2.0
WAITING: Final = 256
"""Connections that may be open without having said what they are; the oldest makes room for a new one."""
Make = Callable[[], asyncio.Protocol]


class Listener:
    """A listening socket. Has what uvicorn wants of a server: :meth:`close` and :meth:`wait_closed`.

    Args:
        listening: bound; it is made to listen here and closed by :meth:`close`.
        secure: the context for the next connection with TLS; None takes none.
        encrypted: makes the protocol of such a connection.
        plain: makes the protocol of any other.
    """

    def __init__(
        self, listening: socket.socket, secure: Callable[[], ssl.SSLContext] | None, encrypted: Make, plain: Make
    ) -> None:
        self._listening, self._secure, self._encrypted, self._plain = listening, secure, encrypted, plain
        self._meeting: dict[asyncio.Task[None], None] = {}
        listening.setblocking(False)
        listening.listen(2048)
        self._accepting = asyncio.create_task(self._accept())

    def close(self) -> None:
        """Take no more connections; those that are met stay."""
        for task in (self._accepting, *self._meeting):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return when nothing is being met any more."""
        await asyncio.gather(self._accepting, *self._meeting, return_exceptions=True)
        self._listening.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                caller, _ = await loop.sock_accept(self._listening)
            except OSError:  # no descriptors left, or the caller has gone
                await asyncio.sleep(0.1)
                continue
            if len(self._meeting) >= WAITING:
                next(iter(self._meeting)).cancel()
            task = asyncio.create_task(self._meet(caller))
            self._meeting[task] = None
            task.add_done_callback(lambda met: self._meeting.pop(met, None))

    async def _meet(self, caller: socket.socket) -> None:
        caller.setblocking(False)
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                first = await _peek(caller)
        except (OSError, asyncio.CancelledError, TimeoutError):
            first = b""
        if not first:
            caller.close()
            return
        with contextlib.suppress(OSError, TimeoutError):  # a handshake that fails costs the caller's connection alone
            await self._hand_over(caller, first == HANDSHAKE)

    async def _hand_over(self, caller: socket.socket, secure: bool) -> None:
        """From here on the transport owns the socket, and closes it."""
        loop = asyncio.get_running_loop()
        if not secure or self._secure is None:
            await loop.connect_accepted_socket(self._plain, caller)
            return
        await loop.connect_accepted_socket(
            self._encrypted,
            caller,
            ssl=self._secure(),
            ssl_handshake_timeout=HANDSHAKE_S,
            ssl_shutdown_timeout=CLOSING_S,
        )


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _peek(caller: socket.socket) -> bytes:
    """The first byte, left where it is; empty when the caller has gone."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(caller.fileno(), _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(caller.fileno())
    with contextlib.suppress(BlockingIOError):
        return caller.recv(1, socket.MSG_PEEK)
    return b""
