"""A real cluster and PostgREST for the integration tests of the data parts: started once, stopped at the end.

Every test file takes its own box, so that one may kill its PostgreSQL without disturbing another.

    @pytest.fixture(scope="module")
    def box() -> Iterator[Box]:
        with running_box() as box:
            yield box
"""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import httpx

from appliance.config import Runtime, Settings, load
from appliance.pgflex.database import Pool, open_pool
from appliance.pgflex.embedded import (
    Cluster,
    Command,
    bootstrap,
    postgres_command,
    postgrest_command,
    prepare,
    recover,
    release,
    wait_ready,
)
from tests.box import box_folder

_RELOAD = (
    "import asyncio, sys; from appliance.pgflex.writes.reload import Reload; asyncio.run(Reload(sys.argv[1]).run())"
)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def started(command: Command) -> subprocess.Popen[bytes]:
    """The program, running."""
    return subprocess.Popen(command.argv, stdin=subprocess.DEVNULL, **command.options())


def stopped(process: subprocess.Popen[bytes], told: signal.Signals = signal.SIGINT) -> None:
    """The program, asked to stop and gone."""
    with suppress(ProcessLookupError):
        process.send_signal(told)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


class Box:
    """A prepared cluster whose PostgreSQL runs; PostgREST on request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.secret = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(16)
        self.rest_url = f"http://127.0.0.1:{free_port()}"
        self.pgflex_url = f"http://127.0.0.1:{free_port()}"
        self.cluster: Cluster = prepare(settings)
        self.postgres = started(postgres_command(self.cluster, settings))
        self._others: list[subprocess.Popen[bytes]] = []

    @property
    def dsn(self) -> str:
        """The data service's connection string."""
        return self.cluster.dsn("flex")

    @property
    def admin_dsn(self) -> str:
        """The superuser's connection string."""
        return self.cluster.dsn("dreamstack")

    def runtime(self) -> Runtime:
        """What the supervisor would tell its children."""
        nowhere = "http://127.0.0.1:9"
        return Runtime(
            settings=self.settings,
            postgres_dsn=self.dsn,
            postgrest_url=self.rest_url,
            pgflex_url=self.pgflex_url,
            llm_url=nowhere,
            bridge_url=nowhere,
            gateway_url=nowhere,
            token=self.token,
            secret=self.secret,
            keys={},
        )

    def start_postgrest(self) -> subprocess.Popen[bytes]:
        """PostgREST, answering, and what tells it of new tables, as the data service does."""
        self._others.append(subprocess.Popen([sys.executable, "-c", _RELOAD, self.dsn], stdin=subprocess.DEVNULL))
        port = int(self.rest_url.rsplit(":", 1)[1])
        process = started(postgrest_command(self.cluster, self.settings, port, self.secret))
        self._others.append(process)
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                # Without a token it says 401 once its schema cache is there, 503 before.
                if httpx.get(self.rest_url + "/", timeout=2).status_code < 500:
                    return process
            time.sleep(0.05)
        raise AssertionError("PostgREST did not start")

    def start_service(self) -> subprocess.Popen[bytes]:
        """The data service as the supervisor starts it, healthy."""
        environment = {"PATH": "/usr/bin:/bin", "DREAMSTACK_RUNTIME": self.runtime().encode()}
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.services.pgflex"], stdin=subprocess.DEVNULL, env=environment
        )
        self._others.append(process)
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            with suppress(httpx.TransportError):
                answer = httpx.get(f"{self.pgflex_url}/health", headers=self.bearer, timeout=5)
                if answer.status_code == 200 and answer.json()["status"] == "ok":
                    return process
            time.sleep(0.05)
        raise AssertionError("the data service did not become healthy")

    @property
    def bearer(self) -> dict[str, str]:
        """The header of requests between the box's own processes."""
        return {"Authorization": f"Bearer {self.token}"}

    def kill_postgres(self) -> None:
        """End PostgreSQL the hard way."""
        self.postgres.kill()
        self.postgres.wait(10)

    def restart_postgres(self) -> None:
        """Start PostgreSQL again and wait until it answers."""
        recover(self.cluster)
        self.postgres = started(postgres_command(self.cluster, self.settings))
        wait_ready(self.cluster)

    def stop(self) -> None:
        """Stop every process and let go of the data folder."""
        for process in reversed(self._others):
            stopped(process, signal.SIGTERM)
        stopped(self.postgres)
        release(self.cluster)


@contextmanager
def running_box(**given: object) -> Iterator[Box]:
    """A box on a fresh data folder: PostgreSQL runs and is migrated. `given` are settings."""
    with box_folder() as folder:
        box = Box(load({"data": folder / "data", "demo_tick_s": 0.0, **given}, environ={}))
        try:
            bootstrap(box.cluster)
            yield box
        finally:
            box.stop()


@asynccontextmanager
async def opened(box: Box) -> AsyncIterator[Pool]:
    """A pool of the data service's role."""
    async with open_pool(box.dsn) as pool:
        yield pool
