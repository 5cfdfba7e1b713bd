"""Watches how many rows of each collection come, change and go, and tells once what is unusual.

    watching = Watching(pool, zone)
    feed.watch(watching.mark)                          # a collection changed
    await watching.run()                               # counts and looks, until cancelled
    await watching.events("staff", "active")           # what is unusual now, with the rows behind it
    await watching.acknowledge(7, "Maria", "staff")

A number above the usual is told as soon as the rows that are there already make it so, compared with all of the
quarter of an hour (or of the hour) that is still running; one below only after it has passed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from psycopg.rows import dict_row

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.database import Connection, Pool, transaction
from appliance.pgflex.watching.baseline import percent
from appliance.pgflex.watching.counts import KINDS, LOAD, count, forget, read_history
from appliance.pgflex.watching.findings import Look, found, read_looks, still_so, values
from appliance.types import RoleName

__all__ = ["KEYS", "Watching"]

REST_S: Final = 2.0
"""Least rest between two rounds."""
LOOK_S: Final = 60.0
"""How often every collection is looked at: a number can become unusual, or usual again, by time alone."""
COUNT_TIMEOUT: Final = "5min"
KEYS: Final = 100
"""Rows behind a number that are named, the newest; a condition holds at most a hundred."""
WHO_LIMIT: Final = 100

_EVENTS: Final = """
select u.*, c.label, flex.told_from(u.collection) as audience, (
  select coalesce(jsonb_agg(k.key), '[]') from (
    select s.key from flex.seen_changes(%(role)s, u.collection, u.start, u.until, %(load)s) as s
    where s.what = u.what and s.what <> 'went' and not s.loaded
    group by s.key order by max(s.seq) desc limit %(keys)s
  ) as k
) as keys
from flex.unusual u join flex.collections c on c.name = u.collection
where (%(which)s::bigint is null or u.id = %(which)s) and (%(state)s::text is null or u.state = %(state)s)
  and flex.reads_all(%(role)s, u.collection)
order by u.id desc limit %(limit)s
"""
_ACTIVE: Final = "select * from flex.unusual where collection = %s and state = 'active'"
_TELL: Final = """
insert into flex.unusual (collection, what, side, scale, day, start, until, value, usual, basis, days, told_at)
values (%(collection)s, %(what)s, %(side)s, %(scale)s, %(day)s, %(start)s, %(until)s, %(value)s, %(usual)s, %(basis)s,
  %(days)s, %(now)s)
on conflict (collection, what, side, day) do update set
  state = 'active', over_at = null, scale = excluded.scale, start = excluded.start, until = excluded.until,
  value = excluded.value, usual = excluded.usual, basis = excluded.basis, days = excluded.days
"""
_RENEW: Final = """
update flex.unusual set start = %(start)s, until = %(until)s, value = %(value)s, usual = %(usual)s, basis = %(basis)s,
  days = %(days)s
