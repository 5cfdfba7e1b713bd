"""The outbox: committed changes in commit order, what a role may see of each, and forgetting the old ones.

A change stands at a :class:`Place`: the number of its commit and its own within. Commits take their numbers under
a lock that is held until they can be seen (``migrations/0005_commits.sql``), so that whoever has seen a place has
seen all below it.

    batch = await read(db, Place(0, 0), ["staff"])
    batch.told("staff", "beds")      # [Change(...), ...]
    batch.sent("staff", "beds")      # the same as server-sent events, encoded once for all readers
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.database import Connection
from appliance.types import ROLES, Change, Op, Role, rank

__all__ = ["Batch", "Lag", "Place", "connect_options", "floor", "head", "lag", "read", "read_place", "trim"]

BATCH: Final = 1000
_EXTRA: Final = "extra"
_ADMIN: Final = "admin"
_END: Final = "\r\n\r\n"
Columns = frozenset[str] | None
"""The columns a role may read of a collection; None is all of them."""

_READ: Final = """
with batch as (
  (
    select k.number, k.at, c.seq, c.collection, c.op, c.key, c."row", c.changed, c.hides, c.hid
    from flex.commits k join flex.changes c using (xid)
    where k.number = %(number)s and c.seq > %(seq)s
    order by c.seq limit %(limit)s
  )
  union all
  (
    select k.number, k.at, c.seq, c.collection, c.op, c.key, c."row", c.changed, c.hides, c.hid
    from flex.commits k join flex.changes c using (xid)
    where k.number > %(number)s
    order by k.number, c.seq limit %(limit)s
  )
  order by number, seq limit %(limit)s
)
select b.number, b.seq, b.at, b.collection, b.op, b.key::text, b."row"::text, b.changed, b.hides, b.hid, null, null
from batch b
union all
select null, null, null, o.name, null, null, null, null, null, null, o.audience, (
  select jsonb_object_agg(r.name, flex.readable(r.name, o.name))
  from flex.roles r where r.name = any (%(roles)s)
)
from flex.collections o where o.name in (select distinct collection from batch)
order by 1, 2
"""
_HEAD: Final = "select number, last_seq from flex.commits order by number desc limit 1"
_FLOOR: Final = """
select (value ->> 'number')::bigint, (value ->> 'seq')::bigint from flex.settings where key = 'feed_floor'
"""
_LAG: Final = """
select count(*), coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::float8
from flex.commits where number > %s
"""
_CUT: Final = """
with size as (
  select greatest(avg(pg_column_size(c)), 1) as bytes from (select * from flex.changes limit 1000) as c
), room as (
  select least(%(rows)s::bigint, (%(bytes)s / coalesce((select bytes from size), 1))::bigint) as rows
)
select number, last_seq from flex.commits
where number <= %(number)s and (
  last_seq <= (select max(last_seq) from flex.commits) - (select rows from room)
  or at < clock_timestamp() - make_interval(days => %(days)s)
)
order by number desc limit 1
"""
_FORGET: Final = """
with past as (delete from flex.commits where number <= %(number)s returning xid)
delete from flex.changes c using past where c.xid = past.xid
"""
_REMEMBER: Final = """
insert into flex.settings (key, value)
values ('feed_floor', jsonb_build_object('number', %(number)s::bigint, 'seq', %(seq)s::bigint))
on conflict (key) do update set value = excluded.value
"""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_exact = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Place(NamedTuple):
    """A position as numbers; compares in feed order."""

    number: int
    seq: int

    def __str__(self) -> str:
        return f"{self.number}.{self.seq}"


def read_place(text: str) -> Place:
    """The place of a position.

    Raises:
        ApplianceError: PGF111, the text is no position.
    """
    found = re.fullmatch(r"(\d{1,19})\.(\d{1,19})", text, re.ASCII)
    if not found or int(found[1]) >= 2**63 or int(found[2]) >= 2**63:
        raise ApplianceError(
            "PGF111",
            "This is not a position of the feed.",
            text[:100],
            "Send the id of the last event you saw, or none.",
        )
    return Place(int(found[1]), int(found[2]))


class Entry(NamedTuple):
    """A change as it was recorded; `key` and `row` are JSON text."""

    place: Place
    at: datetime
    collection: str
    op: Op
    key: str
    row: str | None
    changed: tuple[str, ...] | None
    hides: frozenset[str]
    hid: frozenset[str]


class _View(NamedTuple):
    """A change as one role sees it; `row` is JSON text."""

    op: Op
    row: str | None
    changed: tuple[str, ...]


class Batch:
    """Changes that follow each other, and what roles may read of their collections.

    Args:
        entries: the changes, in feed order.
        audiences: for each collection the least trusted role that may read it.
        readable: for each role and collection the columns the role may read.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        audiences: dict[str, Role],
        readable: dict[str, dict[str, Columns]],
    ) -> None:
        self.entries = entries
        self._audiences = audiences
        self._readable = readable
        self._views: dict[tuple[str, str | None], list[tuple[Entry, _View]]] = {}
        self._told: dict[tuple[str, str | None], list[Change]] = {}
        self._sent: dict[tuple[str, str | None], bytes] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def last(self) -> Place:
        """The place of the last change."""
        return self.entries[-1].place

    @property
    def roles(self) -> Iterable[str]:
        """The roles it was read for."""
        return self._readable.keys()

    def collections(self) -> set[str]:
        """The collections that changed."""
        return {entry.collection for entry in self.entries}

    def until(self, place: Place) -> Batch:
        """The part of the batch up to a place."""
        if self.last <= place:
            return self
        return Batch([item for item in self.entries if item.place <= place], self._audiences, self._readable)

    def told(self, role: str, collection: str | None = None) -> list[Change]:
        """The changes that `role` may see, of one collection or of all."""
        asked = role, collection
        if asked not in self._told:
            self._told[asked] = [_change(entry, view, self._audience(entry)) for entry, view in self._seen(*asked)]
        return self._told[asked]

    def sent(self, role: str, collection: str | None = None) -> bytes:
        """As :meth:`told`, as server-sent events; empty when there is none."""
        asked = role, collection
        if asked not in self._sent:
            self._sent[asked] = "".join(
                _event(entry, view, self._audience(entry)) for entry, view in self._seen(*asked)
            ).encode()
        return self._sent[asked]

    def brief(self, role: str, whole: Container[str]) -> bytes:
        """That rows changed rather than which, as server-sent events ``moved``.

        For each collection and audience: how many changes (``n``), and the last one's ``op`` and ``at``. Changes of
        collections in `whole` are sent as they are. Only the last event has an id: whoever loses the connection
        before it hears all of them again.
        """
        moved: dict[tuple[str, Role], tuple[int, str]] = {}
        events = []
        for entry, view in self._seen(role, None):
            what = entry.collection, self._audience(entry)
            if entry.collection in whole:
                events.append(f"event: change\r\ndata: {_json(entry, view, what[1])}")
            else:
                count = moved.get(what, (0, ""))[0] + 1
                moved[what] = count, f'"op":"{view.op}","at":"{entry.at.isoformat()}","n":{count}'
        events += [
            f'event: moved\r\ndata: {{"collection":"{collection}",{last},"audience":"{audience}"}}'
            for (collection, audience), (_, last) in moved.items()
        ]
        return f"{_END.join(events)}\r\nid: {self.last}{_END}".encode() if events else b""

    def touches(self, role: str, collection: str | None = None) -> bool:
        """Whether there is anything in it for `role`."""
        return bool(self._seen(role, collection))

    def _seen(self, role: str, collection: str | None) -> list[tuple[Entry, _View]]:
        """What a role sees: found once, whoever asks."""
        asked = role, collection
        if asked not in self._views:
            self._views[asked] = [
                (entry, view)
                for entry in self.entries
                if collection is None or entry.collection == collection
                if (view := _seen(entry, role, self._columns(role, entry.collection))) is not None
            ]
        return self._views[asked]

    def _columns(self, role: str, collection: str) -> Columns:
        """A collection that is gone by now is told of to admins only."""
        return self._readable[role].get(collection, None if role == _ADMIN else frozenset())

    def _audience(self, entry: Entry) -> Role:
        """The least trusted built-in role that sees the change: its collection's, unless a policy hides the row."""
        hidden = entry.hid if entry.row is None else entry.hides
        base = rank(self._audiences.get(entry.collection, "admin"))
        return next((role for role in ROLES[base:] if role not in hidden), "admin")


