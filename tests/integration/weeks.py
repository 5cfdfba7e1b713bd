"""Weeks of history for a box that was started a moment ago: one row of a collection in each hour until today."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import psycopg

from appliance.config import Runtime
from tests.box import Box

_WATCHED = "update flex.watching set since = now() - interval '80 days'"
_MADE = "update flex.collections set created = now() - interval '80 days' where name = %s"
_HOURS = """
insert into flex.rates (collection, at, came)
select %s, at, 1 from generate_series(
  date_trunc('day', now(), %s) - interval '70 days', date_trunc('day', now(), %s) - interval '1 hour', '1 hour') as at
"""


def runtime(box: Box) -> Runtime:
    """What the box's supervisor told its children."""
    environ = Path(f"/proc/{box.pids()['pgflex']}/environ").read_bytes().split(b"\0")
    return Runtime.from_environment(dict(each.decode().split("=", 1) for each in environ if b"=" in each))


async def remember(box: Box, collection: str) -> None:
    """Make the history of a collection; what came so far is left out of it."""
    told = runtime(box)
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {told.token}", "X-Role": "admin"}
        assert (await client.get(f"{told.pgflex_url}/unusual", headers=headers, timeout=20)).is_success
    await asyncio.to_thread(_write, told, collection)


def _write(told: Runtime, collection: str) -> None:
    with psycopg.connect(told.postgres_dsn) as db:
        db.execute("delete from flex.rates where collection = %s", [collection])
        db.execute(_WATCHED)
        db.execute(_MADE, [collection])
        db.execute(_HOURS, [collection, told.settings.timezone, told.settings.timezone])


async def hours_ago(box: Box, hours: int) -> None:
    """Say that all that was committed was committed so long before."""
    await asyncio.to_thread(_move, runtime(box), hours)


def _move(told: Runtime, hours: int) -> None:
    with psycopg.connect(told.postgres_dsn) as db:
        db.execute("update flex.commits set at = at - make_interval(hours => %s)", [hours])
