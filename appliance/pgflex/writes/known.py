"""Collections as they were last seen: what fits them is written in one round trip.

The statement itself sees to it that the collection still is as it was; where it is not, nothing is written, the
collection is forgotten, and the caller takes the longer way.

While writes to a collection are on their way, those that come meanwhile wait for each other and then go together, in
one statement and one commit: many writers at once cost the database little more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg
from psycopg import errors

from appliance.errors import ApplianceError
from appliance.pgflex.database import STATEMENT_TIMEOUT, Pool, connection
from appliance.pgflex.fields import read_rows
from appliance.pgflex.writes.layout import Document, Layout, Needed, fit
from appliance.pgflex.writes.placing import whole
from appliance.pgflex.writes.writing import Statement, inserting, updating

__all__ = ["Known"]

Row = dict[str, Any]

_COLLECTIONS: Final = 2000
_TOGETHER: Final = 50
_REFUSED: Final = frozenset({"PGF103", "PGF105", "PGF106", "PGF109"})
_ACT: Final = b"select set_config('statement_timeout', %s, true), set_config('role', %s, true)"
# What the longer way answers better: another layout, a lock that was in the way, a relation that gives way.
_LONGER: Final = (psycopg.ProgrammingError, psycopg.IntegrityError, errors.DeadlockDetected)


class _Waiting(msgspec.Struct, eq=False):
    """Documents that wait for others to be written, and where their rows are awaited; None: take the longer way."""

    documents: Sequence[Document]
    rows: asyncio.Future[list[Row] | None]


class Known:
    """Remembers collections, as each role meets them.

    Args:
        pool: connections of the role that owns the collections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._under_way: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[tuple[str, str], list[_Waiting]] = {}

    def remember(self, collection: str, role: str, layout: Layout) -> None:
        """Keep a collection as it is, committed."""
        if len(self._layouts) >= _COLLECTIONS:
            self._layouts.pop(next(iter(self._layouts)))
        self._layouts[collection, role] = layout

    async def insert(self, collection: str, documents: Sequence[Document], role: str) -> list[Row] | None:
        """The documents' rows, written; None when nothing was."""
        named = (collection, role)
        if named not in self._layouts:
            return None
        if named in self._under_way and len(documents) <= _TOGETHER:
            waiting = _Waiting(documents, asyncio.get_running_loop().create_future())
            self._waiting.setdefault(named, []).append(waiting)
            return await waiting.rows
        self._under_way.add(named)
        try:
            return await self._insert(collection, documents, role)
        finally:
            self._go_on_soon(collection, role)

    async def _insert(self, collection: str, documents: Sequence[Document], role: str) -> list[Row] | None:
        known = self._fit(collection, documents, role)
        if known is None:
            return None
        rows = await self._run(collection, role, inserting(collection, *known, documents))
        return _whole(rows, known[0]) if rows else None

    def _go_on_soon(self, collection: str, role: str) -> None:
        """Let those who have their rows by now come with their next documents first."""
        asyncio.get_running_loop().call_soon(self._go_on, collection, role)

    def _go_on(self, collection: str, role: str) -> None:
        """Send what has waited, as far as it goes together."""
        waiting = self._waiting.get((collection, role))
        if not waiting:
            self._waiting.pop((collection, role), None)
            self._under_way.discard((collection, role))
            return
        group: list[_Waiting] = []
        while waiting and sum(len(each.documents) for each in group) < _TOGETHER:
            group.append(waiting.pop(0))
        task = asyncio.create_task(self._insert_group(collection, role, group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _insert_group(self, collection: str, role: str, group: list[_Waiting]) -> None:
        """Write what several have waited with; each is told of its own rows, or that it has to go by itself."""
        rows: list[Row] | None = None
        failed: BaseException | None = None
        try:
            rows = await self._insert(collection, [each for one in group for each in one.documents], role)
        except BaseException as error:
            # What is refused for one of them must not be for all. What may have been written goes to nobody twice.
            failed = None if isinstance(error, ApplianceError) and error.code in _REFUSED else error
        for one in group:
            if failed is not None and not one.rows.done():
                one.rows.set_exception(_lost(failed))
            elif not one.rows.done():
                one.rows.set_result(rows and rows[: len(one.documents)])
            rows = rows and rows[len(one.documents) :]
        self._go_on_soon(collection, role)

    async def update(self, collection: str, key: int, document: Document, role: str) -> Row | None:
        """The row, changed; None when nothing was."""
        known = self._fit(collection, [document], role)
        if known is None:
            return None
        rows = await self._run(collection, role, updating(collection, key, *known, document))
        return _whole(rows, known[0])[0] if rows else None

    def _fit(self, collection: str, documents: Sequence[Document], role: str) -> tuple[Layout, Needed] | None:
        """What the collection is known to have, when one statement under the role can write these documents to it."""
        layout = self._layouts.get((collection, role))
        if layout is None or (layout.overflows and layout.readable is not None):
            return None
        needed = fit(layout, documents)
        return None if needed.added or needed.wider or not needed.types else (layout, needed)

    async def _run(self, collection: str, role: str, statement: Statement) -> list[Row]:
        """Run a statement as a role, in a transaction of its own and one round trip; nothing when that failed."""
        try:
            async with connection(self._pool) as db:
                async with db.pipeline():
                    # Until the pipeline's end these are one transaction.
                    await db.execute(_ACT, [STATEMENT_TIMEOUT, role], prepare=True)
                    found = await db.execute(statement.query, statement.parameters, prepare=True)
                rows = read_rows(row[0] for row in await found.fetchall())
        except ApplianceError as error:
            if not isinstance(error.__cause__, _LONGER):
                raise
            rows = []
        if not rows:
            self._layouts.pop((collection, role), None)
        return rows


def _lost(error: BaseException) -> ApplianceError:
    """Why a write that went together with others failed, for one of them."""
    if isinstance(error, ApplianceError):
        return ApplianceError(error.code, error.message, error.details, error.hint)
    return ApplianceError("PGF100", "The write was broken off.", repr(error), "See what is there before trying again.")


def _whole(rows: list[Row], layout: Layout) -> list[Row]:
    return [whole(row, layout) for row in rows] if layout.overflows else rows
