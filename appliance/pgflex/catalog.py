"""The catalog: which collections and fields a role may see, with enough about their values to ask by name.

Values are counted under the role itself, so grants and policies decide what is told; a wall never sees the
values of a field it may not read. :class:`Catalogs` keeps the result and counts a collection again only after
it changed, at most about once a second, and less often where counting takes long.

    catalogs = Catalogs(pool)
    catalog = await catalogs.read("staff")
    catalog.collection("beds").field("ward").values      # ("Cardiology", "Surgery")
    catalogs.mark("beds")                                # its rows changed
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
from psycopg import sql

from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.pgflex.relations.foreign_keys import rows_about
from appliance.pgflex.units import unit_of
from appliance.types import Catalog, Collection, Field, Relation, RoleName

__all__ = ["Catalogs", "read_catalog"]

VALUES_LIMIT: Final = 60
VALUE_LENGTH: Final = 80
EXAMPLES: Final = 5
_CLOCK: Final = (
    "case when bool_and(v ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$')"
    " and count(distinct substr(v, 11, 1)) = 1 then min(substr(v, 11, 1)) else '' end"
)
FRESH_S: Final = 1.0
LARGE: Final = 200_000
"""Rows above which a sample is counted."""
_CELLS: Final = 1_000_000
_SAMPLE: Final = 20_000
_NEWEST: Final = 2_000
_BUSY_SHARE: Final = 10
_FIELDS_AT_ONCE: Final = 100

_VISIBLE: Final = """
select c.name, c.label, coalesce(m.shown, f.name), f.label, coalesce(m.type, f.type),
  coalesce(f.unit, ''), f.first_seen, coalesce(f.who, ''), m.shown is not null
from flex.collections c join flex.fields f on f.collection = c.name
left join flex.masks m on m.collection = f.collection and m.field = f.name and m.role = %(role)s
where (m.field is null or m.shown is not null)
  and has_column_privilege(%(role)s, format('api.%%I', c.name), coalesce(m.shown, f.name), 'select')
order by c.name, f.place
"""
_RELATIONS: Final = """
select collection, field, target, target_field from flex.relations
where has_column_privilege(%(role)s, format('api.%%I', collection), field, 'select')
  and has_column_privilege(%(role)s, format('api.%%I', target), target_field, 'select')
