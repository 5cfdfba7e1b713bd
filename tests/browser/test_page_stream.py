"""The page of a stream shows that stream; one with a viewer of its own is shown by that."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.box import Box
from tests.browser.conftest import Opens
from tests.source import writing

pytestmark = pytest.mark.asyncio(loop_scope="module")
VIEWER = b"""<!doctype html><meta charset="utf-8"><title>Lamp</title><link rel="icon" href="data:,">
<style>p { color: rgb(1, 2, 3) }</style><p id="p">off</p>
<script>document.getElementById("p").textContent = "on"</script><script src="http://elsewhere.example/x.js"></script>"""


async def served(door: httpx.AsyncClient, page: bytes) -> None:
    """Wait until the page of the lamp's stream is this one."""
    for _ in range(100):
        if (await door.get("/s/lamp")).content == page:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("another page is served")


async def test_the_page_of_another_stream_shows_that_stream(box: Box, opens: Opens) -> None:
    async with writing(box, "Ward 3") as source:
        await source.signals({"box.facility": "The third ward", "box.name": "Box"})
        watched = await opens(box.url, "/s/Ward%203")
        await watched.until("document.getElementById('facility').textContent === 'The third ward'")
        await watched.live()
        await source.signals({"box.facility": "Ward three", "box.name": "Box"})
        await watched.until("document.getElementById('facility').textContent === 'Ward three'")
    main = await opens(box.url, "/s/main")
    await main.until("document.getElementById('facility').textContent.startsWith('St. Brigid')")


async def test_a_stream_with_a_viewer_of_its_own_is_shown_by_it(box: Box, opens: Opens) -> None:
    async with writing(box, "lamp") as source, httpx.AsyncClient(base_url=box.url, trust_env=False) as door:
        await source.viewer(VIEWER)
        await served(door, VIEWER)
        watched = await opens(box.url, "/s/lamp")
        await watched.until("document.getElementById('p').textContent === 'on'")
        assert await watched.page.evaluate("getComputedStyle(document.getElementById('p')).color") == "rgb(1, 2, 3)"
        assert any("Content Security Policy" in problem for problem in watched.problems), "nothing else may run"
        watched.problems.clear()
        await source.viewer(b"")
        await served(door, (await door.get("/")).content)
