"""Connections to PostgreSQL for the data service, and its faults told in the one error shape.

async with open_pool(dsn) as pool, connection(pool) as db:
    await act_as(db, "staff")
"""

from __future__ import annotations

import json
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from appliance.errors import ApplianceError
from appliance.types import RoleName

Connection = psycopg.AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

STATEMENT_TIMEOUT: Final = "10s"
_POOL_SIZE: Final = 10
_POOL_WAIT_S: Final = 5.0

exact_loads = partial(json.loads, parse_float=Decimal)
"""JSON from the database with its numbers kept exact."""


def open_pool(dsn: str, size: int = _POOL_SIZE) -> Pool:
    """A pool that is not open yet; use it with ``async with``. A connection is tried before it is lent."""
    return AsyncConnectionPool(
        dsn,
        open=False,
        min_size=1,
        max_size=size,
        timeout=_POOL_WAIT_S,
        configure=_configure,
        check=_check,
        kwargs={"autocommit": True},
        name="pgflex",
    )


async def _check(db: Connection) -> None:
    """Ask a connection whether it is alive, where something came in on it unasked: the end of a server does."""
    waiting = select.poll()
    waiting.register(db.fileno(), select.POLLIN)
    if waiting.poll(0):
        await AsyncConnectionPool.check_connection(db)


async def _configure(db: Connection) -> None:
    set_json_loads(exact_loads, db)


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, whose faults leave as :class:`ApplianceError`."""
    try:
        async with pool.connection() as db:
            yield db
    except (psycopg.Error, PoolTimeout) as error:
        raise fault(error) from error


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in a transaction that commits at the end, or leaves nothing."""
    async with connection(pool) as db, db.transaction():
        await db.execute("select set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
        yield db


async def act_as(db: Connection, role: RoleName) -> None:
    """Take on a role for the rest of the transaction: its grants and policies hold from here."""
    await db.execute("select set_config('role', %s, true)", [role])


def fault(error: Exception) -> ApplianceError:
    """A database fault as a person should read it."""
    told = _told(error)
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable | errors.DeadlockDetected):
        return ApplianceError("PGF114", "The database took too long.", told, "Try again; ask for less at once.")
    if isinstance(error, errors.InsufficientPrivilege):
        return ApplianceError("PGF106", "This role may not do that.", told, "Act as a role that may.")
    if isinstance(error, errors.DiskFull):
        return ApplianceError("PGF107", "There is no room left for data.", told, "Free some space on the box's disk.")
    if isinstance(error, errors.ProgramLimitExceeded):
        return ApplianceError("PGF109", "The document is over what PostgreSQL can hold.", told, "Split it.")
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return ApplianceError(
            "PGF103", "The document is not what this collection can hold.", told, "Correct the value named."
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout):
        return ApplianceError(
            "PGF101", "PostgreSQL does not answer.", told, "The box restarts it by itself; try again."
        )
    return ApplianceError("PGF100", "The database failed in a way nobody foresaw.", told, "See the box's log.")


def _told(error: Exception) -> dict[str, Any] | str:
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return {"sqlstate": error.sqlstate, "message": error.diag.message_primary, "column": error.diag.column_name}
    return str(error).strip()
