"""A kiosk: the agent and a local page for a browser that fills the screen.

In order: take the folder, take up what was held, open the page, follow the box, show the page.

    >>> await run_kiosk(ScreenOptions(kind="wall"), KioskOptions(port=8090, chromium=True))  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen.agent import Agent
from appliance.screen.browser import find_browser, keep_open
from appliance.screen.mirror import Mirror
from appliance.screen.outbox import Outbox
from appliance.screen.page import INPUT_LIMIT, LocalPage
from appliance.screen.start import ScreenOptions, default_folder, make_agent, passing_on

AGAIN_S: Final = 30.0
"""How long a screen that is not let in waits before it asks again."""
_SENT_AWAY: Final = (401, 403)
_log = logger("screen")


class KioskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to show it.

    Attributes:
        port: of the local page, on 127.0.0.1; 0 takes a free one.
        chromium: start a browser that fills the screen.
        browser: its program; empty looks for Chromium.
        inputs_kept: how many inputs may wait while the box is away.
        inputs_age_s: how long one may wait, seconds.
    """

    port: int = 8090
    chromium: bool = False
    browser: str = ""
    inputs_kept: int = 50
    inputs_age_s: float = 3600.0


async def run_kiosk(options: ScreenOptions, kiosk: KioskOptions) -> int:
    """Show the box's content on this machine's screen until told to stop; returns the exit status.

    Raises:
        ApplianceError: SCR509 (another kiosk has the folder), SCR512 (no browser), BRG407 (the port is in use), and
            as :func:`~appliance.screen.start.run_screen`.
    """
    program = await asyncio.to_thread(find_browser, kiosk.browser) if kiosk.chromium else ""
    folder = options.data or default_folder()
    with ExitStack() as held:
        held.callback(os.close, await asyncio.to_thread(_take_folder, folder))
        bound = held.enter_context(_bound(kiosk.port))
        agent, outbox, page, mirror = await asyncio.to_thread(_take_up, options, kiosk, folder)
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        works = [_follow(agent, mirror), outbox.run(), _serve(page, bound)]
        if program:
            works.append(keep_open(program, url, folder / "browser"))
        print(f"The screen is at {url}", flush=True)
        async with passing_on(agent, options):
            await _all(works)
    return 0


def _take_up(options: ScreenOptions, kiosk: KioskOptions, folder: Path) -> tuple[Agent, Outbox, LocalPage, Mirror]:
    agent = make_agent(options)
    outbox = Outbox(agent, folder / "outbox.json", limit=kiosk.inputs_kept, age_s=kiosk.inputs_age_s)
    outbox.load()
    mirror = Mirror(agent, outbox)
    return agent, outbox, LocalPage(agent, mirror, outbox), mirror


async def _all(works: list[Any]) -> None:
    """Do them all until one fails, or until SIGTERM."""
    tasks = [asyncio.ensure_future(work) for work in works]
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    tasks.append(asyncio.create_task(stopped.wait()))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(agent: Agent, mirror: Mirror) -> None:
    """Keep the agent running: a wall that is sent away forgets what it held, says so, and asks again."""
    while True:
        try:
            await agent.run()
        except ApplianceError as error:
            if error.status not in _SENT_AWAY:
                raise
            _log.error(error.line())
            mirror.refused = error
            agent.forget()
        await asyncio.sleep(AGAIN_S)


class _Server(uvicorn.Server):
    """Leaves the process's signals alone: the kiosk ends it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(page: LocalPage, bound: socket.socket) -> None:
    config = uvicorn.Config(
        page.app(),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=INPUT_LIMIT + 16,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say they are TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", port))
            bound.listen(32)  # a browser that is early waits
        except (OSError, OverflowError) as error:
            raise ApplianceError(
                "BRG407", f"Port {port} is in use.", str(error), "Take another: --port PORT, or 0 for a free one."
            ) from None
        yield bound


def _take_folder(folder: Path) -> int:
    """Hold the folder, by an open file: two kiosks with one identity would take each other's place at the box."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "kiosk.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise ApplianceError(
            "SCR509", "Another kiosk runs on this folder.", str(folder), "Give each its own: --data DIR"
        ) from None
    return handle
