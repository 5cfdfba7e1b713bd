"""Watching when things are killed: every change is counted once and everything unusual is told once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.pgflex_box import Box, running_box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box(timezone=f"Etc/GMT{datetime.now(UTC).hour - 12:+d}") as box:  # about noon: no midnight comes
        yield box


async def call(box: Box, method: str, path: str, body: Any = None) -> Any:
    async with httpx.AsyncClient(headers={**box.bearer, "X-Role": "staff"}, timeout=10) as client:
        answer = await client.request(method, box.pgflex_url + path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


def remember(box: Box) -> None:
    """Ten weeks of one visit in each hour; everything that came so far is counted by then."""
    now = datetime.now(UTC)
    with psycopg.connect(box.dsn) as db:
        db.execute("delete from flex.rates")
        db.execute("update flex.watching set since = %s", [now - timedelta(days=80)])
        db.execute("update flex.collections set created = %s", [now - timedelta(days=80)])
        db.execute(
            "insert into flex.rates (collection, at, came) select 'visits', at, 1 from generate_series("
            "date_trunc('hour', now()) - interval '70 days', date_trunc('hour', now()) - interval '13 hours', '1 hour')"
            " as at"
        )


def counted(box: Box) -> int:
    with psycopg.connect(box.dsn) as db:
        query = "select coalesce(sum(came), 0) from flex.rates where at > now() - interval '1 hour'"
        found = db.execute(query).fetchone()
    assert found is not None
    return int(found[0])


async def test_the_service_killed_between_rows_counts_and_telling(box: Box) -> None:
    service = await asyncio.to_thread(box.start_service)
    await call(box, "POST", "/flex/visits", {"ward": "A"})
    await call(box, "GET", "/unusual")
    await asyncio.to_thread(remember, box)
    total = 0
    for round_ in range(3):
        for size in (1, 40, 12):
            await call(box, "POST", "/flex/visits", [{"ward": "A"}] * size)
            total += size
        await asyncio.sleep(0.1 * round_)
        service.kill()  # before, while or after what came is counted and told
        service.wait(10)
        service = await asyncio.to_thread(box.start_service)
    until, told = time.monotonic() + 10, list[dict[str, Any]]()
    while not told and time.monotonic() < until:
        told = await call(box, "GET", "/unusual")
    assert await asyncio.to_thread(counted, box) == total
    assert [(each["what"], each["value"], each["state"]) for each in told] == [("came", total, "active")]
    assert len(told[0]["keys"]) == 100

    which, first = told[0]["id"], told[0]["told_at"]
    await call(box, "POST", f"/unusual/{which}/acknowledge", {"name": "Maria"})
    service.kill()
    service.wait(10)
    await asyncio.to_thread(box.start_service)
    await call(box, "POST", "/flex/visits", [{"ward": "A"}] * 5)
    [again] = await call(box, "GET", "/unusual")
    assert (again["id"], again["told_at"], again["value"]) == (which, first, total + 5)
    assert again["acknowledged_by"] == "Maria (staff)"


async def test_a_digest_is_refused_for_times_that_are_none(box: Box) -> None:
    await asyncio.to_thread(box.start_service)
    async with httpx.AsyncClient(headers={**box.bearer, "X-Role": "staff"}, timeout=10) as client:
        for asked in ("since=2999-01-01", "since=2001-01-01", "since=x", "since=2026-01-02&until=2026-01-01"):
            answer = await client.get(f"{box.pgflex_url}/digest?{asked}")
            assert (answer.status_code, answer.json()["code"]) == (422, "BRG410"), asked
        answer = await client.get(f"{box.pgflex_url}/digest?collection=nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "PGF104")
        [line] = (await client.get(f"{box.pgflex_url}/digest?collection=visits")).json()
    assert line["counts"]["came"] > 100
