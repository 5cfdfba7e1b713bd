"""Migrations: numbered SQL files, forward only, each in one transaction and recorded in ``flex.migrations``.

>>> [migration.number for migration in migrations()][:2]
[1, 2]
"""

from __future__ import annotations

from importlib import resources
from typing import Final

import msgspec
import psycopg
from psycopg import sql

from appliance.errors import ApplianceError

_LOCK: Final = 0x0D5_F1E8


class Migration(msgspec.Struct, frozen=True):
    """A step of the schema: file ``0001_roles.sql`` is number 1, name ``roles``."""

    number: int
    name: str
    text: str


def migrations() -> tuple[Migration, ...]:
    """Every migration of this program, in order."""
    folder = resources.files("appliance.pgflex") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return tuple(
        Migration(int(name[:4]), name[5:].removesuffix(".sql"), (folder / name).read_text(encoding="utf-8"))
        for name in names
    )


def migrate(dsn: str, steps: tuple[Migration, ...] | None = None) -> list[int]:
    """Bring the database to this program's schema; the numbers applied now.

    Two programs may call it at once: the second waits. A step that fails leaves the database at the step before.

    Args:
        dsn: connects as a superuser.
        steps: what to apply; None takes :func:`migrations`.

    Raises:
        ApplianceError: PGF108, the database was made by a newer version of this program.
    """
    steps = migrations() if steps is None else steps
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        done = _applied(connection)
        newest = steps[-1].number
        if done and max(done) > newest:
            raise ApplianceError(
                "PGF108",
                "The database was made by a newer version of this program.",
                f"database at {max(done)}, program at {newest}",
                "Install that version again, or restore a backup made with this one.",
            )
        missing = [step for step in steps if step.number not in done]
        for step in missing:
            _apply(connection, step)
    return [step.number for step in missing]


def _applied(connection: psycopg.Connection) -> set[int]:
    found = connection.execute("select to_regclass('flex.migrations') is not null").fetchone()
    if not found or not found[0]:
        return set()
    return {row[0] for row in connection.execute("select number from flex.migrations")}


def _apply(connection: psycopg.Connection, step: Migration) -> None:
    with connection.transaction():
        # Without parameters a file may hold several statements; a Composed is sent as it stands.
        connection.execute(sql.SQL(step.text))
        connection.execute("reset role")
        connection.execute("insert into flex.migrations (number, name) values (%s, %s)", [step.number, step.name])
