"""A person at a browser: opens the page, asks, and sees the answer change by itself."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.acceptance.conftest import COLLECTION, Place
from tests.browser.conftest import Watched, launched

QUESTION = "How many lighthouses are lit?"


async def test_asking_in_the_page(lighthouses: Place, results: Path) -> None:
    async with launched() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
        page = await context.new_page()
        watched = Watched(page, lighthouses.url)
        await page.goto(f"{lighthouses.url}/?key={lighthouses.key}")
        await watched.live()
        await watched.ask(QUESTION)
        await watched.answered(QUESTION, 60)
        await watched.until("document.getElementById('hero').innerText.includes('3 lighthouses are lit')")
        async with httpx.AsyncClient(verify=lighthouses.verify, trust_env=False) as client:
            bearer = {"Authorization": f"Bearer {lighthouses.key}"}
            path = f"{lighthouses.url}/rest/{COLLECTION}?name=eq.Gull Head"
            (await client.patch(path, json={"status": "lit"}, headers=bearer)).raise_for_status()
        await watched.until("document.getElementById('hero').innerText.includes('4 lighthouses are lit')", 30)
        await page.screenshot(path=results / "page.png")
        shown = json.dumps(await page.locator("#hero").inner_text())
        assert "lighthouses" in shown.lower()
        assert watched.problems == []
