"""Foreign keys: made of relations where the data allows it, beside the writes, and given up where it stops to.

keys = ForeignKeys(pool)
link = Link("patients", "ward_id", "wards", "id")
await keys.agrees(link)         # by the values there are, or a sample of them
await keys.enforce(link)        # the key of a recorded relation; False where it does not hold
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg import errors, sql

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, Pool, connection, transaction

__all__ = ["BROKEN", "ForeignKeys", "Link", "drop_key", "rows_about", "types_fit", "wait_briefly"]

LOCK_WAIT: Final = "1s"
"""How long a lock that holds up writes is waited for."""
LARGE: Final = 100_000
"""Rows above which an index is made beside the writes, and a sample is looked at before all rows are."""
BROKEN: Final = (errors.ForeignKeyViolation, errors.UniqueViolation, errors.ProgramLimitExceeded)
"""What a write fails with that a key, or the index made for one, refuses."""
_LONGEST: Final = 63


class Link(msgspec.Struct, frozen=True):
    """A field that leads, or may lead, to another collection."""

    collection: str
    field: str
    target: str
    target_field: str

    @property
    def key(self) -> str:
        """The name of its foreign key."""
        return _named(f"{self.collection}_{self.field}", "fkey")

    @property
    def key_index(self) -> str | None:
        """The name of the unique index that its target needs; the id has one."""
        return None if self.target_field == "id" else _named(f"{self.target}_{self.target_field}", "relation_key")

    @property
    def field_index(self) -> str:
        """The name of the index on the field."""
        return _named(f"{self.collection}_{self.field}", "relation")


class ForeignKeys:
    """Makes and checks the keys of relations.

    Args:
        pool: connections of the role that owns the collections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def enforce(self, link: Link) -> bool:
        """Make the foreign key of a recorded relation; False where the data does not allow it.

        Raises:
            ApplianceError: PGF114, a lock was not to be had within a second.
        """
        if not await self.agrees(link):
            return False
        try:
            await self._make_indexes(link)
            async with transaction(self._pool) as db:
                await wait_briefly(db)
                await _add_key(db, link)
            return await self.validate(link)
        except ApplianceError as error:
            if isinstance(error.__cause__, BROKEN):
                await self._withdraw(link)
                return False
            raise

    async def index_name(self, link: Link) -> None:
        """An index on what rows are called, which refuses no value and takes texts of any length.

        Raises:
            ApplianceError: PGF114, a lock was not to be had within a second.
        """
        name = _named(f"{link.target}_{link.target_field}", "relation_name")
        query = sql.SQL("create index {} if not exists {} on api.{} using hash ({})")
        async with connection(self._pool) as db:
            found = await db.execute("select to_regclass(format('api.%%I', %s::text)) is not null", [name])
            row = await found.fetchone()
            if row and row[0]:
                return
            large = await rows_about(db, link.target) > LARGE
            how = sql.SQL("concurrently" if large else "")
            await _make_index(
                db, query.format(how, *map(sql.Identifier, (name, link.target, link.target_field))), large, [name]
            )

    async def _make_indexes(self, link: Link) -> None:
        """An index on either end; beside the writes where a table is large."""
        async with connection(self._pool) as db:
            for statement, large in await _missing_indexes(db, link):
                await _make_index(db, statement, large, [link.key_index, link.field_index])

    async def validate(self, link: Link) -> bool:
        """Look at the rows that were there before the key, while writes go on; False: the key is given up.

        Raises:
            ApplianceError: PGF114, a lock was not to be had within a second.
        """
        query = sql.SQL("alter table api.{} validate constraint {}")
        try:
            async with connection(self._pool) as db, db.transaction():
                await wait_briefly(db)
                await db.execute(query.format(sql.Identifier(link.collection), sql.Identifier(link.key)))
        except ApplianceError as error:
            if not isinstance(error.__cause__, BROKEN):
                raise
            await self._withdraw(link)
            return False
        return True

    async def unvalidated(self) -> list[Link]:
        """Relations whose key has not looked at the rows that were there before it."""
        async with transaction(self._pool) as db:
            found = await db.execute(
                "select r.collection, r.field, r.target, r.target_field from flex.relations r join pg_constraint c"
                " on c.conname = r.key and c.conrelid = to_regclass(format('api.%I', r.collection))"
                " where r.enforced and not c.convalidated"
            )
            return [Link(*row) for row in await found.fetchall()]

    async def agrees(self, link: Link) -> bool:
        """Whether some value names a row and none names none, and no value of the target is there twice.

        Of a large collection a sample is looked at; making the key looks at the rest.
        """
        return bool(await self._compared(link, "count(*) > 0")) and not await self.breaks(link)

    async def breaks(self, link: Link) -> bool:
        """Whether some value names no row, or a value of the target is there twice."""
        missing = "count(*) filter (where not exists (select from api.{2} t where t.{3} = o.{0})) > 0"
        return await self._compared(link, missing) or await self._doubled(link)

    async def names_most(self, link: Link) -> bool:
        """Whether nearly every value names a row, and none names two: a few may be of rows that nobody entered."""
        most = (
            "count(*) > 0 and count(*) filter (where exists (select from api.{2} t where t.{3} = o.{0}))"
            " >= 0.9 * count(*)"
        )
        return await self._compared(link, most) and not await self._doubled(link)

    async def _doubled(self, link: Link) -> bool:
        """Whether a value of the target is there twice."""
        if link.target_field == "id":
            return False
        doubled = sql.SQL(
            "select exists (select from (select {0} from api.{1} limit {2}) t group by {0} having count({0}) > 1)"
        )
        asked = doubled.format(sql.Identifier(link.target_field), sql.Identifier(link.target), 2 * LARGE)
        async with transaction(self._pool) as db:
            row = await (await db.execute(asked)).fetchone()
        return row is None or bool(row[0])

    async def _compared(self, link: Link, what: LiteralString) -> bool:
        """Whether something holds of the values there are, or of a sample of them; never where types do not fit."""
        query = sql.SQL("select {} from (select {} from api.{}{} where {} is not null limit {}) o")
        async with transaction(self._pool) as db:
            if not await types_fit(db, link):
                return False
            rows = await rows_about(db, link.collection)
            share = sql.SQL(" tablesample system ({})").format(100 * 10_000 / rows) if rows > LARGE else sql.SQL("")
            field, table = sql.Identifier(link.field), sql.Identifier(link.collection)
            told = sql.SQL(what).format(*map(sql.Identifier, _ends(link)))
            asked = query.format(told, field, table, share, field, 2 * LARGE)
            row = await (await db.execute(asked)).fetchone()
        return bool(row and row[0])

    async def _withdraw(self, link: Link) -> None:
        async with transaction(self._pool) as db:
            await drop_key(db, link)
            await db.execute(
                "update flex.relations set enforced = false, key_index = null where (collection, field) = (%s, %s)",
                [link.collection, link.field],
            )

    async def orphans(self, link: Link) -> list[Any]:
        """A few values that name no row."""
        query = sql.SQL(
            "select distinct o.{0} from api.{1} o where o.{0} is not null"
            " and not exists (select from api.{2} t where t.{3} = o.{0}) limit 5"
        )
        async with transaction(self._pool) as db:
            found = await db.execute(query.format(*map(sql.Identifier, _ends(link))))
            return [row[0] for row in await found.fetchall()]


