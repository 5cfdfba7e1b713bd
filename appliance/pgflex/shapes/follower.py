"""Follows a collection for a role, for all its shapes: one reading of the feed, one look at the rows per batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Final, NamedTuple

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.changes import CatalogChanged, Feed, Gap
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.shapes.rows import Layout, judge, offset_at, read_layout, read_rows
from appliance.pgflex.shapes.shape import Shape, outlined
from appliance.types import Change, RoleName

__all__ = ["Follower"]

QUEUE: Final = 1000
BATCH: Final = 500
RETRY_S: Final = 0.2
JOIN_S: Final = 8.0
_PASSING: Final = ("PGF101", "PGF114")

_log = logger("pgflex")


class _Look(NamedTuple):
    """Read what the role has again."""


class _Lost(NamedTuple):
    """Changes are missing from here on."""


_Item = Change | Shape | _Look | _Lost
_Verdicts = list[tuple[dict[str, str | None], list[bool]]]


class Follower:
    """Keeps the shapes of one role and collection in step with the feed.

    Args:
        feed: the change feed.
        pool: connections of the role that owns the collections.
        rows_limit: rows a shape may have.
        role: whose eyes are looked through.
        collection: what is followed.
    """

    def __init__(self, feed: Feed, pool: Pool, rows_limit: int, role: RoleName, collection: str) -> None:
        self.shapes: set[Shape] = set()
        self._feed, self._pool, self._rows_limit = feed, pool, rows_limit
        self._role, self._collection = role, collection
        self._items: asyncio.Queue[_Item] = asyncio.Queue(QUEUE)
        self._ready = asyncio.Event()
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._work())]

    async def join(self, shape: Shape) -> None:
        """Begin a shape and keep it in step.

        Raises:
            ApplianceError: PGF104, PGF109, PGF119, or the database does not answer in time.
        """
        shape.began = asyncio.get_running_loop().create_future()
        self.shapes.add(shape)
        try:
            async with asyncio.timeout(JOIN_S):
                await self._items.put(shape)
                await asyncio.shield(shape.began)
        except TimeoutError:
            self.shapes.discard(shape)
            raise ApplianceError("PGF101", "The feed does not answer.", None, "Try again in a moment.") from None
        except BaseException:
            self.shapes.discard(shape)
            raise

    def look(self) -> None:
        """Look soon whether the role still has what its shapes show."""
        with suppress(asyncio.QueueFull):  # a full queue is looked at before it is told
            self._items.put_nowait(_Look())

    async def stop(self) -> None:
        """Follow no more; every shape ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end(self.shapes)

    async def _hear(self) -> None:
        after: str | None = None
        while True:
            try:
                async with aclosing(self._feed.subscribe(self._role, self._collection, after)) as events:
                    async for event in events:
                        if isinstance(event, CatalogChanged):
                            self.look()
                            continue
                        after = event.position
                        if isinstance(event, Change):
                            await self._items.put(event)
                        elif isinstance(event, Gap):
                            await self._items.put(_Lost())
                        else:
                            self._ready.set()
            except Exception as error:
                # Whatever it was, shapes are better served by a follower that goes on from where it was.
                _log.warn("shapes wait for the feed", collection=self._collection, error=repr(error))
                await asyncio.sleep(RETRY_S)

    async def _work(self) -> None:
        await self._ready.wait()
        while True:
            items = [await self._items.get()]
            while len(items) < BATCH and not self._items.empty():
                items.append(self._items.get_nowait())
            try:
                await self._handle(items)
            except Exception as error:
                # Whatever it was, readers are better served by shapes that begin anew.
                _log.error("shapes end", collection=self._collection, error=repr(error))
                self._end(self._begun())

    async def _handle(self, items: Sequence[_Item]) -> None:
        """In order: the changes before a shape that joins are in the rows it begins with."""
        changes: list[Change] = []
        if any(isinstance(item, _Lost) for item in items):
            self._end(self._begun())
        for item in items:
            if isinstance(item, Shape):
                await self._begin(item)
            elif isinstance(item, Change):
                changes.append(item)
        if changes or any(isinstance(item, _Look) for item in items):
            await self._told(changes)

    async def _begin(self, shape: Shape) -> None:
        assert shape.began is not None
        if shape not in self.shapes:
            return  # whoever asked for it has given up
        try:
            async with transaction(self._pool) as db:
                layout = await read_layout(db, self._role, self._collection)
            outline = outlined(shape.definition, layout)
            held = outline.names if shape.definition.replica == "full" else ("id",)
            reading = await read_rows(
                self._pool, self._role, self._collection, held, outline.where, self._rows_limit + 1
            )
            shape.begin(outline, reading)
        except ApplianceError as error:
            shape.began.set_exception(_as_filter(error) if error.code == "PGF103" else error)
            shape.began.exception()  # whoever asked for it may be gone
            self.shapes.discard(shape)
        else:
            shape.began.set_result(None)

    async def _told(self, changes: Sequence[Change]) -> None:
        """Hand a batch to the shapes, after a look at what the role has."""
        while self._begun():
            try:
                shapes, judged = await self._judged(changes)
            except ApplianceError as error:
                if error.code not in _PASSING:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                _hand_on(shapes, changes, judged)
                return

    async def _judged(self, changes: Sequence[Change]) -> tuple[list[Shape], _Verdicts]:
        """The shapes that mean what they meant, and what they make of the rows that changed."""
        async with transaction(self._pool) as db:
            layout = await read_layout(db, self._role, self._collection)
            shapes = self._still(self._begun(), layout)
            if layout is None or not shapes:
                return [], []
            rows = [change.row for change in changes if change.row is not None]
            filters = [shape.outline.where for shape in shapes]
            return shapes, await judge(db, self._role, self._collection, layout.columns, filters, rows)

    def _begun(self) -> list[Shape]:
        return [shape for shape in self.shapes if shape.began and shape.began.done()]

    def _still(self, shapes: Sequence[Shape], layout: Layout | None) -> list[Shape]:
        """The shapes that mean what they meant; the others end."""
        kept = []
        for shape in shapes:
            try:
                same = outlined(shape.definition, layout) == shape.outline
            except ApplianceError:
                same = False
            if same:
                kept.append(shape)
            else:
                self._end([shape])
        return kept

    def _end(self, shapes: Iterable[Shape]) -> None:
        for shape in list(shapes):
            self.shapes.discard(shape)
            shape.end()


def _hand_on(shapes: Sequence[Shape], changes: Sequence[Change], judged: _Verdicts) -> None:
    if not shapes:
        return
    verdicts = iter(judged)
    for change in changes:
        offset = _offset(change)
        values, matched = next(verdicts) if change.row is not None else (None, [False] * len(shapes))
        for shape, let_through in zip(shapes, matched, strict=True):
            shape.take(offset, change, values, let_through)


def _as_filter(error: ApplianceError) -> ApplianceError:
    """A value that PostgreSQL cannot read stood in the filter: nothing else was sent."""
    return ApplianceError("PGF119", "A value of the filter cannot be read.", error.details, "Correct the value named.")


def _offset(change: Change) -> int:
    number, _, seq = change.position.partition(".")
    return offset_at(int(number), int(seq))
