"""The SQL of an import: COPY into a collection, straight or by way of a table beside it that nobody else ever sees.

Rows are written under the caller's role. PostgreSQL has no COPY under row-level security, so COPY runs as the owner
where the role's grants and policies permit every row, and else into the table beside, from which the role inserts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, LiteralString

import msgspec
from psycopg import sql

from appliance.pgflex.database import Connection, act_as

__all__ = ["Target", "copied", "copy_query", "make_beside", "permits_all", "take_over"]

_TELL_BYTES: Final = 8 << 20


class Target(msgspec.Struct, frozen=True):
    """A column of the spool.

    Attributes:
        name: its column in the table; empty: it holds nothing and goes nowhere.
        copied_as: the SQL type as which it is read.
        made: SQL around it that makes the value to be stored; empty: the value as it is.
    """

    name: str
    copied_as: str
    made: LiteralString = ""

    @property
    def plain(self) -> bool:
        """Whether it goes to its column as it is."""
        return bool(self.name) and not self.made


async def permits_all(db: Connection, role: str, collection: str, columns: list[str]) -> bool:
    """Whether the role may write these columns, and its policies permit every row."""
    found = await db.execute(
        """
        select
          (select bool_and(has_column_privilege(%(role)s, t.oid, a.attnum, 'insert'))
            from pg_attribute a where a.attrelid = t.oid and a.attname = any (%(columns)s))
          and (select coalesce(bool_or(coalesce(p.with_check, p.qual) = 'true'), false)
            and bool_and(p.permissive = 'PERMISSIVE')
            from pg_policies p where p.schemaname = 'api' and p.tablename = %(collection)s
              and p.cmd in ('ALL', 'INSERT') and %(role)s = any (p.roles))
          and not exists (select from pg_policies p where p.schemaname = 'api' and p.tablename = %(collection)s
            and p.permissive <> 'PERMISSIVE')
        from pg_class t where t.oid = format('api.%%I', %(collection)s::text)::regclass
        """,
        {"role": role, "columns": columns, "collection": collection},
    )
    row = await found.fetchone()
    return bool(row and row[0])


async def make_beside(db: Connection, table: str, names: Sequence[str], targets: Sequence[Target], role: str) -> None:
    """A table that nobody else ever sees: it is gone before the transaction ends."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(target.copied_as))
        for name, target in zip(names, targets, strict=True)
    )
    where = sql.Identifier("api", table)
    await db.execute(sql.SQL("create unlogged table {} ({})").format(where, columns))
    await db.execute(sql.SQL("grant select on {} to {}").format(where, sql.Identifier(role)))


async def take_over(
    db: Connection, beside: str, collection: str, role: str, targets: Sequence[Target], rows: int
) -> None:
    """Move the rows to the collection, as the role."""
    kept = [(f"c{place}", target) for place, target in enumerate(targets) if target.name]
    values = [
        sql.SQL(target.made).format(sql.Identifier(name)) if target.made else sql.Identifier(name)
        for name, target in kept
    ]
    comma = sql.SQL(", ")
    source = sql.SQL("{}").format(sql.Identifier("api", beside))
    query = sql.SQL("insert into {} {} select {} from {}").format(
        sql.Identifier("api", collection),
        sql.SQL("({})").format(comma.join(sql.Identifier(target.name) for _, target in kept)) if kept else sql.SQL(""),
        comma.join(values),
        source if kept else sql.SQL("generate_series(1, {})").format(sql.Literal(rows)),
    )
    await act_as(db, role)
    await db.execute(query)
    await db.execute("reset role")
    await db.execute(sql.SQL("drop table {}").format(source))


def copy_query(table: sql.Identifier, names: Sequence[str], delimiter: str) -> sql.Composed:
    """The COPY of CSV without a header, empty is null, into these columns."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("copy {} ({}) from stdin with (format csv, delimiter {}, null '', encoding 'UTF8')").format(
        table, columns, sql.Literal(delimiter)
    )


async def copied(
    db: Connection, query: sql.Composed, source: AsyncGenerator[bytes, None]
) -> AsyncGenerator[tuple[int, bool], None]:
    """Run a COPY; gives the bytes sent so far, now and then, and whether these are all."""
    sent = told = 0
    async with aclosing(source), db.cursor() as cursor, cursor.copy(query) as copy:
        async for piece in source:
            await copy.write(piece)
            sent += len(piece)
            if sent - told >= _TELL_BYTES:
                told = sent
                yield sent, False
        yield sent, True