async def drop_key(db: Connection, link: Link) -> None:
    """Remove the key and the indexes made for it, that on the target when no other key needs it."""
    await db.execute(
        sql.SQL("alter table if exists api.{} drop constraint if exists {}").format(
            sql.Identifier(link.collection), sql.Identifier(link.key)
        )
    )
    await db.execute(sql.SQL("drop index if exists api.{}").format(sql.Identifier(link.field_index)))
    if link.key_index is None:
        return
    used = await db.execute(
        "select 1 from pg_constraint where contype = 'f' and conindid = to_regclass(format('api.%%I', %s::text))",
        [link.key_index],
    )
    if await used.fetchone() is None:
        await db.execute(sql.SQL("drop index if exists api.{}").format(sql.Identifier(link.key_index)))


async def types_fit(db: Connection, link: Link) -> bool:
    """Whether the one field can be a foreign key to the other."""
    found = await db.execute("select flex.types_fit(%s, %s, %s, %s)", msgspec.structs.astuple(link))
    row = await found.fetchone()
    return bool(row and row[0])


async def wait_briefly(db: Connection) -> None:
    """Let no statement of the transaction wait longer than a second for a lock."""
    await db.execute("select set_config('lock_timeout', %s, true)", [LOCK_WAIT])


async def rows_about(db: Connection, collection: str) -> int:
    """How many rows a collection has, as the planner thinks."""
    query = sql.SQL("explain (format json) select from api.{}").format(sql.Identifier(collection))
    row = await (await db.execute(query)).fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0


