"""Discovery: finds relations by the names and values of fields, in the background.

It looks again after rows or fields changed, never inside a write, waits at most a second for a lock, and tries
less and less often what did not come out.

    discovery = Discovery(pool, told)
    feed.watch(discovery.mark)
    asyncio.create_task(discovery.run())
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.database import Pool, transaction
from appliance.pgflex.relations.foreign_keys import ForeignKeys, Link
from appliance.pgflex.relations.naming import (
    calls_target,
    ends_as,
    is_name,
    is_number,
    is_usual,
    names_target,
    plays_part,
)
from appliance.pgflex.relations.relations import forget, record

__all__ = ["Discovery"]

PAUSE_S: Final = 1.0
"""Changes are gathered this long before they are looked at."""
_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 3600.0
_COST_SHARE: Final = 50

_FIELDS: Final = """
select f.collection, f.name, f.label, f.type
from flex.fields f join flex.collections c on c.name = f.collection
where not c.system and f.expression is null and f.type in ('integer', 'numeric', 'text')
order by f.collection, f.place
"""
_TAKEN: Final = """
select collection, field from flex.relations where origin = 'declared' or enforced
union select collection, field from flex.no_relations
"""


_KEPT: Final = """
select exists (
  select from flex.relations
  where (collection, field, target, target_field) = (%s, %s, %s, %s) and origin = 'discovered'
)
"""


class _Field(msgspec.Struct, frozen=True):
    collection: str
    name: str
    label: str
    type: str


class _Tried(msgspec.Struct, frozen=True):
    """What came of the last try: what it saw, and when it may be tried again."""

    edition: int
    again_at: float
    wait: float


class Discovery:
    """Finds relations.

    Args:
        pool: connections of the role that owns the collections.
        tell: called when relations came or went.
    """

    def __init__(self, pool: Pool, tell: Callable[[], None] = lambda: None) -> None:
        self._pool, self.tell = pool, tell
        self._keys = ForeignKeys(pool)
        self._marked = asyncio.Event()
        self._editions: dict[str | None, int] = {}
        self._tried: dict[Link, _Tried] = {}
        self._called: set[Link] = set()
        self._log = logger("pgflex")

    def mark(self, collection: str | None = None) -> None:
        """Say that the rows of a collection changed, or (None) that any may have."""
        self._editions[collection] = self._editions.get(collection, 0) + 1
        self._marked.set()

    async def run(self) -> None:
        """Look after every change, until cancelled."""
        while True:
            await self._marked.wait()
            await asyncio.sleep(PAUSE_S)
            self._marked.clear()
            try:
                waiting = await self.look()
            except ApplianceError as error:
                self._log.warn("relations wait", error=error.line())
                waiting = True
            if waiting:
                asyncio.get_running_loop().call_later(_FIRST_WAIT_S, self._marked.set)

    async def look(self) -> bool:
        """Make keys of what fits now; whether something waits to be tried again."""
        for link in await self._keys.unvalidated():
            if not await self._keys.validate(link):
                self.tell()
        waiting, found = False, set[tuple[str, str]]()
        for link in await self.candidates():
            tried, edition = self._tried.get(link), self._edition(link)
            if (link.collection, link.field) in found or (tried and tried.edition == edition):
                continue
            if tried and time.monotonic() < tried.again_at:
                waiting = True
                continue
            began = time.monotonic()
            held = await self._make(link)
            if held is None:
                waiting = True
                continue
            found |= {(link.collection, link.field)} if held else set()
            ended = time.monotonic()
            # A key that was given up is tried again as rarely as one that did not come out.
            wait = max(_FIRST_WAIT_S, _COST_SHARE * (ended - began), 2 * tried.wait if tried else 0.0)
            wait = min(wait, _LONGEST_WAIT_S)
            self._tried[link] = _Tried(edition, ended + wait, wait)
        return waiting

    async def candidates(self) -> list[Link]:
        """The fields that may lead to a collection by their names, and are no key yet."""
        async with transaction(self._pool) as db:
            fields = [_Field(*row) for row in await (await db.execute(_FIELDS)).fetchall()]
            taken = {tuple(row) for row in await (await db.execute(_TAKEN)).fetchall()}
        of: dict[str, list[_Field]] = {}
        for field in fields:
            of.setdefault(field.collection, []).append(field)
        found, self._called = [], set()
        for field in (each for each in fields if (each.collection, each.name) not in taken):
            for target, others in ((name, held) for name, held in of.items() if name != field.collection):
                links = [Link(field.collection, field.name, target, to) for to in _target_fields(field, target, others)]
                self._called |= set() if names_target(field.label, target) else set(links)
                found += links
        return found

    async def _make(self, link: Link) -> bool | None:
        """Record a relation and make its key; None when that has to wait for a lock."""
        try:
            if link in self._called:
                return await self._keep(link)
            if not await self._keys.agrees(link):
                return False
            async with transaction(self._pool) as db:
                await record(db, link, "discovered", False, None)
            if await self._keys.enforce(link):
                self._log.info("relation found", **_named(link))
                self.tell()
                return True
            async with transaction(self._pool) as db:
                await forget(db, link.collection, link.field)
            return False
        except ApplianceError as error:
            if error.code != "PGF114":
                raise
            return None

    async def _keep(self, link: Link) -> bool:
        """Record a relation by what rows are called, as long as the values agree.

        It gets no key: two rows may come to be called the same, and no write is refused for it.
        """
        agrees = await self._keys.names_most(link)
        async with transaction(self._pool) as db:
            row = await (await db.execute(_KEPT, msgspec.structs.astuple(link))).fetchone()
        if agrees:
            await self._keys.index_name(link)
        if agrees == bool(row and row[0]):
            return agrees
        async with transaction(self._pool) as db:
            if agrees:
                await record(db, link, "discovered", False, None)
            else:
                await forget(db, link.collection, link.field)
        self._log.info("relation found" if agrees else "relation gone", **_named(link))
        self.tell()
        return agrees

    def _edition(self, link: Link) -> int:
        names = (link.collection, link.target, None)
        return sum(self._editions.get(name, 0) for name in names)


def _named(link: Link) -> dict[str, str]:
    return {"field": f"{link.collection}.{link.field}", "target": link.target}


def _target_fields(field: _Field, target: str, others: list[_Field]) -> list[str]:
    """What the values may name, likeliest first: an id, what rows are called, or what both collections hold."""
    if names_target(field.label, target):
        return [_target_id(field, others)]
    texts = [other for other in others if other.type == "text"] if field.type == "text" else []
    may = calls_target(field.label, target) or plays_part(field.label, target)
    called = [
        other.name
        for other in texts
        if (may and is_name(other.label, target)) or (other is texts[0] and ends_as(field.label, other.label))
    ]
    first = others[0] if others and others[0].type == field.type else None
    same = first is not None and first.name == field.name and not is_usual(field.label)
    same = same and (field.type == "text" or is_number(field.label))
    return list(dict.fromkeys([*called, *([field.name] if same else [])]))


def _target_id(field: _Field, others: list[_Field]) -> str:
    """The target's field "id", its field of the same name, or its own id."""
    own = next((other.name for other in others if other.label.lower() == "id"), None)
    same = next((other.name for other in others if other.name == field.name), None)
    return own or same or "id"
