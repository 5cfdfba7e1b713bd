"""Alerts on the page: they stand at the top of every surface, can be read, and staff acknowledge them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.box import running_box
from tests.browser.conftest import Opens
from tests.browser.probes import CONTRAST, CUT_OFF, HALF_ROWS, OVERFLOW, UNNAMED

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "Only {value} free beds are left in {ward}; the night shift has to say where the next patients go, at once."
WALL = {"viewport": {"width": 1920, "height": 1080}}
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
SIGN_IN = """async () => (await fetch("/api/session", { method: "POST", headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "petra", password: "four plain words here" }) })).status"""
"""What the console does: from then on the browser's session is what proves who asks."""
SURFACES: dict[str, tuple[str, dict[str, Any]]] = {
    "wall-light": ("/?surface=wall", WALL),
    "wall-dark": ("/?surface=wall", WALL | {"color_scheme": "dark"}),
    "phone-light": ("/", PHONE),
    "phone-dark": ("/", PHONE | {"color_scheme": "dark"}),
    "tablet-light": ("/", {"viewport": {"width": 1180, "height": 820}}),
    "watch": ("/", {"viewport": {"width": 200, "height": 200}}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door() -> AsyncIterator[httpx.AsyncClient]:
    """The admin at the door of a box of its own."""
    with running_box("--no-mdns") as box:
        headers = box.bearer("admin")
        async with httpx.AsyncClient(base_url=box.url, timeout=20, trust_env=False, headers=headers) as door:
            yield door


async def declare(door: httpx.AsyncClient, more: dict[str, Any]) -> int:
    rule = {"name": "Beds", "collection": "beds", "aggregate": {"op": "count"}, "direction": "above", "threshold": 0}
    answer = await door.post("/api/alerts", json=rule | {"audience": "wall"} | more)
    assert answer.is_success, answer.text
    return int(answer.json()["id"])


def where(ward: str) -> list[dict[str, str]]:
    return [{"field": "ward", "op": "eq", "value": ward}]


async def test_an_alert_is_shown_and_acknowledged(door: httpx.AsyncClient, opens: Opens) -> None:
    url = str(door.base_url).rstrip("/")
    account = {"name": "petra", "password": "four plain words here", "role": "staff"}
    assert (await door.post("/api/accounts", json=account)).is_success
    staff, wall = await opens(url), await opens(url, "/?surface=wall")
    await staff.live()
    await wall.live()
    rule = await declare(
        door, {"message": "<b>{value}</b> beds in {ward}", "group": ["ward"], "where": where("Surgery")}
    )
    for watched in (staff, wall):
        await watched.page.locator("#alarms p").first.wait_for()
        assert (await watched.text("#alarms b")).startswith("<b>")
        assert await watched.page.locator("#alarms p.seen").count() == 0
    assert await wall.page.locator("#alarms button").is_visible() is False
    assert await staff.page.evaluate(UNNAMED) == []
    assert await staff.page.evaluate(SIGN_IN) == 200
    assert [each["name"] for each in await staff.page.context.cookies()] == ["dreamstack_session"]
    await staff.page.get_by_role("button", name="Acknowledge").click()
    for watched in (staff, wall):
        await watched.page.locator("#alarms p.seen").wait_for()
    staff.problems.clear()  # the browser's line about the request that had no proof yet
    for watched in (staff, wall):
        assert "seen Today" in await watched.text("#alarms span")
    assert await staff.page.locator("#alarms button").is_visible() is False
    assert (await door.delete(f"/api/alerts/{rule}")).is_success
    for watched in (staff, wall):
        await watched.until("document.querySelectorAll('#alarms p').length === 0")
        assert await watched.page.locator("#alarms").is_visible() is False
    await staff.page.reload()
    await staff.live()
    async with staff.page.expect_navigation():  # whose session ended begins anew, and does not say that the box is away
        assert (await door.delete("/api/accounts/petra")).is_success
    await staff.live()


async def test_an_alert_that_cannot_be_acknowledged_says_so(door: httpx.AsyncClient, opens: Opens) -> None:
    rule = await declare(door, {"message": "x"})
    watched = await opens(str(door.base_url).rstrip("/"))
    await watched.live()
    await watched.page.route("**/acknowledge", lambda route: route.abort())
    await watched.page.get_by_role("button", name="Acknowledge").click()
    news = "document.getElementById('news').textContent"
    await watched.until(f"{news}.includes('could not be acknowledged. The box does not answer.')")
    await watched.page.unroute("**/acknowledge")
    await watched.page.get_by_role("button", name="Acknowledge").click()
    await watched.until(f"!{news}.includes('could not')", 5)
    watched.problems.clear()  # the browser's own line about the request that was cut
    await door.delete(f"/api/alerts/{rule}")


@pytest.mark.parametrize("name", sorted(SURFACES))
async def test_alerts_fit_and_can_be_read(door: httpx.AsyncClient, opens: Opens, tmp_path: Path, name: str) -> None:
    path, options = SURFACES[name]
    wards = ("Cardiology", "Surgery", "Maternity", "Intensive Care")
    rules = [await declare(door, {"message": LONG, "group": ["ward"], "where": where(ward)}) for ward in wards]
    seen = (await door.get("/api/alerts/events?state=active")).json()
    assert len(seen) == 4
    await door.post(f"/api/alerts/events/{seen[0]['id']}/acknowledge")
    watched = await opens(str(door.base_url).rstrip("/"), path, **options)
    shown = 1 if options.get("viewport", {}).get("width", 1280) < 640 else 3
    await watched.page.locator("#alarms p").nth(shown - 1).wait_for()
    await watched.page.wait_for_timeout(1500)  # what was just drawn has settled
    assert await watched.page.locator("#alarms p").count() == shown, "on a phone the answer stays in sight"
    assert await watched.text("#others") == ("3 alerts" if name == "watch" else f"and {4 - shown} more")
    assert await watched.page.evaluate(OVERFLOW) == []
    assert await watched.page.evaluate(CUT_OFF) == []
    assert await watched.page.evaluate(HALF_ROWS) == []
    assert await watched.page.evaluate(CONTRAST) == []
    await watched.page.screenshot(path=tmp_path / f"{name}.png")
    for rule in rules:
        await door.delete(f"/api/alerts/{rule}")
