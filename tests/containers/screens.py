"""Screen agents in containers, on a network that reaches the bridge and nothing else of the box."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import docker
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.containers.stack import Stack

SCRIPT = Path(__file__).with_name("screen.py")


class Room:
    """A network with the box's bridge on it."""

    def __init__(self, stack: Stack, network: Network) -> None:
        self.network = network
        network.connect(stack.container("bridge").id)
        networks = stack.container("bridge").attrs["NetworkSettings"]["Networks"]
        found = re.search(r"id=(\w{64})", stack.container("bridge").logs().decode())
        assert found, "the bridge did not tell its id"
        self.box = f"{found[1]}@{networks[network.name]['IPAddress']}:4433"
        self._stack = stack

    @contextmanager
    def screen(self, role: str) -> Iterator[Screen]:
        """An agent with a role's key."""
        told = {"box": self.box, "credential": self._stack.key(role), "kind": "wall"}
        container = (
            DockerContainer("dreamstack/appliance:latest")
            .with_network(self.network)
            .with_volume_mapping(str(SCRIPT), "/screen.py")
            .with_command(["python", "/screen.py", json.dumps(told)])
        )
        with container as running:
            yield Screen(running, self.network)


class Screen:
    """One agent."""

    def __init__(self, container: DockerContainer, network: Network) -> None:
        self._container, self._network = container, network

    def log(self) -> str:
        """All that it said."""
        out, errors = self._container.get_logs()
        return out.decode() + errors.decode()

    def now(self) -> dict[str, Any]:
        """Its state and its signals."""
        lines = [line for line in self._container.get_logs()[0].decode().splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else {"state": "starting", "signals": {}}

    def until(self, met: Callable[[dict[str, Any]], Any], timeout_s: float = 40) -> float:
        """Wait until it shows something; the seconds that took."""
        began = time.monotonic()
        while not met(self.now()):
            assert time.monotonic() - began < timeout_s, f"not so in time: {self.log()[-3000:]}"
            time.sleep(0.2)
        return time.monotonic() - began

    def cut(self) -> None:
        """Pull its cable."""
        leave(self._network, self._container.get_wrapped_container().id)

    def join(self) -> None:
        """Put it back."""
        self._network.connect(self._container.get_wrapped_container().id)


def leave(network: Network, container: str) -> None:
    """Take a container off a network."""
    with closing(docker.from_env()) as client:
        client.networks.get(network.name).disconnect(container)


@contextmanager
def room(stack: Stack) -> Iterator[Room]:
    """A network for screens, gone at the end."""
    with Network() as network:
        made = Room(stack, network)
        try:
            yield made
        finally:
            leave(network, stack.container("bridge").id)
