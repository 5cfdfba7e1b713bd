"""What the box would do is asked on the page: said in large words, with a Yes and a No, for touch and keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.box import Box, running_box
from tests.browser.conftest import Opens, Watched
from tests.browser.probes import CONTRAST, CUT_OFF, OVERFLOW, UNNAMED

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW = {
    "form": "alert",
    "collection": "beds",
    "where": [{"field": "status", "op": "eq", "value": "free"}],
    "measure": {"field": "*", "aggregate": "count"},
    "op": "lt",
    "threshold": 3,
}
DAYS = {
    "form": "query",
    "collection": "appointments",
    "select": [{"field": "starts_at", "bucket": "day"}, {"field": "*", "aggregate": "count"}],
    "group": ["starts_at"],
}
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
TABLET = {"viewport": {"width": 1180, "height": 820}}
SURFACES: dict[str, dict[str, Any]] = {
    "tablet-light": TABLET,
    "tablet-dark": TABLET | {"color_scheme": "dark"},
    "phone-light": PHONE,
    "phone-dark": PHONE | {"color_scheme": "dark"},
}
FONT = "getComputedStyle(document.querySelector('.confirm .choice')).fontSize"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    with running_box("--no-mdns") as box:
        yield box


@pytest_asyncio.fixture(loop_scope="module")
async def admin(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    """The admin at the door; what alerts there are is removed at the end."""
    headers = box.bearer("admin")
    async with httpx.AsyncClient(base_url=box.url, timeout=20, trust_env=False, headers=headers) as door:
        yield door
        for rule in (await door.get("/api/alerts")).json():
            await door.delete(f"/api/alerts/{rule['id']}")


async def asked(admin: httpx.AsyncClient, question: str, plan: dict[str, Any] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = (await admin.post("/api/ask", json={"question": question, "plan": plan or FEW})).json()
    return told


async def offered(opens: Opens, box: Box, admin: httpx.AsyncClient, question: str, **options: Any) -> Watched:
    """The admin's page with an alert on it that waits for a yes."""
    assert (await asked(admin, question))["status"] == "confirm"
    watched = await opens(box.url, f"/?key={box.key('admin')}", **options)
    await watched.live()
    await watched.page.get_by_role("button", name="Yes, set this alert").wait_for()
    return watched


async def rules(admin: httpx.AsyncClient) -> int:
    return len((await admin.get("/api/alerts")).json())


async def test_yes_does_it(box: Box, admin: httpx.AsyncClient, opens: Opens) -> None:
    watched = await offered(opens, box, admin, "Tell me when few beds are free")
    assert (await watched.text("#sentence")).startswith("Shall I tell the staff's screens")
    assert await rules(admin) == 0
    await watched.page.get_by_role("button", name="Yes, set this alert").click()
    await watched.until("document.getElementById('sentence').textContent.startsWith('Done.')")
    assert await watched.page.locator("#choices .choice").count() == 0
    assert await rules(admin) == 1


async def test_no_does_nothing(box: Box, admin: httpx.AsyncClient, opens: Opens) -> None:
    watched = await offered(opens, box, admin, "Tell me when beds are few")
    await watched.page.get_by_role("button", name="No", exact=True).click()
    assert await watched.text("#sentence") == "Nothing was done."
    assert await watched.page.locator("#choices .choice").count() == 0
    assert await rules(admin) == 0


async def test_the_keyboard_says_yes(box: Box, admin: httpx.AsyncClient, opens: Opens) -> None:
    watched = await offered(opens, box, admin, "Say when beds run out")
    await watched.page.locator("#hero").focus()
    await watched.page.keyboard.press("Tab")
    assert await watched.page.evaluate("document.activeElement.textContent") == "Yes, set this alert"
    await watched.page.keyboard.press("Tab")
    assert await watched.page.evaluate("document.activeElement.textContent") == "No"
    await watched.page.keyboard.press("Shift+Tab")
    await watched.page.keyboard.press("Enter")
    await watched.until("document.getElementById('sentence').textContent.startsWith('Done.')")
    assert await rules(admin) == 1


@pytest.mark.parametrize("name", sorted(SURFACES))
async def test_it_can_be_read_and_pressed(box: Box, admin: httpx.AsyncClient, opens: Opens, name: str) -> None:
    watched = await offered(opens, box, admin, f"Tell me on {name}", **SURFACES[name])
    await watched.page.wait_for_timeout(1500)  # what was just drawn has settled
    for button in await watched.page.locator(".confirm .choice").all():
        spot = await button.bounding_box()
        assert spot is not None and spot["height"] >= 60 and spot["width"] >= 100
    assert float((await watched.page.evaluate(FONT)).removesuffix("px")) >= 24
    for probe in (OVERFLOW, CUT_OFF, CONTRAST, UNNAMED):
        assert await watched.page.evaluate(probe) == []


async def test_what_runs_in_time_is_a_line(box: Box, admin: httpx.AsyncClient, opens: Opens, tmp_path: Path) -> None:
    told = await asked(admin, "Appointments per day", DAYS)
    assert told["view"]["kind"] == "line"
    days = [row["starts_at"] for row in told["rows"]]
    assert days == sorted(days)
    watched = await opens(box.url, f"/?key={box.key('admin')}")
    await watched.page.goto(f"{box.url}/s/main")  # the receiver alone; the page at / draws more
    await watched.answered("Appointments per day")
    path = await watched.page.evaluate("document.querySelector('#figure i').style.clipPath")
    assert path.count(",") == len(days) + 1 and "NaN" not in path
    ends = await watched.page.locator("#figure b").all_inner_texts()
    assert [end.rpartition(", ")[2] for end in ends] == [str(told["rows"][n]["count"]) for n in (0, -1)]
    await watched.page.wait_for_timeout(1500)  # what was just drawn has settled
    for probe in (OVERFLOW, CONTRAST):
        assert await watched.page.evaluate(probe) == []
    await watched.page.screenshot(path=tmp_path / "line.png")
