"""A whole box in containers for tests: `compose.yaml` as it stands, a project and secrets of its own, a free port.

    with Stack(folder, DREAMSTACK_DEMO="hospital") as stack:
        stack.start()
        stack.ask("How many beds are free?")

The demo stands still. What a test does not say is as in `compose.yaml`; further files come on top of it.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker
import httpx
from docker.models.containers import Container
from testcontainers.compose import DockerCompose

from tests.box import ROOT, environment, free_port

WELL_S = 120.0
PARTS = ("postgres", "postgrest", "pgflex", "llm", "bridge", "gateway")
RUNTIME = "/run/dreamstack/gateway/runtime.json"
AUTHORITY = "/var/lib/dreamstack/box/parts/gateway/keys/ca.crt"


class Stack:
    """One box.

    Args:
        folder: for its secrets and backups; its name becomes the project's.
        files: compose files on top of `compose.yaml`.
        settings: variables of `compose.yaml`.
    """

    def __init__(self, folder: Path, *files: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.backups, self.project = free_port(), folder / "backups", f"box-{folder.name}-{os.getpid()}"
        self.url = f"https://127.0.0.1:{self.port}"
        told = {
            "COMPOSE_PROJECT_NAME": self.project,
            "DREAMSTACK_SECRETS": str(folder / "secrets"),
            "DREAMSTACK_BACKUPS": str(self.backups),
            "DREAMSTACK_BIND": "127.0.0.1",
            "DREAMSTACK_PORT": str(self.port),
            "DREAMSTACK_DEMO_TICK_S": "0",
        }
        (folder / "env").write_text("".join(f"{name}={value}\n" for name, value in (told | settings).items()))
        words = ["scripts/compose.sh", "secrets"]
        subprocess.run(words, cwd=ROOT, env=environment(DREAMSTACK_SECRETS=told["DREAMSTACK_SECRETS"]), check=True)
        self.backups.mkdir(exist_ok=True)
        self.backups.chmod(0o1777)
        self.compose = DockerCompose(
            ROOT, ["compose.yaml", *map(str, files)], env_file=str(folder / "env"), wait=False, profiles=["tools"]
        )
        self.client = docker.from_env()
        self._key: dict[str, str] = {}
        self._context: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            print(self.log())
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "1")
        self.client.close()

    def run(self, *words: str, timeout_s: float = 180, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`docker compose` with these words."""
        command = [*self.compose.docker_compose_command(), *words]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        return done

    def start(self) -> float:
        """Start all of it and wait until it is well; the seconds that took."""
        began = time.monotonic()
        self.run("up", "--detach", *PARTS, "prepare")
        self.wait_well()
        return time.monotonic() - began

    def tool(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a container that has all of the box before it."""
        return self.run("run", "--rm", "--no-deps", "-T", "tools", *words, check=check)

    def container(self, service: str) -> Container:
        """The container of a service, as it is now."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        found = self.client.containers.list(all=True, filters={"label": [*labels, "com.docker.compose.oneoff=False"]})
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def read(self, service: str, path: str) -> bytes:
        """A file of a running container."""
        done = self.container(service).exec_run(["cat", path])
        assert done.exit_code == 0, done.output
        return bytes(done.output)

    def key(self, role: str) -> str:
        """The credential of a role."""
        if not self._key:
            self._key = json.loads(self.read("gateway", RUNTIME))["keys"]
        return self._key[role]

    def context(self) -> ssl.SSLContext:
        """What trusts this box's authority and nobody else."""
        if self._context is None:
            self._context = ssl.create_default_context(cadata=self.read("gateway", AUTHORITY).decode())
        return self._context

    def request(self, method: str, path: str, body: Any = None, role: str = "admin", **headers: str) -> httpx.Response:
        """What the door answers to the holder of a role's key."""
        bearer = {"Authorization": f"Bearer {self.key(role)}"}
        return httpx.request(
            method,
            self.url + path,
            json=body,
            headers=bearer | headers,
            verify=self.context(),
            timeout=60,
            trust_env=False,
        )

    def told(self, method: str, path: str, body: Any = None, role: str = "admin", **headers: str) -> Any:
        """The same where it has to go well, as JSON."""
        answer = self.request(method, path, body, role, **headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def ask(self, question: str, role: str = "staff") -> dict[str, Any]:
        """The answer to a question."""
        return dict(self.told("POST", "/api/ask", {"question": question}, role))

    def settled(self, question: str, count: int, role: str = "staff") -> dict[str, Any]:
        """The answer to a "how many" once what was just written is known everywhere, and the answer is `count`."""
        until = time.monotonic() + 30
        while (told := self.ask(question, role)).get("rows") != [{"count": count}]:
            assert time.monotonic() < until, told
            time.sleep(0.3)
        return told

    def rows(self, collection: str, column: str) -> list[Any]:
        """A column of all rows of a collection."""
        path = f"/rest/{collection}?select={column}&order=id&limit=1000000"
        return [row[column] for row in self.told("GET", path, None, "admin", **{"X-Role": "staff"})]

    def health(self) -> dict[str, str]:
        """The state of each part, as the door sees it; empty when it does not answer."""
        try:
            key = {"Authorization": f"Bearer {self.key('staff')}"}
            answer = httpx.get(f"{self.url}/health", headers=key, verify=self.context(), timeout=5, trust_env=False)
            return {check["name"]: check["state"] for check in answer.json()["checks"]}
        except (httpx.HTTPError, ValueError, AssertionError, docker.errors.DockerException):
            return {}

    def wait_well(self, timeout_s: float = WELL_S) -> float:
        """Wait until no part is down; the seconds that took."""
        began, seen = time.monotonic(), {"": "nothing"}
        while time.monotonic() - began < timeout_s:
            seen = self.health()
            if seen and "down" not in seen.values():
                return time.monotonic() - began
            time.sleep(0.2)
        raise AssertionError(f"not well after {timeout_s:g} s: {seen}\n{self.log()}")

    def kill(self, service: str) -> None:
        """kill -9 of a service's first process, as the kernel would when memory runs out; Docker starts it again."""
        container = self.container(service)
        pid = container.attrs["State"]["Pid"]
        self.client.containers.run(
            "debian:trixie-slim", ["sh", "-c", f"kill -9 {pid}"], pid_mode="host", network_mode="none", remove=True
        )
        until = time.monotonic() + 30
        while self.container(service).attrs["State"]["Pid"] in (0, pid):
            assert time.monotonic() < until, f"{service} was not started again"
            time.sleep(0.1)

    def log(self) -> str:
        """The end of what all of them wrote."""
        done = self.run("logs", "--no-color", "--tail", "25", check=False)
        return self.run("ps", "--all", check=False).stdout + done.stdout