def _seen(entry: Entry, role: str, columns: Columns) -> _View | None:
    """The change as a role sees it: a row that enters or leaves what it may see is inserted or deleted for it."""
    if columns is not None and not columns:
        return None
    now = entry.row is not None and role not in entry.hides
    before = entry.op != "insert" and role not in entry.hid
    if not now:
        return _View("delete", None, ()) if before else None
    row, names = _row(entry.row or "{}", columns)
    if not before or entry.op == "insert":
        return _View("insert", row, names)
    changed = entry.changed or ()
    changed = tuple(name for name in changed if not _is_ours(name) and (columns is None or name in columns))
    return _View("update", row, changed) if changed else None


def _is_ours(name: str) -> bool:
    """Whether a column is the box's own: a field never begins so, a column that is being widened does."""
    return name.startswith("_")


def _row(text: str, columns: Columns) -> tuple[str, tuple[str, ...]]:
    """The row as JSON text with the columns given, what overflowed in its place; and the names that have a value."""
    fields = _fields.decode(text)
    extra = fields.pop(_EXTRA, None)
    if extra is not None or columns is not None or any(map(_is_ours, fields)):
        fields |= {} if extra is None or bytes(extra) == b"null" else _fields.decode(extra)
        fields = {
            name: value for name, value in fields.items() if not _is_ours(name) and (columns is None or name in columns)
        }
        text = msgspec.json.encode(fields).decode()
    return text, tuple(sorted(name for name, value in fields.items() if bytes(value) != b"null"))


