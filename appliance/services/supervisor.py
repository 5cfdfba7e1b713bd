"""The supervisor: starts the box's processes, restarts what dies, stops all in order.

    postgres -> (bootstrap) -> postgrest, pgflex        llm, bridge, gateway start at the same time

A process that dies is started again after 0.2 s, and after longer the more often it dies, up to 5 s; one that
has run for 30 s is forgiven. The others carry on meanwhile. Each event is one log line.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import msgspec

from appliance.config import CHOOSABLE, Runtime, Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
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
from appliance.services.keys import role_keys
from appliance.services.tls import Keeper, encrypted
from appliance.services.tls.authority import trusted

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
FORGIVEN_AFTER_S = 30.0
STOP_S = 6.0
READY_S = 120.0
DATABASE_S = 30.0
DATABASE_STEP_S = 1.0
LOG_LIMIT = 8 * 1024 * 1024
SERVICES = ("llm", "bridge", "gateway", "pgflex")
_PR_SET_PDEATHSIG = 1
log = logger("box")


class Child:
    """A process that is kept running.

    Args:
        command: how it is started; a function says it anew before every start.
        stop_signal: what ends it cleanly.
        before: done before every start.
        log_file: where its output goes; None leaves it on the box's own.
    """

    def __init__(
        self,
        command: Command | Callable[[], Command],
        stop_signal: signal.Signals = signal.SIGTERM,
        before: Callable[[], Awaitable[None]] | None = None,
        log_file: Path | None = None,
    ) -> None:
        self.name = command.name if isinstance(command, Command) else command().name
        self._command, self._stop_signal, self._before, self._log_file = command, stop_signal, before, log_file
        self._process: asyncio.subprocess.Process | None = None
        self.stopping = False
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> None:
        """Start it, and start it again whenever it dies, until :meth:`stop`."""
        wait = FIRST_WAIT_S
        while self._wanted():
            began = time.monotonic()
            status = await self._once()
            if not self._wanted():
                return
            self.deaths += 1
            wait = FIRST_WAIT_S if time.monotonic() - began > FORGIVEN_AFTER_S else wait
            log.warn(
                "a process died", process=self.name, status=_status(status), again_in=f"{wait:g}s", deaths=self.deaths
            )
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)

    def _wanted(self) -> bool:
        return not self.stopping

    async def _once(self) -> int:
        if self._before is not None and self.deaths:
            await self._before()
        output = await asyncio.to_thread(self._open_log)
        told = self._command
        command = told if isinstance(told, Command) else await asyncio.to_thread(told)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command.argv,
                **command.options(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            log.error("a process cannot be started", process=self.name, reason=error)
            return 127
        finally:
            if output is not None:
                os.close(output)
        log.info("started", process=self.name, pid=self._process.pid)
        return await self._process.wait()

    def _open_log(self) -> int | None:
        if self._log_file is None:
            return None
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        if self._log_file.exists() and self._log_file.stat().st_size > LOG_LIMIT:
            os.replace(self._log_file, self._log_file.with_suffix(".old.log"))
        return os.open(self._log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    async def stop(self) -> None:
        """End it and do not start it again."""
        self.stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self._stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            log.warn("did not stop, is killed", process=self.name)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        log.info("stopped", process=self.name)


def _die_with_parent() -> None:
    # Between fork and exec: when the supervisor is killed, its children are told to stop.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _status(code: int) -> str:
    return signal.Signals(-code).name if code < 0 and -code in set(signal.Signals) else str(code)


Again = Callable[[], tuple[Settings, dict[str, str]]]


class Box:
    """All processes of one box.

    Args:
        settings: the box's.
        again: gives the settings as they are now, and where each is from; a part that starts anew goes by those that
            may be chosen while the box runs.
    """

    def __init__(self, settings: Settings, again: Again | None = None) -> None:
        self.settings = settings
        self._again = again or (lambda: (settings, {}))
        self.runtime: Runtime | None = None
        self._cluster: Cluster | None = None
        self._children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Runtime:
        """Start everything and return once ``/health`` says ok.

        Raises:
            ApplianceError: BRG407, the port is in use; PGF1xx, the data folder; BRG411, a program is missing;
                BRG406, it did not become ready.
        """
        check_port(self.settings)
        self._cluster = await asyncio.to_thread(prepare, self.settings)
        keys = await asyncio.to_thread(role_keys, self.settings.data / "keys")
        if encrypted(self.settings):
            await asyncio.to_thread(lambda: Keeper(self.settings).renew())
        self.runtime = runtime = _runtime(self.settings, self._cluster, keys)
        self.runtime = runtime = await asyncio.to_thread(self._now)
        self._add(self._postgres(self._cluster))
        for part in ("llm", "bridge", "gateway"):
            self._add(Child(self._starter(part)))
        await _wait_database(self._cluster)
        await asyncio.to_thread(bootstrap, self._cluster, DATABASE_STEP_S)
        port = int(runtime.postgrest_url.rsplit(":", 1)[1])
        rest = postgrest_command(self._cluster, self.settings, port, runtime.secret)
        self._add(Child(rest, log_file=self.settings.data / "logs" / "postgrest.log"))
        self._add(Child(self._starter("pgflex")))
        await self._wait_ready(runtime)
        await asyncio.to_thread(self._tell, runtime)
        return runtime

    def _starter(self, part: str) -> Callable[[], Command]:
        return lambda: _service(part, self._now())

    def _now(self) -> Runtime:
        """What a part that starts now is told."""
        assert self.runtime is not None
        try:
            settings, origins = self._again()
        except ApplianceError as error:
            log.warn("the settings cannot be read anew", reason=error.line())
            return self.runtime
        changes = {name: getattr(settings, name) for name in CHOOSABLE}
        told = msgspec.structs.replace(self.settings, **changes)
        return msgspec.structs.replace(self.runtime, settings=told, origins=origins)

    def _postgres(self, cluster: Cluster) -> Child:
        async def mend() -> None:
            await asyncio.to_thread(recover, cluster)

        command = postgres_command(cluster, self.settings)
        return Child(command, signal.SIGINT, mend, self.settings.data / "logs" / "postgres.log")

    def _add(self, child: Child) -> None:
        self._children.append(child)
        self._tasks.append(asyncio.create_task(child.run()))

    async def _wait_ready(self, runtime: Runtime) -> None:
        until = time.monotonic() + READY_S
        said = "nothing"
        key = {"Authorization": f"Bearer {runtime.keys['staff']}"}  # who is known hears what is wrong
        verify = await asyncio.to_thread(trusted, self.settings.data / "keys") if encrypted(self.settings) else True
        async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
            while time.monotonic() < until:
                with contextlib.suppress(httpx.HTTPError, ValueError):
                    answer = await client.get(f"{local_url(self.settings)}/health", headers=key, timeout=3)
                    if answer.status_code == 200:
                        return
                    said = answer.text
                await asyncio.sleep(0.1)
        raise ApplianceError(
            "BRG406", "The box did not become ready.", said[:600], "See the log lines above; try: appliance doctor"
        )

    def _tell(self, runtime: Runtime) -> None:
        file = self.settings.data / "run" / "box.json"
        pids = {child.name: child.pid for child in self._children}
        with contextlib.suppress(OSError):
            file.write_bytes(
                msgspec.json.encode({"pid": os.getpid(), "url": local_url(self.settings), "processes": pids})
            )

    async def watch(self) -> None:
        """Keep the list of processes in ``run/box.json`` true, until cancelled."""
        before: list[int | None] = []
        while True:
            now = [child.pid for child in self._children]
            if now != before and self.runtime is not None:
                before = now
                await asyncio.to_thread(self._tell, self.runtime)
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Stop everything: the door first, the database last."""
        for child in reversed(self._children[1:]):
            child.stopping = True  # none is started again while the others are being stopped
        await asyncio.gather(*(child.stop() for child in self._children[1:]))
        for child in self._children[:1]:
            await child.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._cluster is not None:
            await asyncio.to_thread((self.settings.data / "run" / "box.json").unlink, missing_ok=True)
            release(self._cluster)


