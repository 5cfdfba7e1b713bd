"""The change feed: every committed row change, in commit order, to any number of readers, resumable.

One connection listens and reads the outbox (:mod:`~appliance.pgflex.outbox`); what a role may see of a change is
found once for the role, not once per reader. Nothing is skipped and nothing told twice, also across a restart of
PostgreSQL.

    feed = Feed(dsn)
    async with feed.running():
        async for event in feed.subscribe("staff", "beds", after="815.42"):
            match event:
                case Change(): ...          # a row changed
                case Gap(): ...             # changes since "815.42" are gone: read everything again
                case Ready(): ...           # caught up; from here on live
                case CatalogChanged(): ...  # what the role may see changed

A reader that falls more than 2,000 changes behind loses its queue and reads what it missed from the outbox, at its
own pace. Memory per reader is bounded by that, and no reader holds back another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final

import msgspec
import psycopg

from appliance.observation import logger
from appliance.pgflex import outbox
from appliance.pgflex.database import Connection, fault
from appliance.pgflex.outbox import Batch, Lag, Place, read_place
from appliance.types import Change

__all__ = ["CatalogChanged", "Event", "Feed", "Gap", "Kept", "Ready"]

QUEUE_LIMIT: Final = 2000
_IDLE_S: Final = 10.0
_RETRY_S: Final = (0.1, 0.2, 0.5, 1.0)
_TRIM_EVERY_S: Final = 30.0


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


class Kept(msgspec.Struct, frozen=True):
    """How much of the past is kept for readers that resume: the first limit reached forgets the oldest."""

    rows: int = 200_000
    days: int = 7
    size: int = 1 << 30


Event = Change | Gap | Ready | CatalogChanged
_Item = Batch | Gap | Ready | CatalogChanged


class _Subscriber:
    """A reader: what it may see, and what waits for it."""

    def __init__(self, role: str, collection: str | None) -> None:
        self.role = role
        self.collection = collection
        self.behind = False
        self.waiting = 0
        self._ended = False
        self._items: deque[Batch | CatalogChanged] = deque()
        self._more = asyncio.Event()

    def put(self, item: Batch | CatalogChanged) -> None:
        """Queue what is new; past the limit the queue is let go, and the reader reads the outbox instead."""
        if self.behind and isinstance(item, Batch):
            return
        self.waiting += len(item) if isinstance(item, Batch) else 1
        if self.waiting > QUEUE_LIMIT:
            self.behind = True
            self._items = deque([kept for kept in self._items if isinstance(kept, CatalogChanged)][-1:])
            self.waiting = len(self._items)
        elif isinstance(item, CatalogChanged) or item.touches(self.role, self.collection):
            self._items.append(item)
        else:
            self.waiting -= len(item)
        self._more.set()

    def end(self) -> None:
        """Let the stream end after what is queued."""
        self._ended = True
        self._more.set()

    async def next(self) -> Batch | CatalogChanged | None:
        """What is next; None when the stream ends, or the reader is behind and its queue is gone."""
        while not self._items:
            if self._ended or self.behind:
                return None
            self._more.clear()
            await self._more.wait()
        item = self._items.popleft()
        self.waiting -= len(item) if isinstance(item, Batch) else 1
        return item

    @property
    def ended(self) -> bool:
        """Whether the stream was told to end."""
        return self._ended


class Feed:
    """Reads the outbox once and hands every change to all readers.

    Args:
        dsn: connects as the role that owns the outbox.
        kept: how much of the past is kept.
    """

    def __init__(self, dsn: str, kept: Kept = Kept()) -> None:  # noqa: B008 (frozen)
        self._dsn = dsn
        self._kept = kept
        self._subscribers: set[_Subscriber] = set()
        self._place: Place | None = None
        self._live = asyncio.Event()
        self._watchers: list[Callable[[str | None], None]] = []
        self._log = logger("pgflex")

    @property
    def live(self) -> bool:
        """Whether the feed is connected and has read what there was."""
        return self._live.is_set()

    @property
    def position(self) -> str:
        """The place the feed has reached, ``"0.0"`` before its first connection."""
        return str(self._place or Place(0, 0))

    @property
    def readers(self) -> int:
        """How many read the feed now."""
        return len(self._subscribers)

    @property
    def waiting(self) -> int:
        """Changes that wait for the slowest reader; a reader that was let go reads the outbox and has none."""
        return max((subscriber.waiting for subscriber in self._subscribers), default=0)

    async def lag(self, db: Connection) -> Lag:
        """How far the feed itself is behind the database."""
        return await outbox.lag(db, self._place or Place(0, 0))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Feed]:
        """Run the feed; at the end every reader's stream ends."""
        tasks = [asyncio.create_task(self._run(), name="feed"), asyncio.create_task(self._trims(), name="feed trim")]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.end_all()

    def watch(self, told: Callable[[str | None], None]) -> None:
        """Call `told` with each changed collection's name, or None when any may have changed."""
        self._watchers.append(told)

    def tell(self, role: str, event: CatalogChanged) -> None:
        """Hand an event that is no row change to every reader of a role."""
        for subscriber in self._subscribers:
            if subscriber.role == role:
                subscriber.put(event)

    def end_all(self) -> None:
        """End every reader's stream after what is queued."""
        for subscriber in self._subscribers:
            subscriber.end()

    def subscribe(
        self, role: str, collection: str | None = None, after: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """The changes a role may see, from the position `after` (None: from now on).

        The stream ends when the feed stops; resume from the last position seen.

        Raises:
            ApplianceError: PGF111, `after` is no position; while reading: PGF101, PostgreSQL does not answer.
        """
        return self._events(role, collection, None if after is None else read_place(after))

    def stream(
        self, role: str, collection: str | None = None, after: str | None = None
    ) -> AsyncGenerator[bytes | Gap | Ready | CatalogChanged, None]:
        """As :meth:`subscribe`, the changes as server-sent events that are encoded once for all readers of a role."""
        place = None if after is None else read_place(after)
        return self._blocks(role, collection, place, lambda batch: batch.sent(role, collection))

    def brief(
        self, role: str, whole: Container[str] = (), after: str | None = None
    ) -> AsyncGenerator[bytes | Gap | Ready | CatalogChanged, None]:
        """As :meth:`stream`, for readers that need to know that rows changed, not which: see :meth:`Batch.brief`."""
        place = None if after is None else read_place(after)
        return self._blocks(role, None, place, lambda batch: batch.brief(role, whole))

    async def _events(self, role: str, collection: str | None, after: Place | None) -> AsyncGenerator[Event, None]:
        async with aclosing(self._items(role, collection, after)) as items:
            async for item in items:
                if isinstance(item, Batch):
                    for change in item.told(role, collection):
                        yield change
                else:
                    yield item

    async def _blocks(
        self, role: str, collection: str | None, after: Place | None, sent: Callable[[Batch], bytes]
    ) -> AsyncGenerator[bytes | Gap | Ready | CatalogChanged, None]:
        async with aclosing(self._items(role, collection, after)) as items:
            async for item in items:
                if not isinstance(item, Batch):
                    yield item
                elif block := sent(item):
                    yield block

    async def _items(self, role: str, collection: str | None, after: Place | None) -> AsyncGenerator[_Item, None]:
        await self._live.wait()
        place, ready = after, False
        while True:
            subscriber = _Subscriber(role, collection)
            start = self._place or Place(0, 0)
            # From here on new changes queue up behind `start`; what is older is read from the outbox.
            self._subscribers.add(subscriber)
            try:
                if place is not None:
                    async with aclosing(self._missed(role, place, start)) as missed:
                        async for past in missed:
                            yield past
                if not ready:
                    yield Ready(str(start))
                place, ready = start, True
                while (item := await subscriber.next()) is not None:
                    if isinstance(item, Batch):
                        place = item.last
                    yield item
            finally:
                self._subscribers.discard(subscriber)
            if subscriber.ended or not subscriber.behind:
                return

    async def _missed(self, role: str, after: Place, until: Place) -> AsyncGenerator[Batch | Gap, None]:
        """What lies between two places; a Gap when part of it is gone or `after` is not of this database."""
        place = after
        try:
            async with await _connect(self._dsn) as db:
                while place < until:
                    batch = await outbox.read(db, place, [role])
                    if place < await outbox.floor(db) or not batch:
                        break
                    place = batch.last
                    if kept := batch.until(until):
                        yield kept
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
            self._place = max(await outbox.head(db), await outbox.floor(db))
        for told in self._watchers:
            told(None)

    async def _follow(self, db: Connection) -> None:
        while True:
            if await self._take(db):
                continue
            self._live.set()
            async for _ in db.notifies(timeout=_IDLE_S, stop_after=1):
                pass

    async def _take(self, db: Connection) -> bool:
        """Hand on one batch; whether there may be more."""
        assert self._place is not None
        roles = {subscriber.role for subscriber in self._subscribers}
        batch = await outbox.read(db, self._place, roles)
        if not batch:
            return False
        if not {subscriber.role for subscriber in self._subscribers} <= roles:
            return True  # a reader of another role came meanwhile: read again for it, too
        self._place = batch.last
        for subscriber in self._subscribers:
            subscriber.put(batch)
        for name in batch.collections():
            for told in self._watchers:
                told(name)
        return len(batch) == outbox.BATCH

    async def trim(self) -> None:
        """Forget what is past the limits, now.

        Raises:
            psycopg.Error: the database does not answer.
        """
        if self._place is None:
            return
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
            await outbox.trim(db, self._place, rows=self._kept.rows, days=self._kept.days, size=self._kept.size)

    async def _trims(self) -> None:
        while True:
            await asyncio.sleep(_TRIM_EVERY_S)
            with suppress(psycopg.Error, OSError):
                await self.trim()


async def _connect(dsn: str) -> Connection:
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, connect_timeout=5, options=outbox.connect_options()
    )
