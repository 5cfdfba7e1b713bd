"""The ledger: what was done (the audit, only ever added to) and what was asked (kept for some days).

ledger = Ledger(pool)
await ledger.write([Entry(ref="a1", entry={"who": "maria", "what": "..."})])
await ledger.check()          # is the chain of hashes whole?
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from appliance.pgflex.database import Connection, Pool, connection, transaction

__all__ = ["Asked", "Entry", "Head", "Ledger", "link"]

START: Final = "0" * 64
_LOCK: Final = 0x0D5_A0D1
_STEP: Final = 1000


class Entry(msgspec.Struct, frozen=True):
    """Something that was done: the sender's name for it, and what is told of it."""

    ref: str
    entry: dict[str, Any]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question and what came of it; `ref` is the sender's name for it."""

    ref: str
    at: datetime
    role: str
    question: str
    status: str
    screen: str = ""
    account: str = ""
    room: str = ""
    reading: str = ""
    plan: dict[str, Any] | None = None
    rest: str = ""
    took_ms: int = 0
    timings: dict[str, float] = {}
    confidence: float | None = None
    rows: int = 0
    error: str = ""


class Head(msgspec.Struct, frozen=True):
    """The end of the chain: how many entries there are, and the last one's hash."""

    number: int
    hash: str


def link(prior: str, number: int, entry: str) -> str:
    """The hash of an entry behind another.

    >>> link("0" * 64, 1, "{}")[:12]
    'c1ed4c61b6c1'
    """
    return hashlib.sha256(f"{prior}\n{number}\n{entry}".encode()).hexdigest()


class Ledger:
    """Writes and reads both."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # The audit -------------------------------------------------------------------------------------------

    async def write(self, entries: list[Entry]) -> Head:
        """Add entries in their order; one that is there already is left out. Returns the end of the chain.

        Raises:
            ApplianceError: PGF101 or PGF114, the database does not answer (in time).
        """
        async with transaction(self._pool) as db:
            await db.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            head = await self._head(db)
            for each in entries:
                head = await self._add(db, head, each)
        return head

    async def _add(self, db: Connection, head: Head, each: Entry) -> Head:
        text = json.dumps(each.entry, sort_keys=True, ensure_ascii=False)
        number = head.number + 1
        added = await db.execute(
            "insert into flex.audit (number, ref, entry, prior, hash) values (%s, %s, %s, %s, %s)"
            " on conflict (ref) do nothing",
            [number, each.ref, text, head.hash, digest := link(head.hash, number, text)],
        )
        return Head(number, digest) if added.rowcount else head

    @staticmethod
    async def _head(db: Connection) -> Head:
        row = await (await db.execute("select number, hash from flex.audit order by number desc limit 1")).fetchone()
        return Head(row[0], row[1]) if row else Head(0, START)

    async def audits(self, before: int | None, limit: int, q: str) -> list[dict[str, Any]]:
        """Entries, the newest first: those under a number, those that hold a text in any case."""
        async with connection(self._pool) as db:
            found = await db.execute(
                "select number, hash, entry from flex.audit where (%(before)s::bigint is null or number < %(before)s)"
                " and (%(q)s = '' or strpos(lower(entry), lower(%(q)s)) > 0) order by number desc limit %(limit)s",
                {"before": before, "q": q, "limit": limit},
            )
            return [{"id": row[0], **json.loads(row[2]), "hash": row[1]} for row in await found.fetchall()]

    async def check(self, kept: Head | None = None) -> dict[str, Any]:
        """Whether the chain is whole: ``ok``, ``entries``, ``head``, and ``problem`` as a sentence or None.

        Args:
            kept: the end of the chain as somebody else remembers it: entries taken off the end show by that.
        """
        head, number, problem = START, 0, None
        async with transaction(self._pool) as db, db.cursor(name="audit") as rows:
            rows.itersize = _STEP
            await rows.execute("select number, entry, prior, hash from flex.audit order by number")
            async for at, entry, prior, digest in rows:
                problem = problem or _fault(number, head, at, entry, prior, digest)
                number, head = at, digest
                if kept is not None and at == kept.number and digest != kept.hash:
                    problem = problem or f"Entry {at} is not the one that was written."
        if problem is None and kept is not None and number < kept.number:
            problem = f"Entries {number + 1} to {kept.number} are missing at the end."
        return {"ok": problem is None, "entries": number, "head": head, "problem": problem}

    # Questions -------------------------------------------------------------------------------------------

    async def ask(self, asked: list[Asked], days: int) -> None:
        """Keep questions, and forget those that are older than so many days; 0 keeps none."""
        async with transaction(self._pool) as db:
            for each in asked if days else []:
                values = msgspec.structs.asdict(each)
                values |= {"plan": Jsonb(each.plan) if each.plan else None, "timings": Jsonb(each.timings)}
                await db.execute(_ASK, values)
            await db.execute("delete from flex.questions where at < now() - make_interval(days => %s)", [days])

    async def questions(self, before: int | None, limit: int, q: str, status: str) -> list[dict[str, Any]]:
        """Questions, the newest first: those under an id, those that hold a text, those of a status."""
        async with connection(self._pool) as db, db.cursor(row_factory=dict_row) as rows:
            await rows.execute(_QUESTIONS, {"before": before, "q": q, "status": status, "limit": limit})
            return await rows.fetchall()

    async def summary(self, zone: str, day: str | None) -> dict[str, Any]:
        """A day by the hour in a timezone; the day is today where none is named (``2026-11-28``)."""
        async with connection(self._pool) as db, db.cursor(row_factory=dict_row) as rows:
            await rows.execute(_SUMMARY, {"zone": zone, "day": day})
            found = await rows.fetchall()
        hours = [
            {name: value for name, value in row.items() if name != "day"} for row in found if row["hour"] is not None
        ]
        whole = next((row for row in found if row["hour"] is None), None)
        told = {name: value for name, value in (whole or {}).items() if name not in ("hour", "day")}
        return {"day": found[0]["day"].isoformat() if found else day, **told, "hours": hours}


def _fault(before: int, head: str, number: int, entry: str, prior: str, digest: str) -> str | None:
    if number != before + 1:
        return f"Entries {before + 1} to {number - 1} are missing."
    if prior != head or digest != link(prior, number, entry):
        return f"Entry {number} was changed."
    return None


_ASK: Final = """
insert into flex.questions (ref, at, screen, account, role, room, question, reading, plan, rest, status, took_ms,
  timings, confidence, rows, error)
