"""What a person sees: the same two times in a browser, until the text is painted.

Two pages are open in headless Chromium. A question is typed on one; ``recorder.js`` notes when the other's hero
shows it, and when its sentence stands there. Then rows are committed, and the hero's big number changes. The
clocks of pages and database are brought together by asking each page for its time from this process.

The baseline is a screen without a picture, which hears the same signals in the same run: what the page takes
on top of that is its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.ask import by_screen
from benchmarks.box import Box, running_box
from benchmarks.change import QUESTION, about_beds
from benchmarks.questions import mixed
from benchmarks.report import Measure, Ratio, Result, split
from benchmarks.screen import Screen, connected

WARM_UP = 3
FEWEST_ASKED = 50
CLOCK_TRIES = 40
BEAT_S = (0.2, 0.3)
"""Between two changes: at no fixed beat, so that nothing can fall into step with the frames of the page."""
RECORDER = Path(__file__).with_name("recorder.js")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Window:
    """A page and its clock.

    Attributes:
        error_s: how far its times may be off against this process.
    """

    def __init__(self, page: Page, offset: float, error_s: float) -> None:
        self.page, self._offset, self.error_s = page, offset, error_s

    def at(self, page_ms: float) -> float:
        """A time of the page on the clock of ``time.perf_counter``."""
        return page_ms / 1000 + self._offset

    async def mark(self) -> int:
        """How many looks the recorder has taken."""
        return int(await self.page.evaluate("bench.seen.length"))

    async def until(self, mark: int, **wanted: Any) -> Shown:
        """The first look after `mark` that shows what is wanted."""
        found = await self.page.evaluate("([from, wanted]) => bench.until(from, wanted)", [mark, wanted])
        return Shown(self.at(found["changed"]), self.at(found["painted"]))


class Shown(msgspec.Struct, frozen=True):
    """When a page had something in its document, and when that was painted, as seconds."""

    changed: float
    painted: float


class Asked(msgspec.Struct, frozen=True):
    """One question, in milliseconds from its submission."""

    own_question: float
    question: float
    sentence: float
    own_sentence: float


class Changed(msgspec.Struct, frozen=True):
    """One change, in milliseconds from its commit."""

    signal: float
    document: float
    painted: float


async def run(count: int) -> Result:
    """Measure `count` changes, and a quarter as many questions but at least 50 (all, when fewer are wanted)."""
    asked_count = min(count, max(FEWEST_ASKED, count // 4))
    async with (
        running_box() as box,
        browser() as chromium,
        connected(box.url) as screen,
        await box.database() as database,
    ):
        asker, watcher = await _open(chromium, box), await _open(chromium, box)
        asked = await _questions(asker, watcher, asked_count)
        bare = await _by_sockets(box, screen, asked_count)
        await asker.page.close()
        changed = await _changes(box, watcher, screen, database, count)
        notes = _notes(max(asker.error_s, watcher.error_s), len(about_beds(screen.values)))
    return _result(asked, bare, changed, notes)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium, the system's own."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        raise RuntimeError("there is no Chromium here; on Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        # Chromium's sandbox does not work for root; the page it opens is our own.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = await playwright.chromium.launch(executable_path=program, args=args)
        try:
            yield started
        finally:
            await started.close()


async def _open(browser: Browser, box: Box) -> Window:
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.add_init_script(path=RECORDER)
    await page.goto(box.url)
    await page.locator("#state.live").wait_for()
    return await _with_clock(page)


async def _with_clock(page: Page) -> Window:
    """The quickest of many round trips tells the page's clock best; half of it is the error."""
    best = (float("inf"), 0.0)
    for _ in range(CLOCK_TRIES):
        before = time.perf_counter()
        there = float(await page.evaluate("performance.now()"))
        after = time.perf_counter()
        best = min(best, (after - before, (before + after) / 2 - there / 1000))
    return Window(page, best[1], best[0] / 2)


async def _questions(asker: Window, watcher: Window, count: int) -> list[Asked]:
    questions = mixed(WARM_UP + count)
    return [await _ask(question, asker, watcher) for question in questions][WARM_UP:]


