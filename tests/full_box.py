"""A box whose parts somebody else starts, as systemd and container engines do, on a PostgreSQL that is already there.

with full_box(tmp_path) as box:
    box.parts["llm"].kill()
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from appliance.config import load
from appliance.pgflex.embedded import (
    Cluster,
    find_postgrest,
    postgres_command,
    prepare,
    release,
    wait_ready,
)
from appliance.pgflex.server import SUPERUSER
from tests.box import ROOT, appliance, environment, free_port

READY_S = 60.0
SERVICES = ("pgflex", "llm", "bridge", "gateway")


class FullBox:
    """Its folders, its processes and its address."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self.data, self.runtime, self.file = folder / "data", folder / "run", folder / "deployment.toml"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        listen = "\n".join(
            f'{part} = "http://127.0.0.1:{free_port()}"' for part in ("postgrest", "pgflex", "llm", "bridge")
        )
        address = cluster.dsn(SUPERUSER, "").replace(" dbname=''", "")
        self.file.write_text(
            f'data = "{self.data}"\nruntime = "{self.runtime}"\ndatabase = "{address}"\n[listen]\n{listen}\n'
            f'[settings]\nport = {self.port}\ndemo = "hospital"\ndemo_tick_s = 0\nmdns = false\n'
            'box_name = "Vendor\'s"\n'
        )

    def prepare(self) -> subprocess.CompletedProcess[str]:
        """Run ``appliance prepare``."""
        return appliance("prepare", "--deployment", str(self.file))

    def start(self, part: str) -> None:
        """Start one part the way a unit does: its own file, and nothing else of ours in its environment."""
        if part == "postgrest":
            command = [str(find_postgrest(load({}, environ={}))), str(self.runtime / part / "postgrest.conf")]
        else:
            command = [sys.executable, "-m", f"appliance.services.{part}"]
        with (self.folder / f"{part}.log").open("ab") as log:
            self.parts[part] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                cwd=ROOT,
                env=environment(DREAMSTACK_RUNTIME_FILE=str(self.runtime / part / "runtime.json")),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_well(self) -> None:
        """Wait until the door says that all is well."""
        until, said = time.monotonic() + READY_S, "nothing"
        while time.monotonic() < until:
            try:
                answer = httpx.get(f"{self.url}/health", timeout=3, trust_env=False)
                if answer.status_code == 200:
                    return
                said = answer.text
            except httpx.HTTPError as error:
                said = repr(error)
            time.sleep(0.1)
        raise AssertionError(f"the box did not become ready: {said}\n{self.log()}")

    def log(self) -> str:
        """What the parts wrote, the last of it."""
        return "\n".join(f"-- {file.name}\n{file.read_text()[-1500:]}" for file in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End all parts."""
        for process in self.parts.values():
            process.terminate()
        for process in self.parts.values():
            process.wait(20)


@contextmanager
def full_box(folder: Path) -> Iterator[FullBox]:
    """A PostgreSQL of its own with a box on it that nobody prepared or started yet."""
    settings = load({"data": folder / "database"}, environ={})
    cluster = prepare(settings)
    command = postgres_command(cluster, settings)
    with (folder / "postgres.log").open("ab") as log:
        server = subprocess.Popen(command.argv, stdout=log, stderr=log, **command.options())
    try:
        wait_ready(cluster)
        box = FullBox(folder, cluster)
        try:
            yield box
        finally:
            box.stop()
    finally:
        server.send_signal(2)
        server.wait(20)
        release(cluster)
