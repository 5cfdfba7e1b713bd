"""What a shape reads from the database: the columns a role has, the rows as they are, and changed rows judged.

The same SQL of a filter judges the rows of the table and the rows of the feed, so it means the same in both.
Values leave as PostgreSQL writes them as text, times in UTC.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from psycopg import sql

from appliance.pgflex.database import STATEMENT_TIMEOUT, Connection, Pool, act_as, connection
from appliance.pgflex.fields import plain, write_json
from appliance.pgflex.shapes.where import Where
from appliance.types import FieldType, RoleName

__all__ = [
    "Layout",
    "Reading",
    "ShapeColumn",
    "judge",
    "offset_at",
    "read_layout",
    "read_number",
    "read_rows",
]

_SEQ_DIGITS: Final = 19
_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")
_KINDS: Final[dict[str, FieldType]] = {
    "bool": "boolean",
    "int8": "integer",
    "numeric": "numeric",
    "date": "date",
    "timestamptz": "timestamptz",
    "text": "text",
    "jsonb": "jsonb",
}

_LAYOUT: Final = """
select a.attname, t.typname, a.attnotnull
from flex.collections c
join pg_attribute a on a.attrelid = to_regclass(format('api.%%I', c.name)) and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
where c.name = %(collection)s and has_column_privilege(%(role)s, a.attrelid, a.attnum, 'select') and (
  a.attname = 'id'
  or exists (
    select from flex.fields f
    where f.collection = c.name and f.name = a.attname and not exists (
      select from flex.masks m where m.collection = c.name and m.field = f.name and m.role = %(role)s
    )
  )
  or exists (select from flex.masks m where m.collection = c.name and m.role = %(role)s and m.shown = a.attname)
)
order by a.attnum
"""
_POLICY: Final = "select expression from flex.policies where collection = %s and role = %s"
_NUMBER: Final = "select coalesce(max(number), 0) from flex.commits"


class ShapeColumn(msgspec.Struct, frozen=True):
    """A column as a role may read it; `pg_type` is PostgreSQL's name of its type."""

    name: str
    pg_type: str
    not_null: bool

    @property
    def type(self) -> FieldType:
        """Its place on the type lattice."""
        return _KINDS.get(self.pg_type, "text")


class Layout(msgspec.Struct, frozen=True):
    """What a role may read of a collection.

    Attributes:
        columns: the columns, ``id`` first.
        policy: the SQL of the role's row policy, None where it has none.
    """

    columns: tuple[ShapeColumn, ...]
    policy: str | None

    @property
    def types(self) -> Mapping[str, FieldType]:
        """Type by column name."""
        return {column.name: column.type for column in self.columns}


class Reading(msgspec.Struct, frozen=True):
    """Rows as of one moment.

    Attributes:
        offset: the place in the log up to which they hold every change.
        rows: key, and the row's columns as a JSON object of texts, in the order of the keys.
    """

    offset: int
    rows: list[tuple[int, str]]


def offset_at(number: int, seq: int | None = None) -> int:
    """A place in a shape's log: commit number and change in one integer; without `seq` the end of the commit."""
    return int(number) * 10**_SEQ_DIGITS + (10**_SEQ_DIGITS - 1 if seq is None else seq)


@asynccontextmanager
async def _steady(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction that reads one moment of the database and writes times in UTC."""
    async with connection(pool) as db, db.transaction():
        await db.execute("set transaction isolation level repeatable read, read only")
        await _as_text(db)
        yield db


async def _as_text(db: Connection) -> None:
    await db.execute(
        "select set_config('statement_timeout', %s, true), set_config('timezone', 'UTC', true),"
        " set_config('datestyle', 'ISO', true)",
        [STATEMENT_TIMEOUT],
    )


async def read_layout(db: Connection, role: RoleName, collection: str) -> Layout | None:
    """What the role may read of the collection now; None when there is nothing. Acts as the owner of ``flex``."""
    found = await (await db.execute(_LAYOUT, {"role": role, "collection": collection})).fetchall()
    columns = tuple(ShapeColumn(*row) for row in found)
    if not any(column.name == "id" for column in columns):
        return None
    policy = await (await db.execute(_POLICY, [collection, role])).fetchone()
    return Layout(columns, policy[0] if policy else None)


async def read_number(db: Connection) -> int:
    """The number of the last commit that this transaction sees; it sees every one before it."""
    row = await (await db.execute(_NUMBER)).fetchone()
    return int(row[0]) if row else 0


async def read_rows(
    pool: Pool, role: RoleName, collection: str, columns: Sequence[str], where: Where | None, limit: int
) -> Reading:
    """The rows the role may read and the filter lets through, at most `limit`, in one moment."""
    query = sql.SQL("select r.id, row_to_json(v.*)::text from api.{} as r cross join lateral {} as v where {}").format(
        sql.Identifier(collection), _texts(columns), where.sql("r") if where else sql.SQL("true")
    )
    async with _steady(pool) as db:
        number = await read_number(db)
        await act_as(db, role)
        found = await db.execute(query + sql.SQL(" order by r.id limit {}").format(sql.Literal(limit)))
        return Reading(offset_at(number), [(row[0], row[1]) for row in await found.fetchall()])


async def judge(
    db: Connection,
    role: RoleName,
    collection: str,
    columns: Sequence[ShapeColumn],
    filters: Sequence[Where | None],
    rows: Sequence[Mapping[str, Any]],
) -> list[tuple[dict[str, str | None], list[bool]]]:
    """For each row of the feed its columns as text, and for each filter whether it lets the row through."""
    if not rows:
        return []
    held = [{column.name: _held(row.get(column.name), column.type) for column in columns} for row in rows]
    names = [column.name for column in columns]
    verdicts = [sql.SQL("({}) is true").format(where.sql("r") if where else sql.SQL("true")) for where in filters]
    query = sql.SQL(
        "select row_to_json(v.*)::text, array[{}]::boolean[]"
        " from jsonb_array_elements({}::jsonb) with ordinality as d (told, place)"
        " cross join lateral jsonb_populate_record(null::api.{}, d.told) as r cross join lateral {} as v"
        " order by d.place"
    ).format(sql.SQL(", ").join(verdicts), sql.Literal(write_json(held)), sql.Identifier(collection), _texts(names))
    await _as_text(db)
    await act_as(db, role)
    found = await (await db.execute(query)).fetchall()
    return [(msgspec.json.decode(told), verdict) for told, verdict in found]


def _held(value: Any, kind: FieldType) -> Any:
    """The value as the column has it: nothing where the feed tells one that the column cannot hold yet."""
    fits = kind == "jsonb" or plain((value,), kind) or (kind == "numeric" and value in _NO_NUMBERS)
    return value if fits else None


def _texts(columns: Sequence[str]) -> sql.Composed:
    """The columns of the row ``r``, each as text."""
    listed = sql.SQL(", ").join(sql.SQL("r.{0}::text as {0}").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("(select {})").format(listed)
