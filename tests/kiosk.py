"""A kiosk for tests: ``appliance screen --kiosk`` as a process of its own.

async with kiosk_of(folder, box.ticket()) as kiosk:
    await kiosk.get("/screen")
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from tests.box import ROOT, command, environment, free_port


class Kiosk:
    """``appliance screen --kiosk`` on a folder."""

    def __init__(self, folder: Path, box: str, *more: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._box, self._more = box, more
        self.process: asyncio.subprocess.Process

    def words(self) -> list[str]:
        place = ["--port", str(self.port), "--data", str(self.folder), "--box", self._box]
        words = ["screen", "--kiosk", *place, *self._more]
        return ["setpriv", "--pdeathsig", "KILL", *command(*words)]

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.words(), cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        said = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert said.decode().strip() == f"The screen is at {self.url}/"

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 10)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(self.url + path, headers=headers)


@asynccontextmanager
async def kiosk_of(folder: Path, box: str, *more: str) -> AsyncIterator[Kiosk]:
    kiosk = Kiosk(folder, box, *more)
    await kiosk.start()
    try:
        yield kiosk
    finally:
        await kiosk.end(signal.SIGKILL)
