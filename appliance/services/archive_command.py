"""``appliance archive``: finished recordings by their hash, fetched from any peer that has them, and served on."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from appliance.bridge import Member
from appliance.bridge.archive import Archive, check_hash
from appliance.bridge.archive_road import ALPN, ArchiveClient, ArchiveServer
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import load_or_create
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.screen.finder import Finder
from appliance.screen.replay import when
from appliance.screen.start import default_folder
from appliance.screen.text import clean
from appliance.screen.ticket import Ticket, parse, write
from appliance.services.keys import random_key

__all__ = ["get_archive", "list_archives", "serve_archives"]


async def list_archives(ticket: str, key: str, console: Console) -> None:
    """Print what a peer has.

    Raises:
        ApplianceError: SCR500, SCR501, SCR503, SCR504 (no peer), BRG401 (it asks for a credential).
    """
    async with _peer(ticket, key) as client:
        items = await client.items()
    if not items:
        console.print("No recording is finished yet: one is each hour, and when the box stops.")
        return
    for item in items:
        told = f"{item['stream']} as {item['role']} saw it, {when(item['first'])} to {when(item['last'])}"
        console.print(f"{item['hash']}  {clean(told)}, {item['size'] / 1e6:,.2f} MB", soft_wrap=True, markup=False)


async def get_archive(wanted: str, ticket: str, key: str, folder: Path, tell: Callable[[int, int], None]) -> Path:
    """Fetch an archive into a folder; returns its file.

    Raises:
        ApplianceError: BRG410 (no hash), BRG463 (the peer does not have it), BRG464 (what it sent is not it), BRG461
            (the folder cannot be written); as :func:`list_archives`.
    """
    wanted = check_hash(wanted)
    async with _peer(ticket, key) as client:
        return await client.fetch(wanted, folder, tell)


async def serve_archives(folder: Path, key: str, *, lan: bool, port: int, tell: Callable[[str, str], None]) -> None:
    """Serve the archives in a folder until interrupted, to whoever has the key; `tell` hears the ticket and the key.

    Raises:
        ApplianceError: BRG407 (the port is in use), BRG413, BRG414 (the folder cannot hold the peer's identity).
    """
    key = key or random_key()
    identity = await asyncio.to_thread(load_or_create, folder / "peer.key")
    server = ArchiveServer(Archive([folder]))

    async def met(road: Connection) -> None:
        await server.serve(road, lambda said: _admit(said, key))

    async def other(road: Connection) -> None:
        await road.close("this peer has archives alone")

    host = "0.0.0.0" if lan else "127.0.0.1"  # noqa: S104 (--lan says so)
    listener = await listen(identity, f"{host}:{port}", other, DEFAULT_LIMIT, {ALPN: met})
    try:
        tell(write(Ticket(listener.endpoint_id, tuple(listener.addresses()))), key)
        await _interrupted()
    finally:
        await listener.close()


def _admit(said: dict[str, Any], key: str) -> Member:
    """Who has this peer's key may have all that it serves."""
    if not hmac.compare_digest(str(said.get("credential")).encode(), key.encode()):
        raise ApplianceError("BRG401", "The peer does not know this key.", None, "Send the key that it printed.")
    return Member("peer", "admin")


async def _interrupted() -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopped.set)
    await stopped.wait()


@asynccontextmanager
async def _peer(ticket: str, key: str) -> AsyncIterator[ArchiveClient]:
    named = parse(ticket) if ticket else None
    identity = await asyncio.to_thread(load_or_create, default_folder() / "iroh.key")
    faithful = named is not None or bool(key)
    finder = Finder(identity, named, faithful=faithful, frame_limit=DEFAULT_LIMIT, alpn=ALPN)
    client = ArchiveClient(await finder.connect())
    try:
        await client.hello(key)
        yield client
    finally:
        with contextlib.suppress(ApplianceError):
            await client.close()
