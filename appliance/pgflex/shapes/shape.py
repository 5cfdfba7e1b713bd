"""One shape: which rows are in it, and the log of what entered, changed and left.

>>> shape = Shape(Definition("staff", "beds", where="free"), rows_limit=1000)
>>> shape.holds(0)
False
"""

from __future__ import annotations

import asyncio
import bisect
import secrets
import time
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.shapes.rows import Layout, Reading, ShapeColumn
from appliance.pgflex.shapes.where import Where, parse
from appliance.types import Change, RoleName

__all__ = ["Definition", "Entry", "Outline", "Shape", "inserted", "outlined", "too_many_rows"]

LOG_ENTRIES: Final = 5000
LOG_BYTES: Final = 8 * 1024 * 1024
HANDLES: Final = 50
Replica = Literal["default", "full"]
Values = Mapping[str, str | None]


class Definition(msgspec.Struct, frozen=True):
    """What a reader asks for; readers that ask for the same share a shape.

    Attributes:
        role: whose eyes it is read with.
        collection: its name.
        columns: the columns wanted, of those the role has; None takes all.
        where: the filter; empty takes every row.
        params: what ``$1``, ``$2``, ... of the filter stand for.
        replica: ``full`` tells whole rows, and the values before, where ``default`` tells what changed.
    """

    role: RoleName
    collection: str
    columns: tuple[str, ...] | None = None
    where: str = ""
    params: tuple[tuple[int, str], ...] = ()
    replica: Replica = "default"


class Outline(msgspec.Struct, frozen=True):
    """A definition as it reads with what the role has now; when this changes, the shape is another."""

    columns: tuple[ShapeColumn, ...]
    where: Where | None
    judged: frozenset[ShapeColumn]
    policy: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)


class Entry(msgspec.Struct, frozen=True):
    """A change of a shape: its place in the log, and the message that tells it, as JSON."""

    offset: int
    body: bytes


def outlined(definition: Definition, layout: Layout | None) -> Outline:
    """What the definition means for a role that has this layout.

    Raises:
        ApplianceError: PGF104, the role has nothing there; PGF119, the filter cannot be read.
    """
    if layout is None:
        raise ApplianceError(
            "PGF104", "There is no such collection, or not for this role.", definition.collection[:100]
        )
    wanted = definition.columns
    columns = tuple(c for c in layout.columns if wanted is None or c.name == "id" or c.name in wanted)
    where = parse(definition.where, layout.types, dict(definition.params)) if definition.where else None
    judged = frozenset(c for c in layout.columns if where and c.name in where.columns)
    return Outline(columns, where, judged, layout.policy)


def too_many_rows(limit: int) -> ApplianceError:
    """The error of a shape that is over its limit."""
    return ApplianceError(
        "PGF109", f"A shape may have {limit} rows; this has more.", None, "Narrow it with a filter: where=..."
    )


