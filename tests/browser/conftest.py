"""Chromium for the browser tests, and pages that are watched: what they log, throw and ask of other machines."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright
from playwright.async_api import Error as PlaywrightError

ROOT: Final = Path(__file__).resolve().parents[2]
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Watched:
    """A page of the box and what it did that it should not do.

    Attributes:
        page: the page.
        problems: console errors and warnings, exceptions, and requests to any place but the box.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.problems: list[str] = []
        self._url = url
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _logged(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            of = f" ({said.location['url']})" if said.text.startswith("Failed to load resource") else ""
            self.problems.append(f"{said.type}: {said.text}{of}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "blob:")):
            self.problems.append(f"a request to {request.url}")

    def text(self, selector: str) -> Awaitable[str]:
        """The text of the first such element."""
        return self.page.locator(selector).first.inner_text()

    async def until(self, script: str, timeout_s: float = 10) -> None:
        """Wait until a JavaScript expression is true. The page's policy forbids Playwright's own way, an eval."""
        until = time.monotonic() + timeout_s
        while not await self._is(script):
            if time.monotonic() > until:
                shown = await self.page.locator("body").inner_text()
                raise AssertionError(f"not so within {timeout_s:g} s: {script}\n{shown[:1500]}")
            await asyncio.sleep(0.03)

    async def _is(self, script: str) -> bool:
        try:
            return bool(await self.page.evaluate(script))
        except PlaywrightError as error:
            if "context was destroyed" in error.message:  # another page comes
                return False
            raise

    async def live(self) -> None:
        """Wait until the page is live and nothing is missing."""
        await self.until('document.getElementById("state")?.textContent === "Live"')

    async def ask(self, question: str) -> None:
        """Type a question and send it."""
        await self.page.locator("#q").fill(question)
        await self.page.keyboard.press("Enter")

    async def answered(self, question: str, timeout_s: float = 10) -> None:
        """Wait until the page shows a finished answer to this question, large."""
        asked, hero = "document.getElementById('question').textContent", "document.getElementById('hero').dataset.kind"
        await self.until(f"{asked} === {json.dumps(question)} && {hero} !== 'work'", timeout_s)


Opens = Callable[..., Awaitable[Watched]]


def chromium() -> str:
    """The browser's program."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium", pytrace=False)
    return found


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note of a test that it failed."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report


FAILED: Final = pytest.StashKey[bool]()
RESULTS: Final = ROOT / "test-results" / "browser"
"""Where the pages of a test that failed are kept, as they looked."""


@pytest_asyncio.fixture(loop_scope="module")
async def opens(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Opens]:
    """Opens pages of a box; at the end of the test none may have done what it should not."""
    opened: list[Watched] = []

    async def opens(url: str, path: str = "/", **options: Any) -> Watched:
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options)
        watched = Watched(await context.new_page(), url)
        opened.append(watched)
        await watched.page.goto(url + path)
        return watched

    yield opens
    problems = [problem for watched in opened for problem in watched.problems]
    for number, watched in enumerate(opened):
        if request.node.stash.get(FAILED, False) and not watched.page.is_closed():
            with suppress(PlaywrightError):
                await watched.page.screenshot(path=RESULTS / f"{request.node.name}-{number}.png", timeout=5000)
        await watched.page.context.close()
    assert problems == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: the documentation's folder when ``DREAMSTACK_SCREENSHOTS=1``."""
    return ROOT / "docs" / "images" if os.environ.get("DREAMSTACK_SCREENSHOTS") == "1" else tmp_path
