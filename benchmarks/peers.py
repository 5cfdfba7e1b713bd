"""The servers that the fan-out is measured on: the box's bridge, Mosquitto and NATS, each a process on loopback.

Mosquitto and NATS are Debian's packages ``mosquitto`` and ``nats-server``, run with what they come with and no
persistence. The bridge is the box's own process with the settings of a box; its data service and model are not there,
which it takes as it does when they are being restarted.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.config import Runtime, load

READY_S: Final = 20.0
PACKAGES: Final = {"mosquitto": "mosquitto", "nats": "nats-server"}
_TOKEN: Final = secrets.token_hex(16)
_KEYS: Final = {"wall": "wall" * 8, "staff": "staff" * 8, "admin": "admin" * 8}
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class PeerFault(Exception):
    """A server is missing or did not start; the message says what to do."""


class Server(msgspec.Struct, frozen=True):
    """A running server.

    Attributes:
        wire: the name of its wire.
        port: of 127.0.0.1.
        pid: its process.
        token: the bearer it asks for; empty where it asks for none.
        log: what it says.
    """

    wire: str
    port: int
    pid: int
    token: str
    log: Path

    def rss(self) -> int:
        """Bytes of memory it holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE

    def busy_s(self) -> float:
        """Seconds of processor it has taken so far."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS

    def iroh(self) -> tuple[str, str]:
        """EndpointId and address of a bridge, as its log says."""
        told = self.log.read_text().rpartition("Iroh endpoint is up  id=")[2].split()
        return told[0], told[1].removeprefix("addresses=").split(",")[0]


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(wire: str) -> str:
    """Where a peer's program is.

    Raises:
        PeerFault: it is not installed.
    """
    name = PACKAGES[wire]
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise PeerFault(f"{name} is not installed. Run: sudo apt-get install --no-install-recommends {name}")
    return found


@asynccontextmanager
async def running(wire: str) -> AsyncIterator[Server]:
    """The server of this wire, ready for connections; stopped at the end.

    Raises:
        PeerFault: it is not installed or did not start.
    """
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
        port, log = free_port(), Path(folder) / "log"
        words, more = _command(wire, port, Path(folder))
        async with _process(words, more, port, log) as pid:
            yield Server(wire, port, pid, _TOKEN if wire == "bridge" else "", log)


@asynccontextmanager
async def door(bridge: Server) -> AsyncIterator[Server]:
    """The box's gateway before a bridge, for staff; nothing else of the box is there.

    Raises:
        PeerFault: it did not start.
    """
    folder, port = bridge.log.parent, free_port()
    bridge_url, own_url = (f"http://127.0.0.1:{each}" for each in (bridge.port, port))
    told = runtime(folder, bridge_url=bridge_url, gateway_url=own_url).encode()
    words, log = [sys.executable, "-m", "appliance.services.gateway"], folder / "door.log"
    async with _process(words, {"DREAMSTACK_RUNTIME": told}, port, log) as pid:
        yield Server("bridge", port, pid, staff_key(), log)


@asynccontextmanager
async def _process(words: list[str], more: Mapping[str, str], port: int, log: Path) -> AsyncIterator[int]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            env={**_plain(os.environ), **more}, start_new_session=True,
        )  # fmt: skip
    try:
        await _ready(process, port, log)
        yield process.pid
    finally:
        await asyncio.shield(_stop(process))


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name != "DREAMSTACK_RUNTIME"}


def _command(wire: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    if wire == "bridge":
        (folder / "keys").mkdir()
        told = runtime(folder, bridge_url=f"http://127.0.0.1:{port}").encode()
        return [sys.executable, "-m", "appliance.services.bridge"], {"DREAMSTACK_RUNTIME": told}
    if wire == "nats":
        return [program("nats"), "-a", "127.0.0.1", "-p", str(port)], {}
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n")
    return [program("mosquitto"), "-c", str(config)], {}


def runtime(folder: Path, **urls: str) -> Runtime:
    """What a supervisor would tell the box's processes; those without an address are not there."""
    nowhere = "http://127.0.0.1:9"
    addresses: dict[str, Any] = dict.fromkeys(
        ("postgrest_url", "pgflex_url", "llm_url", "bridge_url", "gateway_url"), nowhere
    )
    settings = load({"data": str(folder), "mdns": False, "lan": False}, environ={})
    return Runtime(
        settings=settings, postgres_dsn="", token=_TOKEN, secret=secrets.token_hex(24), keys=_KEYS, **addresses | urls
    )


def staff_key() -> str:
    """The key that lets a screen in as staff."""
    return _KEYS["staff"]


async def _ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise PeerFault("The server did not start:\n" + _end(log))


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