def _named(stem: str, tail: str) -> str:
    """A name of at most 63 letters that tells what it is of."""
    if len(stem) + len(tail) < _LONGEST:
        return f"{stem}_{tail}"
    digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
    return f"{stem[: _LONGEST - len(tail) - 10]}_{digest}_{tail}"


def _ends(link: Link) -> tuple[str, str, str, str]:
    """The names as a query about both ends takes them: field, collection, target, target field."""
    return link.field, link.collection, link.target, link.target_field


async def _missing_indexes(db: Connection, link: Link) -> list[tuple[sql.Composed, bool]]:
    """The statements that make the indexes which are not there, and whether their table is large."""
    missing = []
    if link.key_index is not None and not await _has_index(db, link.target, link.target_field, unique=True):
        statement = sql.SQL("create unique index {} {} on api.{} ({})")
        missing.append((statement, link.target, link.target_field, link.key_index))
    if not await _has_index(db, link.collection, link.field, unique=False):
        statement = sql.SQL("create index {} {} on api.{} ({})")
        missing.append((statement, link.collection, link.field, link.field_index))
    made = []
    for statement, table, field, name in missing:
        large = await rows_about(db, table) > LARGE
        how = sql.SQL("concurrently" if large else "")
        made.append((statement.format(how, sql.Identifier(name), sql.Identifier(table), sql.Identifier(field)), large))
    return made


async def _has_index(db: Connection, collection: str, field: str, unique: bool) -> bool:
    query = (
        "select exists (select from pg_index i"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        " where i.indrelid = to_regclass(format('api.%%I', %s::text)) and a.attname = %s and i.indisvalid"
        " and i.indpred is null and (not %s or i.indisunique and i.indnkeyatts = 1))"
    )
    row = await (await db.execute(query, [collection, field, unique])).fetchone()
    return bool(row and row[0])


async def _make_index(db: Connection, statement: sql.Composed, large: bool, names: list[str | None]) -> None:
    """Make an index of one of these names; beside the writes where its table is large."""
    if not large:
        async with db.transaction():
            await wait_briefly(db)
            await db.execute(statement)
        return
    await db.execute(f"set lock_timeout = '{LOCK_WAIT}'")
    try:
        await db.execute(statement)
    except psycopg.Error:
        await _drop_invalid(db, names)
        raise
    finally:
        await db.execute("reset lock_timeout")


async def _drop_invalid(db: Connection, names: list[str | None]) -> None:
    """Remove what a broken-off ``create index concurrently`` left."""
    found = await db.execute(
        "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid"
        " where not i.indisvalid and c.relnamespace = 'api'::regnamespace and c.relname = any (%s)",
        [names],
    )
    for (name,) in await found.fetchall():
        await db.execute(sql.SQL("drop index if exists api.{}").format(sql.Identifier(name)))


async def _add_key(db: Connection, link: Link) -> None:
    """Make the key for rows written from now on."""
    await db.execute(
        sql.SQL("alter table api.{} drop constraint if exists {}").format(
            sql.Identifier(link.collection), sql.Identifier(link.key)
        )
    )
    await db.execute(
        "update flex.relations set enforced = true, key_index = %s where (collection, field) = (%s, %s)",
        [link.key_index, link.collection, link.field],
    )
    await db.execute(
        "select flex.add_key(r) from flex.relations r where (collection, field) = (%s, %s)",
        [link.collection, link.field],
    )
    await db.execute("select flex.schema_changed()")
