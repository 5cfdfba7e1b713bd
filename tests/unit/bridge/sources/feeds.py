"""A real server of server-sent events for tests: each connection gets the next script, then it breaks off.

async with feed([["id: 1\\nevent: change\\ndata: {}\\n\\n"], [...]]) as server:
    async for event in follow(client, server.url): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSED = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
NO_FEED = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """What is served, and what was asked: the Last-Event-ID of each connection, or None."""

    def __init__(self, scripts: list[list[str] | str]) -> None:
        self._scripts = list(scripts)
        self.asked: list[str | None] = []
        self.url = ""
        self.open = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: its script, then a break in the middle of a chunk; the last one stays open."""
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in request.splitlines()[1:] if line)
            self.asked.append(headers.get("last-event-id"))
            script = self._scripts.pop(0) if self._scripts else []
            if isinstance(script, str):
                writer.write(script.encode())
                await writer.drain()
                return
            writer.write(HEAD.encode())
            for event in script:
                writer.write(f"{len(event.encode()):x}\r\n{event}\r\n".encode())
                await writer.drain()
            if not self._scripts:
                await self.open.wait()
            writer.write(b"40\r\nevent: chan")
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def feed(scripts: list[list[str] | str]) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1; it is gone afterwards."""
    server = Server(scripts)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/changes"
    try:
        yield server
    finally:
        server.open.set()
        listening.close()
        await listening.wait_closed()


def event(name: str, data: str = "{}", id: str | None = None) -> str:
    """An event as it stands on the wire."""
    return (f"id: {id}\n" if id is not None else "") + f"event: {name}\ndata: {data}\n\n"
