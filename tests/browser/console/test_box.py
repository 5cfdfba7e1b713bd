"""The box itself: a backup made, tried and deleted; settings changed; logs searched; how each part is."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Route

from tests.browser.console.conftest import Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_backup_is_made_tried_out_and_deleted(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/backups")
    await page.sees("No backup yet")
    await page.press("Make a backup")
    await page.fill("Passphrase (as you like)", "a word")
    await page.fill("The passphrase again", "another")
    await page.press("Make it")
    await page.page.locator("dialog [role=alert]").first.wait_for()
    await page.fill("The passphrase again", "a word")
    await page.press("Make it")
    await page.sees("All work is done", 120)
    [backup] = (await api.get("/api/admin/backups")).json()["backups"]
    assert backup["sealed"] and backup["bytes"] > 10_000
    await page.press(f"Try {backup['name']} out")
    await page.fill("Its passphrase", "a word")
    await page.press("Try it out")
    await page.sees("it can be restored", 120)
    await page.page.get_by_role("row", name="patients 600 600").wait_for()
    await page.press(f"Delete {backup['name']}")
    await page.page.locator("dialog").get_by_role("button", name="Delete it").click()
    await page.sees("No backup yet")
    assert (await api.get("/api/admin/backups")).json()["backups"] == []


async def test_what_the_house_is_called_changes_at_once(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/settings")
    await page.fill("Facility", "Harbour Clinic")
    await page.press("Save")
    await page.sees("Saved. It holds from now on.")
    assert (await api.get("/api/session")).json()["facility"] == "Harbour Clinic"
    told = {each["name"]: each for each in (await api.get("/api/admin/settings")).json()["settings"]}
    assert told["facility"]["origin"] == "console"
    await page.fill("Days that questions are kept", "")
    await page.press("Save")
    assert await page.page.evaluate("document.activeElement.validity.valueMissing")
    told = {each["name"]: each for each in (await api.get("/api/admin/settings")).json()["settings"]}
    assert told["questions_days"]["value"] > 0
    assert await page.page.get_by_label("How screens come in").is_disabled()  # it came from the command line
    assert (await api.patch("/api/admin/settings", json={"facility": "St. Brigid Hospital (demo)"})).status_code == 200


async def test_the_log_is_searched_and_kept_in_the_address(console: Consoles) -> None:
    page = await console("/admin/about")

    async def in_short_pages(route: Route) -> None:
        await route.continue_(url=route.request.url.replace("limit=200", "limit=20"))

    await page.page.route("**/api/admin/logs?*", in_short_pages)
    await page.opens_page("/admin/logs", "Logs")
    await page.page.locator(".log li").first.wait_for()
    lines = "document.querySelectorAll('.log li').length"
    first = await page.page.evaluate(lines)
    await page.press("Show earlier ones")
    await page.until(f"{lines} > {first}")
    oldest = await page.page.evaluate("window.oldest = document.querySelector('.log li:last-child').textContent")
    await page.press("Look again")
    await page.until("document.querySelector('.log li:last-child')?.textContent !== window.oldest")
    assert oldest  # it is gone: it went on from lines that are not the first any more
    await page.page.unroute("**/api/admin/logs?*")
    await page.page.get_by_label("Part", exact=True).select_option("bridge")
    await page.until(
        "[...document.querySelectorAll('.log li span:nth-child(2)')].every(each => each.textContent === 'bridge')"
    )
    await page.page.get_by_label("Find in the log").press_sequentially("Iroh", delay=120)
    await page.until("location.search.includes('q=Iroh')")
    await page.until("[...document.querySelectorAll('.log li')].every(each => /iroh/i.test(each.textContent))")


async def test_each_part_tells_how_it_is(console: Consoles) -> None:
    page = await console("/admin/health")
    for part in ("database", "data service", "REST", "model", "bridge", "disk"):
        await page.page.get_by_role("listitem").filter(has_text=part).first.wait_for()
    await page.opens_page("/admin/models", "Models")
    await page.sees("tokens per second")
    await page.opens_page("/admin/about", "About")
    await page.sees("PostgreSQL")
    await page.opens_page("/admin/updates", "Updates")
    await page.sees("This machine was not installed from an image.")
