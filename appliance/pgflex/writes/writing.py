"""The statements that write documents, each made once and then prepared by the connection.

Every one of them does its work only while the table is as the layout says (its version): a statement that was
prepared for another version writes nothing, and the caller looks again. What they are given in a transaction is
written as the role that it acts as; where that may not reach the overflow column, the owner writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, LiteralString

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from appliance.pgflex.database import Connection
from appliance.pgflex.fields import SQL_TYPES, read_rows, write_json
from appliance.pgflex.writes.layout import OVERFLOW, Document, Layout, Needed
from appliance.pgflex.writes.placing import body, placed, whole
from appliance.types import FieldType

__all__ = ["Statement", "all_of", "delete", "insert", "inserting", "make", "pass_key", "update", "updating"]

Row = dict[str, Any]
Types = tuple[tuple[str, FieldType], ...]
Readable = tuple[str, ...] | None

_GUARD: Final = sql.SQL("(select store.version(%s)) = %s")
_CACHED: Final = 512
# Names in these statements that are no column's begin with an underscore, as no column's does: "t" may be one.


class Statement(msgspec.Struct, frozen=True):
    """What is sent to the database; it gives rows as JSON texts."""

    query: bytes
    parameters: Sequence[Any]


def inserting(collection: str, layout: Layout, needed: Needed, documents: Sequence[Document]) -> Statement:
    """Writes documents and gives their rows, in order; none when the layout is no longer right."""
    if not needed.types:
        return Statement(_bare_query(collection, len(documents), layout.readable), [])
    query = _insert_query(collection, _types(layout, needed), layout.readable)
    return Statement(query, [body(placed(needed, documents), documents), collection, layout.version])


def updating(collection: str, key: int, layout: Layout, needed: Needed, document: Document) -> Statement:
    """Sets fields of a row and gives the row; none when it is not there or the layout is no longer right."""
    if not needed.types:
        return Statement(_row_query(collection, layout.readable), [key])
    overflows = layout.overflows and layout.readable is None
    query = _update_query(collection, _types(layout, needed), layout.readable, overflows)
    return Statement(query, [body(placed(needed, [document])[0], [document]), key, collection, layout.version])


def all_of(layout: Layout, needed: Needed) -> Needed:
    """`needed`, and every other field that the role may read: these become null."""
    stored = {column.name: column.type for column in layout.columns if not column.computed}
    if layout.readable is not None:
        stored = {name: kind for name, kind in stored.items() if name in layout.readable}
    return msgspec.structs.replace(needed, types=stored | needed.types)


async def insert(
    db: Connection, collection: str, layout: Layout, needed: Needed, documents: Sequence[Document]
) -> list[Row] | None:
    """Write documents; None when the layout is no longer right."""
    if not documents:
        return []
    rows = await _run(db, inserting(collection, layout, needed, documents))
    if not rows:
        return None
    if needed.spilled and layout.readable is not None:
        beside = [row.get(OVERFLOW) for row in placed(needed, documents)]
        await _spill(db, collection, needed, rows, beside)
    return [whole(row, layout) for row in rows]


async def update(
    db: Connection, collection: str, key: int, layout: Layout, needed: Needed, document: Document
) -> Row | None:
    """Set fields of a row; None when it is not there or the layout is no longer right."""
    rows = await _run(db, updating(collection, key, layout, needed, document))
    if not rows:
        return None
    if layout.overflows and layout.readable is not None:
        await _spill(db, collection, needed, rows, [placed(needed, [document])[0].get(OVERFLOW)])
    return whole(rows[0], layout)


async def make(
    db: Connection, collection: str, key: int, layout: Layout, needed: Needed, document: Document
) -> Row | None:
    """Write a document as the row `key`; None when the layout is no longer right."""
    query = _make_query(collection, _types(layout, needed), layout.readable)
    values = [body(placed(needed, [document])[0], [document])] if needed.types else []
    rows = await _run(db, Statement(query, [key, *values, collection, layout.version]))
    if not rows:
        return None
    if needed.spilled and layout.readable is not None:
        await _spill(db, collection, needed, rows, [placed(needed, [document])[0].get(OVERFLOW)])
    return whole(rows[0], layout)


async def delete(db: Connection, collection: str, key: int) -> bool:
    """Remove a row; whether it was there."""
    query = sql.SQL("delete from {} where id = %s").format(sql.Identifier("api", collection))
    return (await db.execute(query, [key])).rowcount > 0


async def pass_key(db: Connection, collection: str, key: int) -> None:
    """See to it, as the owner, that no new row gets the id `key` by itself.

    Whoever takes an id holds the sequence until its end, so it stands still while it is moved.
    """
    found = await db.execute(
        "select relname from pg_class where oid = pg_get_serial_sequence(format('api.%%I', %s::text), 'id')::regclass",
        [collection],
    )
    row = await found.fetchone()
    assert row is not None
    sequence = sql.Identifier("api", row[0])
    behind = sql.SQL("select last_value + is_called::int <= %s from {}").format(sequence)
    state = await (await db.execute(behind, [key])).fetchone()
    if state and state[0]:
        await db.execute(sql.SQL("alter sequence {} restart with {}").format(sequence, sql.Literal(key + 1)))


async def _run(db: Connection, statement: Statement) -> list[Row]:
    found = await db.execute(statement.query, statement.parameters)
    return read_rows(row[0] for row in await found.fetchall())


async def _spill(
    db: Connection, collection: str, needed: Needed, rows: Sequence[Row], beside: Sequence[Row | None]
) -> None:
    """Write overflow as the owner, after a role wrote the rows that it belongs to; add it to these rows."""
    await db.execute("reset role")
    for row, values in zip(rows, beside, strict=True):
        parameters = [list(needed.types), Jsonb(values or {}, dumps=write_json), row["id"]]
        found = await db.execute(_overflow_query(collection), parameters)
        row[OVERFLOW] = (await found.fetchone() or [None])[0]


def _types(layout: Layout, needed: Needed) -> Types:
    """The columns that documents are written to, and as what; the overflow column among them when it is needed."""
    types = tuple(needed.types.items())
    return (*types, (OVERFLOW, "jsonb")) if needed.spilled and layout.readable is None else types


@lru_cache(_CACHED)
def _insert_query(collection: str, types: Types, readable: Readable) -> bytes:
    """Writes rows: parameters are their JSON, the collection and its version; gives each row as JSON text, in order."""
    return _written(
        "insert into {table} as _t ({names}) select {names} from json_to_recordset(%s) as _d ({typed}) where {guard}"
        " returning {row}",
        collection,
        types,
        readable,
    )


@lru_cache(_CACHED)
def _bare_query(collection: str, count: int, readable: Readable) -> bytes:
    """Writes so many rows without a value; gives each as JSON text."""
    query = sql.SQL("insert into {table} as _t (id) values {rows} returning {row}").format(
        table=sql.Identifier("api", collection),
        rows=sql.SQL(", ").join([sql.SQL("(default)")] * count),
        row=_row(readable),
    )
    return query.as_bytes(None)


@lru_cache(_CACHED)
def _update_query(collection: str, types: Types, readable: Readable, overflows: bool) -> bytes:
    """Sets columns of a row: parameters are the JSON, the id, the collection, its version; gives the row as JSON text.

    Args:
        collection: its name.
        types: the columns; where the overflow column is among them, its value is added to what there is.
        readable: what the role may read.
        overflows: there is an overflow column that the role may write.
    """
    if overflows:
        return _written(
            "update {table} as _t set ({plain}, {extra}) = (select {values},"
            " nullif(coalesce(_t.{extra}, '{{}}') - {array} || {spilled}, '{{}}')"
            " from json_to_record(%s) as _d ({typed})) where _t.id = %s and {guard} returning {row}",
            collection,
            types,
            readable,
        )
    return _written(
        "update {table} as _t set ({names}) = (select {names} from json_to_record(%s) as _d ({typed}))"
        " where _t.id = %s and {guard} returning {row}",
        collection,
        types,
        readable,
    )


@lru_cache(_CACHED)
def _make_query(collection: str, types: Types, readable: Readable) -> bytes:
    """Makes a row: parameters are its id, its JSON, the collection and its version; gives the row as JSON text."""
    if not types:
        query = sql.SQL("insert into {table} as _t (id) select %s where {guard} returning {row}").format(
            table=sql.Identifier("api", collection), guard=_GUARD, row=_row(readable)
        )
        return query.as_bytes(None)
    return _written(
        "insert into {table} as _t (id, {names}) select %s, {names} from json_to_record(%s) as _d ({typed})"
        " where {guard} returning {row}",
        collection,
        types,
        readable,
    )


@lru_cache(_CACHED)
def _overflow_query(collection: str) -> bytes:
    """Sets what a row has in its overflow column: parameters are removed names, added values, the id."""
    query = sql.SQL(
        "update {table} set {extra} = nullif(coalesce({extra}, '{{}}') - %s::text[] || %s::jsonb, '{{}}')"
        " where id = %s returning {extra}"
    ).format(table=sql.Identifier("api", collection), extra=sql.Identifier(OVERFLOW))
    return query.as_bytes(None)


def _row_query(collection: str, readable: Readable) -> bytes:
    """Reads a row: the parameter is its id."""
    query = sql.SQL("select {row} from {table} as _t where _t.id = %s").format(
        table=sql.Identifier("api", collection), row=_row(readable)
    )
    return query.as_bytes(None)


def _written(template: LiteralString, collection: str, types: Types, readable: Readable) -> bytes:
    plain = [name for name, _ in types if name != OVERFLOW]
    spills = len(plain) < len(types)
    comma = sql.SQL(", ")
    typed = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(SQL_TYPES[kind])) for name, kind in types]
    query = sql.SQL(template).format(
        table=sql.Identifier("api", collection),
        names=comma.join(sql.Identifier(name) for name, _ in types),
        plain=comma.join(sql.Identifier(name) for name in plain),
        values=comma.join(sql.Identifier("_d", name) for name in plain),
        typed=comma.join(typed),
        array=sql.SQL("{}::text[]").format(sql.Literal(plain)),
        extra=sql.Identifier(OVERFLOW),
        spilled=sql.SQL("coalesce(_d.{}, '{{}}')").format(sql.Identifier(OVERFLOW)) if spills else sql.SQL("'{}'"),
        guard=_GUARD,
        row=_row(readable),
    )
    return query.as_bytes(None)


def _row(readable: Readable) -> sql.Composable:
    """The row as its JSON text, as much of it as may be read."""
    if readable is None:
        return sql.SQL("to_json(_t)::text")
    columns = sql.SQL(", ").join(sql.Identifier("_t", name) for name in readable)
    return sql.SQL("(select to_json(_r)::text from (select {}) as _r)").format(columns)