async def _wait_database(cluster: Cluster) -> None:
    """Wait in short steps: a thread cannot be cancelled, and Ctrl-C must not have to wait for it."""
    until = time.monotonic() + DATABASE_S
    while True:
        try:
            return await asyncio.to_thread(wait_ready, cluster, DATABASE_STEP_S)
        except ApplianceError:
            if time.monotonic() > until:
                raise


def check_port(settings: Settings) -> None:
    """Make sure that the public port is free, and the trust page's own where there is one.

    Raises:
        ApplianceError: BRG407, with who may be using it.
    """
    _check(settings, settings.port)
    if settings.trust_port and settings.trust_port == settings.port:
        raise ApplianceError("BRG407", f"Port {settings.port} cannot be both.", None, "Leave --trust-port out.")
    if settings.trust_port and encrypted(settings):
        _check(settings, settings.trust_port, "--trust-port")


def _check(settings: Settings, port: int, option: str = "--port") -> None:
    if not 0 < port < 65_536:
        raise ApplianceError("BRG407", f"{port} is no port.", None, f"Choose one above 1023: {option} 8080")
    with socket.socket(socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("0.0.0.0" if settings.lan else "127.0.0.1", port))  # noqa: S104 (--lan says so)
        except OSError as error:
            if error.errno == errno.EACCES:
                raise ApplianceError(
                    "BRG407",
                    f"Port {port} needs more rights.",
                    str(error),
                    f"Choose one above 1023: {option} 8080",
                ) from None
            raise ApplianceError(
                "BRG407",
                f"Port {port} cannot be used.",
                str(error),
                f"Another program, or another box, has it. Choose another: appliance up {option} 8081",
            ) from None


def local_url(settings: Settings) -> str:
    """The box's address on this machine."""
    return f"{scheme(settings)}://127.0.0.1{port_of(settings)}"


def door_url(settings: Settings) -> str:
    """Where the door listens."""
    host = "0.0.0.0" if settings.lan else "127.0.0.1"  # noqa: S104 (--lan says so)
    return f"{scheme(settings)}://{host}:{settings.port}"


def port_of(settings: Settings) -> str:
    """The port as an address writes it: nothing where it is the usual one."""
    return "" if settings.port == {"http": 80, "https": 443}[scheme(settings)] else f":{settings.port}"


def scheme(settings: Settings) -> str:
    """How the door speaks: ``https`` or ``http``."""
    return "https" if encrypted(settings) else "http"


def _runtime(settings: Settings, cluster: Cluster, keys: dict[str, str]) -> Runtime:
    ports = _free_ports(4)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    return Runtime(
        settings=settings,
        postgres_dsn=cluster.dsn("flex"),
        postgrest_url=urls[0],
        pgflex_url=urls[1],
        llm_url=urls[2],
        bridge_url=urls[3],
        gateway_url=door_url(settings),
        token=secrets.token_urlsafe(32),
        secret=secrets.token_urlsafe(48),
        keys=keys,
        profile="embedded",
    )


def _free_ports(count: int) -> list[int]:
    held = [socket.socket(socket.AF_INET) for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def _service(part: str, runtime: Runtime) -> Command:
    env = dict(os.environ) | {"DREAMSTACK_RUNTIME": runtime.encode(), "PYTHONUNBUFFERED": "1"}
    return Command(part, (sys.executable, "-m", f"appliance.services.{part}"), env, "/")
