"""The change feed: every committed row change, in one order, to any number of readers, resumable.

One connection listens and reads the outbox; it takes only rows of transactions older than every running one
(``xid < pg_snapshot_xmin``), in the order (xid, seq). A transaction that commits late therefore can never land
behind the place the feed has reached: nothing is skipped and nothing told twice, also across a restart of
PostgreSQL.

    feed = Feed(dsn)
    async with feed.running():
        async for event in feed.subscribe("staff", "beds", after="815.42"):
            match event:
                case Change(): ...          # a row changed
                case Gap(): ...             # changes since "815.42" are gone: read everything again
                case Ready(): ...           # caught up; from here on live
                case CatalogChanged(): ...  # what the role may see changed

A reader that falls more than 2,000 events behind has its stream ended after what it still holds; it resumes
from the last position it saw. Memory per reader is bounded by that.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final, NamedTuple

import msgspec
import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.database import Connection, exact_loads, fault
from appliance.types import Change, Role, rank

__all__ = ["CatalogChanged", "Event", "Feed", "Gap", "Ready"]

QUEUE_LIMIT: Final = 2000
_BATCH: Final = 500
_PENDING_POLL_S: Final = 0.05
_IDLE_S: Final = 10.0
_RETRY_S: Final = (0.1, 0.2, 0.5, 1.0)
_TRIM_EVERY_S: Final = 30.0

_READ: Final = """
select c.xid::text, c.seq, c.at, c.collection, c.op, c.key, c."row", c.changed,
       coalesce(k.audience, 'admin'), coalesce(k.wall_fields, '{}')
from flex.changes c left join flex.collections k on k.name = c.collection
where (c.xid, c.seq) > (%(xid)s::text::xid8, %(seq)s) and c.xid < pg_snapshot_xmin(pg_current_snapshot())
order by c.xid, c.seq
limit %(limit)s
"""
_PENDING: Final = """
select exists (select from flex.changes where xid >= pg_snapshot_xmin(pg_current_snapshot()))
"""
_HEAD: Final = """
select xid::text, seq from flex.changes where xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid desc, seq desc limit 1
"""
_FLOOR: Final = "select value ->> 'xid', (value ->> 'seq')::bigint from flex.settings where key = 'feed_floor'"
_TRIM: Final = """
with floor as (
  select xid, seq from flex.changes where (xid, seq) <= (%(xid)s::text::xid8, %(seq)s)
  order by xid desc, seq desc offset %(kept)s limit 1
), gone as (
  delete from flex.changes c using floor where (c.xid, c.seq) <= (floor.xid, floor.seq)
)
insert into flex.settings (key, value)
select 'feed_floor', jsonb_build_object('xid', xid::text, 'seq', seq) from floor
on conflict (key) do update set value = excluded.value
"""


class Ready(msgspec.Struct, frozen=True):
    """The reader has everything up to `position` and is live."""

    position: str


class Gap(msgspec.Struct, frozen=True):
    """Changes after the position `after` are no longer kept; what follows starts at `position`."""

    after: str
    position: str


class CatalogChanged(msgspec.Struct, frozen=True):
    """What the reader's role may see has this new version."""

    version: str


Event = Change | Gap | Ready | CatalogChanged


class _Place(NamedTuple):
    """A position as numbers; compares in feed order."""

    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.xid}.{self.seq}"


class _Entry(NamedTuple):
    """A change as read, and the fields a wall may see of it."""

    place: _Place
    change: Change
    wall_fields: tuple[str, ...]


class _Subscriber:
    """A reader: what it may see, and the events that wait for it."""

    def __init__(self, role: Role, collection: str | None) -> None:
        self.role = role
        self.collection = collection
        self.overrun = False
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE_LIMIT + 1)

    def put(self, event: Event) -> None:
        """Queue an event; past the limit the stream ends instead."""
        if self.overrun:
            return
        if self._events.qsize() >= QUEUE_LIMIT:
            self.end()
        else:
            self._events.put_nowait(event)

    def end(self) -> None:
        """Let the stream end after what is queued."""
        if not self.overrun:
            self.overrun = True
            self._events.put_nowait(None)

    async def next(self) -> Event | None:
        """The next event; None when the stream has ended."""
        return await self._events.get()


