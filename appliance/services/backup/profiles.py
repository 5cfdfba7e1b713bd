"""Where the two kinds of box keep what a backup holds, and how their database is reached.

Names within a backup are those of the embedded profile's data folder: a backup of one kind restores on the other.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from appliance.config import CHOSEN, Settings
from appliance.errors import ApplianceError
from appliance.pgflex import embedded as postgres
from appliance.pgflex.server import Server, external
from appliance.services import deployment
from appliance.services.deployment import Deployment

AREAS: Final = ("keys", "bridge", "gateway")
"""Folders that make a box this box."""

RECORDINGS: Final = ("recordings", "archive")
MODELS: Final = ("models",)
SETTINGS_FILES: Final = ("settings.toml", CHOSEN)
LEFT_OUT: Final = frozenset(
    {"keys/postgres.json", "keys/setup.code"}
    | {f"gateway/{name}.json" for name in ("sessions", "ledger", "jobs", "restored")}
)
"""Passwords of the database server that is there, as another one has others; and what is of the moment."""

_OF_GATEWAY: Final = ("ca.", "door.", "browsers.key", "accounts.")
_OF_BRIDGE: Final = ("iroh.", "generation")
_PART_OF_AREA: Final = {
    "bridge": "bridge",
    "gateway": "gateway",
    "recordings": "bridge",
    "archive": "bridge",
    "models": "llm",
}
_STOP_S: Final = 30.0


class Profile(Protocol):
    """A box, as backups see it."""

    @property
    def settings(self) -> Settings:
        """The box's."""
        ...

    def folders(self, area: str) -> tuple[Path, ...]:
        """Where the files of an area are."""
        ...

    def place(self, name: str) -> Path:
        """Where the file of this name in a backup belongs."""
        ...

    def owner(self, name: str) -> tuple[int, int] | None:
        """Who owns it; None: who restores."""
        ...

    def source(self) -> AbstractContextManager[Server]:
        """The database, to be read while the box may run."""
        ...

    def target(self) -> AbstractContextManager[Server]:
        """The database of a box that does not run, made where it is missing."""
        ...


class _Embedded(msgspec.Struct, frozen=True):
    settings: Settings

    def folders(self, area: str) -> tuple[Path, ...]:
        return (self.settings.data / area,)

    def place(self, name: str) -> Path:
        return self.settings.data / name

    def owner(self, name: str) -> tuple[int, int] | None:
        return None

    @contextmanager
    def source(self) -> Iterator[Server]:
        if (server := postgres.running(self.settings.data)) is not None:
            yield server
            return
        if not (self.settings.data / "postgres").is_dir():
            raise ApplianceError("PGF108", f"There is no box in {self.settings.data}.", None, "Name it: --data DIR")
        with self.target() as started:
            yield started

    @contextmanager
    def target(self) -> Iterator[Server]:
        cluster = postgres.prepare(self.settings)
        command = postgres.postgres_command(cluster, self.settings)
        try:
            logs = self.settings.data / "logs"
            logs.mkdir(exist_ok=True)
            with (logs / "postgres.log").open("ab") as log:
                server = subprocess.Popen(command.argv, stdout=log, stderr=log, **command.options())
            try:
                postgres.bootstrap(cluster)
                yield cluster
            finally:
                server.send_signal(2)
                server.wait(_STOP_S)
        finally:
            postgres.release(cluster)


class _Deployed(msgspec.Struct, frozen=True):
    deployment: Deployment
    settings: Settings

    def folders(self, area: str) -> tuple[Path, ...]:
        parts = self.settings.data / "parts"
        if area == "keys":
            return (self.settings.data / "keys", parts / "gateway" / "keys", parts / "bridge" / "keys")
        return (parts / _PART_OF_AREA[area] / area,)

    def place(self, name: str) -> Path:
        part = _part_of(name)
        return (self.settings.data / "parts" / part if part else self.settings.data) / name

    def owner(self, name: str) -> tuple[int, int] | None:
        part = _part_of(name)
        return deployment.owner_of(self.deployment, part) if part else None

    @contextmanager
    def source(self) -> Iterator[Server]:
        yield external(deployment.superuser(self.deployment), self.settings.data)

    @contextmanager
    def target(self) -> Iterator[Server]:
        self._check_stopped()
        deployment.prepare(self.deployment, self.settings)
        yield external(deployment.superuser(self.deployment), self.settings.data)
        deployment.prepare(self.deployment, self.settings)  # the parts are told of the keys that came back

    def _check_stopped(self) -> None:
        gateway = self.deployment.listen.get("gateway", f"http://127.0.0.1:{self.settings.port}")
        urls = {part: self.deployment.url(part) for part in deployment.PARTS if part != "gateway"} | {
            "gateway": gateway
        }
        with ThreadPoolExecutor(len(urls)) as together:  # each may take its time to say that nobody is there
            answers = together.map(_answers, urls.values())
        if running := [part for part, answer in zip(urls, answers, strict=True) if answer]:
            raise ApplianceError(
                "BRG473", "Parts of the box are running.", ", ".join(running), "Stop them, then restore."
            )


def embedded(settings: Settings) -> Profile:
    """The box of ``appliance up`` on a data folder."""
    return _Embedded(settings)


def deployed(told: Deployment, settings: Settings) -> Profile:
    """The box whose parts systemd or containers start."""
    return _Deployed(told, settings)


def _part_of(name: str) -> str:
    """Whose a file is in the full profile; empty: the box's own."""
    if name == CHOSEN:
        return "gateway"
    area, _, rest = name.partition("/")
    if area != "keys":
        return _PART_OF_AREA.get(area, "") if rest else ""
    if rest.startswith(_OF_GATEWAY):
        return "gateway"
    return "bridge" if rest.startswith(_OF_BRIDGE) else ""


def _answers(url: str) -> bool:
    at = urlsplit(url)
    with suppress(OSError), socket.create_connection((at.hostname or "", at.port or 80), timeout=1):
        return True
    return False
