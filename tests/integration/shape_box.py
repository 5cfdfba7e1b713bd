"""The data service and the gateway as processes, and the official shape client in Node that follows them.

The client is installed by ``make test-setup``; without it a test fails with the reason.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from psycopg import sql

from appliance.config import Runtime
from tests.integration.pgflex_box import Box, free_port, running_box, stopped

NODE = Path(__file__).parent / "node"
KEYS = {role: f"the-key-of-{role}" for role in ("wall", "staff", "admin")}
SOON_S = 25.0


class ShapeBox:
    """A box of which the database, the data service and the gateway run.

    Args:
        box: its database.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.url = f"http://127.0.0.1:{free_port()}"
        self.service = box.start_service()
        self._gateway = self._start_gateway()
        self.client = httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def runtime(self) -> Runtime:
        """What the supervisor would tell the gateway."""
        return msgspec.structs.replace(self.box.runtime(), gateway_url=self.url, keys=KEYS)

    def _start_gateway(self) -> subprocess.Popen[bytes]:
        environment = {"PATH": "/usr/bin:/bin", "DREAMSTACK_RUNTIME": self.runtime().encode()}
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.services.gateway"], stdin=subprocess.DEVNULL, env=environment
        )
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            with suppress(httpx.TransportError):
                httpx.get(f"{self.url}/favicon.svg", timeout=2, trust_env=False)
                return process
            time.sleep(0.05)
        raise AssertionError("the gateway did not start")

    def wait_for_readers(self, count: int) -> None:
        """Until `count` readers wait at the data service for news of a shape."""
        until = time.monotonic() + SOON_S
        while time.monotonic() < until:
            told = httpx.get(f"{self.box.pgflex_url}/health", headers=self.box.bearer, timeout=5).json()
            if told["shapes"]["waiting"] == count:
                return
            time.sleep(0.05)
        raise AssertionError(f"{told['shapes']['waiting']} readers wait, not {count}")

    def kill_service(self) -> None:
        """End the data service the hard way."""
        self.service.kill()
        self.service.wait(10)

    def restart_service(self) -> None:
        """Start it again, as the supervisor would."""
        self.service = self.box.start_service()

    def write(self, method: str, path: str, body: object = None) -> Any:
        """A write as staff that has to succeed; gives back what was answered."""
        answer = self.client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def rows(self, collection: str, where: sql.Composable, columns: str = "*") -> list[dict[str, Any]]:
        """What a direct query finds, as the client has it: in the order of the key, values as it parses them."""
        with psycopg.connect(self.box.admin_dsn) as db:
            db.execute("set timezone = 'UTC'")
            found = db.execute(
                sql.SQL("select {} from api.{} where {} order by id").format(
                    sql.SQL(columns),
                    sql.Identifier(collection),
                    where,
                )
            )
            names = [(column.name, column.type_code) for column in found.description or ()]
            return [
                {name: _as_client(value) for (name, _), value in zip(names, row, strict=True) if name != "extra"}
                for row in found.fetchall()
            ]

    def execute(self, query: str) -> None:
        """Run SQL as the superuser."""
        with psycopg.connect(self.box.admin_dsn) as db:
            db.execute(query)

    def stop(self) -> None:
        """Stop the gateway; the box stops the rest."""
        self.client.close()
        stopped(self._gateway, signal.SIGTERM)


def _as_client(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | dict | list):
        return value
    return f"{value:%Y-%m-%d %H:%M:%S}+00" if hasattr(value, "hour") else str(value)


@contextmanager
def running_shapes(**given: object) -> Iterator[ShapeBox]:
    """A box that serves shapes; `given` are settings."""
    with running_box(**given) as box:
        shapes = ShapeBox(box)
        try:
            yield shapes
        finally:
            shapes.stop()


class Followers:
    """Shapes that the official client follows; each is a dict of ``name``, ``params`` and options of ShapeStream."""

    def __init__(self, url: str, shapes: list[dict[str, Any]]) -> None:
        told = [{"url": f"{url}/shape"} | shape for shape in shapes]
        node = shutil.which("node")
        assert node, "Node is missing: run make test-setup"
        assert (NODE / "node_modules" / "@electric-sql" / "client").is_dir(), (
            "The shape client is not installed: run make test-setup"
        )
        self._process = subprocess.Popen(
            [node, str(NODE / "follow.mjs"), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self) -> dict[str, dict[str, Any]]:
        """What each shape holds now, by name."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client ended"
        shapes = json.loads(line)
        for shape in shapes:
            shape["rows"].sort(key=lambda row: int(row["id"]))
        return {shape["name"]: shape for shape in shapes}

    def wait(self, name: str, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What a shape holds once it is `so`, within seconds."""
        until = time.monotonic() + SOON_S
        while True:
            shape = self.told()[name]
            assert shape["errors"] == [], shape["errors"]
            if so(shape):
                return shape
            assert time.monotonic() < until, f"{name} still holds {shape}"
            time.sleep(0.05)

    def wait_rows(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """What a shape holds once its rows are these."""
        return self.wait(name, lambda shape: bool(shape["upToDate"] and shape["rows"] == rows))

    def close(self) -> None:
        """End the client."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def following(url: str, *shapes: dict[str, Any]) -> Iterator[Followers]:
    """The official client, following these shapes."""
    followers = Followers(url, list(shapes))
    try:
        yield followers
    finally:
        followers.close()
