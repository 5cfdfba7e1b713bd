"""Screens: let in by code, named, moved with a way back, invited by ticket, taken out. Rooms and composed streams."""

from __future__ import annotations

import httpx
import pytest

from tests.box import Box
from tests.browser.conftest import Opens, Watched
from tests.browser.console.conftest import PHONE, WALL, Consoles

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = "document.getElementById('code').textContent"


async def code_of(screen: Watched) -> str:
    await screen.until(f"{CODE}.length === 7")
    return str(await screen.page.evaluate(CODE))


async def screen_of(api: httpx.AsyncClient, name: str) -> dict[str, object]:
    found: dict[str, object] = next(
        (each for each in (await api.get("/api/screens")).json()["screens"] if each["name"] == name), {}
    )
    return found


async def test_a_room_a_wall_let_in_by_code_and_moved_with_a_way_back(
    box: Box, api: httpx.AsyncClient, opens: Opens, console: Consoles
) -> None:
    page = await console("/admin/rooms")
    await page.press("New room")
    await page.fill("Name", "Intensive care")
    await page.press("Save")
    await page.sees("intensive-care · 0 screens")

    wall = await opens(box.url, **WALL)
    code = await code_of(wall)
    await page.page.locator(".side .count", has_text="One waits to be let in").wait_for()
    await page.page.get_by_role("link", name="Screens").click()
    await page.sees(code)
    await page.fill("Name", "Wall by the door")
    await page.choose("Room", "intensive-care")
    await page.press("Let in")
    await page.sees("Wall by the door is in.")
    await wall.page.locator("#q").wait_for(state="attached", timeout=15_000)
    await page.sees("1 of 1 is here now")
    assert (await screen_of(api, "Wall by the door"))["room"] == "intensive-care"

    await page.page.get_by_role("link", name="Wall by the door").last.click()
    await page.page.get_by_role("heading", level=1, name="Wall by the door").wait_for()
    await page.choose("Room", "")
    await page.fill("Name", "Lobby")
    await page.press("Save")
    await page.sees("Lobby was changed.")
    assert (await screen_of(api, "Lobby"))["room"] == ""
    await page.press("Undo")
    await page.page.get_by_role("heading", level=1, name="Wall by the door").wait_for()
    assert (await screen_of(api, "Wall by the door"))["room"] == "intensive-care"

    await page.page.get_by_role("main").get_by_role("button", name="Take it out").click()
    await page.press("Leave it")
    assert await screen_of(api, "Wall by the door")
    await page.opens_page("/admin/rooms", "Rooms")
    await page.press("Take Intensive care away")
    await page.page.locator("dialog").get_by_role("button", name="Take it away").click()
    await page.sees("The room Intensive care is gone.")
    assert (await screen_of(api, "Wall by the door"))["room"] == ""
    await page.press("Undo")
    await page.sees("intensive-care · one screen: Wall by the door")
    await page.page.get_by_role("link", name="Screens").click()
    await page.page.get_by_role("link", name="Wall by the door").last.click()
    await page.page.get_by_role("heading", level=1, name="Wall by the door").wait_for()

    out = page.page.locator("dialog").get_by_role("button", name="Take it out")
    await page.page.route("**/api/screens/*", lambda route: route.abort())
    await page.page.get_by_role("main").get_by_role("button", name="Take it out").click()
    await out.click()
    await page.sees("The box does not answer.")
    assert await page.page.get_by_text("Wall by the door is out.").count() == 0
    assert await screen_of(api, "Wall by the door")
    await page.until("document.activeElement.textContent === 'Take it out'")  # the focus is back where it was
    await page.page.unroute("**/api/screens/*")
    page.problems.clear()
    await page.page.get_by_role("main").get_by_role("button", name="Take it out").click()
    await out.click()
    await page.sees("Wall by the door is out.")
    assert not await screen_of(api, "Wall by the door")
    await wall.page.locator("#code").wait_for(state="attached", timeout=20_000)
    wall.problems.clear()  # its tries to come back were refused, which the browser logs
    page.problems[:] = [each for each in page.problems if "picture.png" not in each]  # asked for as the screen left
    await wall.page.close()


async def test_a_phone_scans_a_screens_code_and_lets_it_in_by_keyboard(
    box: Box, api: httpx.AsyncClient, opens: Opens, console: Consoles
) -> None:
    screen = await opens(box.url, viewport={"width": 1024, "height": 768})
    code = (await code_of(screen)).replace("-", "")
    phone = await console(f"/admin#join={code}", **PHONE)
    await phone.page.locator(".card.now").wait_for()
    assert phone.page.url.endswith(f"/admin/screens#join={code}")
    await phone.until("document.activeElement.matches('.card.now input')")
    await phone.page.keyboard.type("Desk")
    await phone.page.keyboard.press("Enter")
    await phone.sees("Desk is in.")
    assert (await screen_of(api, "Desk"))["role"] == "wall"

    refused = await opens(box.url, viewport={"width": 1024, "height": 768})
    card = phone.page.get_by_role("listitem").filter(has_text=await code_of(refused))
    await card.get_by_role("button", name="Refuse").click()
    await refused.until("document.getElementById('say').textContent.includes('was not let in')")
    refused.problems.clear()
    for each in (refused, screen):
        await each.page.close()


async def test_a_ticket_lets_screens_in_and_is_taken_back(
    box: Box, api: httpx.AsyncClient, opens: Opens, console: Consoles
) -> None:
    page = await console("/admin/screens/tickets")
    await page.fill("For how many screens", "3")
    await page.press("Make a ticket")
    await page.sees("A ticket for 3 screens")
    await page.page.get_by_text("Show the address").click()
    address = (await page.text(".code")).strip()
    joins = await opens(box.url, address.removeprefix(box.url))
    await joins.page.locator("#q").wait_for(state="attached", timeout=15_000)
    await page.page.evaluate("delete Navigator.prototype.clipboard")  # as on plain http
    await page.press("Copy the address")
    await page.sees("This browser does not let pages copy here.")
    await page.press("Take it back")
    await page.sees("The ticket was taken back.")
    assert not await page.page.locator(".qr").count()
    late = await opens(box.url, address.removeprefix(box.url))
    await late.until("document.body.innerText.includes('ticket')")
    assert len([each for each in (await api.get("/api/screens")).json()["screens"] if each["live"]]) == 1
    for each in (late, joins):
        each.problems.clear()
        await each.page.close()


async def test_a_stream_is_composed_and_taken_back(api: httpx.AsyncClient, console: Consoles) -> None:
    page = await console("/admin/rooms/streams")
    await page.press("New stream")
    await page.fill("Name", "lobby")
    await page.fill("Signals", "box.* alert.*")
    await page.press("Save")
    await page.sees("main: box.* alert.*")
    declared = {each["name"]: each for each in (await api.get("/api/streams")).json()["declared"]}
    assert declared["lobby"]["parts"][0]["signals"] == ["box.*", "alert.*"]
    await page.press("Take lobby back")
    await page.page.locator("dialog").get_by_role("button", name="Take it back").click()
    await page.until("!document.body.innerText.includes('main: box.* alert.*')")
    assert "lobby" not in [each["name"] for each in (await api.get("/api/streams")).json()["declared"]]
