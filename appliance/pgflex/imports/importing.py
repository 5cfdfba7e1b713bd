"""Import of files: CSV, a JSON document per line, or a list of them, into a collection, all rows or none.

    file -> scan (a process of its own: types, bad lines) -> spool -> COPY -> rows, in one transaction

Nothing is locked while the file comes in. A new collection, or one that needs nothing new, is filled by COPY; one that
has to grow is filled from a table beside it, so that its readers wait only for the last step. Rows are written under
the caller's role: where its grants and policies permit every row, COPY runs as the owner (PostgreSQL has no COPY
under row-level security), else PostgreSQL checks each row.

    importer = Importer(pool, store, folder, limits)
    async with aclosing(importer.run(Wanted("beds", "staff", "csv"), pieces)) as told:
        async for event in told:
            ...                             # Progress, then a Report
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final, Literal

import msgspec
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.fields import SQL_TYPES, collection_name
from appliance.pgflex.imports.loading import Target, copied, copy_query, make_beside, permits_all, take_over
from appliance.pgflex.imports.scan import Asked, Format, Found, FoundField
from appliance.pgflex.imports.spool import Progress, documents, read_into, rows
from appliance.pgflex.imports.tabular import Bad
from appliance.pgflex.relations.relations import gives_way
from appliance.pgflex.writes.placing import Limits
from appliance.pgflex.writes.store import Store
from appliance.types import FieldType, RoleName

__all__ = ["Field", "Importer", "Progress", "Report", "Wanted"]

_AT_ONCE: Final = 2
_ATTEMPTS: Final = 4


class Wanted(msgspec.Struct, frozen=True):
    """What is to be imported, and how; `skip_bad` leaves lines out that cannot be read, `dry_run` writes nothing."""

    collection: str
    role: RoleName
    format: Format
    encoding: str = ""
    dry_run: bool = False
    skip_bad: bool = False
    who: str | None = None


class Field(msgspec.Struct, frozen=True):
    """A field of the file, and where it went.

    Attributes:
        label: as the file names it.
        column: its column; empty where no row has a value for it.
        type: of the column then.
        state: ``new``, ``wider`` (the column was there with the type `was`), ``there``, or ``empty``.
        count: how many rows have a value.
        examples: a few of them.
    """

    label: str
    column: str
    type: FieldType | None
    state: Literal["new", "wider", "there", "empty"]
    was: FieldType | None
    count: int
    examples: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """What came of an import.

    Attributes:
        new: the collection was made for it.
        rows: stored, or that would be.
        skipped: lines left out; the first of them in `bad`.
        delimiter: of a CSV, else empty.
    """

    collection: str
    new: bool
    dry_run: bool
    rows: int
    bytes: int
    format: Format
    encoding: str
    delimiter: str
    fields: tuple[Field, ...]
    skipped: int = 0
    bad: tuple[Bad, ...] = ()


class _Plan(msgspec.Struct, frozen=True):
    """What a file needs of its collection.

    Attributes:
        types: label to type.
        names: label to column.
        before: column to type as the collection is; None: there is no such collection.
        after: column to type as it then is.
    """

    types: dict[str, FieldType]
    names: dict[str, str]
    before: dict[str, FieldType] | None
    after: dict[str, FieldType]

    @property
    def labels(self) -> dict[str, tuple[str, FieldType]]:
        """The column of each label, and its type."""
        return {label: (name, self.after[name]) for label, name in self.names.items()}

    @property
    def grows(self) -> bool:
        """Whether the collection is there, and has to change."""
        return self.before is not None and any(
            self.after[name] != self.before.get(name) for name in self.names.values()
        )


class Importer:
    """Imports files.

    Args:
        pool: connections of the role that owns the collections.
        store: grows collections.
        folder: where files wait while they come in; they have no name there.
        limits: what a document and a collection may hold.
    """

    def __init__(self, pool: Pool, store: Store, folder: Path, limits: Limits) -> None:
        self._pool, self._store = pool, store
        self._folder, self._limits = folder, limits
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def check(self, wanted: Wanted) -> None:
        """Refuse before the file is read what would be refused afterwards.

        Raises:
            ApplianceError: PGF105 (a name), PGF106 (the role may not), PGF101 (the database does not answer).
        """
        collection_name(wanted.collection)
        async with transaction(self._pool) as db:
            await self._plan(db, wanted, ())

    async def run(self, wanted: Wanted, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Progress | Report, None]:
        """Import the file that comes in `pieces`; closing this before the report leaves nothing behind.

        Raises:
            ApplianceError: PGF140 (a line, its text or the header cannot be read), PGF107 (no room), PGF141 (the
                collection changed meanwhile), and as :meth:`Store.insert`.
        """
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        with await asyncio.to_thread(tempfile.TemporaryFile, dir=self._folder) as spool:
            found = None
            asked = Asked(wanted.format, wanted.encoding, self._limits)
            async with aclosing(read_into(spool.fileno(), asked, pieces)) as told:
                async for event in told:
                    if isinstance(event, Found):
                        found = event
                    else:
                        yield event
            assert found is not None
            if found.skipped and not wanted.skip_bad:
                raise _refused(found)
            async with self._turns, aclosing(self._stored(wanted, found, spool.fileno())) as events:
                async for stored in events:
                    yield stored

    async def _stored(self, wanted: Wanted, found: Found, spool: int) -> AsyncGenerator[Progress | Report, None]:
        """Store what is in the spool; again when the collection changed meanwhile, or a relation gave way to it."""
        most = 0
        for attempt in range(_ATTEMPTS):
            try:
                async with aclosing(self._once(wanted, found, spool)) as events:
                    async for event in events:
                        if isinstance(event, Report):
                            yield event
                        elif event.stored > most:
                            most = event.stored
                            yield event
                return
            except ApplianceError as error:
                gave_way = await gives_way(self._pool, error.__cause__, wanted.collection)
                if attempt == _ATTEMPTS - 1 or not (gave_way or error.code == "PGF141"):
                    raise

    async def _once(self, wanted: Wanted, found: Found, spool: int) -> AsyncGenerator[Progress | Report, None]:
        async with transaction(self._pool) as db:
            plan = await self._plan(db, wanted, found.fields)
            if found.rows and not wanted.dry_run:
                # It takes as long as it takes; a day is the day in UTC, whatever the box's zone.
                await db.execute(
                    "select set_config('statement_timeout', '0', true), set_config('timezone', 'UTC', true)"
                )
                async with aclosing(self._write(db, wanted, found, plan, spool)) as events:
                    async for event in events:
                        yield event
        yield _report(wanted, found, plan)

    async def _write(
        self, db: Connection, wanted: Wanted, found: Found, plan: _Plan, spool: int
    ) -> AsyncGenerator[Progress, None]:
        """Fill the table, straight or by way of one beside it."""
        targets = _targets(wanted, found, plan)
        straight = not plan.grows and bool(targets) and all(target.plain for target in targets)
        if straight:
            await self._grow(db, wanted, plan)
            straight = await permits_all(db, wanted.role, wanted.collection, list(plan.names.values()))
        beside = f"import_{secrets.token_hex(8)}"
        names = [target.name for target in targets] if straight else [f"c{place}" for place in range(len(targets))]
        if not straight:
            await make_beside(db, beside, names, targets, wanted.role)
        table = sql.Identifier("api", wanted.collection if straight else beside)
        if targets:
            source = rows(spool) if wanted.format == "csv" else documents(spool, plan.labels)
            async with aclosing(copied(db, copy_query(table, names, found.delimiter or ","), source)) as sizes:
                async for size, over in sizes:
                    about = min(found.rows, size * found.rows // max(1, found.size))
                    yield Progress(found.size, found.rows, found.rows if over else about)
        if not straight:
            await self._grow(db, wanted, plan)
            await take_over(db, beside, wanted.collection, wanted.role, targets, found.rows)

    async def _grow(self, db: Connection, wanted: Wanted, plan: _Plan) -> None:
        """Make the collection what the plan says, and see to it that it stays so until the end."""
        if plan.before is None or plan.grows:
            names = await self._store.fit_types(db, wanted.collection, plan.types, wanted.role, wanted.who)
        else:
            await db.execute(
                sql.SQL("lock table {} in row exclusive mode").format(sql.Identifier("api", wanted.collection))
            )
            names = plan.names
        now = await _fields(db, wanted.collection) or {}
        if names != plan.names or any(now.get(name) != plan.after[name] for name in names.values()):
            raise ApplianceError(
                "PGF141", f"{wanted.collection} changed while the file was read.", None, "Import it once more."
            )

    async def _plan(self, db: Connection, wanted: Wanted, fields: Sequence[FoundField]) -> _Plan:
        """Where the fields would go: the collection grows, is looked at, and is as it was."""
        before = await _fields(db, wanted.collection)
        held = before or {}
        unsure = {field.label for field in fields if field.one_truth}
        types = _types(fields) | dict.fromkeys(unsure, "boolean")
        names, after = await self._tried(db, wanted, types)
        # In a CSV true is a word: it does not become a 1 among numbers. Yes alone is a truth only where truths are.
        words = [
            label
            for label, kind in types.items()
            if kind == "boolean" != (held.get(names[label]) if label in unsure else after[names[label]])
        ]
        if words and wanted.format == "csv":
            types |= dict.fromkeys(words, "text")
            names, after = await self._tried(db, wanted, types)
        return _Plan(types, names, before, after)

    async def _tried(
        self, db: Connection, wanted: Wanted, types: dict[str, FieldType]
    ) -> tuple[dict[str, str], dict[str, FieldType]]:
        async with db.transaction(force_rollback=True):
            names = await self._store.fit_types(db, wanted.collection, types, wanted.role, wanted.who)
            return names, await _fields(db, wanted.collection) or {}


def _types(fields: Sequence[FoundField]) -> dict[str, FieldType]:
    return {field.label: field.type for field in fields if field.type is not None}


async def _fields(db: Connection, collection: str) -> dict[str, FieldType] | None:
    """The types of a collection's columns; None where there is no such collection."""
    found = await db.execute(
        "select f.name, f.type from flex.collections as c left join flex.fields as f on f.collection = c.name"
        " where c.name = %s",
        [collection],
    )
    rows = await found.fetchall()
    return {name: kind for name, kind in rows if name is not None} if rows else None


