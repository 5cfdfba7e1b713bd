"""A box that runs on this machine: started, greeted, watched, and started again once a backup took its place."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.config import Settings
from appliance.observation import KEPT_IN
from appliance.services.address_command import ticket as find_ticket
from appliance.services.greeting import greet
from appliance.services.restore_wish import fulfil, is_wanted
from appliance.services.supervisor import Box

WISH_S: Final = 0.5


async def run_box(settings: Settings, again: Callable[[], tuple[Settings, dict[str, str]]]) -> int:
    """Run a box until SIGINT, SIGTERM or SIGHUP; anew where a backup was restored meanwhile. Returns the exit status.

    Args:
        settings: of the box.
        again: reads the settings anew, and where each came from.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, stopped.set)
    os.environ[KEPT_IN] = str(settings.data / "logs")
    while await _run_once(settings, again, stopped):
        await asyncio.to_thread(fulfil, settings)
        settings, _ = again()
    return 0


async def _run_once(
    settings: Settings, again: Callable[[], tuple[Settings, dict[str, str]]], stopped: asyncio.Event
) -> bool:
    """Run the box until it is to stop; True: to be started again after a backup was restored."""
    box = Box(settings, again)
    starting = asyncio.create_task(box.start())
    stopping = asyncio.create_task(stopped.wait())
    wished = False
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            runtime = starting.result()
            ticket = await asyncio.to_thread(find_ticket, runtime)
            await asyncio.to_thread(greet, settings, runtime.keys["staff"], ticket)
            watching, wishing = asyncio.create_task(box.watch()), asyncio.create_task(_wish(settings.data))
            await asyncio.wait({wishing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            wished = wishing.done() and not stopped.is_set()
            for task in (watching, wishing):
                task.cancel()
        if not wished:
            print("\nStopping; the data stays in", settings.data, flush=True)
    finally:
        starting.cancel()
        await asyncio.gather(starting, stopping if stopping.done() else _cancel(stopping), return_exceptions=True)
        await box.stop()
    return wished


async def _wish(data: Path) -> None:
    """Return once the page of the first start asks for a restore."""
    while not await asyncio.to_thread(is_wanted, data):  # noqa: ASYNC110 (another process leaves the wish)
        await asyncio.sleep(WISH_S)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
