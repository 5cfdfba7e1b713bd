"""The full profile: the parts of a box are started by systemd or a container engine, each as a user of its own.

``appliance prepare`` comes first, at every start: it makes the keys, the folders and the database where they are
missing, migrates, and writes for each part what that part has to know, and no more:

    <runtime>/pgflex/runtime.json        and so on for llm, bridge, gateway: a :class:`appliance.config.Runtime`
    <runtime>/postgrest/postgrest.conf   PostgREST's own configuration

Each part finds its file through ``DREAMSTACK_RUNTIME_FILE`` and has a data folder of its own,
``<data>/parts/<part>``. A deployment is declared in a TOML file, every key of which may be left out:

    data = "/var/lib/dreamstack/box"
    runtime = "/run/dreamstack"
    database = "host=/run/postgresql user=postgres"      # as a superuser, without a database

    [listen]                                             # where parts find each other, without a trailing slash
    pgflex = "http://127.0.0.1:7011"

    [owners]                                             # the user each part runs as; left out: who prepares
    pgflex = "dreamstack-pgflex"

    [settings]                                           # weaker than <data>/settings.toml and the environment
    lan = true
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from appliance.config import CHOSEN, SETTINGS, Runtime, Settings, load, origins
from appliance.errors import ApplianceError
from appliance.pgflex.server import bootstrap, external, folder_faults, postgrest_options, with_password, write_private
from appliance.services.admin import setup_code
from appliance.services.keys import internal_keys, role_keys
from appliance.services.supervisor import door_url, local_url

FILE: Final = Path("/etc/dreamstack/deployment.toml")
POSTGREST: Final = "postgrest"
SERVICES: Final = ("pgflex", "llm", "bridge", "gateway")
PARTS: Final = (POSTGREST, *SERVICES)
DATABASE_S: Final = 120.0
LISTEN: Final = {part: f"http://127.0.0.1:{7010 + number}" for number, part in enumerate(PARTS) if part != "gateway"}


LINKS: Final = {
    "models": "parts/llm/models",
    "recordings": "parts/bridge/recordings",
    "archive": "parts/bridge/archive",
    "keys/ca.crt": "../parts/gateway/keys/ca.crt",
    setup_code.FILE: "../parts/gateway/keys/setup.code",
    CHOSEN: f"parts/gateway/{CHOSEN}",
}
"""Where commands of the box's own machine look, and where that is: with the part that owns it."""


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the TOML file declares; see the module."""

    data: str = "/var/lib/dreamstack/box"
    runtime: str = "/run/dreamstack"
    database: str = "host=/run/postgresql user=postgres"
    listen: dict[str, str] = {}
    owners: dict[str, str] = {}
    settings: dict[str, Any] = {}

    def url(self, part: str) -> str:
        """Where a part listens."""
        return self.listen.get(part, LISTEN[part])


def read(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> tuple[Deployment, Settings]:
    """The deployment and the box's settings.

    Args:
        file: the TOML file; None takes ``DREAMSTACK_DEPLOYMENT``, else ``/etc/dreamstack/deployment.toml``, else
            what is usual.
        environ: the environment.

    Raises:
        ApplianceError: BRG412, a value or a name that cannot be used.
    """
    named = file or (Path(environ["DREAMSTACK_DEPLOYMENT"]) if environ.get("DREAMSTACK_DEPLOYMENT") else None)
    path = named or FILE
    try:
        told = msgspec.toml.decode(path.read_bytes(), type=Deployment)
    except FileNotFoundError as error:
        if named is not None:
            raise _unusable(path, str(error)) from None
        told = Deployment()
    except (OSError, msgspec.DecodeError) as error:
        raise _unusable(path, str(error)) from None
    for table in (told.listen, told.owners):
        if strange := sorted(set(table) - set(PARTS)):
            raise _unusable(path, f"no part is called {', '.join(strange)}; there are {', '.join(PARTS)}")
    if strange := sorted(set(told.settings) - {setting.name for setting in SETTINGS}):
        raise _unusable(path, f"no setting is called {', '.join(strange)}")
    return told, load({"data": told.data}, environ, told.settings)


def prepare(deployment: Deployment, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Make what is missing, migrate the database, and tell each part what it has to know. Safe to repeat.

    Args:
        deployment: where things are.
        settings: the box's.
        environ: may name a file with the superuser's password, in ``DREAMSTACK_DATABASE_PASSWORD_FILE``.

    Raises:
        ApplianceError: PGF101, PostgreSQL does not answer; PGF107 and PGF108, folders and the database; BRG412, an
            owner that is no user here.
    """
    data, runtime = Path(deployment.data), Path(deployment.runtime)
    owners = {part: owner_of(deployment, part) for part in PARTS}
    with folder_faults(data):
        _folder(data, None, 0o755)
        for private in ("keys", "run"):
            _folder(data / private, None, 0o755 if private == "run" else 0o700)
        for part in SERVICES:
            _folder(data / "parts" / part, owners[part])
        for part in PARTS:
            _folder(runtime / part, owners[part])
        keys = role_keys(data / "keys")
        internal = internal_keys(data / "keys")
    server = external(superuser(deployment, environ), data)
    bootstrap(server, DATABASE_S)
    whole = Runtime(
        settings=settings,
        postgres_dsn=server.dsn("flex"),
        postgrest_url=deployment.url(POSTGREST),
        pgflex_url=deployment.url("pgflex"),
        llm_url=deployment.url("llm"),
        bridge_url=deployment.url("bridge"),
        gateway_url=deployment.listen.get("gateway", door_url(settings)),
        token=internal["token"],
        secret=internal["secret"],
        keys=keys,
        origins=origins({"data": deployment.data}, environ, deployment.settings),
    )
    with folder_faults(data):
        for part in SERVICES:
            _write(runtime / part / "runtime.json", told_to(part, whole, data / "parts" / part), owners[part])
        at = urlsplit(whole.postgrest_url)
        options = postgrest_options(server, at.hostname or "127.0.0.1", at.port or 80, whole.secret)
        _write(runtime / POSTGREST / "postgrest.conf", _conf(options), owners[POSTGREST])
        for name, place in LINKS.items():
            _link(data / name, place)
        (data / "run" / "box.json").write_bytes(msgspec.json.encode({"url": local_url(settings)}))