async def _ask(question: str, asker: Window, watcher: Window) -> Asked:
    marks = await asker.mark(), await watcher.mark()
    await asker.page.fill("#q", question)
    await asker.page.press("#q", "Enter")
    seen = await asyncio.gather(
        asker.until(marks[0], question=question),
        watcher.until(marks[1], question=question),
        watcher.until(marks[1], question=question, stage="done"),
        asker.until(marks[0], question=question, stage="done"),
    )
    began = asker.at(await asker.page.evaluate("bench.submitted"))
    return Asked(*((shown.painted - began) * 1000 for shown in seen))


async def _by_sockets(box: Box, watcher: Screen, count: int) -> list[tuple[float, float]]:
    """The same questions without a browser, while both pages are still open."""
    found = []
    async with connected(box.url) as asker:
        for question in mixed(count):
            found.append(await by_screen(question, asker, watcher))
            asker.forget()
            watcher.forget()
    return found


async def _changes(
    box: Box, watcher: Window, screen: Screen, database: psycopg.AsyncConnection, count: int
) -> list[Changed]:
    async with httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=60) as client:
        bed = (await client.get("/rest/beds?select=id&status=eq.free&limit=1")).raise_for_status().json()[0]["id"]
        mark = await watcher.mark()
        answer = (await client.post("/api/ask", json={"question": QUESTION})).raise_for_status().json()
    free = int(answer["view"]["value"])
    await watcher.until(mark, question=QUESTION, stage="done")
    found = []
    for turn in range(WARM_UP + count):
        status, number = ("occupied", free - 1) if turn % 2 == 0 else ("free", free)
        await asyncio.sleep(random.uniform(*BEAT_S))
        screen.forget()
        mark = await watcher.mark()
        await database.execute("update api.beds set status = %s where id = %s", (status, bed))
        committed = time.perf_counter()
        shown = await watcher.until(mark, number=str(number))
        heard = await screen.until(lambda values: f"answer.{answer['id']}.rows" in values)
        times = (heard.at, shown.changed, shown.painted)
        found.append(Changed(*((at - committed) * 1000 for at in times)))
    return found[WARM_UP:]


def _result(
    asked: list[Asked], bare: list[tuple[float, float]], changed: list[Changed], notes: tuple[str, ...]
) -> Result:
    sentence = Measure("submitted -> sentence painted on the other page", _ms(asked, "sentence"))
    socket = Measure("the same questions -> answer at a bare socket", tuple(done for _, done in bare))
    painted = Measure("commit -> big number painted", _ms(changed, "painted"))
    signal = Measure("the same commits -> signal at a bare socket", _ms(changed, "signal"))
    draws = [change.document - change.signal for change in changed]
    return Result(
        "page",
        "what is seen in a browser",
        (
            Measure("submitted -> question painted on its own page", _ms(asked, "own_question")),
            Measure("submitted -> question painted on the other page", _ms(asked, "question")),
            sentence,
            Measure("submitted -> sentence painted on its own page", _ms(asked, "own_sentence")),
            Measure("the same questions -> first signal at a bare socket", tuple(first for first, _ in bare)),
            socket,
            Measure("commit -> big number changed in the document", _ms(changed, "document")),
            painted, signal,
        ),
        (Ratio(sentence, socket), Ratio(painted, signal)),
        (
            split("commit -> big number painted", painted.samples,
                  {"commit -> signal": signal.samples, "signal -> document": draws}, "document -> painted"),
        ),
        notes,
    )  # fmt: skip


def _notes(error_s: float, live: int) -> tuple[str, ...]:
    return (
        "Headless Chromium without a GPU, 1280 x 800; two pages for the questions, one for the changes.",
        f"The clocks of pages and process agree within {error_s * 1000:.2f} ms.",
        "A frame is made every 16.7 ms, so half of that is waited on average before anything is drawn.",
        f"{live} answers about the changed rows were on the board.",
    )


def _ms(samples: list[Any], name: str) -> tuple[float, ...]:
    return tuple(getattr(sample, name) for sample in samples)