class Feed:
    """Reads the outbox once and hands every change to all readers.

    Args:
        dsn: connects as the role that owns the outbox.
        rows_kept: changes kept for readers that resume.
    """

    def __init__(self, dsn: str, rows_kept: int = 200_000) -> None:
        self._dsn = dsn
        self._rows_kept = rows_kept
        self._subscribers: set[_Subscriber] = set()
        self._place: _Place | None = None
        self._live = asyncio.Event()
        self._trim_at = 0.0
        self._watchers: list[Callable[[str | None], None]] = []
        self._log = logger("pgflex")

    @property
    def live(self) -> bool:
        """Whether the feed is connected and has read what there was."""
        return self._live.is_set()

    @property
    def position(self) -> str:
        """The place the feed has reached, ``"0.0"`` before its first connection."""
        return str(self._place or _Place(0, 0))

    @property
    def readers(self) -> int:
        """How many read the feed now."""
        return len(self._subscribers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Feed]:
        """Run the feed; at the end every reader's stream ends."""
        task = asyncio.create_task(self._run(), name="feed")
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.end_all()

    def watch(self, told: Callable[[str | None], None]) -> None:
        """Call `told` with each changed collection's name, or None when any may have changed."""
        self._watchers.append(told)

    def tell(self, role: Role, event: CatalogChanged) -> None:
        """Hand an event that is no row change to every reader of a role."""
        for subscriber in self._subscribers:
            if subscriber.role == role:
                subscriber.put(event)

    def end_all(self) -> None:
        """End every reader's stream after what is queued."""
        for subscriber in self._subscribers:
            subscriber.end()

    def subscribe(
        self, role: Role, collection: str | None = None, after: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """The changes a role may see, from the position `after` (None: from now on).

        The stream ends when the reader is too slow, or the feed stops; resume from the last position seen.

        Raises:
            ApplianceError: PGF111, `after` is no position; while reading: PGF101, PostgreSQL does not answer.
        """
        return self._events(role, collection, None if after is None else _read_place(after))

    async def _events(self, role: Role, collection: str | None, after: _Place | None) -> AsyncGenerator[Event, None]:
        await self._live.wait()
        subscriber = _Subscriber(role, collection)
        start = self._place or _Place(0, 0)
        # From here on new changes queue up behind `start`; what is older is read from the outbox.
        self._subscribers.add(subscriber)
        try:
            if after is not None:
                async with aclosing(self._missed(subscriber, after, start)) as missed:
                    async for past in missed:
                        yield past
            yield Ready(str(start))
            while (event := await subscriber.next()) is not None:
                yield event
        finally:
            self._subscribers.discard(subscriber)

    async def _missed(self, subscriber: _Subscriber, after: _Place, until: _Place) -> AsyncGenerator[Event, None]:
        """What lies between two places; a Gap when part of it is gone or `after` is not of this database."""
        try:
            async with await _connect(self._dsn) as db:
                place = after
                while place < until:
                    batch = await _read(db, place)
                    if place < await _floor(db) or not batch:
                        break
                    for entry in batch:
                        if entry.place > until:
                            return
                        for event in _told(entry, subscriber):
                            yield event
                    place = batch[-1].place
        except psycopg.Error as error:
            raise fault(error) from error
        if after > until or place < until:
            yield Gap(str(after), str(until))

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                async with await _connect(self._dsn) as db:
                    await db.execute("listen flex_changes")
                    await self._resume(db)
                    if attempt:
                        self._log.info("feed connected again", position=self.position)
                    attempt = 0
                    await self._follow(db)
            except Exception as error:
                # Whatever it was, readers are better served by a feed that tries again.
                self._live.clear()
                if attempt == 0:
                    known = isinstance(error, psycopg.OperationalError | OSError)
                    told = self._log.warn if known else self._log.error
                    told("feed lost its connection", error=str(error).strip() if known else repr(error))
                await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1

    async def _resume(self, db: Connection) -> None:
        """On the first connection start at the end; later go on where it stopped."""
        if self._place is None:
            self._place = max(await _place(db, _HEAD), await _floor(db))
        for told in self._watchers:
            told(None)

    async def _follow(self, db: Connection) -> None:
        while True:
            more = await self._take(db)
            if more:
                continue
            self._live.set()
            pending = await _truth(db, _PENDING)
            await self._trim(db)
            # Committed rows behind a transaction that still runs: its end may tell nobody, so look again soon.
            await _notified(db, _PENDING_POLL_S if pending else _IDLE_S)

    async def _take(self, db: Connection) -> bool:
        """Hand on one batch; whether there may be more."""
        assert self._place is not None
        batch = await _read(db, self._place)
        for entry in batch:
            self._place = entry.place
            for subscriber in self._subscribers:
                for event in _told(entry, subscriber):
                    subscriber.put(event)
        for name in {entry.change.collection for entry in batch}:
            for told in self._watchers:
                told(name)
        return len(batch) == _BATCH

    async def _trim(self, db: Connection) -> None:
        """Forget the oldest changes past the number kept, and remember how far."""
        if time.monotonic() < self._trim_at or self._place is None:
            return
        self._trim_at = time.monotonic() + _TRIM_EVERY_S
        await db.execute(_TRIM, {"xid": str(self._place.xid), "seq": self._place.seq, "kept": self._rows_kept})


def _told(entry: _Entry, subscriber: _Subscriber) -> list[Change]:
    """The change as the reader may see it: at most one, none when it may not or did not ask."""
    change = entry.change
    if subscriber.collection not in (None, change.collection) or rank(subscriber.role) < rank(change.audience):
        return []
    if subscriber.role != "wall":
        return [change]
    seen = {"id", *entry.wall_fields}
    changed = tuple(name for name in change.changed if name in seen)
    if change.op == "update" and not changed:
        return []
    row = None if change.row is None else {name: value for name, value in change.row.items() if name in seen}
    return [msgspec.structs.replace(change, row=row, changed=changed)]


def _read_place(text: str) -> _Place:
    found = re.fullmatch(r"(\d{1,20})\.(\d{1,19})", text, re.ASCII)
    if not found or int(found[1]) >= 2**64 or int(found[2]) >= 2**63:
        raise ApplianceError(
            "PGF111",
            "This is not a position of the feed.",
            text[:100],
            "Send the id of the last event you saw, or none.",
        )
    return _Place(int(found[1]), int(found[2]))


async def _connect(dsn: str) -> Connection:
    db = await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5)
    set_json_loads(exact_loads, db)
    return db


async def _read(db: Connection, after: _Place) -> list[_Entry]:
    found = await db.execute(_READ, {"xid": str(after.xid), "seq": after.seq, "limit": _BATCH})
    return [_entry(row) for row in await found.fetchall()]


def _entry(row: TupleRow) -> _Entry:
    xid, seq, at, collection, op, key, value, changed, audience, wall_fields = row
    place = _Place(int(xid), seq)
    change = Change(str(place), collection, op, key, at.isoformat(), value, tuple(changed), audience)
    return _Entry(place, change, tuple(wall_fields))


async def _place(db: Connection, query: str) -> _Place:
    row = await (await db.execute(query)).fetchone()
    return _Place(int(row[0]), int(row[1])) if row else _Place(0, 0)


async def _floor(db: Connection) -> _Place:
    return await _place(db, _FLOOR)


async def _truth(db: Connection, query: str) -> bool:
    row = await (await db.execute(query)).fetchone()
    return bool(row and row[0])


async def _notified(db: Connection, timeout_s: float) -> None:
    async for _ in db.notifies(timeout=timeout_s, stop_after=1):
        pass
