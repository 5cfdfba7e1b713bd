"""Schemaless writes: documents go in, collections and fields appear where they are new.

A write is prepared for what the collection is known to have, and happens in one round trip when it still has just
that. Only when a document holds something new does it take the collection's lock and let the collection grow
(:mod:`appliance.pgflex.writes.growth`); that and the rows commit together. Rows are written under the caller's role, so
grants and policies hold.

    store = Store(pool, Limits(fields=1200))
    rows = await store.insert("beds", [{"Bed No": "C-01", "free": True}], "staff")
    # [{"id": 1, "bed_no": "C-01", "free": True}]
    await store.update("beds", 1, {"free": False}, "staff")
    await store.replace("beds", 1, {"Bed No": "C-02"}, "staff")     # free is null then
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.pgflex.fields import SAMPLES, collection_name
from appliance.pgflex.relations.relations import gives_way
from appliance.pgflex.writes import writing
from appliance.pgflex.writes.growth import add_field, grow, may_reach, no_collection
from appliance.pgflex.writes.known import Known
from appliance.pgflex.writes.layout import Column, Document, Layout, Needed, fit, read_layout
from appliance.pgflex.writes.placing import Limits, check
from appliance.types import FieldType, RoleName

__all__ = ["Store"]

Row = dict[str, Any]

_ATTEMPTS: Final = 6
_AGAIN: Final = (
    errors.DatatypeMismatch,
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.DeadlockDetected,
    errors.UniqueViolation,
)
_LONGEST_ID: Final = 2**53 - 1

_Result = TypeVar("_Result")


class Store:
    """Writes documents.

    Args:
        pool: connections of the role that owns the collections.
        limits: what a write may hold, and when a column is made wider at once.
    """

    def __init__(self, pool: Pool, limits: Limits | None = None) -> None:
        self.pool = pool
        self._limits = limits or Limits()
        self._known = Known(pool)

    async def insert(
        self, collection: str, documents: Sequence[Document], role: RoleName, who: str | None = None
    ) -> list[Row]:
        """Store documents and give them back as rows, in order, each with its ``id``.

        Args:
            collection: made when it is not there.
            documents: JSON objects.
            role: as whom they are written.
            who: kept as the first writer of new fields; None takes the role.

        Raises:
            ApplianceError: PGF103 (a document cannot be held), PGF105 (a name), PGF106 (the role may not),
                PGF109 (over a limit), PGF130 (a strict relation), PGF101 and PGF114 (the database does not answer
                in time).
        """
        _may_write(role)
        check(documents, self._limits)
        rows = await self._known.insert(collection_name(collection), documents, role)
        if rows is not None:
            return rows

        async def write(db: Connection) -> list[Row]:
            return await self._insert_in(db, collection, documents, role, who, self._known)

        return await self._tried(collection, write)

    async def insert_in(
        self, db: Connection, collection: str, documents: Sequence[Document], role: RoleName, who: str | None = None
    ) -> list[Row]:
        """As :meth:`insert`, inside a transaction of the caller; leaves it acting as itself again."""
        check(documents, self._limits)
        return await self._insert_in(db, collection_name(collection), documents, role, who, None)

    async def update(
        self, collection: str, key: int, document: Document, role: RoleName, who: str | None = None
    ) -> Row:
        """Set the fields of `document` on the row `key`; other fields stay. Gives the whole row back.

        Raises:
            ApplianceError: PGF104 (no such collection), PGF113 (no such row), else as :meth:`insert`.
        """
        asked = self._asked(collection, key, document, role)
        row = await self._known.update(collection, key, asked, role)
        if row is not None:
            return row

        async def write(db: Connection) -> Row | None:
            async def set_fields(layout: Layout, needed: Needed) -> Row | None:
                return await writing.update(db, collection, key, layout, needed, asked)

            return await self._fitted(db, collection, [asked], role, who, set_fields, make=False, known=self._known)

        row = await self._tried(collection, write)
        if row is None:
            raise _no_row(collection, key)
        return row

    async def replace(
        self, collection: str, key: int, document: Document, role: RoleName, who: str | None = None
    ) -> tuple[Row, bool]:
        """Make `document` all that the row `key` holds; gives the row, and whether it was not there before.

        Fields that the role may not read stay as they are.

        Raises:
            ApplianceError: PGF103 (a new row cannot have this id), else as :meth:`insert`.
        """
        asked = self._asked(collection, key, document, role)

        async def write(db: Connection) -> tuple[Row, bool]:
            async def set_all(layout: Layout, needed: Needed) -> Row | None:
                return await writing.update(db, collection, key, layout, writing.all_of(layout, needed), asked)

            async def make(layout: Layout, needed: Needed) -> Row | None:
                return await writing.make(db, collection, key, layout, needed, asked)

            row = await self._fitted(db, collection, [asked], role, who, set_all)
            if row is not None:
                return row, False
            await writing.pass_key(db, collection, _new_key(key))
            row = await self._fitted(db, collection, [asked], role, who, make)
            assert row is not None
            return row, True

        try:
            return await self._tried(collection, write)
        except ApplianceError as error:
            if isinstance(error.__cause__, errors.UniqueViolation):
                # There is such a row, and this role can neither see nor change it.
                raise ApplianceError("PGF106", "This role may not do that.", {"id": key}) from None
            raise

    async def delete(self, collection: str, key: int, role: RoleName) -> None:
        """Remove the row `key`.

        Raises:
            ApplianceError: PGF104 (no such collection), PGF113 (no such row), PGF106 (the role may not).
        """
        _may_write(role)
        collection_name(collection)

        async def write(db: Connection) -> bool:
            if await read_layout(db, collection, role) is None:
                raise no_collection(collection)
            await act_as(db, role)
            return await writing.delete(db, collection, key)

        if not await self._tried(collection, write):
            raise _no_row(collection, key)

    async def fit_types(
        self, db: Connection, collection: str, types: Mapping[str, FieldType], role: RoleName, who: str | None = None
    ) -> dict[str, str]:
        """Make a collection hold fields of these types, in a transaction of the caller; label to column.

        Raises:
            ApplianceError: PGF116, a column cannot be made wide enough now; else as :meth:`insert`.
        """
        _may_write(role)
        sample = {label: SAMPLES[kind] for label, kind in types.items()}
        _, needed = await grow(db, collection_name(collection), [sample], role, who or role, self._limits)
        if needed.spilled:
            raise ApplianceError(
                "PGF116",
                f"{collection} is large, and a column of it has to become wider first.",
                {"fields": sorted(needed.spilled)},
                "Write one such value through /flex; the box widens the column in the background. Then try again.",
            )
        return needed.names

    async def add_field(
        self,
        collection: str,
        label: str,
        kind: FieldType,
        role: RoleName,
        who: str | None = None,
        dry_run: bool = False,
    ) -> Column:
        """Add a stored field that no row has a value of yet; a dry run only says what it would be.

        Raises:
            ApplianceError: PGF104 (no such collection), PGF105 (a name), PGF106 (the role may not), PGF109 (over a
                limit), PGF116 (there is such a field), PGF101 and PGF114 (the database does not answer in time).
        """
        _may_write(role)

        async def add(db: Connection) -> Column:
            return await add_field(db, collection, label, kind, role, who or role, self._limits, dry_run)

        return await self._tried(collection, add)

    async def show_on_walls(self, db: Connection, collection: str, fields: Iterable[str]) -> None:
        """Let walls read these columns of a collection; none takes the collection off the walls."""
        named = list(fields)
        await db.execute(
            "update flex.collections set wall_fields = %s, audience = %s where name = %s",
            [named, "wall" if named else "staff", collection],
        )
        await db.execute("select flex.apply_access(%s)", [collection])
        await db.execute("select flex.schema_changed()")

    def _asked(self, collection: str, key: int, document: Any, role: RoleName) -> Document:
        """A document for a row, without the row's own id."""
        _may_write(role)
        check([document], self._limits)
        collection_name(collection)
        return {label: value for label, value in document.items() if (label, value) != ("id", key)}

    async def _insert_in(
        self,
        db: Connection,
        collection: str,
        documents: Sequence[Document],
        role: RoleName,
        who: str | None,
        known: Known | None,
    ) -> list[Row]:
        async def write(layout: Layout, needed: Needed) -> list[Row] | None:
            return await writing.insert(db, collection, layout, needed, documents)

        rows = await self._fitted(db, collection, documents, role, who, write, known=known)
        assert rows is not None
        return rows

    async def _fitted(
        self,
        db: Connection,
        collection: str,
        documents: Sequence[Document],
        role: RoleName,
        who: str | None,
        write: Callable[[Layout, Needed], Awaitable[_Result | None]],
        make: bool = True,
        known: Known | None = None,
    ) -> _Result | None:
        """Make the collection hold the documents, and `write` them as `role`; again when it changed in between.

        Args:
            db: in a transaction; acts as itself again afterwards.
            collection: see :func:`grow`, as for the next three and `make`.
            documents: what is written.
            role: who writes.
            who: who is kept as the first writer.
            write: gives None when nothing was written.
            make: whether the collection is made.
            known: remembers the collection as it is; None where this transaction may have changed it.
        """
        while True:
            layout = await read_layout(db, collection, role)
            if layout is not None:
                may_reach(layout, collection, role)
            needed = fit(layout, documents)
            if layout is None or needed.added or needed.wider:
                layout, needed = await grow(db, collection, documents, role, who or role, self._limits, make)
            elif known is not None:
                known.remember(collection, role, layout)
            await act_as(db, role)
            written = await write(layout, needed)
            await db.execute("reset role")
            if written is not None:
                return written
            now = await read_layout(db, collection, role)
            if now is not None and now.version == layout.version:
                return None

    async def _tried(self, collection: str, write: Callable[[Connection], Awaitable[_Result]]) -> _Result:
        """Run `write` in a transaction; again when the collection changed under it, or a relation gave way to it."""
        for attempt in range(_ATTEMPTS):
            try:
                async with transaction(self.pool) as db:
                    return await write(db)
            except ApplianceError as error:
                if attempt == _ATTEMPTS - 1 or not isinstance(error.__cause__, psycopg.Error):
                    raise
                if await gives_way(self.pool, error.__cause__, collection):
                    continue
                if not isinstance(error.__cause__, _AGAIN):
                    raise
        raise AssertionError("the last attempt returns or raises")


def _may_write(role: str) -> None:
    if role == "wall":
        raise ApplianceError("PGF106", "A wall may not write.", {"role": role}, "Act as staff or admin.")


def _new_key(key: int) -> int:
    if not 0 < key <= _LONGEST_ID:
        raise ApplianceError(
            "PGF103", f"A new row cannot have the id {key}.", {"id": key}, f"Use 1 to {_LONGEST_ID}, or POST it."
        )
    return key


def _no_row(collection: str, key: int) -> ApplianceError:
    return ApplianceError("PGF113", f"{collection} has no row {key}.", {"collection": collection, "id": key})
