"""Alerts: declared, read back, fired, acknowledged on the console, paused and removed."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.console.conftest import Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_from_a_new_rule_to_an_acknowledged_alert(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/alerts/rules")
    await page.page.get_by_role("link", name="New alert").first.click()
    await page.choose("Collection", "beds")
    await page.press("Add a condition")
    await page.choose("Field", "status")
    await page.choose("Value", "free")
    await page.choose("For each", "ward")
    await page.fill("Threshold", "100")
    await page.fill("Name", "Beds are short")
    await page.fill("Message", "Only {value} beds are free in {ward}.")
    await page.press("Read it back")
    await page.sees("When the number of rows in beds where status is free per ward falls below 100.")
    assert (await api.get("/api/alerts")).json() == []
    await page.press("Set this alert")
    await page.sees("Beds are short watches from now on.")
    [rule] = (await api.get("/api/alerts")).json()
    assert rule["group"] == ["ward"] and rule["threshold"] == 100

    await page.opens_page("/admin/alerts?state=active", "Alerts")
    await page.page.get_by_role("button", name="Acknowledge: Only").first.wait_for()
    before = len(
        [each for each in (await api.get("/api/alerts/events?state=active")).json() if not each["acknowledged_at"]]
    )
    await page.page.get_by_role("button", name="Acknowledge: Only").first.click()
    await page.sees("seen by")
    left = [each for each in (await api.get("/api/alerts/events?state=active")).json() if not each["acknowledged_at"]]
    assert len(left) == before - 1
    await page.press("Acknowledge all")
    await page.until("![...document.querySelectorAll('button')].some(b => b.textContent === 'Acknowledge')")

    await page.opens_page("/admin/alerts/rules", "Alerts")
    await page.press("Pause Beds are short")
    await page.sees("paused")
    assert (await api.get(f"/api/alerts/{rule['id']}")).json()["enabled"] is False
    await page.press("Remove Beds are short")
    await page.page.locator("dialog").get_by_role("button", name="Remove it").click()
    await page.sees("Nothing is watched yet")
    assert (await api.get("/api/alerts")).json() == []
    await page.press("Undo")
    await page.sees("When the number of rows in beds")
    await page.sees("paused")  # as it was
    [again] = (await api.get("/api/alerts")).json()
    assert (again["name"], again["enabled"]) == ("Beds are short", False)
    assert (await api.delete(f"/api/alerts/{again['id']}")).status_code == 204


async def test_what_cannot_be_watched_is_a_sentence(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/alerts/new")
    await page.choose("Collection", "beds")
    await page.page.get_by_role("radio", name="A number in each row").check()
    await page.choose("of the field", "floor")
    await page.fill("Threshold", "1")
    await page.fill("Over again at", "0")
    await page.fill("Name", "Floors")
    await page.fill("Message", "{value}")
    await page.press("Read it back")
    await page.page.get_by_role("alert").first.wait_for()
    page.problems.clear()  # the browser logs the refusal
    assert (await api.get("/api/alerts")).json() == []
