"""Schemaless writes: documents go in, collections and fields appear where they are new.

A write reads what the collection has. Only when a document holds something new does it take the collection's
advisory lock, look again, and add the fields or widen their types; that and the rows commit together. Rows are
written under the caller's role, so grants and policies hold.

    store = Store(pool, fields_limit=1200)
    rows = await store.insert("beds", [{"Bed No": "C-01", "free": True}], "staff")
    # [{"id": 1, "bed_no": "C-01", "free": True}]
    await store.update("beds", 1, {"free": False}, "staff")
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.pgflex.fields import (
    SQL_TYPES,
    collection_name,
    column_name,
    convert,
    infer_all,
    join,
    meaning,
    numbered,
    widen_sql,
    write_json,
)
from appliance.types import FieldType, Role, rank

__all__ = ["Store"]

Document = dict[str, Any]
Row = dict[str, Any]

_LOCK_SPACE: Final = 0x0D5F
_ATTEMPTS: Final = 4
_OVERTAKEN: Final = (errors.DatatypeMismatch, errors.UndefinedTable, errors.UndefinedColumn, errors.DeadlockDetected)

_Result = TypeVar("_Result")


class _Column(msgspec.Struct, frozen=True):
    """A field as ``flex.fields`` has it."""

    name: str
    label: str
    type: FieldType


class _Layout(msgspec.Struct, frozen=True):
    """What a collection has now."""

    columns: tuple[_Column, ...]
    audience: Role
    wall_fields: tuple[str, ...] = ()


class _Needed(msgspec.Struct, frozen=True):
    """What documents ask of a collection: where each label goes, and the type each column then has.

    Attributes:
        names: label to column name.
        types: column name to type; a label whose values are all null and that is unknown appears in neither.
        added: columns that are not there yet.
        widened: columns whose type has to grow, as they are now.
    """

    names: dict[str, str]
    types: dict[str, FieldType]
    added: tuple[_Column, ...]
    widened: tuple[_Column, ...]

    def document(self, document: Document) -> Row:
        """`document` by column name, its values as PostgreSQL reads them."""
        return {
            self.names[label]: convert(value, self.types[self.names[label]])
            for label, value in document.items()
            if label in self.names
        }


class Store:
    """Writes documents.

    Args:
        pool: connections of the role that owns the collections.
        fields_limit: fields a collection may have.
    """

    def __init__(self, pool: Pool, fields_limit: int = 1200) -> None:
        self.pool = pool
        self._fields_limit = fields_limit

    async def insert(self, collection: str, documents: Sequence[Document], role: Role) -> list[Row]:
        """Store documents and give them back as rows, in order, each with its ``id``.

        Raises:
            ApplianceError: PGF103 (a document cannot be held), PGF105 (a name), PGF106 (the role may not),
                PGF109 (too many fields), PGF101 and PGF114 (the database does not answer in time).
        """
        _may_write(role)
        return await self._tried(lambda db: self.insert_in(db, collection, documents, role))

    async def insert_in(self, db: Connection, collection: str, documents: Sequence[Document], role: Role) -> list[Row]:
        """As :meth:`insert`, inside a transaction of the caller; leaves it acting as itself again."""
        _documents(documents)
        needed = await self._fit(db, collection_name(collection), documents, role, make=True)
        if not documents:
            return []
        await act_as(db, role)
        rows = await _insert_rows(db, collection, needed, documents)
        await db.execute("reset role")
        return rows

    async def update(self, collection: str, key: int, document: Document, role: Role) -> Row:
        """Set the fields of `document` on the row `key`; other fields stay. Gives the whole row back.

        Raises:
            ApplianceError: PGF104 (no such collection), PGF113 (no such row), else as :meth:`insert`.
        """
        _may_write(role)
        _documents([document])
        asked = {label: value for label, value in document.items() if (label, value) != ("id", key)}

        async def write(db: Connection) -> Row | None:
            needed = await self._fit(db, collection_name(collection), [asked], role, make=False)
            await act_as(db, role)
            return await _update_row(db, collection, key, needed, asked)

        row = await self._tried(write)
        if row is None:
            raise _no_row(collection, key)
        return row

    async def delete(self, collection: str, key: int, role: Role) -> None:
        """Remove the row `key`.

        Raises:
            ApplianceError: PGF104 (no such collection), PGF113 (no such row), PGF106 (the role may not).
        """
        _may_write(role)
        async with transaction(self.pool) as db:
            if await _layout(db, collection_name(collection)) is None:
                raise _no_collection(collection)
            await act_as(db, role)
            query = sql.SQL("delete from api.{} where id = %s").format(sql.Identifier(collection))
            gone = (await db.execute(query, [key])).rowcount
        if not gone:
            raise _no_row(collection, key)

    async def show_on_walls(self, db: Connection, collection: str, fields: Iterable[str]) -> None:
        """Let walls read these columns of a collection; none takes the collection off the walls."""
        named = list(fields)
        await db.execute(
            "update flex.collections set wall_fields = %s, audience = %s where name = %s",
            [named, "wall" if named else "staff", collection],
        )
        await db.execute("select flex.apply_access(%s)", [collection])
        await db.execute("notify pgrst, 'reload schema'")

    async def _tried(self, write: Callable[[Connection], Awaitable[_Result]]) -> _Result:
        """Run `write` in a transaction; again when a field changed its type between its look and its write."""
        for attempt in range(_ATTEMPTS):
            try:
                async with transaction(self.pool) as db:
                    return await write(db)
            except ApplianceError as error:
                if not isinstance(error.__cause__, _OVERTAKEN) or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _fit(
        self, db: Connection, collection: str, documents: Sequence[Document], role: Role, make: bool
    ) -> _Needed:
        """Make the collection hold the documents; locks only when something is new."""
        layout = await _layout(db, collection)
        if layout is not None:
            _may_reach(layout, collection, role)
            needed = _needed(layout, documents)
            if not needed.added and not needed.widened:
                return needed
        await db.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_SPACE, collection])
        layout = await _layout(db, collection)
        if layout is None and not make:
            raise _no_collection(collection)
        if layout is not None:
            _may_reach(layout, collection, role)
        needed = _needed(layout, documents)
        self._check_count(layout, needed)
        await _grow(db, collection, layout, needed)
        return needed

    def _check_count(self, layout: _Layout | None, needed: _Needed) -> None:
        count = len(needed.added) + (len(layout.columns) if layout else 0)
        if needed.added and count > self._fields_limit:
            raise ApplianceError(
                "PGF109",
                f"A collection may have {self._fields_limit} fields; this would be {count}.",
                {"first_new": needed.added[0].label},
                "Split the documents over several collections, or put the many fields into one nested value.",
            )


def _may_write(role: Role) -> None:
    if role == "wall":
        raise ApplianceError("PGF106", "A wall may not write.", {"role": role}, "Act as staff or admin.")


def _may_reach(layout: _Layout, collection: str, role: Role) -> None:
    if rank(role) < rank(layout.audience):
        raise ApplianceError(
            "PGF106", f"This role may not write to {collection}.", {"role": role}, f"Act as {layout.audience}."
        )


def _no_collection(collection: str) -> ApplianceError:
    return ApplianceError(
        "PGF104", "There is no such collection.", collection, "POST a document to it first; that makes the collection."
    )


def _no_row(collection: str, key: int) -> ApplianceError:
    return ApplianceError("PGF113", f"{collection} has no row {key}.", {"collection": collection, "id": key})


def _documents(documents: Sequence[Any]) -> None:
    for place, document in enumerate(documents):
        if not isinstance(document, dict):
            raise ApplianceError(
                "PGF103",
                "A document has to be a JSON object.",
                {"place": place, "type": type(document).__name__},
                'Send objects such as {"bed": "C-01", "free": true}.',
            )


async def _layout(db: Connection, collection: str) -> _Layout | None:
    known = await (
        await db.execute("select audience, wall_fields from flex.collections where name = %s", [collection])
    ).fetchone()
    if known is None:
        return None
    found = await db.execute(
        "select name, label, type from flex.fields where collection = %s order by place", [collection]
    )
    return _Layout(tuple(_Column(*row) for row in await found.fetchall()), known[0], tuple(known[1]))


def _needed(layout: _Layout | None, documents: Sequence[Document]) -> _Needed:
    columns = {column.name: column for column in (layout.columns if layout else ())}
    values: dict[str, list[Any]] = {}
    for document in documents:
        for label, value in document.items():
            values.setdefault(label, []).append(value)
    names = _names(columns, documents, values)
    types: dict[str, FieldType] = {}
    for label, name in names.items():
        kind = join(types.get(name), infer_all(values[label]))
        held = columns[name].type if name in columns else None
        joined = join(kind, held)
        if joined is not None:
            types[name] = joined
    first = {name: label for label, name in reversed(names.items())}
    return _Needed(
        {label: name for label, name in names.items() if name in types},
        types,
        tuple(_Column(name, first[name], kind) for name, kind in types.items() if name not in columns),
        tuple(columns[name] for name, kind in types.items() if name in columns and columns[name].type != kind),
    )


def _names(columns: dict[str, _Column], documents: Sequence[Document], labels: Collection[str]) -> dict[str, str]:
    """Where each label goes: its own column, one whose label means the same, or a new one."""
    known = {column.label: column.name for column in columns.values()}
    meanings = {meaning(name): name for name in columns} | {meaning(label): name for label, name in known.items()}
    names = {label: known[label] for label in labels if label in known}
    for label in labels:
        if label in names:
            continue
        name = label if label in columns else meanings.get(meaning(label))
        if name is None or _together(name, label, names, documents):
            name = numbered(column_name(label), {*columns, *names.values()})
        names[label] = name
        meanings.setdefault(meaning(label), name)
    return names


def _together(name: str, label: str, names: dict[str, str], documents: Sequence[Document]) -> bool:
    """Whether some document holds `label` beside another label that already goes to the column `name`."""
    rivals = [other for other, taken in names.items() if taken == name]
    return any(label in document and rival in document for rival in rivals for document in documents)


async def _grow(db: Connection, collection: str, layout: _Layout | None, needed: _Needed) -> None:
    """Add what is missing and tell PostgREST once."""
    if layout is not None and not needed.added and not needed.widened:
        return
    if layout is None:
        await _create(db, collection)
    await _add_columns(db, collection, needed)
    if layout is None or any(column.name in layout.wall_fields for column in needed.added):
        await db.execute("select flex.apply_access(%s)", [collection])
    await db.execute("notify pgrst, 'reload schema'")


async def _create(db: Connection, collection: str) -> None:
    await db.execute(
        "insert into flex.collections (name, label) values (%s, %s)", [collection, collection.replace("_", " ")]
    )
    await db.execute(
        sql.SQL("create table api.{} (id bigint generated by default as identity primary key)").format(
            sql.Identifier(collection)
        )
    )
    await db.execute("select flex.attach_feed(%s)", [collection])


async def _add_columns(db: Connection, collection: str, needed: _Needed) -> None:
    steps = [
        sql.SQL("add column {} {}").format(sql.Identifier(column.name), sql.SQL(SQL_TYPES[column.type]))
        for column in needed.added
    ]
    for column in needed.widened:
        wanted, quoted = needed.types[column.name], '"' + column.name + '"'
        steps.append(
            sql.SQL("alter column {} type {} using {}").format(
                sql.Identifier(column.name), sql.SQL(SQL_TYPES[wanted]), sql.SQL(widen_sql(quoted, column.type, wanted))
            )
        )
    if steps:
        await db.execute(sql.SQL("alter table api.{} {}").format(sql.Identifier(collection), sql.SQL(", ").join(steps)))
    async with db.cursor() as cursor:
        await cursor.executemany(
            "insert into flex.fields (collection, name, label, type) values (%s, %s, %s, %s)",
            [(collection, column.name, column.label, column.type) for column in needed.added],
        )
        await cursor.executemany(
            "update flex.fields set type = %s where collection = %s and name = %s",
            [(needed.types[column.name], collection, column.name) for column in needed.widened],
        )


async def _insert_rows(db: Connection, collection: str, needed: _Needed, documents: Sequence[Document]) -> list[Row]:
    table = sql.Identifier(collection)
    if not needed.types:
        ids = sql.SQL(", ").join([sql.SQL("(default)")] * len(documents))
        found = await db.execute(
            sql.SQL("insert into api.{} as t (id) values {} returning to_jsonb(t)").format(table, ids)
        )
        return [row[0] for row in await found.fetchall()]
    body = write_json([needed.document(document) for document in documents])
    query = sql.SQL(
        "insert into api.{} as t ({}) select {} from jsonb_to_recordset(%s) as d ({}) returning to_jsonb(t)"
    )
    names, typed = _column_lists(needed)
    found = await db.execute(query.format(table, names, names, typed), [body])
    return [row[0] for row in await found.fetchall()]


async def _update_row(db: Connection, collection: str, key: int, needed: _Needed, document: Document) -> Row | None:
    table = sql.Identifier(collection)
    if not needed.types:
        found = await db.execute(sql.SQL("select to_jsonb(t) from api.{} t where id = %s").format(table), [key])
    else:
        names, typed = _column_lists(needed)
        query = sql.SQL(
            "update api.{} as t set ({}) = (select {} from jsonb_to_record(%s) as d ({})) where t.id = %s"
            " returning to_jsonb(t)"
        )
        body = write_json(needed.document(document))
        found = await db.execute(query.format(table, names, names, typed), [body, key])
    row = await found.fetchone()
    return row[0] if row else None


def _column_lists(needed: _Needed) -> tuple[sql.Composed, sql.Composed]:
    """The columns, plain and with their types, as SQL lists."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in needed.types)
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(SQL_TYPES[kind])) for name, kind in needed.types.items()
    )
    return names, typed