class Shape:
    """The rows of a definition, followed.

    Args:
        definition: what is asked for.
        rows_limit: rows it may have.

    Attributes:
        handle: its newest name; older ones that were given out are in :attr:`handles`.
        ended: whether it is followed no more; readers begin anew.
        began: done when the shape follows; holds the error where it could not begin.
        used_at, waiting: when somebody last asked for it, and how many wait for news.
        released: whether nobody may wait any more, because the service stops.
    """

    def __init__(self, definition: Definition, rows_limit: int) -> None:
        self.definition = definition
        self.handles: dict[str, None] = {}
        self.handle = ""
        self.renew()
        self.ended = False
        self.began: asyncio.Future[None] | None = None
        self.used_at = time.monotonic()
        self.waiting = 0
        self.released = False
        self._rows_limit = rows_limit
        self._outline: Outline | None = None
        self._held: dict[int, Values | None] = {}
        self._log: list[Entry] = []
        self._bytes = 0
        self._began_at = self._floor = -1
        self._changed = asyncio.Event()

    @property
    def outline(self) -> Outline:
        """What it means now."""
        assert self._outline is not None, "the shape has not begun"
        return self._outline

    @property
    def size(self) -> int:
        """How many rows are in it."""
        return len(self._held)

    def renew(self) -> None:
        """Give it another handle: a reader that has lost its place must not come back under the old one."""
        self.handle = f"{secrets.token_hex(8)}-{time.time_ns() // 1_000_000}"
        self.handles[self.handle] = None
        while len(self.handles) > HANDLES:
            del self.handles[next(iter(self.handles))]

    def begin(self, outline: Outline, reading: Reading) -> None:
        """Start from these rows.

        Raises:
            ApplianceError: PGF109, there are too many.
        """
        if len(reading.rows) > self._rows_limit:
            raise too_many_rows(self._rows_limit)
        full = self.definition.replica == "full"
        self._held = {key: msgspec.json.decode(row) if full else None for key, row in reading.rows}
        self._outline, self._began_at, self._floor = outline, reading.offset, reading.offset

    def take(self, offset: int, change: Change, values: Values | None, matched: bool) -> None:
        """Put a change into the log, where it touches the shape, and wake who waits for it.

        Args:
            offset: its place.
            change: as the role was told it.
            values: the row's columns as text, every one the role has; None for a row that is gone.
            matched: whether the filter lets the row through.
        """
        if self.ended or offset <= max(self._began_at, self._log[-1].offset if self._log else -1):
            return  # what it began with holds it already
        message = self._gone(change) if values is None or not matched else self._there(change, values)
        if message is not None:
            self._append(offset, message)
            self.wake()

    def _gone(self, change: Change) -> dict[str, object] | None:
        if change.key not in self._held:
            return None
        before = self._held.pop(change.key)
        return self._message("delete", change.key, before or {"id": str(change.key)})

    def _there(self, change: Change, values: Values) -> dict[str, object] | None:
        row = {name: values[name] for name in self.outline.names}
        known, before = change.key in self._held, self._held.get(change.key)
        told = {name: value for name, value in row.items() if name == "id" or name in change.changed}
        if known and len(told) == 1:
            return None
        full = self.definition.replica == "full"
        self._held[change.key] = row if full else None
        if not known:
            return self._message("insert", change.key, row)
        message = self._message("update", change.key, row if full else told)
        if before is not None:
            message["old_value"] = {name: before[name] for name in told if before[name] != row[name]}
        return message

    def _message(self, operation: str, key: int, value: Values) -> dict[str, object]:
        return _message(self.definition.collection, operation, key, value)

    def _append(self, offset: int, message: dict[str, object]) -> None:
        headers = message["headers"]
        assert isinstance(headers, dict)
        headers |= {"lsn": str(offset), "op_position": 0}
        entry = Entry(offset, msgspec.json.encode(message))
        self._log.append(entry)
        self._bytes += len(entry.body)
        while len(self._log) > LOG_ENTRIES or self._bytes > LOG_BYTES:
            gone = self._log.pop(0)
            self._bytes -= len(gone.body)
            self._floor = gone.offset
        if len(self._held) > self._rows_limit:
            self.end()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """Follow no more."""
        self.ended = True
        self._held, self._log = {}, []
        self.wake()

    def holds(self, offset: int) -> bool:
        """Whether the log tells everything after `offset`."""
        return not self.ended and 0 <= self._floor <= offset

    def after(self, offset: int) -> list[Entry]:
        """The changes after `offset`."""
        return self._log[bisect.bisect_right(self._log, offset, key=lambda entry: entry.offset) :]

    async def wait(self, offset: int, timeout_s: float) -> list[Entry]:
        """The changes after `offset`: at once when there are some, else the first to come, or none in time."""
        until = time.monotonic() + timeout_s
        self.waiting += 1
        try:
            while not (entries := self.after(offset)) and self.holds(offset) and not self.released:
                try:
                    await asyncio.wait_for(self._changed.wait(), until - time.monotonic())
                except TimeoutError:
                    break
            return entries
        finally:
            self.waiting -= 1
            self.used_at = time.monotonic()


def inserted(collection: str, key: int, row: str) -> str:
    """A row, a JSON object of texts, as the message that inserts it."""
    return (
        f'{{"key":"\\"api\\".\\"{collection}\\"/\\"{key}\\"","value":{row},'
        f'"headers":{{"operation":"insert","relation":["api","{collection}"]}}}}'
    )


def _message(collection: str, operation: str, key: int, value: Values) -> dict[str, object]:
    return {
        "key": f'"api"."{collection}"/"{key}"',
        "value": value,
        "headers": {"operation": operation, "relation": ["api", collection]},
    }
