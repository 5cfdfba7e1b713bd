"""Alerts when things are killed: every crossing of every row is told once, whatever dies between row and alert."""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.pgflex_box import Box, running_box

RULE = {
    "name": "Too warm",
    "collection": "fridges",
    "field": "temp",
    "direction": "above",
    "threshold": 8,
    "message": "{fridge}: {value}",
}
COLD = {**RULE, "name": "Warm on average", "aggregate": {"op": "avg", "field": "temp"}, "field": None, "message": "x"}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box() as box:
        yield box


async def call(box: Box, method: str, path: str, body: Any = None) -> Any:
    async with httpx.AsyncClient(headers={**box.bearer, "X-Role": "admin"}, timeout=10) as client:
        answer = await client.request(method, box.pgflex_url + path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


async def events(box: Box, count: int) -> list[dict[str, Any]]:
    """What fired and is over, once nothing is active any more and `count` are there; then a little later still."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found: list[dict[str, Any]] = await call(box, "GET", "/alerts/events?limit=1000")
        if len(found) >= count and all(event["state"] == "cleared" for event in found):
            await asyncio.sleep(0.3)
            return list(await call(box, "GET", "/alerts/events?limit=1000"))
        await asyncio.sleep(0.05)
    raise AssertionError(f"{count} alerts were to come; there are {len(found)}")


def flip(box: Box) -> None:
    """One row warm and cold again, in two commits."""
    with psycopg.connect(box.dsn, autocommit=True) as db:
        for temp in (9, 5):
            db.execute("update api.fridges set temp = %s", [temp])


async def test_the_service_killed_between_row_and_alert(box: Box) -> None:
    service = await asyncio.to_thread(box.start_service)
    await call(box, "POST", "/flex/fridges", {"fridge": "F1", "temp": 5})
    for rule in (RULE, COLD):
        await call(box, "POST", "/alerts", rule)
    rng = random.Random(3)
    for _ in range(4):
        await asyncio.to_thread(flip, box)
        await asyncio.sleep(rng.random() * 0.02)
        service.kill()
        service.wait(10)
        await asyncio.to_thread(flip, box)
        service = await asyncio.to_thread(box.start_service)
    found = await events(box, 8)
    assert sum(event["rule"] == "Too warm" for event in found) == 8
    assert [event["rule"] for event in found if event["fired_at"] > event["cleared_at"]] == []


async def test_postgresql_killed_between_row_and_alert(box: Box) -> None:
    before = sum(event["rule"] == "Too warm" for event in await call(box, "GET", "/alerts/events?limit=1000"))
    for place in range(3):
        await asyncio.to_thread(flip, box)
        await asyncio.sleep(place * 0.006)
        await asyncio.to_thread(box.kill_postgres)
        await asyncio.to_thread(box.restart_postgres)
        await asyncio.to_thread(flip, box)
    found = [event for event in await events(box, before + 6) if event["rule"] == "Too warm"]
    assert len(found) == before + 6
