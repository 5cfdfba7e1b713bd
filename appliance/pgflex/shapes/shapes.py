"""Shapes: subsets of a collection that readers keep in step with, in ElectricSQL's terms.

A shape is what a role may read of a collection, cut by columns and by a filter. A reader takes its rows once and
then its log: what entered, changed and left, each at an offset. Readers of the same shape share one log.

    shapes = Shapes(dsn, pool, feed, shapes_limit=200, rows_limit=100_000)
    async with shapes.running():
        shape = await shapes.open(Definition("staff", "beds", where="free"))
        reading = await shapes.read(shape)                    # the rows as they are, and their place in the log
        entries = await shape.wait(reading.offset, 20)        # what changed since

Nothing is lost or told twice between the two: rows are read in one moment whose commit number is the offset, and
every change of a commit up to that number is in them. A shape whose columns or rights change ends, and so does
one that nobody asks for; its readers begin anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.changes import Feed
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.shapes.follower import Follower
from appliance.pgflex.shapes.rows import Reading, offset_at, read_layout, read_number, read_rows
from appliance.pgflex.shapes.shape import Definition, Shape, outlined, too_many_rows
from appliance.types import RoleName

__all__ = ["Shapes"]

IDLE_S: Final = 300.0
SHAPES_FULL: Final = 10
"""How many shapes may be as large as a shape may be; the rows of all others have to find room beside them."""
SWEEP_S: Final = 5.0
SETTLE_S: Final = 0.05
RETRY_S: Final = 1.0

_log = logger("pgflex")


class Shapes:
    """Every shape that somebody follows.

    Args:
        dsn: connects as the role that owns the collections.
        pool: connections of the same role.
        feed: the change feed.
        shapes_limit: shapes followed at once.
        rows_limit: rows a shape may have.
    """

    def __init__(self, dsn: str, pool: Pool, feed: Feed, *, shapes_limit: int, rows_limit: int) -> None:
        self._dsn, self._pool, self._feed = dsn, pool, feed
        self._shapes_limit, self._rows_limit = shapes_limit, rows_limit
        self._shapes: dict[Definition, Shape] = {}
        self._opening: dict[Definition, asyncio.Task[Shape]] = {}
        self._followers: dict[tuple[RoleName, str], Follower] = {}
        self.stopping = False

    @property
    def count(self) -> int:
        """How many shapes are followed now."""
        return len(self._shapes)

    @property
    def waiting(self) -> int:
        """How many readers wait for news of one."""
        return sum(shape.waiting for shape in self._shapes.values())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shapes]:
        """Follow; at the end every shape ends."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep())]
        try:
            yield self
        finally:
            self.end_waits()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._opening.values(), return_exceptions=True)
            for follower in self._followers.values():
                await follower.stop()

    def end_waits(self) -> None:
        """The service stops: whoever waits for news gets none, at once."""
        self.stopping = True
        for task in self._opening.values():
            task.cancel()
        for shape in self._shapes.values():
            shape.released = True
            shape.wake()

    async def open(self, definition: Definition) -> Shape:
        """The shape of a definition, followed from now on if it was not.

        Raises:
            ApplianceError: PGF104 (nothing there for this role), PGF109 (too many rows), PGF119 (the filter),
                PGF121 (too many shapes), PGF101 and PGF114 (the database does not answer in time).
        """
        shape = self._shapes.get(definition)
        if shape is None or shape.ended:
            task = self._opening.get(definition)
            if task is None:
                task = asyncio.create_task(self._begin(definition))
                self._opening[definition] = task
                task.add_done_callback(lambda done: self._opened(definition, done))
            shape = await _patiently(task)
        shape.used_at = time.monotonic()
        return shape

    async def read(self, shape: Shape) -> Reading:
        """The rows of a shape as they are now.

        Raises:
            ApplianceError: PGF109, too many; PGF101, PGF114, the database does not answer in time.
        """
        definition, outline = shape.definition, shape.outline
        reading = await read_rows(
            self._pool, definition.role, definition.collection, outline.names, outline.where, self._rows_limit + 1
        )
        if len(reading.rows) > self._rows_limit:
            raise too_many_rows(self._rows_limit)
        return reading

    async def now(self) -> int:
        """The place of the log that is reached now."""
        async with transaction(self._pool) as db:
            return offset_at(await read_number(db))

    async def access(self, definition: Definition) -> tuple[tuple[str, ...], str]:
        """The columns and the filter with which another server may serve a definition to its role.

        Raises:
            ApplianceError: as :meth:`open`.
        """
        async with transaction(self._pool) as db:
            outline = outlined(definition, await read_layout(db, definition.role, definition.collection))
        filters = [outline.policy and f"({outline.policy})", outline.where and outline.where.text()]
        return outline.names, " AND ".join(part for part in filters if part)

    def _opened(self, definition: Definition, task: asyncio.Task[Shape]) -> None:
        self._opening.pop(definition, None)
        if not task.cancelled():
            task.exception()  # told to those who asked; if they are gone, to nobody

    async def _begin(self, definition: Definition) -> Shape:
        await self.access(definition)  # what cannot be is refused before anything is kept for it
        self._make_room()
        shape = Shape(definition, self._rows_limit)
        whose = (definition.role, definition.collection)
        follower = self._followers.get(whose)
        if follower is None:
            follower = self._followers[whose] = Follower(self._feed, self._pool, self._rows_limit, *whose)
        await follower.join(shape)
        self._shapes[definition] = shape
        return shape

    def _make_room(self) -> None:
        """Let go of what has ended, and of the longest unused while there are too many shapes or rows."""
        self._shapes = {what: shape for what, shape in self._shapes.items() if not shape.ended}
        unused = sorted((s for s in self._shapes.values() if not s.waiting), key=lambda shape: shape.used_at)
        shapes = len(self._shapes) + len(self._opening) - self._shapes_limit
        rows = sum(shape.size for shape in self._shapes.values()) - SHAPES_FULL * self._rows_limit
        while shapes > 0 or rows > 0:
            if not unused:
                raise ApplianceError(
                    "PGF121",
                    "The box follows as many shapes as it may.",
                    {"limit": self._shapes_limit},
                    "Try again in a moment, or raise the setting shapes_limit.",
                )
            gone = unused.pop(0)
            shapes, rows = shapes - 1, rows - gone.size
            self._let_go(gone)

    def _let_go(self, shape: Shape) -> None:
        self._shapes.pop(shape.definition, None)
        follower = self._followers.get((shape.definition.role, shape.definition.collection))
        if follower is not None:
            follower.shapes.discard(shape)
        shape.end()

    async def _sweep(self) -> None:
        """Let go of shapes that nobody asked for lately, and of followers without shapes."""
        while True:
            await asyncio.sleep(SWEEP_S)
            oldest = time.monotonic() - IDLE_S
            for shape in list(self._shapes.values()):
                if shape.ended or (not shape.waiting and shape.used_at < oldest):
                    self._let_go(shape)
            for whose, follower in list(self._followers.items()):
                if not follower.shapes:
                    del self._followers[whose]
                    await follower.stop()

    async def _listen(self) -> None:
        """Look at every shape again when rights or tables changed, and when that could not be heard."""
        while True:
            with suppress(psycopg.Error, OSError):
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                    await db.execute("listen flex_access")
                    await db.execute("listen flex_schema")
                    self._look()
                    async for _ in db.notifies():
                        self._look()
            await asyncio.sleep(RETRY_S)

    def _look(self) -> None:
        for follower in list(self._followers.values()):
            follower.look()


async def _patiently(task: asyncio.Task[Shape]) -> Shape:
    """What the task makes, which goes on when this one does not wait any more."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        raise ApplianceError("PGF101", "The data service stops.", None, "It comes back by itself; try again.") from None
