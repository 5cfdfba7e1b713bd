"""Demo data in the database: loaded once, kept relative to today, and gently changing.

A demo's documents go through the same store as anybody's. Which rows the demo wrote is remembered, so that
moving its dates to today never touches a row somebody else added.

    seed = Seed(store)
    await seed.load(load_demo("hospital", today), today)      # the first time only
    await seed.freshen(today)                                 # a day later: its dates move by a day
    await seed.tick(demo, rng, now)                           # one small change
"""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any, Final

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection, transaction
from appliance.pgflex.demo import Demo, DemoCollection, Write
from appliance.pgflex.writes.store import Store
from appliance.types import FieldType, Role

__all__ = ["Facility", "Seed"]

_WRITER: Final[Role] = "admin"
_KEY: Final = "demo"
_CHOSEN: Final = "demo_chosen"
_KEEP: Final = (
    "insert into flex.settings (key, value) values (%s, %s) on conflict (key) do update set value = excluded.value"
)
_ROWS_READ: Final = 5000


class Facility(msgspec.Struct, frozen=True):
    """The demo a database holds, and the day its dates are relative to."""

    name: str
    facility: str
    questions: tuple[str, ...]
    pinned: tuple[str, ...]
    today: str


class Seed:
    """Writes demo data through a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def facility(self) -> Facility | None:
        """The demo this database holds, or None.

        Raises:
            ApplianceError: PGF101, the database does not answer.
        """
        async with transaction(self._store.pool) as db:
            return await _facility(db)

    async def chosen(self) -> str:
        """The demo that somebody chose while the box ran, or an empty text.

        Raises:
            ApplianceError: PGF101, the database does not answer.
        """
        async with transaction(self._store.pool) as db:
            row = await (await db.execute("select value from flex.settings where key = %s", [_CHOSEN])).fetchone()
        return str(row[0]) if row else ""

    async def choose(self, name: str) -> None:
        """Remember that a demo was chosen: it goes on after a restart.

        Raises:
            ApplianceError: PGF101, the database does not answer.
        """
        async with transaction(self._store.pool) as db:
            await db.execute(_KEEP, [_CHOSEN, Jsonb(name)])

    async def load(self, demo: Demo, today: date) -> bool:
        """Write the demo, all of it or nothing; False when this database holds one already.

        Raises:
            ApplianceError: as :meth:`Store.insert`.
        """
        async with transaction(self._store.pool) as db:
            await db.execute("lock table flex.demo_rows in exclusive mode")
            if await _facility(db) is not None:
                return False
            for collection in demo.collections:
                await self._load_collection(db, collection)
            told = Facility(demo.name, demo.facility, demo.questions, demo.pinned, today.isoformat())
            await _remember(db, told)
        return True

    async def freshen(self, today: date) -> int:
        """Move the dates and times of the demo's rows after a pause, by whole days; how many days that was.

        The last day the demo lived becomes yesterday, and its ticker catches up from there. A demo that lived
        through midnight moves nothing.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with transaction(self._store.pool) as db:
            await db.execute("lock table flex.demo_rows in exclusive mode")
            told = await _facility(db)
            passed = (today - date.fromisoformat(told.today)).days if told else 0
            if told is None or passed <= 0:
                return 0
            days = passed - 1
            for collection, fields in (await _dated_fields(db)).items() if days else ():
                await _shift(db, collection, fields, days)
            await _remember(db, msgspec.structs.replace(told, today=today.isoformat()))
        return days

    async def tick(self, demo: Demo, rng: random.Random, now: datetime) -> int:
        """Make the demo's next small change; how many rows were written.

        A database that holds an older version of the demo, without one of its collections, stays as it is.

        Raises:
            ApplianceError: as :meth:`Store.insert`.
        """
        async with transaction(self._store.pool) as db:
            found = await db.execute("select name from flex.collections")
            held = {row[0] for row in await found.fetchall()}
            if not held >= {item.name for item in demo.collections}:
                return 0
            rows = {item.name: await _rows(db, item.name) for item in demo.collections}
        written = 0
        for write in demo.tick(rng, now, rows):
            written += await self._write(write)
        return written

    async def _load_collection(self, db: Connection, collection: DemoCollection) -> None:
        rows = await self._store.insert_in(db, collection.name, collection.rows, _WRITER)
        await _claim(db, collection.name, rows)
        if collection.wall:
            found = await db.execute(
                "select name from flex.fields where collection = %s and label = any (%s) order by place",
                [collection.name, list(collection.wall)],
            )
            await self._store.show_on_walls(db, collection.name, [row[0] for row in await found.fetchall()])

    async def _write(self, write: Write) -> int:
        if write.key is None:
            async with transaction(self._store.pool) as db:
                rows = await self._store.insert_in(db, write.collection, [write.document], _WRITER)
                await _claim(db, write.collection, rows)
            return 1
        try:
            await self._store.update(write.collection, write.key, write.document, _WRITER)
        except ApplianceError as error:
            # Somebody removed the row after the demo looked; there is nothing to change then.
            if error.code != "PGF113":
                raise
            return 0
        return 1


async def _facility(db: Connection) -> Facility | None:
    row = await (await db.execute("select value from flex.settings where key = %s", [_KEY])).fetchone()
    return msgspec.convert(row[0], Facility) if row else None


async def _remember(db: Connection, told: Facility) -> None:
    await db.execute(_KEEP, [_KEY, Jsonb(msgspec.to_builtins(told))])


async def _claim(db: Connection, collection: str, rows: list[dict[str, Any]]) -> None:
    """Remember rows as written by the demo."""
    await db.execute(
        "insert into flex.demo_rows (collection, id) select %s, unnest(%s::bigint[])",
        [collection, [row["id"] for row in rows]],
    )


async def _rows(db: Connection, collection: str) -> list[dict[str, Any]]:
    query = sql.SQL("select to_jsonb(t.*) from api.{} t order by id limit {}")
    found = await db.execute(query.format(sql.Identifier(collection), _ROWS_READ))
    return [row[0] for row in await found.fetchall()]


async def _dated_fields(db: Connection) -> dict[str, list[tuple[str, FieldType]]]:
    found = await db.execute(
        "select collection, name, type from flex.fields where type in ('date', 'timestamptz')"
        " and collection in (select collection from flex.demo_rows) and name !~ '(birth|since)'"
    )
    fields: dict[str, list[tuple[str, FieldType]]] = {}
    for collection, name, kind in await found.fetchall():
        fields.setdefault(collection, []).append((name, kind))
    return fields


async def _shift(db: Connection, collection: str, fields: list[tuple[str, FieldType]], days: int) -> None:
    moved = sql.SQL(", ").join(
        sql.SQL("{0} = {0} + {1}").format(
            sql.Identifier(name),
            sql.Literal(days) if kind == "date" else sql.SQL("make_interval(days => {})").format(sql.Literal(days)),
        )
        for name, kind in fields
    )
    query = sql.SQL("update api.{} set {} where id in (select id from flex.demo_rows where collection = {})")
    await db.execute(query.format(sql.Identifier(collection), moved, sql.Literal(collection)))
