"""Counts of changes: kept in the database by quarters of an hour, summed up over windows.

await count(db, now)                                     # what is new in the outbox; the collections it is of
history = await read_history(db, "admissions")
today = day_so_far(now)
known = await compared(db, "admissions", today, history) # what is usual then, for each kind of change
[counted] = await sums(db, "admissions", [today])        # Counts(came=34, changed=5, went=0, loaded=0)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from appliance.pgflex.database import Connection
from appliance.pgflex.watching.baseline import Usual, usual
from appliance.pgflex.watching.seasons import BASES, DAYS_KEPT, LEAST, Basis, Window, earlier, is_known

__all__ = ["KINDS", "LOAD", "Counts", "History", "Known", "What", "compared", "count", "forget", "read_history", "sums"]

What = Literal["came", "changed", "went"]
KINDS: Final[tuple[What, ...]] = ("came", "changed", "went")
LOAD: Final = 200
"""Rows of a collection that one commit may write before it counts as a load."""
PAUSE: Final = timedelta(minutes=15)
"""Nobody counted for so long: what happened then is not known, the box may have been off."""

_SUMS: Final = """
select coalesce(sum(r.came), 0)::bigint, coalesce(sum(r.changed), 0)::bigint, coalesce(sum(r.went), 0)::bigint,
       coalesce(sum(r.loaded), 0)::bigint
from unnest(%s::timestamptz[], %s::timestamptz[]) with ordinality as w(start, until, n)
left join flex.rates r on r.collection = %s and r.at >= w.start and r.at < w.until
group by w.n order by w.n
"""
_SINCE: Final = """
select greatest(w.since, c.created) from flex.watching w cross join flex.collections c where c.name = %s
"""


class Counts(NamedTuple):
    """Rows that came, changed and went, and those of loads."""

    came: int
    changed: int
    went: int
    loaded: int

    def of(self, what: What) -> int:
        """The count of one kind."""
        return int(getattr(self, what))


class History(msgspec.Struct, frozen=True):
    """Since when a collection is watched, and when it was not."""

    since: datetime
    unwatched: tuple[tuple[datetime, datetime], ...]

    def knows(self, window: Window) -> bool:
        """Whether all of a window was watched."""
        return is_known(window, self.since, self.unwatched)


class Known(msgspec.Struct, frozen=True):
    """What is usual in a window, for each kind of change, and what it was compared with."""

    basis: Basis
    usual: dict[What, Usual]


async def count(db: Connection, now: datetime) -> list[str]:
    """Count what was committed since this was last called; the collections that changed."""
    row = await (await db.execute("select flex.count_changes(%s, %s, %s)", [now, PAUSE, LOAD])).fetchone()
    assert row is not None
    return list(row[0])


async def read_history(db: Connection, collection: str) -> History | None:
    """Since when a collection is watched; None where it is not there or nothing was counted yet."""
    row = await (await db.execute(_SINCE, [collection])).fetchone()
    if row is None:
        return None
    found = await db.execute("select start, until from flex.unwatched order by start")
    return History(row[0], tuple((start, until) for start, until in await found.fetchall()))


async def sums(db: Connection, collection: str, windows: Sequence[Window]) -> list[Counts]:
    """The counts of each window. A window begins and ends at a quarter of an hour."""
    starts, ends = [window.start for window in windows], [window.end for window in windows]
    found = await db.execute(_SUMS, [starts, ends, collection])
    return [Counts(*row) for row in await found.fetchall()]


async def compared(db: Connection, collection: str, window: Window, history: History) -> Known | None:
    """What is usual in such a window, by the same weekday where enough of them are known, else by any day."""
    for basis in BASES:
        windows = [each for each in earlier(window, basis) if history.knows(each)]
        if len(windows) >= LEAST[basis]:
            counts = await sums(db, collection, windows)
            return Known(basis, {what: usual([each.of(what) for each in counts]) for what in KINDS})
    return None


async def forget(db: Connection, now: datetime) -> None:
    """Forget what nothing is compared with any more."""
    before = now - timedelta(days=DAYS_KEPT)
    await db.execute("delete from flex.rates where at < %s", [before])
    await db.execute("delete from flex.unwatched where until < %s", [before])
    await db.execute("delete from flex.unusual where told_at < %s and state = 'over'", [before])
