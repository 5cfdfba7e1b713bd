"""What is unusual on the page: calmer than an alert, readable on every surface, its rows one press away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.box import running_box
from tests.browser.conftest import Opens
from tests.browser.probes import CONTRAST, CUT_OFF, HALF_ROWS, OVERFLOW, UNNAMED
from tests.integration.weeks import remember

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALL = {"viewport": {"width": 1920, "height": 1080}}
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
SURFACES: dict[str, tuple[str, dict[str, Any]]] = {
    "wall-light": ("/?surface=wall", WALL),
    "wall-dark": ("/?surface=wall", WALL | {"color_scheme": "dark"}),
    "phone-light": ("/", PHONE),
    "tablet-light": ("/", {"viewport": {"width": 1180, "height": 820}}),
    "tablet-dark": ("/", {"viewport": {"width": 1180, "height": 820}, "color_scheme": "dark"}),
}
ALERT = {
    "name": "Few", "collection": "beds", "aggregate": {"op": "count"}, "direction": "above", "threshold": 0,
    "message": "{value} beds are watched.", "audience": "wall",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door() -> AsyncIterator[httpx.AsyncClient]:
    """A box at about noon, in which 80 admissions came today, and an alert is active."""
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    with running_box("--no-mdns", "--timezone", zone) as box:
        headers = box.bearer("admin")
        async with httpx.AsyncClient(base_url=box.url, timeout=20, trust_env=False, headers=headers) as door:
            first = {"ward": "Cardiology", "fee": 10}
            assert (await door.post("/flex/admissions", json=first)).is_success
            shown = {"audience": "wall", "fields": ["ward", "fee"]}
            assert (await door.put("/api/collections/admissions", json=shown)).is_success
            await remember(box, "admissions")
            assert (await door.post("/api/alerts", json=ALERT)).is_success
            assert (await door.post("/flex/admissions", json=[first] * 80)).is_success
            yield door


@pytest.mark.parametrize("name", sorted(SURFACES))
async def test_it_fits_and_can_be_read(door: httpx.AsyncClient, opens: Opens, tmp_path: Path, name: str) -> None:
    path, options = SURFACES[name]
    if name.startswith("wall"):  # an alert takes all of a wall until somebody has seen it
        for event in (await door.get("/api/alerts/events?state=active")).json():
            assert (await door.post(f"/api/alerts/events/{event['id']}/acknowledge")).is_success
    watched = await opens(str(door.base_url).rstrip("/"), path, **options)
    if name.startswith("phone"):
        await watched.until("document.getElementById('others').textContent === 'and 1 more'", 15)
    else:
        await watched.page.locator("#alarms .odd").wait_for()
        assert await watched.page.evaluate("document.querySelector('#alarms').lastElementChild.className") == "odd "
        assert (await watched.text("#alarms .odd b")).startswith("Admissions today are ")
    await watched.page.wait_for_timeout(1500)  # what was just drawn has settled
    for probe in (OVERFLOW, CUT_OFF, HALF_ROWS, CONTRAST, UNNAMED):
        assert await watched.page.evaluate(probe) == []
    await watched.page.screenshot(path=tmp_path / f"{name}.png")


async def test_its_rows_are_shown_and_it_is_acknowledged_by_the_keyboard(door: httpx.AsyncClient, opens: Opens) -> None:
    watched = await opens(str(door.base_url).rstrip("/"))
    await watched.live()
    odd = watched.page.locator("#alarms .odd")
    await odd.get_by_role("button", name="Show rows").focus()
    await watched.page.keyboard.press("Enter")
    sentence = await watched.text("#alarms .odd b")
    await watched.answered(sentence, 15)
    await watched.until("document.querySelectorAll('#figure tbody tr').length > 79")
    await odd.get_by_role("button", name="Acknowledge").focus()
    await watched.page.keyboard.press("Enter")
    await watched.page.locator("#alarms .odd.seen").wait_for()
    assert await odd.get_by_role("button", name="Acknowledge").count() == 0
