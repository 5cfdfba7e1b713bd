"""Chromium and the box's own authority: who trusts it has a live page over wss; who does not is stopped."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Error, async_playwright

from tests.box import Box, running_box
from tests.browser.conftest import ARGUMENTS, Watched, chromium
from tests.browser.probes import CONTRAST

QUESTION = "How many beds are free in cardiology?"
SIZES = {"phone": (390, 844), "laptop": (1280, 800)}


@pytest.fixture(scope="module")
def lan() -> Iterator[Box]:
    with running_box("--lan", "--no-mdns") as box:
        yield box


def trust(home: Path, authority: Path) -> None:
    """What "import as an authority" does in Chromium's settings on Linux."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "box", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)


@asynccontextmanager
async def person(home: Path) -> AsyncIterator[BrowserContext]:
    """A browser of somebody with this home."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            home / "profile",
            executable_path=chromium(),
            args=ARGUMENTS,
            env={"HOME": str(home)},
            viewport={"width": 1280, "height": 800},
            locale="en-GB",
        )
        yield context
        await context.close()


async def test_who_trusts_the_authority_is_live_over_wss(lan: Box, tmp_path: Path) -> None:
    trust(tmp_path, lan.authority)
    async with person(tmp_path) as context:
        watched = Watched(await context.new_page(), lan.url)
        sockets: list[str] = []
        watched.page.on("websocket", lambda socket: sockets.append(socket.url))
        await watched.page.goto(f"{lan.url}/?key={lan.key('staff')}")
        await watched.live()
        assert [url.partition("?")[0] for url in sockets] == [f"wss://127.0.0.1:{lan.port}/ws"]
        assert await watched.page.evaluate("isSecureContext")
        [cookie] = await context.cookies()
        assert cookie["secure"] and cookie["httpOnly"]
        await watched.ask(QUESTION)
        await watched.answered(QUESTION)
        assert watched.problems == []


async def test_who_does_not_is_stopped_by_the_browser(lan: Box, tmp_path: Path) -> None:
    async with person(tmp_path) as context:
        page = await context.new_page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(lan.url)


async def test_the_way_from_the_trust_page_to_the_box(lan: Box, tmp_path: Path) -> None:
    trust(tmp_path, lan.authority)
    plain = f"http://127.0.0.1:{lan.port}"
    async with person(tmp_path) as context:
        page = await context.new_page()
        await page.goto(plain)
        assert await page.evaluate("document.cookie") == "" and await context.cookies() == []
        for path in ("/s/main", "/health", "/api/catalog"):
            answer = await page.request.get(plain + path)
            assert answer.status == 404 and (await answer.json())["code"] == "BRG417"
        await page.locator("a.go").click()
        await page.locator("summary").click()  # it has a key, and need not ask to join
        await page.locator("input[name=key]").fill(lan.key("staff"))
        await page.locator("button").click()
        watched = Watched(page, lan.url)
        await watched.live()
        assert page.url == f"{lan.url}/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_trust_page_is_readable(lan: Box, tmp_path: Path, pictures: Path, size: str, scheme: str) -> None:
    async with person(tmp_path) as context:
        watched = Watched(await context.new_page(), f"http://127.0.0.1:{lan.port}")
        width, height = SIZES[size]
        await watched.page.set_viewport_size({"width": width, "height": height})
        await watched.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await watched.page.goto(f"http://127.0.0.1:{lan.port}")
        assert await watched.page.evaluate("document.documentElement.scrollWidth") <= width
        await watched.page.locator("details:not([open]) summary").first.click()
        assert await watched.page.locator("details[open]").count() == 2
        await watched.page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert await watched.page.evaluate("document.documentElement.scrollWidth") <= width
        assert await watched.page.evaluate(CONTRAST) == []
        small = "[...document.querySelectorAll('a,summary')].filter(e => e.offsetHeight && e.offsetHeight < 36).length"
        assert await watched.page.evaluate(small) == 0, "fingers are large"
        await watched.page.goto(f"http://127.0.0.1:{lan.port}")
        if (size, scheme) == ("phone", "light"):
            await watched.page.screenshot(path=pictures / "trust-phone-light.png", full_page=False)
        assert watched.problems == []
