"""Every page: without a fault, by axe's rules in light and dark, within its width on phones, tablets and desks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Route

from tests.box import Box
from tests.browser.conftest import Opens
from tests.browser.console.conftest import PHONE, WALL, Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = {
    "": "St. Brigid Hospital (demo)",
    "/screens": "Screens",
    "/screens/tickets": "Add screens",
    "/rooms": "Rooms",
    "/rooms/streams": "Rooms",
    "/alerts": "Alerts",
    "/alerts/rules": "Alerts",
    "/alerts/new": "New alert",
    "/collections": "Collections",
    "/collections/patients": "patients",
    "/collections/patients/fields": "patients",
    "/collections/patients/relations": "patients",
    "/questions": "Questions",
    "/models": "Models",
    "/roles": "Roles and policies",
    "/roles/see": "Roles and policies",
    "/roles/tokens": "Roles and policies",
    "/roles/staff": "Staff",
    "/accounts": "Accounts",
    "/audit": "Audit",
    "/health": "Health",
    "/backups": "Backups",
    "/updates": "Updates",
    "/logs": "Logs",
    "/settings": "Settings",
    "/about": "About",
    "/import": "Import a file",
    "/nowhere": "There is nothing here",
}
SMALL = """() => [...document.querySelectorAll('button, a.btn, a.to, .check, .in, select, summary')].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width && each.matches('.btn, a.to, .check, .in') && box.height < 43.5;
}).map(each => each.outerHTML.slice(0, 120))"""


async def test_every_page_is_sound(console: Consoles) -> None:
    page = await console()
    wrong: dict[str, list[str]] = {}
    for path, title in PAGES.items():
        await page.opens_page("/admin" + path, title)
        await page.settled()
        found = await page.sound()
        found += [f"small: {each}" for each in await page.page.evaluate(SMALL)]
        found += [f"fault: {each}" for each in await page.page.locator("main [role=alert]").all_inner_texts()]
        await page.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        found += [f"dark: {each}" for each in await page.sound(["color-contrast"])]  # all that the dark changes
        for width in (820, 390):
            await page.page.set_viewport_size({"width": width, "height": 844})
            wide = await page.page.evaluate("document.documentElement.scrollWidth")
            found += [f"{wide} px wide at {width}"] * (wide > width)
        await page.page.set_viewport_size({"width": 1280, "height": 800})
        await page.page.evaluate("document.documentElement.dataset.theme = 'light'")
        if found:
            wrong[path] = found
    assert wrong == {}


async def test_by_keyboard_from_the_menu_to_a_page_and_back(console: Consoles) -> None:
    page = await console(**PHONE)
    await page.page.keyboard.press("Tab")
    assert await page.page.evaluate("document.activeElement.textContent") == "To the page"
    await page.page.keyboard.press("Tab")
    await page.page.keyboard.press("Enter")
    await page.until("document.querySelector('.side.open')")
    assert await page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await page.page.get_by_role("link", name="Rooms").focus()
    await page.page.keyboard.press("Enter")
    await page.page.get_by_role("heading", level=1, name="Rooms").wait_for()
    await page.until("document.activeElement.tagName === 'H1' && !document.querySelector('.side.open')")
    assert await page.page.title() == "Rooms · St. Brigid Hospital (demo)"
    await page.page.go_back()
    await page.page.get_by_role("heading", level=1, name="St. Brigid Hospital (demo)").wait_for()


async def test_a_page_that_comes_late_does_not_take_the_place_of_the_open_one(console: Consoles) -> None:
    page, goes = await console("/admin/about"), asyncio.Event()

    async def late(route: Route) -> None:
        await goes.wait()
        await route.continue_()

    await page.page.route("**/pages/tickets.mjs", late)
    await page.page.evaluate(
        "history.pushState(null, '', '/admin/screens/tickets'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    await page.opens_page("/admin/updates", "Updates")
    async with page.page.expect_response("**/pages/tickets.mjs"):
        goes.set()
    await asyncio.sleep(0.5)
    assert await page.page.get_by_role("heading", level=1).all_inner_texts() == ["Updates"]


async def test_the_switch_of_light_and_dark_is_kept(console: Consoles) -> None:
    page = await console("/admin/about", color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert await page.page.evaluate(ground) == "rgb(9, 17, 16)"
    await page.press("Light or dark")
    assert await page.page.evaluate(ground) == "rgb(241, 244, 242)"
    await page.page.reload()
    await page.page.locator("h1").wait_for()
    assert await page.page.evaluate(ground) == "rgb(241, 244, 242)"


async def test_pictures_for_the_documentation(
    box: Box, api: httpx.AsyncClient, opens: Opens, console: Consoles, pictures: Path
) -> None:
    walls = [await opens(box.url, **WALL), await opens(box.url, **PHONE)]
    await api.put("/api/rooms/icu", json={"label": "Intensive care"})
    for wall, (name, role) in zip(walls, (("Wall by the door", "wall"), ("Nurses' phone", "staff")), strict=True):
        await wall.until("document.getElementById('code').textContent.length === 7")
        code = str(await wall.page.evaluate("document.getElementById('code').textContent")).replace("-", "")
        told = {"name": name, "room": "icu", "role": role}
        assert (await api.post(f"/api/screens/codes/{code}", json=told)).status_code == 200
        await wall.page.locator("#q").wait_for(state="attached", timeout=15_000)
    for question in (
        "How many beds are free?",
        "How many beds are free per ward?",
        "Which devices are in maintenance?",
    ):
        await api.post("/api/ask", json={"question": question})
    waits = await opens(box.url, **WALL)
    await waits.until("document.getElementById('code').textContent.length === 7")
    page = await console("/admin/screens", viewport={"width": 1280, "height": 860})
    await page.until("document.querySelectorAll('.pic img').length === 2", 20)
    await asyncio.sleep(0.5)
    await page.page.screenshot(path=pictures / "console-light.png")
    await page.opens_page("/admin", "St. Brigid Hospital (demo)")
    await page.until("document.querySelectorAll('.pic img').length === 2", 20)
    await page.page.screenshot(path=pictures / "console-overview.png")
    await page.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    await page.opens_page("/admin/roles/see?role=wall&collection=beds", "Roles and policies")
    await page.until("document.querySelector('.pic img') && document.querySelector('tbody tr')", 20)
    await page.page.screenshot(path=pictures / "console-see-dark.png")
    phone = await console("/admin/screens", **PHONE)
    await phone.until("document.querySelector('.knock')")
    await phone.page.screenshot(path=pictures / "console-phone.png")
    for each in (*walls, waits):
        each.problems.clear()
        await each.page.close()