where id = %(id)s
"""


class Watching:
    """Counts changes, finds what is unusual, and tells it.

    Args:
        pool: connections of the role that owns the collections.
        zone: the facility's timezone, which says when a day begins.
        clock: gives the present; tests have their own.
    """

    def __init__(self, pool: Pool, zone: tzinfo, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._pool, self._zone, self._clock = pool, zone, clock
        self._dirty: set[str] = set()
        self._turn = asyncio.Lock()
        self._more = asyncio.Event()
        self._forgot: date | None = None
        self._log = logger("pgflex")

    @property
    def now(self) -> datetime:
        """The present in the facility."""
        return self._clock().astimezone(self._zone)

    def mark(self, collection: str | None = None) -> None:
        """Say that rows of a collection changed, or (None) that any may have."""
        self._more.set()

    async def run(self) -> None:
        """Count and look whenever something changed, and at every collection now and then, until cancelled."""
        looked = -LOOK_S
        loop = asyncio.get_running_loop()
        while True:
            everything = loop.time() - looked >= LOOK_S
            try:
                await self.round(everything)
                looked = loop.time() if everything else looked
            except ApplianceError as error:
                self._log.warn("watching waits", error=error.line())
            await asyncio.sleep(REST_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), LOOK_S)

    async def round(self, everything: bool = False) -> None:
        """Count what is new and look at what changed, or at every collection.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with self._turn:
            self._more.clear()
            now = self.now
            async with transaction(self._pool) as db:
                await db.execute("select set_config('statement_timeout', %s, true)", [COUNT_TIMEOUT])
                self._dirty |= set(await count(db, now))
                names = await _watched(db) if everything else sorted(self._dirty)
                if self._forgot != now.date():
                    await forget(db, now)
                    self._forgot = now.date()
            for name in names:
                await self._look(name, now)
                self._dirty.discard(name)

    async def _look(self, collection: str, now: datetime) -> None:
        async with transaction(self._pool) as db:
            history = await read_history(db, collection)
            if history is not None:
                looks = await read_looks(db, collection, history, now)
                await _settle(db, collection, looks, now)

    # What was told ---------------------------------------------------------------------------------------

    async def events(self, role: RoleName, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """What was told and the role may know, the newest first; `state` active or over.

        With ``percent`` (null where nothing is usual), ``audience`` (the least trusted role that is told), and
        ``keys``: ids of the newest rows behind it.
        """
        async with transaction(self._pool) as db:
            return await _events(db, role, state=state, limit=limit)

    async def acknowledge(self, which: int, who: str, role: RoleName) -> dict[str, Any]:
        """Say that a person has seen it; the first one stays. Tells it.

        Raises:
            ApplianceError: PGF160 (nothing such for this role), PGF106 (a wall acknowledges nothing), PGF103.
        """
        who = " ".join(who.split())
        if len(who) > WHO_LIMIT or "\x00" in who:
            raise ApplianceError("PGF103", f"A name has at most {WHO_LIMIT} characters.", {"length": len(who)})
        async with transaction(self._pool) as db:
            found = await db.execute("select level from flex.roles where name = %s", [role])
            if await found.fetchone() == ("wall",):
                raise ApplianceError("PGF106", "A wall acknowledges nothing.", {"role": role}, "Act as staff.")
            if not await _events(db, role, which=which):
                raise ApplianceError("PGF160", f"There is nothing unusual with the id {which}.", {"id": which})
            await db.execute(
                "update flex.unusual set acknowledged_at = clock_timestamp(), acknowledged_by = %s "
                "where id = %s and acknowledged_at is null",
                [f"{who} ({role})" if who else role, which],
            )
            return (await _events(db, role, which=which))[0]


async def _events(
    db: Connection, role: RoleName, *, which: int | None = None, state: str | None = None, limit: int = 1
) -> list[dict[str, Any]]:
    values = {"role": role, "which": which, "state": state, "limit": limit, "keys": KEYS, "load": LOAD}
    async with db.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(_EVENTS, values)).fetchall()
    return [row | {"percent": percent(row["value"], float(row["usual"]))} for row in rows]


async def _watched(db: Connection) -> list[str]:
    """Every collection but the box's own."""
    found = await db.execute("select name from flex.collections where not system order by name")
    return [name for (name,) in await found.fetchall()]


async def _settle(db: Connection, collection: str, looks: list[Look], now: datetime) -> None:
    """Renew or end what is active, and tell what is new: one thing at a time for each kind of change."""
    async with db.cursor(row_factory=dict_row) as cursor:
        active = {row["what"]: row for row in await (await cursor.execute(_ACTIVE, [collection])).fetchall()}
    for what in KINDS:
        if (told := active.get(what)) is not None:
            if (still := still_so(told, what, looks, now)) is not None:
                await db.execute(_RENEW, values(collection, still, now) | {"id": told["id"]})
                continue
            await db.execute("update flex.unusual set state = 'over', over_at = %s where id = %s", [now, told["id"]])
        if (new := found(what, looks)) is not None:
            await db.execute(_TELL, values(collection, new, now))