order by collection, field
"""


class _Seen(msgspec.Struct, frozen=True):
    """What a role may see of a collection, before its values are counted."""

    name: str
    label: str
    fields: tuple[Field, ...]


class _Kept(msgspec.Struct, frozen=True):
    """A counted collection: what it was counted for, at which edition, and when it may be counted again."""

    seen: _Seen
    counted: Collection
    edition: int
    again_at: float


class _Source(msgspec.Struct, frozen=True):
    """Where values are counted: the collection, or a sample of it with its newest rows.

    Attributes:
        table: the collection.
        rows: how many rows there are.
        sampled: a sample of the collection, or None.
        share: the part of all rows that the sample is of; 1 without one.
    """

    table: sql.Composed
    rows: int
    sampled: sql.Composed | None = None
    share: float = 1.0

    def of(self, names: Iterable[str], query: sql.Composable) -> sql.Composed:
        """A query of ``source``, where these fields of the rows stand."""
        made = sql.SQL("with source as not materialized (select {0} from {1}) {4}")
        if self.sampled is not None:
            made = sql.SQL(
                "with source as materialized ("
                "select {0} from {2} where id <= (select max(id) from {1}) - {3} union all"
                " select {0} from {1} where id > (select max(id) from {1}) - {3}) {4}"
            )
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        return made.format(columns, self.table, self.sampled, _NEWEST, query)


class _Told(msgspec.Struct, frozen=True):
    """What the values of a field tell: how many there are, how many different, how many of those once.

    `clock` is what stands between day and hour in texts that are all times without an offset.
    """

    count: int
    distinct: int
    once: int
    longest: int
    low: Any
    high: Any
    clock: str = ""


async def read_catalog(pool: Pool, role: RoleName) -> Catalog:
    """The catalog of a role, counted now.

    Raises:
        ApplianceError: PGF101 or PGF114, the database does not answer (in time).
    """
    return await Catalogs(pool).read(role)


class Catalogs:
    """The catalogs of all roles, kept between reads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: dict[tuple[RoleName, str], _Kept] = {}
        self._turns: dict[RoleName, asyncio.Lock] = {}
        self._editions: dict[str | None, int] = {}

    def mark(self, collection: str | None = None) -> None:
        """Say that the rows of a collection changed, or (None) that any may have."""
        self._editions[collection] = self._editions.get(collection, 0) + 1

    @property
    def stale(self) -> bool:
        """Whether something changed since it was counted."""
        return any(kept.edition != self._edition(name) for (_, name), kept in self._kept.items())

    async def read(self, role: RoleName) -> Catalog:
        """The catalog as of the last count, counting again what changed.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with self._turns.setdefault(role, asyncio.Lock()):
            async with transaction(self._pool) as db:
                seen = await _visible(db, role)
                found = await (await db.execute(_RELATIONS, {"role": role})).fetchall()
            relations = tuple(Relation(*row) for row in found)
            collections = [await self._collection(item, role) for item in seen]
        names = {item.name for item in seen}
        for key in [key for key in self._kept if key[0] == role and key[1] not in names]:
            del self._kept[key]
        return Catalog(_version(collections, relations), tuple(collections), relations)

    async def _collection(self, seen: _Seen, role: RoleName) -> Collection:
        kept, edition = self._kept.get((role, seen.name)), self._edition(seen.name)
        began = time.monotonic()
        if kept and kept.seen == seen and (kept.edition == edition or began < kept.again_at):
            return kept.counted
        async with transaction(self._pool) as db:
            rows = await rows_about(db, seen.name)
            await act_as(db, role)
            counted = await _count(db, seen, rows)
        now = time.monotonic()
        again_at = now + max(FRESH_S, _BUSY_SHARE * (now - began))
        self._kept[role, seen.name] = _Kept(seen, counted, edition, again_at)
        return counted

    def _edition(self, collection: str) -> int:
        return self._editions.get(collection, 0) + self._editions.get(None, 0)


async def _visible(db: Connection, role: RoleName) -> list[_Seen]:
    found = await (await db.execute(_VISIBLE, {"role": role})).fetchall()
    fields: dict[tuple[str, str], list[Field]] = {}
    for collection, label, name, field_label, kind, unit, first_seen, who, masked in found:
        unit = unit or (unit_of(field_label) if kind in ("integer", "numeric") else "")
        field = Field(name, field_label, kind, unit=unit, first_seen=first_seen.isoformat(), who=who, masked=masked)
        fields.setdefault((collection, label), []).append(field)
    return [_Seen(name, label, tuple(items)) for (name, label), items in fields.items()]


async def _count(db: Connection, seen: _Seen, rows: int) -> Collection:
    fields, source = list[Field](), await _source(db, seen, rows)
    for some in _chunks(seen.fields):
        size, told = await _told(db, source, some)
        fields += [await _field(db, source, field, size, told[field.name]) for field in some]
    return Collection(seen.name, seen.label, tuple(fields), source.rows)


async def _source(db: Connection, seen: _Seen, rows: int) -> _Source:
    """All rows, or where they are too many to be counted at each change a sample of whole blocks and the newest."""
    table = sql.SQL("api.{}").format(sql.Identifier(seen.name))
    wanted = max(_NEWEST // 2, min(_SAMPLE, _CELLS // len(seen.fields)))
    if wanted >= rows or (rows <= LARGE and rows * len(seen.fields) <= _CELLS):
        row = await (await db.execute(sql.SQL("select count(*) from {}").format(table))).fetchone()
        return _Source(table, int(row[0]) if row else 0)
    share = wanted / rows
    sampled = sql.SQL("{} tablesample system ({}) repeatable (0)").format(table, 100 * share)
    row = await (await db.execute(sql.SQL("select count(*) from {}").format(sampled))).fetchone()
    seen_of_all = int(row[0] / share) if row else 0
    # Where no policy hides rows the planner's number is the better one.
    return _Source(table, rows if seen_of_all > 0.7 * rows else seen_of_all, sampled, share)


async def _told(db: Connection, source: _Source, fields: tuple[Field, ...]) -> tuple[int, dict[str, _Told]]:
    """How many rows were looked at, and what the fields tell."""
    asked = [_asked(source, field, place) for place, field in enumerate(fields)]
    asked.append(sql.SQL("select -1, count(*), 0, 0, 0, null, null, '' from source").format())
    found = await db.execute(source.of([field.name for field in fields], sql.SQL(" union all ").join(asked)))
    told = {place: _Told(*row) for place, *row in await found.fetchall()}
    return told[-1].count, {field.name: told[place] for place, field in enumerate(fields)}


def _asked(source: _Source, field: Field, place: int) -> sql.Composed:
    longest = "coalesce(max(length(v)), 0)" if field.type == "text" else "0"
    clock = _CLOCK if field.type == "text" else "''"
    ends = "to_jsonb(min(v)), to_jsonb(max(v))"
    if source.share < 1 or field.type not in ("integer", "numeric", "date", "timestamptz"):
        ends = "null::jsonb, null::jsonb"  # a sample does not know the ends
    return sql.SQL(
        "select {0}, coalesce(sum(c), 0)::bigint, count(*), count(*) filter (where c = 1), {1}, {2}, {4}"
        " from (select {3} as v, count(*) as c from source where {3} is not null group by 1) as g"
    ).format(place, sql.SQL(longest), sql.SQL(ends), sql.Identifier(field.name), sql.SQL(clock))


async def _field(db: Connection, source: _Source, field: Field, size: int, told: _Told) -> Field:
    count, distinct = told.count, told.distinct
    if source.share < 1:
        count, distinct = _scaled(source.rows, size, told)
    low, high = (float(end) if isinstance(end, Decimal) else end for end in (told.low, told.high))
    field = msgspec.structs.replace(field, count=count, distinct=distinct, low=low, high=high, clock=told.clock)
    if field.type != "text" or not distinct:
        return field
    if distinct <= VALUES_LIMIT and told.longest <= VALUE_LENGTH:
        return msgspec.structs.replace(field, values=await _values(db, source, field.name))
    return msgspec.structs.replace(field, examples=await _examples(db, source, field.name))


def _scaled(rows: int, size: int, told: _Told) -> tuple[int, int]:
    """What a sample tells of all: values, and different ones by the estimator of Haas and Stokes (Duj1), 1998."""
    if not told.count:
        return 0, 0
    count = max(told.count, round(rows * told.count / size))
    seen, once = told.count, told.once
    distinct = seen * told.distinct / (seen - once + once * seen / count)
    return count, max(told.distinct, min(count, round(distinct)))


async def _values(db: Connection, source: _Source, name: str) -> tuple[str, ...]:
    query = sql.SQL("select distinct {0} from source where {0} is not null order by 1 limit {1}")
    found = await db.execute(source.of([name], query.format(sql.Identifier(name), VALUES_LIMIT)))
    return tuple(row[0] for row in await found.fetchall())


async def _examples(db: Connection, source: _Source, name: str) -> tuple[str, ...]:
    query = sql.SQL(
        "select {0} from source where length({0}) <= {1} group by {0} order by count(*) desc, {0} limit {2}"
    )
    found = await db.execute(source.of([name], query.format(sql.Identifier(name), VALUE_LENGTH, EXAMPLES)))
    return tuple(row[0] for row in await found.fetchall())


def _chunks(fields: tuple[Field, ...]) -> Iterator[tuple[Field, ...]]:
    for start in range(0, len(fields), _FIELDS_AT_ONCE):
        yield fields[start : start + _FIELDS_AT_ONCE]


def _version(collections: Iterable[Collection], relations: tuple[Relation, ...]) -> str:
    """A hash of names, labels, types, enumerated values and relations: what a question can be read with.

    Row counts and examples stay out of it; they change with every write.
    """
    told = [
        (
            item.name,
            item.label,
            [(field.name, field.label, field.type, field.values, field.clock) for field in item.fields],
        )
        for item in collections
    ]
    return hashlib.sha256(msgspec.json.encode((told, relations))).hexdigest()[:16]
