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
from typing import Final

import msgspec
from psycopg import sql

from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.types import Catalog, Collection, Field, FieldType, Role

__all__ = ["Catalogs", "read_catalog"]

VALUES_LIMIT: Final = 60
VALUE_LENGTH: Final = 80
EXAMPLES: Final = 5
FRESH_S: Final = 1.0
_BUSY_SHARE: Final = 10
_FIELDS_AT_ONCE: Final = 100

_VISIBLE: Final = """
select c.name, c.label, f.name, f.label, f.type
from flex.collections c join flex.fields f on f.collection = c.name
where has_column_privilege(%s, format('api.%%I', c.name), f.name, 'select')
order by c.name, f.place
"""


class _Seen(msgspec.Struct, frozen=True):
    """What a role may see of a collection, before its values are counted."""

    name: str
    label: str
    fields: tuple[tuple[str, str, FieldType], ...]


class _Kept(msgspec.Struct, frozen=True):
    """A counted collection: what it was counted for, at which edition, and when it may be counted again."""

    seen: _Seen
    counted: Collection
    edition: int
    again_at: float


async def read_catalog(pool: Pool, role: Role) -> Catalog:
    """The catalog of a role, counted now.

    Raises:
        ApplianceError: PGF101 or PGF114, the database does not answer (in time).
    """
    return await Catalogs(pool).read(role)


class Catalogs:
    """The catalogs of all roles, kept between reads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: dict[tuple[Role, str], _Kept] = {}
        self._turns: dict[Role, asyncio.Lock] = {}
        self._editions: dict[str | None, int] = {}

    def mark(self, collection: str | None = None) -> None:
        """Say that the rows of a collection changed, or (None) that any may have."""
        self._editions[collection] = self._editions.get(collection, 0) + 1

    @property
    def stale(self) -> bool:
        """Whether something changed since it was counted."""
        return any(kept.edition != self._edition(name) for (_, name), kept in self._kept.items())

    async def read(self, role: Role) -> Catalog:
        """The catalog as of the last count, counting again what changed.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with self._turns.setdefault(role, asyncio.Lock()):
            async with transaction(self._pool) as db:
                seen = await _visible(db, role)
            collections = [await self._collection(item, role) for item in seen]
        names = {item.name for item in seen}
        for key in [key for key in self._kept if key[0] == role and key[1] not in names]:
            del self._kept[key]
        return Catalog(_version(collections), tuple(collections))

    async def _collection(self, seen: _Seen, role: Role) -> Collection:
        kept, edition = self._kept.get((role, seen.name)), self._edition(seen.name)
        began = time.monotonic()
        if kept and kept.seen == seen and (kept.edition == edition or began < kept.again_at):
            return kept.counted
        async with transaction(self._pool) as db:
            await act_as(db, role)
            counted = await _count(db, seen)
        now = time.monotonic()
        again_at = now + max(FRESH_S, _BUSY_SHARE * (now - began))
        self._kept[role, seen.name] = _Kept(seen, counted, edition, again_at)
        return counted

    def _edition(self, collection: str) -> int:
        return self._editions.get(collection, 0) + self._editions.get(None, 0)


async def _visible(db: Connection, role: Role) -> list[_Seen]:
    found = await (await db.execute(_VISIBLE, [role])).fetchall()
    fields: dict[tuple[str, str], list[tuple[str, str, FieldType]]] = {}
    for collection, label, name, field_label, kind in found:
        fields.setdefault((collection, label), []).append((name, field_label, kind))
    return [_Seen(name, label, tuple(items)) for (name, label), items in fields.items()]


async def _count(db: Connection, seen: _Seen) -> Collection:
    count = await _row_count(db, seen.name)
    distinct: dict[str, tuple[int, int]] = {}
    for some in _chunks(seen.fields):
        distinct |= await _distinct_counts(db, seen.name, some)
    fields = [await _field(db, seen.name, name, label, kind, *distinct[name]) for name, label, kind in seen.fields]
    return Collection(seen.name, seen.label, tuple(fields), count)


async def _row_count(db: Connection, collection: str) -> int:
    found = await db.execute(sql.SQL("select count(*) from api.{}").format(sql.Identifier(collection)))
    row = await found.fetchone()
    return int(row[0]) if row else 0


async def _distinct_counts(
    db: Connection, collection: str, fields: Iterable[tuple[str, str, FieldType]]
) -> dict[str, tuple[int, int]]:
    """For each field how many different values it has, and the length of the longest when it is text."""
    columns = [(sql.Identifier(name), kind) for name, _, kind in fields]
    asked = sql.SQL(", ").join(
        sql.SQL("count(distinct {}), {}").format(
            column, sql.SQL("coalesce(max(length({})), 0)").format(column) if kind == "text" else sql.SQL("0")
        )
        for column, kind in columns
    )
    found = await db.execute(sql.SQL("select {} from api.{}").format(asked, sql.Identifier(collection)))
    row = await found.fetchone() or ()
    return {name: (row[2 * place], row[2 * place + 1]) for place, (name, _, _) in enumerate(fields)}


async def _field(
    db: Connection, collection: str, name: str, label: str, kind: FieldType, distinct: int, longest: int
) -> Field:
    if kind != "text" or not distinct:
        return Field(name, label, kind, distinct=distinct)
    if distinct <= VALUES_LIMIT and longest <= VALUE_LENGTH:
        return Field(name, label, kind, values=await _values(db, collection, name), distinct=distinct)
    return Field(name, label, kind, examples=await _examples(db, collection, name), distinct=distinct)


async def _values(db: Connection, collection: str, name: str) -> tuple[str, ...]:
    query = sql.SQL("select distinct {0} from api.{1} where {0} is not null order by 1 limit {2}")
    found = await db.execute(query.format(sql.Identifier(name), sql.Identifier(collection), VALUES_LIMIT))
    return tuple(row[0] for row in await found.fetchall())


async def _examples(db: Connection, collection: str, name: str) -> tuple[str, ...]:
    query = sql.SQL(
        "select {0} from api.{1} where length({0}) <= {2} group by {0} order by count(*) desc, {0} limit {3}"
    )
    found = await db.execute(query.format(sql.Identifier(name), sql.Identifier(collection), VALUE_LENGTH, EXAMPLES))
    return tuple(row[0] for row in await found.fetchall())


def _chunks(
    fields: tuple[tuple[str, str, FieldType], ...],
) -> Iterator[tuple[tuple[str, str, FieldType], ...]]:
    for start in range(0, len(fields), _FIELDS_AT_ONCE):
        yield fields[start : start + _FIELDS_AT_ONCE]


def _version(collections: Iterable[Collection]) -> str:
    """A hash of names, labels, types and enumerated values: what a question can be read with.

    Row counts and examples stay out of it; they change with every write.
    """
    told = [
        (item.name, item.label, [(field.name, field.label, field.type, field.values) for field in item.fields])
        for item in collections
    ]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]
