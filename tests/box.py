"""A real box for tests: `appliance up` as a process of its own, on a fresh data folder and a free port.

    with running_box() as box:
        httpx.get(f"{box.url}/health")

The demo's ticker is off, so that what is in the database is what a test put there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0
STOP_S = 20.0
PROCESSES = ("postgres", "postgrest", "pgflex", "llm", "bridge", "gateway")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def command(*arguments: str) -> list[str]:
    """The command ``appliance`` of this Python."""
    return [sys.executable, "-m", "appliance", *arguments]


def environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of a box."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DREAMSTACK_")}
    return kept | more


def appliance(*arguments: str, timeout_s: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``appliance`` to its end; `more` goes to its environment. No traceback may ever reach the user."""
    done = subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


class Box:
    """A box that can be started, hurt and stopped.

    Args:
        folder: where the data folder and the log go.
        arguments: more words for ``appliance up``.
        port: its public port; a free one when not given.
    """

    def __init__(self, folder: Path, *arguments: str, port: int | None = None) -> None:
        self.data = folder / "data"
        self.port = port or free_port()
        self.secure = "--lan" in arguments and "off" not in arguments
        self.url = f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"
        self._arguments = arguments
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and wait until ``/health`` answers 200; returns the seconds that took."""
        began = time.monotonic()
        self.launch()
        self.wait_well(START_S)
        self._wait_told()
        return time.monotonic() - began

    def launch(self, *through: str) -> None:
        """Start it, by way of the program `through`, and wait for nothing. It ends with the tests, however they end."""
        arguments = (
            "up",
            "--demo",
            "hospital",
            "--demo-tick-s",
            "0",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
        )
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", *through, *command(*arguments, *self._arguments)],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The supervisor's process."""
        assert self._process is not None, "the box was not started"
        return self._process

    def log(self) -> str:
        """All that it has said so far."""
        return self._log.read_text(errors="replace")

    def told(self) -> dict[str, Any]:
        """What ``run/box.json`` says: ``pid``, ``url`` and ``processes`` (pid by name)."""
        told: dict[str, Any] = json.loads((self.data / "run" / "box.json").read_bytes())
        return told

    def pids(self) -> dict[str, int]:
        """The pid of each of its processes that runs."""
        return {name: pid for name, pid in self.told()["processes"].items() if pid}

    def key(self, role: str) -> str:
        """The credential of a role."""
        return (self.data / "keys" / f"{role}.key").read_text().strip()

    @property
    def authority(self) -> Path:
        """The certificate of the box's own authority, where it speaks HTTPS."""
        return self.data / "keys" / "ca.crt"

    def verify(self) -> ssl.SSLContext:
        """For a client: trusts the box's authority, if it has one, and nobody else."""
        return ssl.create_default_context(cafile=self.authority) if self.secure else ssl.create_default_context()

    def bearer(self, role: str) -> dict[str, str]:
        """The header that makes a request act as `role`."""
        return {"Authorization": f"Bearer {self.key(role)}"}

    def ticket(self) -> str:
        """Who and where it is, as ``appliance screen --box`` takes it."""
        found = re.findall(r"Iroh endpoint is up  id=(\w{64}) addresses=([\d.]+:\d+)", self.log())
        assert found, self.failed("no Iroh endpoint")
        return "@".join(found[-1])

    def health(self, timeout_s: float = 5) -> tuple[int, dict[str, str]]:
        """Status of ``/health`` and the state of each part; status 0 when nothing answers."""
        try:
            verify = self.verify()
            known = self.bearer("staff") if (self.data / "keys" / "staff.key").exists() else {}
            answer = httpx.get(f"{self.url}/health", headers=known, timeout=timeout_s, trust_env=False, verify=verify)
            return answer.status_code, {check["name"]: check["state"] for check in answer.json()["checks"]}
        except (httpx.TransportError, ValueError, FileNotFoundError):
            return 0, {}

    def wait_well(self, timeout_s: float) -> float:
        """Wait until ``/health`` answers 200; returns the seconds that took."""
        began, state = time.monotonic(), (0, {"": ""})
        while time.monotonic() - began < timeout_s:
            if self.process.poll() is not None:
                raise AssertionError(self.failed(f"ended with status {self.process.returncode}"))
            state = self.health()
            if state[0] == 200:
                return time.monotonic() - began
            time.sleep(0.05)
        raise AssertionError(self.failed(f"was not well within {timeout_s:g} s: {state}"))

    def _wait_told(self) -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            with suppress(OSError, ValueError):
                written = self.told()["pid"] == self.process.pid and len(self.pids()) == len(PROCESSES)
                if written and "The box is up." in self.log():
                    return
            time.sleep(0.05)
        raise AssertionError(self.failed("did not say that it is up"))

    def kill(self, name: str) -> int:
        """End one of its processes the hard way; returns the pid it had."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, told: signal.Signals = signal.SIGINT) -> int:
        """Tell it to stop and wait; returns its exit status."""
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.send_signal(told)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(self.failed(f"did not stop within {STOP_S:g} s")) from None

    def failed(self, reason: str) -> str:
        """`reason` and the end of the log."""
        return f"the box {reason}\n" + "\n".join(self.log().splitlines()[-40:])


def processes_of(data: Path) -> dict[int, str]:
    """The processes of the box on this data folder, by pid: it is in their words, their environment or their folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                told = (
                    words + (entry / "environ").read_bytes().decode(errors="replace") + str((entry / "cwd").readlink())
                )
                if str(data) in told:
                    found[int(entry.name)] = words
    return found


@contextmanager
def box_folder() -> Iterator[Path]:
    """A private folder with a short path, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="box-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_box(*arguments: str) -> Iterator[Box]:
    """A box that is well; stopped and removed at the end. `arguments` go to ``appliance up``."""
    with box_folder() as folder:
        box = Box(folder, *arguments)
        try:
            box.start()
            yield box
        finally:
            box.stop()
