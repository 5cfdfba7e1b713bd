"""Cells of a table, edited as people do it: by their type, taken back, against others who write, and not on walls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.box import Box
from tests.browser.conftest import Opens
from tests.browser.test_full import CLEANING, FREE, asked, said
from tests.browser.test_full_barriers import TABLET, ready
from tests.browser.test_page import BED, call

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_cell_is_edited_comes_back_live_and_is_taken_back(box: Box, opens: Opens) -> None:
    bed = (await call(box, "POST", "/rest/beds", BED | {"bed": "C-95", "status": "cleaning"}))[0]["id"]
    one, other = await opens(box.url, **TABLET), await opens(box.url, **TABLET)
    try:
        for watched in (one, other):
            await ready(watched)
            await asked(watched, CLEANING)
        cell = one.page.locator("#figure tr", has_text="C-95").locator("td", has_text="299")
        await one.until("document.querySelectorAll('#figure td.may').length > 5")
        await cell.dblclick()
        await one.page.keyboard.type("nonsense")
        await one.page.keyboard.press("Enter")
        await said(one, "is no number")
        await one.page.locator("#figure tr", has_text="C-95").locator("td").nth(3).focus()
        await one.page.keyboard.press("Enter")
        await one.page.keyboard.type("288")
        await one.page.keyboard.press("Enter")
        await said(one, "299 is now 288")
        await other.page.locator("#figure tr", has_text="C-95").locator("td", has_text="288").wait_for()
        assert (await call(box, "GET", f"/rest/beds?id=eq.{bed}"))[0]["room"] == 288
        await one.page.locator("#toast button").click()
        await other.page.locator("#figure tr", has_text="C-95").locator("td", has_text="299").wait_for()
        assert (await call(box, "GET", f"/rest/beds?id=eq.{bed}"))[0]["room"] == 299
    finally:
        await call(box, "DELETE", f"/rest/beds?id=eq.{bed}")


async def test_dates_numbers_and_yes_or_no_are_entered_as_what_they_are(box: Box, opens: Opens) -> None:
    visit = {"visit": "V-1", "due_on": "2026-12-01", "due_at": "2026-12-01T09:00:00Z", "paid": False, "fee": 12.5}
    await call(box, "POST", "/flex/visits", [visit, visit | {"visit": "V-2"}])
    watched = await opens(box.url, **TABLET, timezone_id="America/New_York")
    await ready(watched)
    await asked(watched, "Show all visits")
    await watched.until("document.querySelectorAll('#figure td.may').length > 5")
    heads = [head.lower() for head in await watched.page.locator("#figure th").all_inner_texts()]

    async def enter(label: str, value: str, key: str = "Enter") -> None:
        at = next(n for n, head in enumerate(heads) if head.startswith(label))
        cell = watched.page.locator("#figure tbody tr", has_text="V-1").locator("td").nth(at)
        await cell.dblclick()
        field = cell.locator("input, select")
        if await field.evaluate("it => it.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
        await field.press(key)

    async def stored(name: str) -> Any:
        return (await call(box, "GET", "/rest/visits?visit=eq.V-1"))[0][name]

    zone = str(await watched.page.evaluate("window.receiver.zone()"))
    assert zone.endswith("UTC")
    assert (await watched.text("#figure tbody tr >> text=/09:00/")).endswith("09:00"), "it is the facility's clock"
    await enter("due at", "2026-12-01T10:30")
    await said(watched, "10:30")
    assert str(await stored("due_at")).startswith("2026-12-01T10:30:00")
    await enter("due on", "2026-12-24")
    await said(watched, "is now")
    assert await stored("due_on") == "2026-12-24"
    await enter("paid", "true")
    await said(watched, "is now yes")
    assert await stored("paid") is True
    await enter("fee", "1.500,25")
    await said(watched, "is now 1500.25")
    assert await stored("fee") == 1500.25
    await enter("fee", "many")
    await said(watched, "is no number")
    field = watched.page.locator("#figure [aria-invalid=true]")
    assert await field.input_value() == "many", "it can be mended"
    await field.fill("12,75")
    await call(box, "DELETE", "/rest/visits?visit=eq.V-2")
    await watched.until("document.querySelectorAll('#figure tbody tr').length === 1")
    await call(box, "POST", "/api/ask", {"question": FREE})
    await watched.until(f"document.querySelector('.card h3')?.textContent === {json.dumps(FREE)}")
    assert await field.evaluate("it => it === document.activeElement"), "neither rows nor answers disturb it"
    await field.press("Enter")
    await said(watched, "is now 12.75")


async def test_what_somebody_else_changed_is_not_overwritten(box: Box, opens: Opens) -> None:
    bed = (await call(box, "POST", "/rest/beds", BED | {"bed": "C-94", "status": "cleaning"}))[0]["id"]
    watched = await opens(box.url, **TABLET)
    try:
        await ready(watched)
        await asked(watched, CLEANING)
        await watched.until("document.querySelectorAll('#figure td.may').length > 5")
        cell = watched.page.locator("#figure tr", has_text="C-94").locator("td").nth(3)
        await cell.dblclick()
        await call(box, "PATCH", f"/rest/beds?id=eq.{bed}", {"room": 277})
        await watched.page.keyboard.type("266")
        await watched.page.keyboard.press("Enter")
        await said(watched, "somebody else has changed it")
        assert await watched.page.locator("#figure [aria-invalid=true]").input_value() == "266", "it can be sent again"
        assert (await call(box, "GET", f"/rest/beds?id=eq.{bed}"))[0]["room"] == 277
    finally:
        await call(box, "DELETE", f"/rest/beds?id=eq.{bed}")


async def test_a_wall_edits_nothing(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, f"/?key={box.key('wall')}", **TABLET)
    await watched.live()
    await asked(watched, CLEANING)
    await watched.page.wait_for_timeout(500)
    assert await watched.page.locator("#figure td.may").count() == 0
    assert not await watched.page.locator("#pin").is_visible()
