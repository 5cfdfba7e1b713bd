"""Something unusual on its way through a whole box: rows come, it is told on the screens, acknowledged, and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.box import Box, running_box
from tests.integration.weeks import hours_ago, remember
from tests.receiver import Signals, joined


@pytest.fixture(scope="module")
def watched() -> Iterator[Box]:
    """A box where it is about noon, so that no midnight comes, and digests were due an hour ago."""
    hours = datetime.now(UTC).hour - 12
    with running_box("--no-mdns", "--timezone", f"Etc/GMT{hours:+d}", "--digest-at", "11:00") as box:
        yield box


@pytest.fixture
async def door(watched: Box) -> AsyncIterator[httpx.AsyncClient]:
    headers = watched.bearer("admin")
    async with httpx.AsyncClient(base_url=watched.url, timeout=20, trust_env=False, headers=headers) as door:
        yield door


async def call(door: httpx.AsyncClient, method: str, path: str, body: Any = None, role: str = "staff") -> Any:
    answer = await door.request(method, path, json=body, headers={"X-Role": role})
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def restarted(box: Box) -> None:
    """The gateway, killed and back."""
    box.kill("gateway")
    await asyncio.sleep(0.5)
    await asyncio.to_thread(box.wait_well, 30)


def odd(signals: Signals) -> dict[str, Any]:
    return {name: value for name, value in signals.items() if name.startswith("unusual.")}


async def test_rows_become_a_sentence_on_the_screens_that_may_see_it(watched: Box, door: httpx.AsyncClient) -> None:
    await call(door, "POST", "/flex/admissions", {"ward": "A", "fee": 10})
    await remember(watched, "admissions")
    async with joined(watched.url, "wall") as wall, joined(watched.url, "staff") as staff:
        await call(door, "POST", "/flex/admissions", [{"ward": "A", "fee": 10}] * 60 + [{"ward": "B", "fee": 5}] * 20)
        await staff.until(lambda signals: odd(signals), 15)
        [(name, told)] = odd(staff.signals).items()
        assert name == "unusual.admissions.came"
        usual, percent = told["usual"], told["percent"]
        assert told["sentence"] == (
            f"Admissions today are {percent} % above a usual {_weekday(told)} by now: 80, usually {usual}."
        )
        assert percent == round(100 * (80 - usual) / usual)
        rows = await call(door, "GET", told["rest"])
        assert len(rows) >= 80 and {row["ward"] for row in rows} == {"A", "B"}
        found = await call(door, "POST", "/api/ask", {"question": told["sentence"], "plan": told["plan"]})
        assert (found["status"], len(found["rows"])) == ("answered", len(rows))
        await call(door, "POST", f"/api/unusual/{told['id']}/acknowledge", {"name": "Maria"})
        await staff.until(lambda signals: odd(signals)[name]["acknowledged_at"], 5)
        assert not any(each.startswith("unusual.") for each in wall.history), "a wall does not read admissions"
    await restarted(watched)
    async with joined(watched.url, "staff") as staff:
        await staff.until(lambda signals: odd(signals), 20)
        assert odd(staff.signals)[name]["id"] == told["id"]
    assert [each["id"] for each in await call(door, "GET", "/api/unusual?state=active")] == [told["id"]]
    assert await call(door, "GET", "/api/unusual", role="wall") == []


def _weekday(told: dict[str, Any]) -> str:
    return f"{datetime.fromisoformat(told['since']):%A}"


async def test_a_digest_on_request_and_on_schedule(watched: Box, door: httpx.AsyncClient) -> None:
    [line] = await call(door, "GET", "/api/digest?collection=admissions")
    assert line["counts"]["came"] >= 80
    assert line["sentence"].startswith(f"{line['counts']['came']} admissions came (")
    assert line["usual"]["came"]["unusual"] == "above"
    assert "Most by ward: A" in line["sentence"]
    assert line["sums"][0]["field"] == "fee"
    assert line["rows"][0]["count"] == line["counts"]["came"]
    every = {each["collection"] for each in await call(door, "GET", "/api/digest")}
    assert {"admissions", "beds", "patients"} <= every
    assert "admissions" not in {each["collection"] for each in await call(door, "GET", "/api/digest", role="wall")}
    refused = await door.get("/api/digest?since=tomorrow")
    assert (refused.status_code, refused.json()["code"]) == (422, "BRG410")
    await hours_ago(watched, 3)
    await restarted(watched)
    async with joined(watched.url, "wall") as wall, joined(watched.url, "staff") as staff:
        await staff.until(lambda signals: "digest.admissions" in signals and "digest.beds" in signals, 30)
        told = staff.signals["digest.admissions"]
        assert told["sentence"].startswith("81 admissions came (") and "11:00" in told["sentence"]
        assert await call(door, "GET", told["rest"])
        await wall.until(lambda signals: "digest.beds" in signals, 10)
        assert not any(name in wall.history for name in ("digest.admissions", "digest.patients"))
