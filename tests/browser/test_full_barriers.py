"""Everybody can use every surface: axe finds no barrier, in light and dark, in every language, with large letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.box import Box
from tests.browser.axe import barriers
from tests.browser.conftest import Opens, Watched
from tests.browser.probes import CUT_OFF, FOCUSED, OVERFLOW, UNNAMED
from tests.browser.test_page import PHONE, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

STILL: dict[str, Any] = {"reduced_motion": "reduce"}
TABLET = STILL | {"viewport": {"width": 1180, "height": 820}}
WALL = STILL | {"viewport": {"width": 1920, "height": 1080}}
WATCH = STILL | {"viewport": {"width": 200, "height": 220}}
QUESTIONS = ("Which beds are in cleaning?", "How many lab results are there per day?", "How many beds are free?")
OWN = "Which beds are free in oncology?"
"""What no other test asks: the answer beside it is another question's."""
STACKED = "How many beds are there per ward and status?"
SURFACES = {"tablet": TABLET, "phone": STILL | PHONE, "wall": WALL, "watch": WATCH, "text": TABLET}
FULL = "document.documentElement.dataset.full !== undefined && document.documentElement.lang !== ''"


async def ready(watched: Watched, lang: str = "en") -> None:
    await watched.until(f"{FULL} && document.documentElement.lang === {json.dumps(lang)}")
    await watched.until("document.querySelectorAll('.card').length > 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_surface_has_a_barrier(box: Box, opens: Opens, scheme: str) -> None:
    for question in (*QUESTIONS, STACKED):
        await call(box, "POST", "/api/ask", {"question": question})
    found = {}
    for name, options in SURFACES.items():
        watched = await opens(box.url, f"/?surface={name}", **options, color_scheme=scheme)
        await ready(watched)
        found[name] = await barriers(watched)
    assert {name: each for name, each in found.items() if each} == {}


async def test_no_view_and_no_dialog_has_a_barrier(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, f"/?key={box.key('admin')}", **TABLET)
    await ready(watched)
    found = {}
    for question in (*QUESTIONS, STACKED):
        await watched.ask(question)
        await watched.answered(question)
        for look in await watched.page.locator(".looks:not([hidden]) button").all():
            await look.click()
            found[f"{question} {await look.inner_text()}"] = await barriers(watched)
    await watched.ask(QUESTIONS[2])
    await watched.answered(QUESTIONS[2])
    for press in ("#settings", "#meant", "#tell"):
        await watched.page.locator(press).click()
        await watched.page.locator("dialog[open]").wait_for()
        found[press] = await barriers(watched)
        await watched.page.keyboard.press("Escape")
        assert await watched.page.evaluate("document.activeElement.id") == press[1:], "the focus is where it was"
    await watched.page.keyboard.press("h")
    found["asked"] = await barriers(watched)
    assert {name: each for name, each in found.items() if each} == {}


async def test_a_page_in_german_is_german(box: Box, opens: Opens, pictures: Path) -> None:
    watched = await opens(box.url, **TABLET | {"locale": "de-DE"}, accept_downloads=True)
    await ready(watched, "de")
    await watched.ask(STACKED)
    await watched.answered(STACKED)
    assert await watched.page.locator("#q").get_attribute("placeholder") == "Eine Frage stellen"
    assert "Zeilen" in await watched.text("#source")
    assert await watched.text("#meant") == "So war es nicht gemeint"
    assert await watched.page.locator("#sentence").get_attribute("lang") == "en", "the box itself speaks English"
    assert await barriers(watched) == []
    await watched.page.wait_for_timeout(600)
    await watched.page.screenshot(path=pictures / "tablet-german.png")
    await watched.page.locator("#settings").click()
    await watched.page.get_by_label("Sprache").select_option("en")
    await watched.until("document.querySelector('#dialog-title')?.textContent === 'This screen'")
    await watched.page.reload()
    await ready(watched)
    assert await watched.text("#meant") == "Not what I meant", "the choice is kept"


UNTRANSLATED = r"""() => {
  const left = [], box = "#question, #sentence, #reading, #hint, #facility, #rest, .card h3, .card .line, .fig, .chip";
  const data = `${box}, #say, .meta, #alarms b, kbd, #clock, #csv, script, style`;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode()); ) {
    const el = node.parentElement, text = node.textContent.trim();
    if (!/[A-Za-z]{2}/.test(text) || el.closest(data) || !el.checkVisibility()) continue;
    if (!text.includes("\u27e6")) left.push(text);
  }
  for (const el of document.querySelectorAll("[aria-label], [placeholder]")) {
    const said = el.closest(".fig") ? [] : [el.ariaLabel, el.placeholder];
    left.push(...said.filter((text) => text && !text.includes("\u27e6")));
  }
  return left;
}"""
"""What is written in plain English where everything is between brackets."""


async def test_right_to_left_mirrors_the_page_and_leaves_no_word_out(box: Box, opens: Opens, pictures: Path) -> None:
    for name, options in {"tablet": TABLET, "phone": PHONE, "wall": WALL}.items():
        watched = await opens(box.url, f"/?lang=ar-XB&surface={name}", **options)
        await ready(watched, "ar-XB")
        await watched.page.wait_for_timeout(800)
        assert await watched.page.evaluate(OVERFLOW) == [], name
        left = [text for text in await watched.page.evaluate(UNTRANSLATED) if not text.startswith("DreamStack")]
        assert left == [], (name, left)
        left_of = "(it) => document.querySelector(it).getBoundingClientRect().left"
        places = ("#facility", "#state", "#text", "#figure")
        title, state, words, figure = [await watched.page.evaluate(left_of, place) for place in places]
        assert title > state, "the name is at the right"
        assert name == "phone" or words > figure or figure == 0, "the figure is at the left"
        assert await barriers(watched) == [], name
        if name == "tablet":
            await watched.page.screenshot(path=pictures / "tablet-right-to-left.png")


@pytest.mark.parametrize("name", ["tablet", "phone"])
async def test_letters_of_twice_the_size_lose_nothing(box: Box, opens: Opens, name: str) -> None:
    watched = await opens(box.url, **SURFACES[name])
    await ready(watched)
    await watched.page.evaluate("localStorage.setItem('screen.size', '200')")
    await watched.page.reload()
    await ready(watched)
    assert await watched.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == 32
    for question in (*QUESTIONS, STACKED):
        await watched.ask(question)
        await watched.answered(question)
        await watched.page.wait_for_timeout(400)
        assert await watched.page.evaluate(OVERFLOW) == [], question
        assert await watched.page.evaluate(CUT_OFF) == [], question
    assert await barriers(watched) == []


async def test_everything_is_reached_without_a_mouse(box: Box, opens: Opens) -> None:
    watched = await opens(box.url)
    await ready(watched)
    keyboard = watched.page.keyboard
    await watched.ask(OWN)
    await watched.answered(OWN)
    names = []
    for _ in range(40):
        await keyboard.press("Tab")
        name, _, outlined = await watched.page.evaluate(FOCUSED)
        if name == "BODY":
            break
        assert outlined or name == "q", f"where the focus is can be seen: {name}"
        names.append(name)
    assert names.count("chip") == 1, "one stop for all suggestions"
    assert {"meant", "pin", "csv", "copy"} <= set(names)
    await watched.page.locator(".chip").first.focus()
    await keyboard.press("ArrowRight")
    assert await watched.page.evaluate("[...document.querySelectorAll('.chip')].indexOf(document.activeElement)") == 1
    assert await watched.page.evaluate(UNNAMED) == []
    await watched.page.evaluate("document.activeElement.blur()")
    await keyboard.press("?")
    await watched.page.locator("dialog kbd", has_text="J, K").wait_for()
    await keyboard.press("Escape")
    await keyboard.press("j")
    await watched.until(f"document.getElementById('question').textContent !== {json.dumps(OWN)}")
    await keyboard.press("s")
    await watched.page.get_by_label("Single keys do things").click()
    await keyboard.press("Escape")
    question = await watched.text("#question")
    await watched.page.evaluate("document.activeElement.blur()")
    for key in ("j", "?", "h"):
        await keyboard.press(key)
    assert await watched.text("#question") == question, "keys of one letter can be turned off"
    assert await watched.page.locator("dialog[open], #asked:not([hidden])").count() == 0
