"""Digests: what happened in collections over a window of time, as a role sees it.

    digests = Digests(pool, catalogs)
    told = await digests.tell("staff", start, end, "admissions")
    told[0]["counts"]                       # {"came": 34, "changed": 5, "went": 0, "loaded": 0}

Counts are of the outbox, as far back as it goes, with the role's row policies. Before that they are of the kept counts,
for roles that read every row; for others they begin where the outbox does. Sums and groups are of the rows that came
(or, where none came, that changed), read as the role; where the outbox no longer names those rows there are none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.catalog import Catalogs
from appliance.pgflex.database import Connection, Pool, act_as, transaction
from appliance.pgflex.watching.amounts import amounts, grouping
from appliance.pgflex.watching.baseline import percent, side_of
from appliance.pgflex.watching.counts import KINDS, LOAD, Counts, compared, read_history, sums
from appliance.pgflex.watching.seasons import Window, quarter
from appliance.types import Catalog, Collection, Field, RoleName

__all__ = ["Digests"]

TOP: Final = 3
"""Groups that are named."""
ROWS: Final = 10_000
"""Rows that are summed and grouped at most, the newest."""
KEYS: Final = 100

_ABOUT: Final = """
select system, flex.told_from(name), flex.reads_all(%(role)s, name),
  (select min(at) from flex.commits where number > flex.forgotten()), flex.forgotten() > 0
from flex.collections where name = %(collection)s
"""
_COUNTS: Final = """
select count(*) filter (where what = 'came' and not loaded), count(*) filter (where what = 'changed' and not loaded),
       count(*) filter (where what = 'went' and not loaded), count(*) filter (where loaded)
from flex.seen_changes(%s, %s, %s, %s, %s)
"""
_CAME: Final = """
select (key #>> '{}')::bigint from flex.seen_changes(%s, %s, %s, %s, %s)
where what = %s group by key order by max(seq) desc limit %s
"""


class Digests:
    """Tells what happened.

    Args:
        pool: connections of the role that owns the collections.
        catalogs: what each role may see.
    """

    def __init__(self, pool: Pool, catalogs: Catalogs) -> None:
        self._pool, self._catalogs = pool, catalogs

    async def tell(
        self, role: RoleName, start: datetime, end: datetime, collection: str | None = None
    ) -> list[dict[str, Any]]:
        """What happened in one collection, or in each that the role may read.

        Raises:
            ApplianceError: PGF104, no such collection, or not for this role.
        """
        catalog = await self._catalogs.read(role)
        if collection is not None and catalog.collection(collection) is None:
            raise ApplianceError("PGF104", "There is no such collection.", collection, "GET /api/catalog lists them.")
        wanted = [item for item in catalog.collections if collection in (None, item.name)]
        lines = [await self._line(item, catalog, Window(start, end), role) for item in wanted]
        return [line for line in lines if line is not None]

    async def _line(self, item: Collection, catalog: Catalog, window: Window, role: RoleName) -> dict[str, Any] | None:
        async with transaction(self._pool) as db:
            asked = {"role": role, "collection": item.name}
            about = await (await db.execute(_ABOUT, asked)).fetchone()
            if about is None or about[0]:
                return None  # the box's own
            _, audience, reads_all, oldest, forgot = about
            named = not forgot or (oldest is not None and oldest <= window.start)
            start = window.start if named or reads_all or oldest is None else max(window.start, oldest)
            counted = Window(start, window.end)
            counts = await _counts(db, item.name, counted, role, named or not reads_all)
            what = "came" if counts.came or (counts.loaded and not counts.changed) else "changed"
            ids = await _ids(db, item.name, counted, role, what) if named or not reads_all else []
            line = {
                "collection": item.name,
                "label": item.label,
                "audience": audience,
                "start": window.start,
                "end": window.end,
                "counted_from": await _counted_from(db, item.name, counted, named),
                "counts": counts._asdict(),
                "usual": await _usual(db, item.name, window, counts) if reads_all else None,
                "of": what,
            }
            await act_as(db, role)
            return line | await _about_rows(db, item, catalog, ids)


async def _counts(db: Connection, collection: str, window: Window, role: RoleName, named: bool) -> Counts:
    if not named:
        return (await sums(db, collection, [Window(quarter(window.start), window.end)]))[0]
    row = await (await db.execute(_COUNTS, [role, collection, window.start, window.end, LOAD])).fetchone()
    assert row is not None
    return Counts(*row)


async def _counted_from(db: Connection, collection: str, window: Window, named: bool) -> datetime:
    """From when on the counts know what happened: the box cannot tell of a time before it watched."""
    history = None if named else await read_history(db, collection)
    return window.start if history is None else max(window.start, history.since)


async def _ids(db: Connection, collection: str, window: Window, role: RoleName, what: str) -> list[int]:
    found = await db.execute(_CAME, [role, collection, window.start, window.end, LOAD, what, ROWS])
    return [row[0] for row in await found.fetchall()]


async def _usual(db: Connection, collection: str, window: Window, counts: Counts) -> dict[str, Any] | None:
    """What is usual in such a window, where enough of them are known."""
    history = await read_history(db, collection)
    whole = Window(quarter(window.start), quarter(window.end))
    if history is None or not history.knows(whole) or whole.start >= whole.end:
        return None
    known = await compared(db, collection, whole, history)
    if known is None:
        return None
    told: dict[str, Any] = {"basis": known.basis, "days": known.usual["came"].days}
    for what in KINDS:
        value, usual = counts.of(what), known.usual[what]
        share, side = percent(value, usual), side_of(value, usual)
        told[what] = {"value": usual.value, "percent": share, "unusual": side}
    return told


async def _about_rows(db: Connection, item: Collection, catalog: Catalog, ids: list[int]) -> dict[str, Any]:
    """Sums, the greatest groups and the newest ids of rows, as the role that the connection acts as reads them."""
    added, group = amounts(item, catalog), grouping(item)
    return {
        "sums": await _sums(db, item.name, added, ids) if ids and added else [],
        "groups": await _groups(db, item.name, group, ids) if ids and group else None,
        "keys": ids[:KEYS],
    }


async def _sums(db: Connection, collection: str, fields: list[Field], ids: list[int]) -> list[dict[str, Any]]:
    each = sql.SQL(", ").join(sql.SQL("sum({0}), count({0})").format(sql.Identifier(field.name)) for field in fields)
    query = sql.SQL("select {} from {} where id = any (%s)").format(each, sql.Identifier("api", collection))
    row = await (await db.execute(query, [ids])).fetchone()
    assert row is not None
    return [
        {"field": field.name, "label": field.label, "unit": field.unit, "sum": row[2 * n], "rows": row[2 * n + 1]}
        for n, field in enumerate(fields)
        if row[2 * n + 1]
    ]


async def _groups(db: Connection, collection: str, field: Field, ids: list[int]) -> dict[str, Any] | None:
    query = sql.SQL(
        "select {0}, count(*) from {1} where id = any (%s) and {0} is not null group by 1 order by 2 desc, 1 limit %s"
    ).format(sql.Identifier(field.name), sql.Identifier("api", collection))
    found = await (await db.execute(query, [ids, TOP])).fetchall()
    top = [{"value": value, "count": count} for value, count in found]
    return {"field": field.name, "label": field.label, "top": top} if top else None