def _change(entry: Entry, view: _View, audience: Role) -> Change:
    row = None if view.row is None else _exact.decode(view.row)
    key = msgspec.json.decode(entry.key)
    at = entry.at.isoformat()
    return Change(str(entry.place), entry.collection, view.op, key, at, row, view.changed, audience)


def _json(entry: Entry, view: _View, audience: Role) -> str:
    """What :func:`_change` would encode to, without taking the row apart."""
    changed = msgspec.json.encode(view.changed).decode()
    return (
        f'{{"position":"{entry.place}","collection":"{entry.collection}","op":"{view.op}","key":{entry.key},'
        f'"at":"{entry.at.isoformat()}","row":{view.row or "null"},"changed":{changed},"audience":"{audience}"}}'
    )


def _event(entry: Entry, view: _View, audience: Role) -> str:
    """The change as a server-sent event."""
    return f"event: change\r\nid: {entry.place}\r\ndata: {_json(entry, view, audience)}{_END}"


def connect_options() -> str:
    """Settings of a connection that reads the outbox: by its indexes, whatever the statistics say of a young table."""
    return "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan"


async def read(db: Connection, after: Place, roles: Iterable[str], limit: int = BATCH) -> Batch:
    """The changes after a place, at most `limit`, as of one look at the database."""
    named = list(roles)
    values = {"number": after.number, "seq": after.seq, "limit": limit, "roles": named}
    found = await db.execute(_READ, values, prepare=True)
    entries: list[Entry] = []
    audiences: dict[str, Role] = {}
    readable: dict[str, dict[str, Columns]] = {role: {} for role in named}
    for number, seq, at, collection, op, key, row, changed, hides, hid, audience, columns in await found.fetchall():
        if number is None:
            audiences[collection] = audience
            for role, names in (columns or {}).items():
                readable[role][collection] = None if names is None else frozenset(names)
            continue
        told = None if changed is None else tuple(changed)
        place = Place(number, seq)
        at = at.astimezone(UTC)
        entries.append(Entry(place, at, collection, op, key, row, told, frozenset(hides or ()), frozenset(hid or ())))
    return Batch(entries, audiences, readable)


async def head(db: Connection) -> Place:
    """The place of the newest change; 0.0 when there is none."""
    return await _place(db, _HEAD)


async def floor(db: Connection) -> Place:
    """The place of the newest change that is forgotten."""
    return await _place(db, _FLOOR)


async def _place(db: Connection, query: str) -> Place:
    row = await (await db.execute(query)).fetchone()
    return Place(*row) if row else Place(0, 0)


class Lag(NamedTuple):
    """How far a reader is behind: commits it has not read, and the age of the oldest of them in seconds."""

    commits: int
    seconds: float


async def lag(db: Connection, place: Place) -> Lag:
    """How far a reader at `place` is behind."""
    row = await (await db.execute(_LAG, [place.number])).fetchone()
    assert row is not None
    return Lag(row[0], round(row[1], 3))


async def trim(db: Connection, upto: Place, *, rows: int, days: int, size: int) -> Place | None:
    """Forget the oldest commits past what is kept; the newest place forgotten, or None.

    Args:
        db: in autocommit mode.
        upto: nothing after this place is forgotten, whatever its age.
        rows: changes kept, at most.
        days: age of a change at which it is forgotten.
        size: bytes of changes kept, at most; by the mean size of those that are there.
    """
    asked = {"number": upto.number, "rows": rows, "days": days, "bytes": size}
    cut = await (await db.execute(_CUT, asked)).fetchone()
    if cut is None:
        return None
    async with db.transaction():
        await db.execute(_REMEMBER, {"number": cut[0], "seq": cut[1]})
        await db.execute(_FORGET, {"number": cut[0]})
    return Place(*cut)
