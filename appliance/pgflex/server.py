"""The database of a box, whoever starts it: its address, its passwords, its first and every later preparation.

Everything blocks: it is called before the services are there.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from appliance.errors import ApplianceError
from appliance.pgflex.migrate import migrate

DATABASE: Final = "dreamstack"
SUPERUSER: Final = "dreamstack"
ROLES_WITH_PASSWORD: Final = (SUPERUSER, "authenticator", "flex")


class Server(Protocol):
    """A PostgreSQL to connect to."""

    @property
    def passwords(self) -> dict[str, str]:
        """Of ``authenticator`` and ``flex``."""
        ...

    def dsn(self, role: str, dbname: str = DATABASE) -> str:
        """The connection string of a role."""
        ...


class External(msgspec.Struct, frozen=True):
    """A PostgreSQL that somebody else starts: systemd, a container engine.

    Attributes:
        superuser: libpq words that connect as a superuser; without a database.
        address: libpq words that say where it listens (``host``, ``port``).
        passwords: of ``authenticator`` and ``flex``.
    """

    superuser: str
    address: str
    passwords: dict[str, str]

    def dsn(self, role: str, dbname: str = DATABASE) -> str:
        """The connection string of a role with a password, or of the superuser."""
        if role == SUPERUSER:
            return make_conninfo(self.superuser, dbname=dbname)
        return make_conninfo(self.address, user=role, password=self.passwords[role], dbname=dbname)


def external(superuser: str, data: Path) -> External:
    """The PostgreSQL that `superuser` connects to, with the passwords kept in ``<data>/keys``.

    Args:
        superuser: libpq words, a password among them where the server asks for one.
        data: the data folder.

    Raises:
        ApplianceError: PGF108, the words or the folder cannot be used.
    """
    try:
        told = conninfo_to_dict(superuser)
    except psycopg.Error as error:
        raise ApplianceError(
            "PGF108", "The database's address cannot be read.", str(error).strip(), "host=/run/postgresql user=postgres"
        ) from None
    where = {name: told[name] for name in ("host", "hostaddr", "port", "sslmode", "sslrootcert") if name in told}
    with folder_faults(data):
        return External(superuser, make_conninfo("", **where), stored_passwords(data))


def with_password(address: str, password: str) -> str:
    """The libpq words `address` with a password."""
    return make_conninfo(address, password=password)


def postgrest_options(cluster: Server, host: str, port: int, secret: str) -> dict[str, str]:
    """PostgREST's configuration, under the names its file has."""
    return {
        "db-uri": cluster.dsn("authenticator"),
        "db-schemas": "api",
        "db-pool": "10",
        "db-pool-acquisition-timeout": "5",
        "db-channel-enabled": "true",
        "db-aggregates-enabled": "true",
        "jwt-secret": secret,
        "jwt-aud": "dreamstack",
        "db-pre-request": "door.check_token",
        "server-host": host,
        "server-port": str(port),
        "log-level": "error",
    }


def wait_ready(cluster: Server, timeout_s: float = 30.0) -> None:
    """Wait until PostgreSQL answers.

    Raises:
        ApplianceError: PGF101, it did not within `timeout_s` seconds.
    """
    until = time.monotonic() + timeout_s
    while True:
        try:
            psycopg.connect(cluster.dsn(SUPERUSER, "postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                raise ApplianceError(
                    "PGF101",
                    f"PostgreSQL did not answer within {timeout_s:g} seconds.",
                    str(error),
                    "See its log lines above.",
                ) from None
        time.sleep(0.05)


def bootstrap(cluster: Server, timeout_s: float = 30.0) -> None:
    """Wait for PostgreSQL, make the database where it is missing, migrate it and set the roles' passwords.

    Raises:
        ApplianceError: PGF101 (PostgreSQL does not answer), PGF108 (the database is newer than this program).
    """
    wait_ready(cluster, timeout_s)
    with psycopg.connect(cluster.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    migrate(cluster.dsn(SUPERUSER))
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        for role in ("authenticator", "flex"):
            _set_password(connection, role, cluster.passwords[role])


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    # Hashed here, so that the password itself never reaches the server's log.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(hashed)))


@contextmanager
def folder_faults(data: Path) -> Iterator[None]:
    """Tell faults of the disk and of rights as PGF107 and PGF108."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_room(data, str(error)) from None
        raise ApplianceError(
            "PGF108",
            f"The data folder {data} cannot be used.",
            str(error),
            "Choose a folder you may write to: appliance up --data DIR",
        ) from None


def no_room(data: Path, details: str) -> ApplianceError:
    """PGF107: the disk of `data` is full."""
    return ApplianceError(
        "PGF107",
        f"There is no room for the data folder {data}.",
        details,
        "Free some space on that disk, or choose another folder: appliance up --data DIR",
    )


def stored_passwords(data: Path) -> dict[str, str]:
    """The stored passwords; made on the first start, written whole or not at all."""
    keys = data / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    stored = keys / "postgres.json"
    if not stored.exists():
        made = {role: secrets.token_urlsafe(24) for role in ROLES_WITH_PASSWORD}
        write_private(stored, msgspec.json.encode(made))
    try:
        return msgspec.json.decode(stored.read_bytes(), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise ApplianceError("PGF108", f"{stored} cannot be read.", str(error), "Restore it from a backup.") from None


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)