values (%(ref)s, %(at)s, %(screen)s, %(account)s, %(role)s, %(room)s, %(question)s, %(reading)s, %(plan)s, %(rest)s,
  %(status)s, %(took_ms)s, %(timings)s, %(confidence)s, %(rows)s, %(error)s)
on conflict (ref) do nothing
"""
_QUESTIONS: Final = """
select id, at, screen, account, role, room, question, reading, plan, rest, status, took_ms, timings, confidence, rows,
  nullif(error, '') as error
from flex.questions
where (%(before)s::bigint is null or id < %(before)s) and (%(status)s = '' or status = %(status)s)
  and (%(q)s = '' or strpos(lower(concat_ws(' ', question, reading, rest, account, screen)), lower(%(q)s)) > 0)
order by id desc limit %(limit)s
"""
_SUMMARY: Final = """
with asked as (
  select status, took_ms, at at time zone %(zone)s as here from flex.questions
), day as (
  select coalesce(%(day)s::date, (now() at time zone %(zone)s)::date) as day
), counted as (
  select day.day, extract(hour from here)::int as hour, count(here) as count,
    count(*) filter (where status = 'answered') as answered,
    count(*) filter (where status in ('clarify', 'confirm')) as asked_back,
    count(*) filter (where status = 'refused') as refused,
    count(*) filter (where status = 'failed') as failed,
    round(percentile_cont(0.5) within group (order by took_ms))::int as p50_ms,
    round(percentile_cont(0.95) within group (order by took_ms))::int as p95_ms
  from day left join asked on asked.here >= day.day and asked.here < day.day + 1
  group by grouping sets ((day.day, extract(hour from here)::int), (day.day))
)
select * from counted where count > 0 or hour is null order by hour nulls last
"""
