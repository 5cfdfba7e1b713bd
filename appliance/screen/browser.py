"""The browser of a kiosk: Chromium without anything around the page, started again when it ends.

What it may not do is written in :data:`FLAGS`, each with why: a wall in a ward must not ask anybody outside, must not
show bubbles, and must not stop at a question that nobody is there to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from appliance.errors import ApplianceError
from appliance.observation import logger

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final[dict[str, str]] = {
    "--kiosk": "the page fills the screen; there is no way out of it with a mouse",
    "--no-first-run": "no welcome",
    "--no-default-browser-check": "no question",
    "--noerrdialogs": "no dialog that nobody is there to close",
    "--hide-crash-restore-bubble": "no bubble after the power was cut",
    "--disable-infobars": "no bars over the page",
    "--auto-accept-camera-and-microphone-capture": "nobody is asked whether the box's own page may hear its microphone",
    "--disable-pinch": "nobody zooms the page away",
    "--overscroll-history-navigation=0": "a swipe does not leave the page",
    "--disable-extensions": "nothing else reads the page",
    "--password-store=basic": "no keyring that asks for a password",
    "--disable-sync": "no account",
    "--disable-breakpad": "no report of a crash leaves, it may hold content",
    "--disable-background-networking": "no updates, variations or safe browsing lists are fetched",
    "--disable-component-update": "no parts are fetched",
    "--disable-domain-reliability": "no reports of failed requests leave",
    "--disable-client-side-phishing-detection": "no model is fetched, the page is not judged",
    "--no-pings": "links tell nobody that they were followed",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication": (
        "no translation bubble, no hints fetched, no search for cast devices, no forms sent away"
    ),
    "--no-proxy-server": "what is asked stays on this machine",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1": "no name and no address but this machine's is reached",
}
GRAPHICS: Final = frozenset(
    "amdgpu etnaviv i915 lima msm nouveau nvidia panfrost panthor radeon tegra v3d vc4 xe".split()
)
"""Kernel drivers of graphics that draw three-dimensionally; ``vc4`` and the like with a helper."""
STEADY_S: Final = 10.0
BACKOFF_S: Final = (0.5, 30.0)
STOP_S: Final = 5.0
_log = logger("screen")


def find_browser(named: str = "") -> str:
    """The program.

    Raises:
        ApplianceError: SCR512, there is none.
    """
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if found is None:
        raise ApplianceError(
            "SCR512",
            "No browser was found for the kiosk.",
            named or ", ".join(NAMES),
            "apt install chromium, or name one: --browser PROGRAM",
        )
    return found


def draws(cards: Path = Path("/sys/class/drm")) -> bool:
    """Whether the machine's graphics draw: one of its cards has a driver of :data:`GRAPHICS`, or it has no card.

    On the cards of virtual machines, and of servers, the browser's page may stay white.
    """
    drivers = [(card / "device" / "driver").resolve().name for card in cards.glob("card[0-9]")]
    return not drivers or bool(GRAPHICS & set(drivers))


def command(program: str, url: str, profile: Path) -> list[str]:
    """The words that start it."""
    words = [program, *FLAGS, *([] if draws() else ["--disable-gpu"]), f"--user-data-dir={profile}", f"--app={url}"]
    # so that it ends when the agent is killed and cannot end it
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *words] if setpriv else words


async def keep_open(program: str, url: str, profile: Path) -> None:
    """Show the page until cancelled; a browser that ends is started again, after a pause where it ends at once."""
    await asyncio.to_thread(profile.mkdir, mode=0o700, parents=True, exist_ok=True)
    pause = BACKOFF_S[0]
    while True:
        began = time.monotonic()
        status = await _run(await asyncio.to_thread(command, program, url, profile))
        steady = time.monotonic() - began > STEADY_S
        pause = BACKOFF_S[0] if steady else min(pause * 2, BACKOFF_S[1])
        _log.warn("the browser ended and is started again", status=status, in_s=pause)
        if not steady and os.geteuid() == 0:
            _log.warn("Chromium does not start as root: run the screen as the user of the display")
        await asyncio.sleep(pause)


async def _run(words: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return await process.wait()
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it with all that it has started."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_S)
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
