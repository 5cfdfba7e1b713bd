"""Push to talk: a voice at the browser's microphone, the box's words in the ask box, the answer on the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import async_playwright

from tests.box import Box, running_box
from tests.browser.axe import barriers
from tests.browser.conftest import ARGUMENTS, Watched, chromium
from tests.kiosk import Kiosk, kiosk_of
from tests.spoken import Spoken, noise, spoken

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLEAR = "How many beds are free in cardiology?"
UNCLEAR = "which doctor orders the most lab work"
IDLE = "!document.getElementById('ask').dataset.talk"


@asynccontextmanager
async def speaking(box: Box | Kiosk, said: Spoken, file: Path, **options: Any) -> AsyncIterator[Watched]:
    """The box's page in a browser whose microphone hears this over and over."""
    await asyncio.to_thread(file.write_bytes, said.wave())
    arguments = [*ARGUMENTS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={file}"]
    allowed = options.pop("allowed", True)
    arguments += ["--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options)
        watched = Watched(await context.new_page(), box.url)
        await watched.page.goto(box.url)
        await watched.live()
        await watched.page.locator("#talk").wait_for()
        yield watched
        await browser.close()
    assert watched.problems == []


async def heard(watched: Watched, words: str) -> None:
    """Wait until these words are asked. A machine's voice is not always sure enough: then it is asked by hand."""
    asked, waits = (f"/{words}/i.test(document.getElementById('{id}')" for id in ("question", "q"))
    await watched.until(f"{asked}.textContent) || {waits}.value)", 20)
    if await watched.page.evaluate(f"{waits}.value)"):
        await watched.page.locator("#q").press("Enter")
    await watched.until(f"{asked}.textContent)")


async def test_hold_speak_let_go_and_the_answer_is_there(box: Box, tmp_path: Path, pictures: Path) -> None:
    async with speaking(box, spoken(CLEAR).padded(0.2, 3.0), tmp_path / "said.wav") as watched:
        page = watched.page
        where = await page.locator("#talk").bounding_box()
        assert where is not None
        await page.mouse.move(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
        await page.mouse.down()
        await watched.until("document.getElementById('talk').ariaPressed === 'true'")
        assert await page.locator("#q").get_attribute("placeholder") == "Listening"
        await watched.until("parseFloat(document.getElementById('talk').style.getPropertyValue('--level')) > 0.2")
        await page.screenshot(path=pictures / "talk.png")
        await asyncio.sleep(2.9)
        await page.mouse.up()
        await heard(watched, "beds .*in cardiology")
        await watched.until("document.getElementById('hero').dataset.kind === 'number'")
        await watched.until(IDLE)
        assert await page.locator("#q").input_value() == ""


async def test_what_is_not_sure_waits_to_be_corrected(box: Box, tmp_path: Path, pictures: Path) -> None:
    async with speaking(box, spoken(UNCLEAR).padded(0.2, 3.0), tmp_path / "said.wav") as watched:
        page = watched.page
        before = await watched.text("#question")
        await page.locator("#talk").focus()
        await page.keyboard.press("Enter")
        await watched.until("document.getElementById('talk').ariaPressed === 'true'")
        # nobody presses again: it ends by itself once nothing is said
        await watched.until(f"{IDLE} && document.getElementById('q').value !== ''", 15)
        assert "doctor orders the most" in await page.locator("#q").input_value()
        assert await page.evaluate("document.activeElement.id") == "q"
        assert await watched.text("#heard") == "Is this what you said? Correct it, or ask."
        assert await watched.text("#question") == before
        await page.screenshot(path=pictures / "talk-unsure.png")
        assert await barriers(watched) == []
        await page.locator("#q").fill("How many beds are in cardiology?")
        assert await page.locator("#heard").is_hidden()
        await page.keyboard.press("Enter")
        await watched.answered("How many beds are in cardiology?")


async def test_silence_is_told_and_escape_takes_back(box: Box, tmp_path: Path) -> None:
    async with speaking(box, noise(5.0, 0.001), tmp_path / "said.wav") as watched:
        page = watched.page
        await page.locator("#talk").click()
        await watched.until("document.getElementById('talk').ariaPressed === 'true'")
        await asyncio.sleep(0.8)
        await page.locator("#talk").click()
        await watched.until(IDLE, 10)
        assert await watched.text("#heard") == "Nothing was heard. Speak nearer to the microphone, then let go."
        await page.locator("#talk").click()
        await watched.until("document.getElementById('talk').ariaPressed === 'true'")
        await page.keyboard.press("Escape")
        await watched.until(IDLE, 1)
        assert await page.locator("#heard").is_hidden()


async def test_a_microphone_that_is_not_allowed(box: Box, tmp_path: Path) -> None:
    async with speaking(box, noise(1.0), tmp_path / "said.wav", allowed=False) as watched:
        await watched.page.locator("#talk").click()
        await watched.until(f"{IDLE} && document.getElementById('heard').textContent !== ''", 5)
        assert await watched.text("#heard") == "The microphone is not allowed on this page."


async def test_on_a_phone_and_in_german(box: Box, tmp_path: Path, pictures: Path) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with speaking(box, spoken(CLEAR).padded(0.2, 3.0), tmp_path / "said.wav", **phone) as watched:
        await watched.page.evaluate("localStorage.setItem('screen.language', '\"de\"')")
        await watched.page.reload()
        await watched.live()
        await watched.until("document.getElementById('talk')?.ariaLabel === 'Frage sprechen'")
        size = await watched.page.locator("#talk").bounding_box()
        assert size is not None and min(size["width"], size["height"]) >= 44
        await watched.page.locator("#talk").tap()
        await watched.until("document.getElementById('q').placeholder === 'Ich höre zu'")
        await watched.page.screenshot(path=pictures / "talk-phone.png")
        await heard(watched, "beds .*in cardiology")


@pytest.fixture
def strict_box() -> Iterator[Box]:
    with running_box("--no-mdns", "--join", "approve") as box:
        yield box


async def test_at_a_kiosk_the_agent_sends_on_what_is_said(strict_box: Box, tmp_path: Path) -> None:
    box, place = strict_box, {"name": "Tablet in the hall", "role": "staff"}
    admin = httpx.AsyncClient(base_url=box.url, headers=box.bearer("admin"), trust_env=False, timeout=15)
    async with admin, kiosk_of(tmp_path / "kiosk", box.ticket()) as kiosk, asyncio.timeout(90):
        while (told := (await kiosk.get("/screen")).json())["state"] != "live":
            if told["code"]:
                await admin.post(f"/api/screens/codes/{told['code']}", json=place)
            await asyncio.sleep(0.2)
        said = spoken("How many beds are in cardiology?").padded(0.2, 3.0)
        async with speaking(kiosk, said, tmp_path / "said.wav") as watched:
            await watched.page.locator("#talk").click()
            await heard(watched, "beds are in cardiology")
            await watched.until("document.getElementById('hero').dataset.kind === 'number'")
        async with speaking(kiosk, noise(3.0), tmp_path / "said.wav") as watched:
            await watched.page.locator("#talk").click()
            await asyncio.sleep(0.8)
            await watched.page.locator("#talk").click()
            await watched.until("document.getElementById('heard').textContent.startsWith('Nothing was heard.')")