def _targets(wanted: Wanted, found: Found, plan: _Plan) -> list[Target]:
    """The columns of the spool, in order."""
    if wanted.format != "csv":
        return [Target(name, SQL_TYPES[plan.after[name]]) for name in plan.names.values()]
    return [_csv_target(field, plan) for field in found.fields]


def _csv_target(field: FoundField, plan: _Plan) -> Target:
    name = plan.names.get(field.label, "")
    kind = plan.after[name] if name else "text"
    if kind != "jsonb":
        return Target(name, SQL_TYPES[kind])
    number = plan.types[field.label] in ("integer", "numeric")
    return Target(name, "text", "to_jsonb({}::numeric)" if number else "to_jsonb({})")


def _refused(found: Found) -> ApplianceError:
    first, more = found.bad[0], found.skipped - 1
    others = f", and {more} more line{'s' * (more > 1)}" if more else ""
    return ApplianceError(
        "PGF140",
        f"Line {first.line} cannot be read{others}; nothing was stored.",
        {"line": first.line, "message": first.reason, "bad": [msgspec.to_builtins(bad) for bad in found.bad]},
        "Correct the file, or leave such lines out: --skip-bad (over HTTP skip_bad=true)",
    )


def _report(wanted: Wanted, found: Found, plan: _Plan) -> Report:
    return Report(
        wanted.collection,
        plan.before is None and found.rows > 0,
        wanted.dry_run,
        found.rows,
        found.size,
        wanted.format,
        found.encoding,
        found.delimiter,
        tuple(_field(field, plan) for field in found.fields),
        found.skipped,
        found.bad,
    )


def _field(field: FoundField, plan: _Plan) -> Field:
    column = plan.names.get(field.label, "")
    if not column:
        return Field(field.label, "", None, "empty", None, field.count, field.examples)
    was, kind = (plan.before or {}).get(column), plan.after[column]
    state: Literal["new", "wider", "there"] = "new" if was is None else "wider" if was != kind else "there"
    return Field(field.label, column, kind, state, was if state == "wider" else None, field.count, field.examples)
