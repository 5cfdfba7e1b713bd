"""A page that stays open while parts of its box are killed: it says what is missing and is live again by itself."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.box import Box, running_box
from tests.browser.conftest import Opens, Watched
from tests.browser.probes import WATCHING

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.alone]

BACK_S = 10.0
QUESTION = "How many beds are free in cardiology?"
BED = {"bed": "C-95", "ward": "Cardiology", "room": 299, "floor": 2, "kind": "standard", "status": "free"}
SAID = {
    "llm": "The model is restarting",
    "postgrest": "Rows cannot be read",
    "bridge": "The (box does not answer|bridge is restarting)",
    "gateway": "The box does not answer",
    "pgflex": "The data service is restarting",
    "postgres": "The (database does not answer|data service hears of no changes)",
}


@pytest.fixture(scope="module")
def hurt() -> Iterator[Box]:
    """The box that is hurt here."""
    with running_box("--no-mdns") as box:
        yield box


async def watch(box: Box, opens: Opens) -> Watched:
    """A page that shows a live answer and remembers every warning it has shown."""
    watched = await opens(box.url)
    await watched.live()
    await watched.ask(QUESTION)
    await watched.answered(QUESTION)
    await watched.page.evaluate(WATCHING)
    return watched


async def moves(box: Box, watched: Watched) -> None:
    """Check that a row that comes and goes moves the answer on the page."""
    number = 'Number(document.querySelector("#figure b").textContent)'
    async with httpx.AsyncClient(base_url=box.url, timeout=20, trust_env=False) as door:
        before = len((await door.get("/rest/beds?select=id&ward=eq.Cardiology&status=eq.free")).json())
        added = await door.post("/rest/beds", json=BED, headers={"Prefer": "return=representation"})
        assert added.status_code == 201, added.text
        await watched.until(f"{number} === {before + 1}", 5)
        await door.delete(f"/rest/beds?id=eq.{added.json()[0]['id']}")
        await watched.until(f"{number} === {before}", 5)


def forgive(watched: Watched) -> None:
    """While its box is away a browser logs that it cannot connect, nor ask what was recorded; no more is forgiven."""
    connects = r"WebSocket connection to"
    why = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|503"
    answers = rf"Failed to load resource: .*({why}).*/api/recordings\)$"
    away = re.compile(f"{connects}|{answers}")
    watched.problems[:] = [problem for problem in watched.problems if not away.search(problem)]


@pytest.mark.parametrize("name", SAID)
async def test_page_says_what_is_missing_and_comes_back(hurt: Box, opens: Opens, name: str) -> None:
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    watched = await watch(hurt, opens)
    began = time.monotonic()
    hurt.kill(name)
    await watched.until(f"window.warned.some((text) => /{SAID[name]}/.test(text))", 6)
    assert await watched.text("#question") == QUESTION, "what was on the page stays"
    await watched.live()
    assert time.monotonic() - began < BACK_S
    assert await watched.page.evaluate("window.stayed"), "it was not loaded anew"
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    if name == "gateway":
        shown = await watched.page.evaluate("window.seen")
        assert {(kind, question) for kind, question, *_ in shown} <= {("number", QUESTION)}, "it never left the page"
    await moves(hurt, watched)
    forgive(watched)


@pytest.mark.parametrize("name", ["llm", "bridge", "gateway"])
async def test_question_asked_meanwhile_is_answered(hurt: Box, opens: Opens, name: str) -> None:
    await asyncio.to_thread(hurt.wait_well, BACK_S)
    watched = await watch(hurt, opens)
    hurt.kill(name)
    question = "How many beds are occupied in cardiology?"
    await watched.ask(question)
    await watched.answered(question, BACK_S)
    assert "occupied" in await watched.text("#reading")
    forgive(watched)


async def test_page_shows_the_age_of_what_it_holds(opens: Opens) -> None:
    with running_box("--no-mdns") as box:
        watched = await watch(box, opens)
        shown = await watched.text("#sentence")
        await asyncio.to_thread(box.stop)
        await watched.until('document.getElementById("state").textContent === "Not connected"')
        await watched.until('/Shown as of .*, [3-9] s ago/.test(document.getElementById("news").textContent)')
        assert await watched.text("#sentence") == shown
        await asyncio.to_thread(box.start)
        await watched.live()
        await watched.answered(QUESTION)
        await moves(box, watched)
        forgive(watched)
