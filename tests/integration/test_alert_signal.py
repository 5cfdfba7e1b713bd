"""An alert on its way through a whole box: declared at the door, fired by a row, on the screens, acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.box import Box, running_box
from tests.receiver import Signals, joined

FULL = {
    "name": "Few free beds",
    "collection": "beds",
    "where": [{"field": "status", "op": "eq", "value": "alarmed"}],
    "aggregate": {"op": "count"},
    "group": ["ward"],
    "direction": "above",
    "threshold": 0,
    "message": "{value} beds of {ward} are alarmed.",
    "audience": "wall",
}
ROW = {"bed": "Z-1", "ward": "Cardiology", "room": 299, "floor": 2, "kind": "standard", "status": "alarmed"}


@pytest.fixture(scope="module")
def alarmed() -> Iterator[Box]:
    with running_box("--no-mdns") as box:
        yield box


@pytest.fixture
async def door(alarmed: Box) -> AsyncIterator[httpx.AsyncClient]:
    """The door as the admin; at the end there is no rule and no bed of these tests."""
    headers = alarmed.bearer("admin")
    async with httpx.AsyncClient(base_url=alarmed.url, timeout=20, trust_env=False, headers=headers) as door:
        yield door
        for rule in await call(door, "GET", "/api/alerts"):
            await call(door, "DELETE", f"/api/alerts/{rule['id']}")
        await call(door, "DELETE", "/rest/beds?status=eq.alarmed")


async def call(door: httpx.AsyncClient, method: str, path: str, body: Any = None, role: str = "admin") -> Any:
    answer = await door.request(method, path, json=body, headers={"X-Role": role})
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def alarms(signals: Signals) -> list[dict[str, Any]]:
    return [value for name, value in signals.items() if name.startswith("alert.")]


async def known(door: httpx.AsyncClient, method: str, path: str, **more: Any) -> int:
    """The status of an answer once PostgREST knows what was just made."""
    async with asyncio.timeout(10):
        while (status := (await door.request(method, path, **more)).status_code) == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return status


async def test_a_row_becomes_an_alert_on_every_screen_until_it_is_over(alarmed: Box, door: httpx.AsyncClient) -> None:
    rule = await call(door, "POST", "/api/alerts", FULL)
    async with joined(alarmed.url, "wall") as wall, joined(alarmed.url, "staff") as staff:
        await call(door, "POST", "/flex/beds", ROW)
        for screen in (wall, staff):
            await screen.until(lambda signals: alarms(signals))
            [told] = alarms(screen.signals)
            assert told["message"] == "1 beds of Cardiology are alarmed."
            assert (told["state"], told["value"], told["rule"]) == ("active", 1, "Few free beds")
            assert told["fired_at"] and told["acknowledged_at"] is None
        [event] = await call(door, "GET", "/api/alerts/events?state=active", role="staff")
        await call(door, "POST", f"/api/alerts/events/{event['id']}/acknowledge", {"name": "Maria"}, "staff")
        await wall.until(lambda signals: alarms(signals)[0]["acknowledged_at"])
        await call(door, "DELETE", "/rest/beds?status=eq.alarmed")
        await wall.until(lambda signals: not alarms(signals))
    [event] = await call(door, "GET", "/rest/alerts?select=state,acknowledged_by,rule")
    assert event == {"state": "cleared", "acknowledged_by": "Maria (staff)", "rule": rule["name"]}


async def test_an_alert_for_staff_is_on_no_wall(alarmed: Box, door: httpx.AsyncClient) -> None:
    await call(door, "POST", "/api/alerts", FULL | {"audience": "staff"})
    async with joined(alarmed.url, "wall") as wall, joined(alarmed.url, "staff") as staff:
        await call(door, "POST", "/flex/beds", ROW)
        await staff.until(lambda signals: alarms(signals))
        assert not any(name.startswith("alert.") for name in wall.history)
    for role, count in (("wall", 0), ("staff", 1)):
        told = await call(door, "GET", "/rest/alerts?select=rule,message&state=eq.active", role=role)
        assert len(told) == count
        assert len(await call(door, "GET", "/api/alerts/events?state=active", role=role)) == count
    patch = {"json": {"state": "cleared"}, "headers": {"X-Role": "staff"}}
    assert await known(door, "PATCH", "/rest/alerts?state=eq.active", **patch) == 403


async def test_what_happens_while_the_data_service_is_away_is_told_once(alarmed: Box, door: httpx.AsyncClient) -> None:
    await call(door, "POST", "/api/alerts", FULL)
    before = len(await call(door, "GET", "/api/alerts/events?limit=1000"))
    async with joined(alarmed.url, "wall") as wall:
        alarmed.kill("pgflex")
        for _ in range(3):
            await call(door, "POST", "/rest/beds", ROW)
        await wall.until(lambda signals: alarms(signals), 20)
        await asyncio.to_thread(alarmed.wait_well, 20)
        assert len(await call(door, "GET", "/api/alerts/events?limit=1000")) == before + 1
        alarmed.kill("gateway")
        await asyncio.to_thread(alarmed.wait_well, 20)
    async with joined(alarmed.url, "wall") as wall:
        await wall.until(lambda signals: alarms(signals), 20)
        assert alarms(wall.signals)[0]["message"] == "3 beds of Cardiology are alarmed."


async def test_the_door_says_what_is_wrong(alarmed: Box, door: httpx.AsyncClient) -> None:
    rule = (await call(door, "POST", "/api/alerts", FULL))["id"]
    cases: list[tuple[str, str, Any, str, str]] = [
        ("POST", "/api/alerts", {"name": "x"}, "admin", "BRG410"),
        ("POST", "/api/alerts", FULL | {"colection": "beds"}, "admin", "PGF117"),
        ("POST", "/api/alerts", FULL, "staff", "PGF106"),
        ("GET", "/api/alerts/999999", None, "admin", "PGF118"),
        ("GET", "/api/alerts/x", None, "admin", "BRG410"),
        ("PATCH", f"/api/alerts/{rule}", {"enabled": "x"}, "admin", "BRG410"),
        ("DELETE", f"/api/alerts/{rule}", None, "wall", "PGF106"),
        ("GET", "/api/alerts/events?state=x", None, "admin", "BRG410"),
        ("POST", "/api/alerts/events/999999/acknowledge", None, "staff", "PGF118"),
        ("PUT", "/flex/beds/fields/free", {"formula": "floor +"}, "admin", "PGF115"),
        ("GET", "/flex/nowhere/fields", None, "admin", "PGF104"),
    ]
    for method, path, body, role, code in cases:
        answer = await door.request(method, path, json=body, headers={"X-Role": role})
        assert answer.json()["code"] == code, (method, path, answer.text)
    assert (await call(door, "PATCH", f"/api/alerts/{rule}", {"enabled": False}))["enabled"] is False


async def test_a_computed_field_is_declared_at_the_door_and_asked_for(alarmed: Box, door: httpx.AsyncClient) -> None:
    told = await call(door, "PUT", "/flex/beds/fields/Storey%2Flevel", {"formula": "floor + 1", "wall": True})
    field = {"name": "storey_level", "label": "Storey/level", "type": "numeric", "wall": True}
    assert told["field"] == field | {"formula": "floor + 1", "who": "admin"}
    fields = await call(door, "GET", "/flex/beds/fields", role="wall")
    assert "storey_level" in [field["name"] for field in fields]
    [row] = await call(door, "GET", "/rest/beds?select=floor,storey_level&limit=1")
    assert row["storey_level"] == row["floor"] + 1
    await call(door, "DELETE", "/flex/beds/fields/Storey%2Flevel")
