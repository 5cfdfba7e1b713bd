"""Browsers join: they show a code until the admin lets them in, and are gone when they are taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.box import Box, running_box
from tests.browser.conftest import Opens, Watched
from tests.browser.probes import CONTRAST, OVERFLOW, UNNAMED

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALL = {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CODE = "document.getElementById('code').textContent"
QUESTION = "Which patients are in intensive care?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    with running_box("--no-mdns", "--join", "approve") as box:
        yield box


async def code_of(screen: Watched) -> str:
    await screen.until(f"{CODE}.length === 7")
    return str(await screen.page.evaluate(CODE))


async def let_in(box: Box, code: str, **told: str) -> None:
    """Let the screen in that shows this code, as the console does."""
    path = f"/api/screens/codes/{code.replace('-', '')}"
    async with httpx.AsyncClient(base_url=box.url, headers=box.bearer("admin"), trust_env=False) as client:
        assert (await client.post(path, json=told)).status_code == 200


async def is_in(screen: Watched) -> None:
    """Wait until the page with the code has become the box's own, and is live."""
    await screen.page.locator("#q").wait_for(state="attached", timeout=15_000)
    await screen.live()


async def sound(page: Watched) -> None:
    for probe in (OVERFLOW, CONTRAST, UNNAMED):
        assert await page.page.evaluate(probe) == [], probe[:60]


async def test_from_a_code_on_a_wall_to_a_private_answer(box: Box, opens: Opens, pictures: Path) -> None:
    wall, phone = await opens(box.url, **WALL), await opens(box.url, **PHONE)
    codes = [await code_of(each) for each in (wall, phone)]
    for each in (wall, phone):
        await sound(each)
    await wall.page.screenshot(path=pictures / "join-wall.png")
    assert not await wall.page.context.cookies() or all(
        cookie["httpOnly"] for cookie in await wall.page.context.cookies()
    )

    await let_in(box, codes[0], name="Wall by the door", room="icu", role="wall")
    await let_in(box, codes[1], name="Nurse phone", room="icu", role="staff")
    await is_in(wall)
    await is_in(phone)

    await phone.ask(QUESTION)
    await phone.answered(QUESTION)
    await wall.until("document.body.textContent.includes('It is on Nurse phone.')")
    assert "intensive care" not in (await wall.page.locator("body").inner_text()).lower()

    async with httpx.AsyncClient(base_url=box.url, headers=box.bearer("admin"), trust_env=False) as client:
        [mine] = [
            each for each in (await client.get("/api/screens")).json()["screens"] if each["name"] == "Nurse phone"
        ]
        assert (await client.delete(f"/api/screens/{mine['id']}")).status_code == 200
    phone.problems.clear()
    await phone.page.locator("#code").wait_for(state="attached", timeout=20_000)
    phone.problems.clear()  # its tries to come back were refused, which the browser logs
    assert await code_of(phone) not in codes
