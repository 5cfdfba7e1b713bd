"""A box to measure: started with demo data in a folder of its own, stopped and removed at the end.

async with running_box() as box:
    print(box.url, box.ready_s)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import psycopg
from psycopg.conninfo import make_conninfo

from appliance.pgflex.demo.hospital import PINNED
from benchmarks.screen import Screen, connected

READY_S = 120.0
STOP_S = 30.0
Process = asyncio.subprocess.Process


class BoxFault(Exception):
    """The box did not start or did not answer; the message holds the end of its log."""


class Box(msgspec.Struct, frozen=True):
    """A running box.

    Attributes:
        url: of its door, without a trailing slash.
        data: its data folder.
        ready_s: seconds from start to ready, the first start with an empty folder.
    """

    url: str
    data: Path
    ready_s: float

    async def database(self) -> psycopg.AsyncConnection:
        """A connection to its database on the unix socket, autocommit, acting as ``staff``."""
        connection = await psycopg.AsyncConnection.connect(self._dsn(), autocommit=True)
        await connection.execute("set role staff")
        return connection

    def _dsn(self) -> str:
        passwords = msgspec.json.decode((self.data / "keys" / "postgres.json").read_bytes(), type=dict[str, str])
        # The fourth and fifth lines of this file are the server's port and the folder of its socket.
        port, folder = (self.data / "postgres" / "postmaster.pid").read_text().splitlines()[3:5]
        return make_conninfo(host=folder, port=port, user="flex", password=passwords["flex"], dbname="dreamstack")


@asynccontextmanager
async def running_box() -> AsyncIterator[Box]:
    """A box with the hospital demo, whose rows change only when a benchmark changes them.

    Raises:
        BoxFault: it did not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        log, port = _paths(folder)
        began = time.perf_counter()
        process = await _start(folder, log, port)
        try:
            url = f"http://127.0.0.1:{port}"
            await _ready(process, url, log)
            took = time.perf_counter() - began
            async with connected(url) as screen:
                await _pinned_answered(screen)
            yield Box(url, Path(folder) / "data", took)
        finally:
            await asyncio.shield(_stop(process))


def _paths(folder: str) -> tuple[Path, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Path(folder) / "box.log", int(free.getsockname()[1])


async def _start(folder: str, log: Path, port: int) -> Process:
    words = ["up", "--demo", "hospital", "--demo-tick-s", "0", "--data", f"{folder}/data", "--port", str(port)]
    output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        # A session of its own, so that Ctrl-C reaches it through us and in order.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", *words, "--no-lan", "--no-mdns", stdin=asyncio.subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(output)


async def _ready(process: Process, url: str, log: Path) -> None:
    until = time.monotonic() + READY_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < until and process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{url}/health", timeout=3)).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise BoxFault("The box did not become ready:\n" + "\n".join(_end(log)))


def _end(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-20:]


async def _pinned_answered(screen: Screen) -> None:
    """The answers that every box starts with are there, so that they take no time from what is measured."""

    def answered(_: object) -> bool:
        ids = screen.values.get("answers.pinned") or []
        return len([id_ for id_ in ids if screen.values.get(f"answer.{id_}.status")]) == len(PINNED)

    if not answered(None):
        await screen.until(answered)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
