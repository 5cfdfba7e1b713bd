"""The console in Chromium: a box for each file of tests, pages that are signed in, and axe."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page

from tests.box import Box, running_box
from tests.browser.conftest import ROOT, Opens, Watched

AXE: Final = ROOT / "tests" / "integration" / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WALL: Final[dict[str, Any]] = {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}
TABLET: Final[dict[str, Any]] = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Console(Watched):
    """A page of the console, and what a person does on it."""

    def __init__(self, watched: Watched, box: Box) -> None:
        self.__dict__ = watched.__dict__
        self.box = box

    def button(self, name: str, exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    async def press(self, name: str, exact: bool = True) -> None:
        await self.button(name, exact).first.click()

    async def fill(self, label: str, value: str) -> None:
        await self.page.get_by_label(label, exact=True).first.fill(value)

    async def choose(self, label: str, value: str) -> None:
        await self.page.get_by_label(label, exact=True).first.select_option(value)

    async def sees(self, text: str, timeout_s: float = 30) -> None:
        await self.page.get_by_text(text).first.wait_for(timeout=timeout_s * 1000)

    async def until(self, script: str, timeout_s: float = 30) -> None:
        await super().until(script, timeout_s)

    async def opens_page(self, path: str, title: str) -> None:
        """Go to another page of the console as its links do, and wait for its title."""
        await self.page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
        )
        await self.page.get_by_role("heading", level=1, name=title, exact=True).wait_for()

    async def settled(self) -> None:
        """Wait until nothing is being loaded any more."""
        await self.until("!document.querySelector('.bones, [aria-busy]')")

    def forgive(self, status: int) -> None:
        """Forget that the browser logged requests which were answered so, as the test meant them to be."""
        self.problems[:] = [problem for problem in self.problems if f"status of {status}" not in problem]

    async def sound(self, rules: Sequence[str] = RULES) -> list[str]:
        """What axe finds wrong with the page, and what reaches over its edge."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(f"axe.run(document, {{ runOnly: {json.dumps(rules)} }})")
        told = [
            f"{each['id']}: {each['help']} at {[node['target'] for node in each['nodes']][:3]}"
            for each in found["violations"]
        ]
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return told + ([f"{wide} px reach over the edge"] if wide > 0 else [])


Consoles = Callable[..., Awaitable[Console]]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box("--no-mdns", "--join", "approve") as box:
        yield box


@pytest_asyncio.fixture(loop_scope="module")
async def api(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    """The box's API as the admin."""
    async with httpx.AsyncClient(base_url=box.url, headers=box.bearer("admin"), trust_env=False, timeout=20) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def console(box: Box, opens: Opens) -> Consoles:
    """Opens a page of the console, signed in."""

    async def console(path: str = "/admin", **options: Any) -> Console:
        watched = await opens(box.url, f"/admin?key={box.key('admin')}", **{"reduced_motion": "reduce"} | options)
        page: Page = watched.page
        if path != "/admin":
            await page.goto(box.url + path)
        await page.locator("h1").wait_for()
        return Console(watched, box)

    return console


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A CSV as somebody has it."""
    file = tmp_path / "Tools 2026.csv"
    file.write_text(
        "Tool,Bought on,Price (EUR),Lent,Hours,Spare\n"
        "Lathe,2019-04-02,4200,yes,10,2\nTorque wrench,2020-06-01,119.90,no,3,1\nSaw,2021-01-15,80,no,7,4\n"
    )
    return file
