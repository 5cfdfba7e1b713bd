"""Collections grow: new ones, new columns, wider columns. Everything here happens under the collection's own lock.

A column that has to become wider does so at once in a small collection. In a large one, or where what hangs on the
column (a computed field, a mask, a row policy) would not hold with the wider type, its values that do not fit go to
the overflow column, and ``flex.widenings`` remembers that the column waits (:mod:`appliance.pgflex.writes.widening`).

    layout, needed = await grow(db, "beds", documents, "staff", "staff", limits, make=True)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection
from appliance.pgflex.fields import SQL_TYPES, collection_name, column_name, join, meaning, numbered, widen_sql
from appliance.pgflex.writes.layout import EMPTY, OVERFLOW, Column, Layout, Needed, fit, read_layout
from appliance.pgflex.writes.placing import Limits
from appliance.types import FieldType

__all__ = [
    "IN_THE_WAY",
    "add_field",
    "alter_types",
    "dependents",
    "exclusive",
    "grow",
    "is_large",
    "lock_collection",
    "may_reach",
    "no_collection",
]

_LOCK_SPACE: Final = 0x0D5F
_LOCK_WAIT: Final = "100ms"
_LOCK_ATTEMPTS: Final = 40
_PAUSE_S: Final = 0.05
_LARGE_BYTES: Final = 256 * 2**20

IN_THE_WAY: Final = (
    psycopg.ProgrammingError,
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.NotSupportedError,
    errors.LockNotAvailable,
    errors.QueryCanceled,
)
"""What PostgreSQL says when a wider type breaks something, or cannot be made now."""


async def lock_collection(db: Connection, collection: str) -> None:
    """Be the only one who changes the columns of a collection, until the transaction ends."""
    await db.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_SPACE, collection])
    # Its version is about to change; who takes this row before the table never meets who takes the table first.
    await db.execute("select from flex.collections where name = %s for no key update", [collection])


async def grow(
    db: Connection,
    collection: str,
    documents: Sequence[dict[str, Any]],
    role: str,
    who: str,
    limits: Limits,
    make: bool = True,
) -> tuple[Layout, Needed]:
    """Make a collection hold documents; gives what it has then, and where their values go.

    Args:
        db: in a transaction, as the role that owns the collections.
        collection: its name.
        documents: what is written.
        role: who writes.
        who: what is kept as the writer of new fields.
        limits: see there.
        make: whether a collection that is not there is made.

    Raises:
        ApplianceError: PGF104 (no such collection), PGF106 (not this role), PGF109 (too many fields, a name that
            is too long), PGF114 (the collection is busy), and as :func:`fit`.
    """
    await lock_collection(db, collection)
    layout = await read_layout(db, collection, role)
    if layout is None and not make:
        raise no_collection(collection)
    if layout is not None:
        may_reach(layout, collection, role)
    needed = fit(layout, documents)
    _check_limits(layout, needed, limits)
    if layout is None:
        await _create(db, collection)
    if needed.added:
        await _add(db, collection, needed.added, who)
    if needed.wider:
        await _widen(db, collection, layout, needed.wider, limits)
    if layout is None or needed.added or needed.wider:
        await _tell(db, collection, layout, needed)
        layout = await read_layout(db, collection, role)
        assert layout is not None
        needed = fit(layout, documents)
    return layout, needed


async def add_field(
    db: Connection, collection: str, label: str, kind: FieldType, role: str, who: str, limits: Limits, dry_run: bool
) -> Column:
    """Add a stored field that no row has a value of yet; a dry run only says what it would be.

    Raises:
        ApplianceError: PGF104 (no such collection), PGF105 (a name), PGF106 (not this role), PGF109 (too many fields,
            a name that is too long), PGF116 (there is such a field), PGF114 (the collection is busy).
    """
    await lock_collection(db, collection_name(collection))
    layout = await read_layout(db, collection, role)
    if layout is None:
        raise no_collection(collection)
    may_reach(layout, collection, role)
    held = [column for column in layout.columns if label == column.name or meaning(label) == meaning(column.label)]
    if held:
        told = f"{collection} already has a field {held[0].label}."
        raise ApplianceError("PGF116", told, {"field": held[0].name}, "Take another name.")
    taken = {*layout.taken, *(column.name for column in layout.columns)}
    added = Column(numbered(column_name(label), taken), label, kind)
    needed = Needed({}, {}, (added,))
    _check_limits(layout, needed, limits)
    if not dry_run:
        await _add(db, collection, needed.added, who)
        await _tell(db, collection, layout, needed)
    return added


def no_collection(collection: str) -> ApplianceError:
    """That there is no such collection."""
    return ApplianceError(
        "PGF104", "There is no such collection.", collection, "POST a document to it first; that makes the collection."
    )


def may_reach(layout: Layout, collection: str, role: str) -> None:
    """Refuse a role that may not write to a collection.

    Raises:
        ApplianceError: PGF106.
    """
    if not layout.writes:
        hint = f"Act as {layout.audience}." if layout.audience != "wall" else "Act as staff or admin."
        raise ApplianceError("PGF106", f"This role may not write to {collection}.", {"role": role}, hint)


def _check_limits(layout: Layout | None, needed: Needed, limits: Limits) -> None:
    count = len(needed.added) + (len(layout.columns) if layout else 0)
    if needed.added and count > limits.fields:
        raise ApplianceError(
            "PGF109",
            f"A collection may have {limits.fields} fields; this would be {count}.",
            {"first_new": needed.added[0].label[:200]},
            "Split the documents over several collections, or put the many fields into one nested value.",
        )
    for column in needed.added:
        if len(column.label) > limits.key:
            raise ApplianceError(
                "PGF109",
                f"The name of a field may have {limits.key} characters; one has {len(column.label)}.",
                {"field": column.label[:200]},
                "Give the field a shorter name.",
            )


async def _create(db: Connection, collection: str) -> None:
    await db.execute(
        "insert into flex.collections (name, label) values (%s, %s)", [collection, collection.replace("_", " ")]
    )
    await db.execute(
        sql.SQL("create table {} (id bigint generated by default as identity primary key)").format(_table(collection))
    )


async def _add(db: Connection, collection: str, added: Sequence[Column], who: str) -> None:
    steps = [
        sql.SQL("add column {} {}").format(sql.Identifier(column.name), sql.SQL(SQL_TYPES[column.type]))
        for column in added
    ]
    async with exclusive(db, collection):
        await db.execute(sql.SQL("alter table {} {}").format(_table(collection), sql.SQL(", ").join(steps)))
    async with db.cursor() as cursor:
        await cursor.executemany(
            "insert into flex.fields (collection, name, label, type, who) values (%s, %s, %s, %s, %s)",
            [(collection, column.name, column.label, column.type, who) for column in added],
        )


async def _widen(
    db: Connection, collection: str, layout: Layout | None, wider: dict[str, FieldType], limits: Limits
) -> None:
    """Make columns wider where that is quick and breaks nothing; the others wait."""
    assert layout is not None
    held = {column.name: column.type for column in layout.columns}
    problem = None
    if not await is_large(db, collection, limits.widen_rows):
        try:
            async with exclusive(db, collection):
                await alter_types(db, collection, {name: (held[name], kind) for name, kind in wider.items()})
            return
        except IN_THE_WAY as error:
            problem = error.diag.message_primary
    await _wait(db, collection, layout, wider, problem)


async def alter_types(db: Connection, collection: str, types: dict[str, tuple[FieldType, FieldType]]) -> None:
    """Change the types of columns, from and to, where they stand; what hangs on them is taken off and put back.

    Raises:
        psycopg.Error: it does not hold with the new types. The transaction is of no more use then.
    """
    hanging = [await dependents(db, collection, name) for name in types]
    if any(hanging):
        await db.execute("select flex.loosen(%s)", [collection])
    steps = [
        sql.SQL("alter column {0} type {1} using {2}").format(
            sql.Identifier(name), sql.SQL(SQL_TYPES[kind]), sql.SQL(widen_sql(f'"{name}"', held, kind))
        )
        for name, (held, kind) in types.items()
    ]
    await db.execute(sql.SQL("alter table {} {}").format(_table(collection), sql.SQL(", ").join(steps)))
    async with db.cursor() as cursor:
        await cursor.executemany(
            "update flex.fields set type = %s where collection = %s and name = %s",
            [(kind, collection, name) for name, (_, kind) in types.items()],
        )
    if any(hanging):
        await db.execute("select flex.tighten(%s)", [collection])


async def dependents(db: Connection, collection: str, column: str) -> list[str]:
    """The kinds of what hangs on a column, such as ``pg_policy``; empty where nothing does."""
    found = await db.execute("select flex.dependents(%s, %s)", [collection, column])
    row = await found.fetchone()
    return list(row[0]) if row else []


async def _wait(
    db: Connection, collection: str, layout: Layout, wider: dict[str, FieldType], problem: str | None
) -> None:
    """Remember columns as waiting to become wider, and see to it that there is an overflow column."""
    async with exclusive(db, collection):
        await db.execute(
            sql.SQL("alter table {} add column if not exists {} jsonb, drop constraint if exists {}").format(
                _table(collection), sql.Identifier(OVERFLOW), sql.Identifier(EMPTY)
            )
        )
    async with db.cursor() as cursor:
        await cursor.executemany(
            "insert into flex.widenings as w (collection, field, type, problem) values (%s, %s, %s, %s)"
            " on conflict (collection, field) do update set type = excluded.type, problem = excluded.problem,"
            " state = case w.state when 'sweeping' then 'wanted' else w.state end",
            [(collection, name, join(layout.pending.get(name), kind), problem) for name, kind in wider.items()],
        )


async def is_large(db: Connection, collection: str, rows: int) -> bool:
    """Whether a collection has more than so many rows, or so much in them that writing it again takes long."""
    query = sql.SQL(
        "select pg_total_relation_size({table}::regclass) > {bytes}"
        " or (select count(*) from (select from {name} limit {more}) as r) > {rows}"
    ).format(
        table=sql.Literal(_table(collection).as_string(None)),
        bytes=sql.Literal(_LARGE_BYTES),
        name=_table(collection),
        more=sql.Literal(rows + 1),
        rows=sql.Literal(rows),
    )
    row = await (await db.execute(query)).fetchone()
    return bool(row and row[0])


@asynccontextmanager
async def exclusive(db: Connection, collection: str) -> AsyncIterator[None]:
    """Have a table to oneself within a savepoint, without holding up others for long while waiting for it.

    Raises:
        psycopg.errors.LockNotAvailable: others did not let go of it in time.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            async with db.transaction():
                await db.execute("select set_config('lock_timeout', %s, true)", [_LOCK_WAIT])
                await db.execute(sql.SQL("lock table {} in access exclusive mode").format(_table(collection)))
                await db.execute("set local lock_timeout to default")
            break
        except errors.LockNotAvailable:
            if attempt == _LOCK_ATTEMPTS:
                raise
        await asyncio.sleep(_PAUSE_S)
    async with db.transaction():
        yield


async def _tell(db: Connection, collection: str, layout: Layout | None, needed: Needed) -> None:
    """Let roles reach what is new, and PostgREST hear of it."""
    if layout is None or layout.masked or any(column.name in layout.wall_fields for column in needed.added):
        await db.execute("select flex.apply_access(%s)", [collection])
    await db.execute("select flex.schema_changed()")


def _table(collection: str) -> sql.Identifier:
    return sql.Identifier("api", collection)