def told_to(part: str, whole: Runtime, data: Path) -> bytes:
    """The runtime of one part, as JSON, without the secrets that are others' business."""
    mine = msgspec.structs.replace(whole, settings=msgspec.structs.replace(whole.settings, data=data))
    if part != "pgflex":
        mine = msgspec.structs.replace(mine, postgres_dsn="")
    if part in ("pgflex", "llm"):
        mine = msgspec.structs.replace(mine, keys={})
    if part == "llm":
        mine = msgspec.structs.replace(mine, secret="")
    return mine.encode().encode()


def _conf(options: Mapping[str, str]) -> bytes:
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in options.items()}
    return "".join(f'{name} = "{value}"\n' for name, value in quoted.items()).encode()


def superuser(deployment: Deployment, environ: Mapping[str, str] = os.environ) -> str:
    """How the superuser connects, with the password of ``DREAMSTACK_DATABASE_PASSWORD_FILE`` where that is set.

    Raises:
        ApplianceError: PGF108, the file cannot be read.
    """
    file = environ.get("DREAMSTACK_DATABASE_PASSWORD_FILE")
    if not file:
        return deployment.database
    try:
        password = Path(file).read_text().rstrip("\n")
    except OSError as error:
        raise ApplianceError("PGF108", "The database's password cannot be read.", str(error), None) from None
    return with_password(deployment.database, password)


def owner_of(deployment: Deployment, part: str) -> tuple[int, int] | None:
    """User and group that a part runs as; None where nothing is said.

    Raises:
        ApplianceError: BRG412, there is no such user.
    """
    name = deployment.owners.get(part)
    if not name:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ApplianceError(
            "BRG412", f"There is no user {name}.", f"owners.{part}", f"Run: useradd --system {name}"
        ) from None
    return entry.pw_uid, entry.pw_gid


def _folder(path: Path, owner: tuple[int, int] | None, mode: int = 0o700) -> None:
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(mode=0o755)
    path.mkdir(exist_ok=True)
    if owner is not None:
        os.chown(path, *owner, follow_symlinks=False)
    if path.stat().st_uid == os.geteuid() or os.geteuid() == 0:
        path.chmod(mode)


def _link(path: Path, at: str) -> None:
    with suppress(FileExistsError):
        path.symlink_to(at)


def _write(path: Path, content: bytes, owner: tuple[int, int] | None) -> None:
    write_private(path, content)
    if owner is not None:
        os.chown(path, *owner, follow_symlinks=False)


def _unusable(path: Path, problem: str) -> ApplianceError:
    return ApplianceError("BRG412", f"{path} cannot be used.", problem, "See appliance prepare --help.")
