"""The richer page, as people use it: stop, not what I meant, pin, alert, edit, sort, look otherwise, what was asked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.box import Box
from tests.browser.conftest import Opens, Watched
from tests.browser.probes import CONTRAST, OVERFLOW
from tests.browser.test_full_barriers import STACKED, TABLET, WALL, WATCH, ready
from tests.browser.test_page import BED, PHONE, call
from tests.source import writing

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREE = "How many beds are free?"
CLEANING = "Which beds are in cleaning?"
PER_STATUS = "How many beds are there per status?"
PER_DAY = "How many lab results are there per day?"

BARS: Final = """() => [...document.querySelectorAll("#figure ol > li")]
  .map((it) => [it.children[0].textContent, Number(it.children[2].textContent)])"""

WIDE: Final = """() => {
  const all = [...document.querySelectorAll("#figure .whole i")].map((it) => it.getBoundingClientRect().width);
  return all.reduce((sum, it) => sum + it, 0) / document.querySelector("#figure .whole").getBoundingClientRect().width;
}"""
"""How much of its bar the parts fill."""

INKED: Final = """() => {
  const it = document.querySelector("#figure canvas");
  const { data } = it.getContext("2d").getImageData(0, 0, it.width, it.height);
  let inked = 0;
  for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
  return inked / (data.length / 4);
}"""
"""How much of the chart is drawn on."""

COVERED: Final = """() => {
  const { width, height } = document.querySelector("#alarms").getBoundingClientRect();
  return (width * height) / (innerWidth * innerHeight);
}"""
"""How much of the screen the alerts take."""

ON_TOP: Final = """() => {
  const { x, y, width, height } = document.querySelector("#news").getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2)?.id;
}"""
"""What is seen where the line about the box is."""

LARGEST: Final = """() => {
  const both = ["#sentence", "#figure b"].map((it) => document.querySelector(it));
  const shown = both.filter((it) => it?.checkVisibility());
  return Math.max(...shown.map((it) => parseFloat(getComputedStyle(it).fontSize))) / innerHeight;
}"""
"""The size of the answer's largest letters as a part of the screen's height."""

WHOLE: Final = """() => {
  const [box, it] = ["#text", "#sentence"].map((name) => document.querySelector(name).getBoundingClientRect());
  return it.top >= box.top - 1 && it.bottom <= box.bottom + 1;
}"""
"""Whether all of the sentence is seen."""

OVER_DOCK: Final = """() => {
  const [it, dock] = ["#sentence", "#dock"].map((name) => document.querySelector(name).getBoundingClientRect());
  return it.bottom < dock.top;
}"""

SMALL: Final = """() => [...document.querySelectorAll("button:not(.card button)")]
  .filter((it) => it.checkVisibility() && it.getBoundingClientRect().height < 43.5).map((it) => it.outerHTML)"""
"""Buttons that a finger may miss."""

PINNED: Final = "[...document.querySelectorAll('.meta')].filter((it) => it.textContent.startsWith('Pinned'))"
FETCHED: Final = "performance.getEntriesByType('resource').map((it) => new URL(it.name).pathname)"


async def as_admin(box: Box, opens: Opens, **options: Any) -> Watched:
    watched = await opens(box.url, f"/?key={box.key('admin')}", **TABLET | options)
    await ready(watched)
    return watched


async def asked(watched: Watched, question: str) -> None:
    await watched.ask(question)
    await watched.answered(question, 20)


async def said(watched: Watched, words: str) -> None:
    await watched.until(f"document.querySelector('#toast')?.textContent.includes({json.dumps(words)})")


# While it is worked on ---------------------------------------------------------------------------------------


async def test_a_question_is_stopped_while_the_model_works(box: Box, opens: Opens) -> None:
    one, other = await opens(box.url, **TABLET), await opens(box.url, **TABLET)
    await ready(one)
    await ready(other)
    model = box.pids()["llm"]
    os.kill(model, signal.SIGSTOP)
    try:
        await one.ask("How many beds are free on floor 3?")
        await one.page.locator("#stop").wait_for()
        await other.until("document.getElementById('question').textContent.includes('floor 3')")
        assert not await other.page.locator("#stop").is_visible(), "another screen has not asked it"
        await one.page.locator("#stop").click()
        for watched in (one, other):
            await watched.until("document.getElementById('source').textContent === 'LLM215'")
        assert await one.text("#choices .choice") == "Ask again"
    finally:
        os.kill(model, signal.SIGCONT)
    await one.page.locator("#choices .choice", has_text="Ask again").click()
    await one.answered("How many beds are free on floor 3?", 20)
    assert (await one.text("#source")).startswith("beds")


# What is shown -----------------------------------------------------------------------------------------------


async def test_a_number_says_what_it_was(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    question = "How many beds are free in pediatrics?"
    await asked(watched, question)
    assert not await watched.page.locator("#figure .trend").is_visible()
    before = int(await watched.text("#figure b"))
    bed = (await call(box, "POST", "/rest/beds", BED | {"bed": "P-97", "ward": "Pediatrics"}))[0]["id"]
    await watched.until("document.querySelector('#figure .trend span')?.textContent.startsWith('1 more than at')")
    assert await watched.text("#figure .trend i") == "▲"
    await call(box, "DELETE", f"/rest/beds?id=eq.{bed}")
    await watched.until("document.querySelector('#figure .trend span').textContent.startsWith('as many as at')")
    assert int(await watched.text("#figure b")) == before


async def test_two_groups_are_bars_of_parts_that_add_up(box: Box, opens: Opens, pictures: Path) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, STACKED)
    rows = await call(box, "GET", "/rest/beds?select=ward,status,id.count()")
    wards = {ward: sum(row["count"] for row in rows if row["ward"] == ward) for ward in {row["ward"] for row in rows}}
    shown = await watched.page.locator("#figure ol > li").all()
    assert {
        await bar.locator("> span").inner_text(): int(await bar.locator("> b").inner_text()) for bar in shown
    } == wards
    keys = await watched.page.locator(".legend .key").all_inner_texts()
    assert set(keys) == {row["status"] for row in rows}
    looks = "[...document.querySelectorAll('.legend .tone')].map((it) => getComputedStyle(it).backgroundImage)"
    patterns = await watched.page.evaluate(looks)
    assert len(set(patterns)) == len(keys), "each part has a pattern of its own, not only a colour"
    await watched.page.wait_for_timeout(2200)
    await watched.page.screenshot(path=pictures / "tablet-light.png")
    await watched.page.get_by_role("radio", name="Table").click()
    assert await watched.page.locator("#figure tbody tr").count() == len(rows)


async def test_shares_are_parts_of_a_whole(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, PER_STATUS)
    await watched.page.get_by_role("radio", name="Bars").focus()
    await watched.page.keyboard.press("ArrowRight")
    rows = await call(box, "GET", "/rest/beds?select=status,id.count()")
    whole = sum(row["count"] for row in rows)
    for row in rows:
        item = watched.page.locator("#figure ol > li", has=watched.page.locator(f"text='{row['status']}'"))
        share = float((await item.locator("b").inner_text()).removesuffix(" %"))
        assert share == pytest.approx(100 * row["count"] / whole, abs=0.06)
    assert await watched.page.evaluate(WIDE) == pytest.approx(1, rel=0.02)


async def test_a_line_over_time_is_drawn_and_read_point_by_point(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, PER_DAY)
    await watched.page.locator("#figure canvas").wait_for()
    assert 0.05 < await watched.page.evaluate(INKED) < 0.95
    last = await watched.text("#figure .at")
    await watched.page.locator("#figure").focus()
    for _ in range(2):
        await watched.page.keyboard.press("ArrowLeft")
    await watched.until(f"document.querySelector('#figure .at').textContent !== {json.dumps(last)}")
    await watched.page.locator("#theme").click()
    await watched.page.locator("#figure canvas").wait_for()
    await watched.page.get_by_role("radio", name="Table").click()
    await watched.page.locator("#figure tbody tr").first.wait_for()


# Rows --------------------------------------------------------------------------------------------------------


async def test_rows_are_sorted_and_gone_through_by_keys(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, CLEANING)
    column = "[...document.querySelectorAll('#figure tbody tr')].map((tr) => tr.cells[3].textContent)"
    await watched.page.locator(".sort", has_text="room").click()
    up = [int(room) for room in await watched.page.evaluate(column)]
    assert up == sorted(up) and len(up) > 2
    await watched.page.locator(".sort", has_text="room").click()
    assert [int(room) for room in await watched.page.evaluate(column)] == up[::-1]
    assert await watched.page.locator("th[aria-sort=descending]").inner_text() == "room"
    await watched.page.keyboard.press("ArrowDown")
    await watched.page.keyboard.press("End")
    await watched.page.keyboard.press("ArrowLeft")
    at = "[document.activeElement.parentNode.rowIndex, document.activeElement.cellIndex]"
    assert await watched.page.evaluate(at) == [1, await watched.page.locator("#figure th").count() - 2]


# Not what I meant, pins, alerts --------------------------------------------------------------------------------


async def test_another_reading_is_taken(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    question = "How many beds are free per ward?"
    await asked(watched, question)
    reading = await watched.text("#reading")
    await watched.page.locator("#meant").click()
    other = watched.page.locator("dialog .choice").first
    label = await other.inner_text()
    assert label not in (reading, "In other words")
    await other.click()
    await watched.until(f"document.getElementById('reading').textContent === {json.dumps(label)}")
    assert await watched.text("#question") == question
    await watched.page.locator("#meant").click()
    await watched.page.locator("dialog .choice", has_text="In other words").click()
    assert await watched.page.locator("#q").input_value() == question


async def test_a_question_that_follows_says_from_which(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, "How many beds are free in maternity?")
    await asked(watched, "and in surgery?")
    assert "Surgery" in await watched.text("#reading")
    assert await watched.text("#follows") == "Goes on from: How many beds are free in maternity?"


async def test_an_answer_is_pinned_to_a_room_and_taken_off(box: Box, opens: Opens) -> None:
    await call(box, "PUT", "/api/rooms/icu", {"label": "Intensive care"}, box.bearer("admin"))
    watched = await as_admin(box, opens)
    await watched.until("(window.receiver.signals.get('box.rooms') ?? []).some((it) => it.name === 'icu')")
    await asked(watched, "How many devices are in maintenance?")
    await watched.page.locator("#pin").click()
    await watched.page.locator("dialog .choice", has_text="Intensive care").click()
    await said(watched, "on the walls of Intensive care")
    await watched.page.wait_for_timeout(300)
    before = await watched.page.evaluate(f"{PINNED}.length")
    try:
        await watched.page.locator("#pin").click()
        await watched.page.locator("dialog .choice", has_text="The whole house").click()
        await said(watched, "on all walls")
        pinned = watched.page.locator(".card", has_text="How many devices are in maintenance?")
        await pinned.locator(".meta", has_text="Pinned").wait_for()
        await pinned.locator("button").first.click()
        await watched.until("document.getElementById('pin').textContent === 'Take off the walls'")
        await watched.page.locator("#pin").click()
        await said(watched, "no longer on the walls")
        await watched.until(f"{PINNED}.length === {before}")
    finally:
        await call(box, "DELETE", "/api/rooms/icu", None, box.bearer("admin"))


async def test_an_answer_that_walls_may_not_see_is_not_pinned(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    question = "Which patients are in Cardiology?"
    await asked(watched, question)
    await watched.page.locator("#pin").click()
    await watched.until("(document.querySelector('#toast')?.textContent ?? '') !== ''")
    words = await watched.text("#toast")
    if "Walls may not" not in words:  # what walls get has initials in the place of names
        card = watched.page.locator(".card", has=watched.page.locator(".meta", has_text="Pinned")).first
        await card.locator("button").first.click()
        await watched.until("document.getElementById('pin').textContent === 'Take off the walls'")
        await watched.page.locator("#pin").click()


async def test_an_answer_becomes_an_alert_that_takes_the_wall(
    box: Box, opens: Opens, pictures: Path, tmp_path: Path
) -> None:
    tablet, wall = await as_admin(box, opens), await opens(box.url, "/?surface=wall", **WALL)
    await wall.live()
    await asked(tablet, FREE)
    free = int(await tablet.text("#figure b"))
    await tablet.page.locator("#tell").click()
    dialog = tablet.page.locator("dialog")
    assert await dialog.get_by_label("say", exact=True).input_value() == "{value} beds are free."
    await dialog.get_by_label("When the number is").select_option("above")
    await dialog.get_by_label("this number").fill(str(free - 1))
    await dialog.get_by_label("say", exact=True).fill("{value} beds are free in the house.")
    await dialog.get_by_label("on the screens of").select_option("wall")
    await dialog.get_by_role("button", name="Set this alert").click()
    await said(tablet, "The alert is set.")
    await wall.until("document.documentElement.hasAttribute('data-alarmed')")
    size = "parseFloat(getComputedStyle(document.querySelector('#alarms b')).fontSize) / innerHeight"
    assert await wall.page.evaluate(size) >= 1 / 12
    assert await wall.page.evaluate(COVERED) > 0.99, "it takes the whole screen"
    assert f"{free} beds are free in the house." in await wall.text("#alarms b")
    assert await wall.page.evaluate(OVERFLOW) == []
    assert await wall.page.evaluate(CONTRAST) == []
    await wall.page.wait_for_timeout(500)
    await wall.page.screenshot(path=pictures / "wall-alert.png")
    await wall.page.evaluate("window.receiver.dress('dark')")
    assert await wall.page.evaluate(CONTRAST) == []
    await wall.page.screenshot(path=tmp_path / "wall-alert-dark.png")
    await wall.page.evaluate("window.receiver.dress('light')")
    bridge = box.pids()["bridge"]
    os.kill(bridge, signal.SIGSTOP)
    try:  # an alert may be over by now: the wall says that it would not know
        await wall.until("document.documentElement.classList.contains('stale')", 20)
        assert await wall.page.evaluate(ON_TOP) == "news"
        assert "does not answer" in await wall.text("#news")
        assert await wall.page.evaluate(OVERFLOW) == []
        await wall.page.screenshot(path=tmp_path / "wall-alert-stale.png")
    finally:
        os.kill(bridge, signal.SIGCONT)
    await wall.live()
    await tablet.page.get_by_role("button", name="Acknowledge").first.click()
    await wall.until("!document.documentElement.hasAttribute('data-alarmed')")
    await tablet.page.locator("#toast button", has_text="Undo").click()
    await wall.until("document.querySelectorAll('#alarms p').length === 0")


async def test_staff_make_no_alerts(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await asked(watched, FREE)
    assert not await watched.page.locator("#tell").is_visible()


# What was asked, surfaces, signs -------------------------------------------------------------------------------


async def test_what_was_asked_today_is_searched_seen_again_and_forgotten(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    for question in (FREE, CLEANING):
        await asked(watched, question)
    await watched.page.reload()
    await ready(watched)
    await watched.page.locator("#asked-open").click()
    items = watched.page.locator("#asked .again span")
    assert await items.all_inner_texts() == [CLEANING, FREE]
    await watched.page.locator("#asked input").fill("FREE")
    assert await items.all_inner_texts() == [FREE]
    assert await watched.text("#asked .again b") == await watched.page.locator("#asked .again b").inner_text()
    await items.first.click()
    await watched.answered(FREE)
    await watched.page.locator("#asked input").fill("nowhere")
    assert "has these words" in await watched.text("#asked .none")
    await watched.page.locator("#asked button", has_text="Forget").click()
    assert "listed here" in await watched.text("#asked .none")
    assert await watched.page.evaluate("localStorage.getItem('screen.asked')") == "{}"
    await watched.page.keyboard.press("Escape")
    assert not await watched.page.locator("#asked").is_visible()


@pytest.mark.parametrize("question", [FREE, "How many beds are free per ward?", CLEANING, PER_DAY])
async def test_a_wall_is_read_from_three_metres(box: Box, opens: Opens, question: str) -> None:
    await call(box, "POST", "/api/ask", {"question": question})
    for viewport in ({"width": 1920, "height": 1080}, {"width": 1280, "height": 720}):
        wall = await opens(box.url, "/?surface=wall", viewport=viewport, color_scheme="dark", reduced_motion="reduce")
        await ready(wall)
        await wall.answered(question)
        await wall.page.wait_for_timeout(500)
        assert await wall.page.evaluate(LARGEST) >= 0.0833, question
        assert await wall.page.evaluate(WHOLE), "nothing of it is cut off"
        assert await wall.page.evaluate(OVERFLOW) == []


async def test_the_admin_changes_the_kind_and_names_a_screen_without_a_reload(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **TABLET)
    await ready(watched)
    await watched.page.evaluate("window.stayed = true")
    own = await watched.page.evaluate("window.receiver.page.screen")
    async with writing(box, "main") as source:
        for kind in ("wall", "watch", "text", "phone"):
            await source.signals({f"to.{own}.surface": kind, "to.other.surface": "tablet"})
            await watched.until(f"document.documentElement.dataset.surface === '{kind}'")
        await watched.page.locator("#settings").click()
        assert await watched.page.get_by_label("Kind of screen").is_disabled()
        await watched.page.keyboard.press("Escape")
        sign = {"name": "Tablet 3", "code": "K7Q", "room": "Intensive care", "until": 4102444800000}
        await source.signals({f"to.{own}.identify": sign})
        await watched.until("document.querySelector('#sign.identify p')?.textContent === 'K7Q'")
        await watched.until("document.documentElement.dataset.surface === 'tablet'")
        message = {"id": "m1", "text": "<b>Lunch</b> is ready", "until": 4102444800000}
        await source.signals({f"to.{own}.message": message})
        await watched.until("document.querySelector('#sign.message p')?.textContent === '<b>Lunch</b> is ready'")
        await source.signals({f"to.{own}.message": message | {"until": 1}})
        await watched.until("!document.querySelector('#sign')")
    assert await watched.page.evaluate("window.stayed")


async def test_a_screen_takes_the_new_page_of_its_box_when_nobody_is_at_it(box: Box, opens: Opens) -> None:
    wall, tablet = await opens(box.url, "/?surface=wall", **WALL), await opens(box.url, **TABLET)
    for each in (wall, tablet):
        await ready(each)
    names = ("box.page", "box.timezone")
    own = {name: await wall.page.evaluate(f"window.receiver.signals.get('{name}')") for name in names}
    assert len(own["box.page"]) == 16
    await tablet.page.locator("#q").fill("How many")
    await tablet.page.evaluate("window.stayed = true; window.receiver.page.touched = 0")
    async with writing(box, "main") as source:
        async with wall.page.expect_navigation():
            await source.signals({"box.page": "another", "box.timezone": "Pacific/Auckland"})
        await ready(wall)
        there = "new Date().toLocaleTimeString('en-GB', { timeZone: 'Pacific/Auckland', timeStyle: 'short' })"
        await wall.until(f"document.getElementById('clock').textContent === {there}")
        await tablet.page.wait_for_timeout(2200)
        assert await tablet.page.evaluate("window.stayed"), "somebody writes there"
        await tablet.page.locator("#q").fill("")
        await source.signals(own)
        await tablet.until(f"window.receiver.zone() === {json.dumps(own['box.timezone'])}")


async def test_a_watch_shows_counts_and_a_sentence_in_two_presses(box: Box, opens: Opens, pictures: Path) -> None:
    for question in ("Which lab results are critical?", "How many beds are free in cardiology?", FREE):
        await call(box, "POST", "/api/ask", {"question": question})
    watched = await opens(box.url, **WATCH, device_scale_factor=2)
    await ready(watched)
    assert await watched.page.evaluate("document.documentElement.dataset.surface") == "watch"
    shown = await watched.page.locator(".card:visible").count()
    assert shown == await watched.page.locator('.card[data-kind="number"]').count() > 0
    assert await watched.page.evaluate(OVERFLOW) == []
    await watched.page.screenshot(path=pictures / "watch.png")
    await watched.page.locator(".card:visible").first.click()
    await watched.page.locator("#sentence").wait_for()
    assert "free" in await watched.text("#sentence")
    await watched.page.locator("#hero").click()
    await watched.page.locator(".card:visible").first.wait_for()


async def test_a_phone_asks_and_shows_the_answer_over_its_ask_box(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, **PHONE, reduced_motion="reduce")
    await ready(watched)
    await asked(watched, FREE)
    assert await watched.page.evaluate(OVER_DOCK)
    assert await watched.page.evaluate(OVERFLOW) == []
    assert await watched.page.evaluate(SMALL) == []


async def test_without_the_richer_page_the_bare_one_works(box: Box, opens: Opens) -> None:
    watched = await opens(box.url, "/s/main")
    await watched.live()
    await asked(watched, FREE)
    assert await watched.page.evaluate("document.documentElement.dataset.full") is None
    loaded = await watched.page.evaluate(
        "performance.getEntriesByType('resource').map((it) => new URL(it.name).pathname)"
    )
    assert [path for path in loaded if path.startswith(("/full", "/chart", "/words"))] == []
    blocked = await opens(box.url, "/s/main")
    await blocked.page.route("**/full.*", lambda route: route.abort())
    await blocked.page.goto(box.url)
    await blocked.live()
    await asked(blocked, FREE)
    blocked.problems.clear()  # the browser's own lines about what was cut


async def test_two_people_at_once(box: Box, opens: Opens) -> None:
    """Each page keeps to its own answer, whatever the others ask meanwhile."""
    one, other = await opens(box.url, **TABLET), await opens(box.url, **TABLET)
    await ready(one)
    await ready(other)
    await asyncio.gather(asked(one, FREE), asked(other, CLEANING))
    assert await one.text("#question") == FREE
    assert await other.text("#question") == CLEANING
