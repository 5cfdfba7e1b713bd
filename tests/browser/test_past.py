"""The past in a real browser, used as people do: opened, dragged, stepped, played, forked, and left."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.box import Box, running_box
from tests.browser.conftest import Opens, Watched
from tests.browser.history import plant
from tests.browser.probes import CONTRAST, CUT_OFF, FOCUSED, OVERFLOW, UNNAMED
from tests.browser.test_page import BED, PHONE, call

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLIDER = "document.querySelector('#past .bar')"
NUMBER = "#figure b"
MINUTE = 60_000
SURFACES: dict[str, tuple[str, dict[str, Any]]] = {
    "time-travel-light": ("/", {"viewport": {"width": 1180, "height": 820}}),
    "time-travel-tablet-dark": ("/", {"viewport": {"width": 1024, "height": 768}, "color_scheme": "dark"}),
    "time-travel-wall-dark": (
        "/?surface=wall",
        {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"},
    ),
    "time-travel-wall-small": ("/?surface=wall", {"viewport": {"width": 1280, "height": 720}}),
    "time-travel-phone": ("/", PHONE),
    "time-travel-phone-narrow": ("/", PHONE | {"viewport": {"width": 320, "height": 568}, "color_scheme": "dark"}),
}
SHOWN = ("time-travel-light", "time-travel-wall-dark")
"""The pictures that the documentation shows."""


class Lived:
    """A box with a day behind it.

    Attributes:
        box: the box.
        free: how many beds staff saw free, by the time from which on (milliseconds since 1970).
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.free = plant(box, 30)

    def at(self, t: int) -> str:
        """What the page's large number was at a time."""
        return str(self.free[max(at for at in self.free if at <= t)])

    def minutes_ago(self, minutes: int) -> str:
        """A moment as an address has it: that long before the last change of the made recording."""
        return str(max(self.free) - minutes * MINUTE)


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    with running_box() as box:
        yield Lived(box)


async def moment(watched: Watched) -> int:
    """The moment that the handle is at, once the box has told it."""
    return int(await watched.page.evaluate(f"Number({SLIDER}.ariaValueNow)"))


async def stands_still(watched: Watched) -> None:
    """Wait until the box has told where it stopped: from then on the handle does not move."""
    for _ in range(10):
        before = await moment(watched)
        await asyncio.sleep(0.6)
        if await moment(watched) == before:
            return
    raise AssertionError("the moment goes on although it is paused")


async def opened(opens: Opens, url: str, path: str = "/", **options: Any) -> Watched:
    """A page in the past, with its bar drawn."""
    watched = await opens(url, path, **options)
    await watched.until(f"!!{SLIDER}?.ariaValueMax && document.querySelector('#past .there').getAttribute('d')")
    return watched


async def shows(watched: Watched, lived: Lived) -> None:
    """Wait until the page shows what screens showed at the handle's moment."""
    for _ in range(200):
        if await watched.text(NUMBER) == lived.at(await moment(watched)):
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError(f"{await watched.text(NUMBER)} at {await moment(watched)}")
    assert await watched.text("#state") == "The past"


async def test_it_is_fetched_when_it_is_opened_and_not_before(lived: Lived, opens: Opens) -> None:
    watched = await opens(lived.box.url)
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    await watched.live()
    await watched.until("!document.getElementById('travel').hidden")
    assert [url for url in asked if "past" in url] == []
    assert await watched.page.locator("#past").count() == 0
    await watched.page.locator("#travel").click()
    await watched.until(f"!!{SLIDER}?.ariaValueMax")
    assert [url for url in asked if "past." in url] == [f"{lived.box.url}/past.css", f"{lived.box.url}/past.js"]
    assert await watched.text("#past b") == "The past"
    await watched.page.keyboard.press("Escape")
    await watched.live()
    await watched.page.locator("#travel").click()
    await watched.until(f"!!{SLIDER}?.ariaValueMax")
    assert len([url for url in asked if "past." in url]) == 2, "fetched once"


async def test_dragging_shows_what_was(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(30)}")
    await shows(watched, lived)
    box = await watched.page.locator("#past .bar").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    mouse, seen = watched.page.mouse, set()
    await mouse.move(box["x"] + box["width"] * 0.9, middle)
    await mouse.down()
    for part in (0.8, 0.6, 0.4, 0.2, 0.05):
        await mouse.move(box["x"] + box["width"] * part, middle, steps=3)
        await asyncio.sleep(0.15)
        seen.add(await watched.text("#past time"))
    await mouse.up()
    await shows(watched, lived)
    assert len(seen) == 5, "the moment follows the hand"
    first, last = [int(await watched.page.evaluate(f"{SLIDER}.ariaValue{end}")) for end in ("Min", "Max")]
    assert abs((await moment(watched) - first) / (last - first) - 0.05) < 0.01


async def test_keys_go_small_and_large_steps_and_to_the_ends(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(60)}")
    await shows(watched, lived)
    assert (await watched.page.evaluate(FOCUSED))[0] == "bar", "the keys are at hand"
    keyboard, start = watched.page.keyboard, await moment(watched)
    await keyboard.press("ArrowLeft")
    small = start - await moment(watched)
    await keyboard.press("PageDown")
    assert start - await moment(watched) == 11 * small > 0
    await shows(watched, lived)
    await keyboard.press("PageUp")
    await keyboard.press("ArrowRight")
    assert await moment(watched) == start
    await keyboard.press("Home")
    assert await moment(watched) == int(await watched.page.evaluate(f"{SLIDER}.ariaValueMin"))
    await shows(watched, lived)
    said = await watched.page.evaluate(f"{SLIDER}.ariaValueText")
    assert re.fullmatch(r"\d\d:\d\d:\d\d, \w+day,? \d+ \w+", said), said


async def test_steps_go_from_change_to_change(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(20)}")
    await shows(watched, lived)
    changes, t = sorted(lived.free), await moment(watched)
    at = max(i for i, change in enumerate(changes) if change <= t)
    for button, target in (("before", at - 1), ("before", at - 2), ("after", at - 1), ("after", at), ("after", at + 1)):
        await watched.page.locator(f"#past .{button}").click()
        await watched.until(f"Number({SLIDER}.ariaValueNow) === {changes[target]}")
        await shows(watched, lived)
    await watched.page.locator("#past .bar").focus()
    await watched.page.keyboard.press(",")
    await watched.until(f"Number({SLIDER}.ariaValueNow) === {changes[at]}")


async def test_playing_sixteen_times_as_fast_and_pausing(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(50)}")
    await shows(watched, lived)
    start = await moment(watched)
    await watched.page.locator("#past .speeds button", has_text="16").click()
    await watched.until("document.querySelector('#past .how').textContent === 'Playing 16 times as fast'")
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(4)
    await watched.page.locator("#past .bar").focus()
    await watched.page.keyboard.press(" ")
    took = asyncio.get_running_loop().time() - began
    await watched.until("document.querySelector('#past .how').textContent === 'Paused'")
    await stands_still(watched)
    assert 16 * 3 < (await moment(watched) - start) / 1000 < 16 * (took + 1.5)
    await shows(watched, lived)


async def test_live_again_and_an_address_that_leads_back(lived: Lived, opens: Opens) -> None:
    box = lived.box
    watched = await opened(opens, box.url, f"/?at={lived.minutes_ago(40)}")
    await shows(watched, lived)
    past, t = watched.page.url, await moment(watched)
    assert "at=20" in past, "the address says when"
    await watched.page.locator("#past .live").click()
    await watched.live()
    assert watched.page.url == f"{box.url}/"
    assert (await watched.page.evaluate(FOCUSED))[0] == "travel"
    before = len(await call(box, "GET", "/rest/beds?select=id&status=eq.free"))
    await watched.until(f'document.querySelector("{NUMBER}").textContent === "{before}"', 5)
    bed = (await call(box, "POST", "/rest/beds", BED | {"bed": "P-1"}))[0]["id"]
    await watched.until(f'document.querySelector("{NUMBER}").textContent === "{before + 1}"', 5)
    await call(box, "DELETE", f"/rest/beds?id=eq.{bed}")
    other = await opened(opens, box.url, past.removeprefix(box.url))
    await shows(other, lived)
    assert await moment(other) == t


async def test_who_asks_in_the_past_is_answered_in_the_present(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(40)}")
    await shows(watched, lived)
    assert await watched.page.locator("#q").get_attribute("placeholder") == "Ask the present"
    question = "How many beds are occupied just now?"
    await watched.ask(question)
    await watched.answered(question)
    await watched.live()
    occupied = await call(lived.box, "GET", "/rest/beds?select=id&status=eq.occupied")
    assert await watched.text(NUMBER) == str(len(occupied))
    assert await watched.page.locator("#past").count() == 0


async def test_a_fork_goes_on_from_the_moment_in_a_page_of_its_own(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(90)}")
    await shows(watched, lived)
    expected = lived.at(await moment(watched))
    await watched.page.locator("#past .fork").click()
    await watched.page.wait_for_url("**/s/main-20*")
    await watched.until("document.getElementById('state')?.textContent === 'Live'")
    await watched.until("document.getElementById('box').textContent.includes('goes on from')")
    assert await watched.text(NUMBER) == expected
    forks = (await call(lived.box, "GET", "/api/recordings"))["forks"]
    assert watched.page.url.rpartition("/")[2] in [fork["name"] for fork in forks]


async def test_a_gap_is_seen_and_said(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(170)}")
    await watched.until("/^Nothing was recorded from/.test(document.querySelector('#past .how').textContent)")
    outline = await watched.page.locator("#past .there").get_attribute("d")
    assert outline is not None and outline.count("M") >= 2, "what was recorded is in pieces"


async def test_an_earlier_day_can_be_chosen(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(1)}")
    days = watched.page.locator("#past select")
    today, first = await days.input_value(), await moment(watched)
    await days.select_option(index=1)
    await watched.until(f"document.querySelector('#past select').value !== '{today}'")
    await watched.until(f"Number({SLIDER}.ariaValueNow) < {first}")
    await shows(watched, lived)
    assert await moment(watched) == int(await watched.page.evaluate(f"{SLIDER}.ariaValueMin"))


async def test_a_bridge_that_falls_is_waited_for(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(25)}")
    await shows(watched, lived)
    t = await moment(watched)
    await asyncio.to_thread(lived.box.kill, "bridge")
    await watched.until("document.getElementById('state').textContent === 'Not connected'")
    await watched.until("document.getElementById('state').textContent === 'The past'", 20)
    assert await moment(watched) == t
    await shows(watched, lived)
    watched.problems.clear()  # the browser's own words about the line that was lost
    await asyncio.to_thread(lived.box.wait_well, 20)


async def test_a_wall_has_the_way_there_when_somebody_touches_it(lived: Lived, opens: Opens) -> None:
    wall = {"viewport": {"width": 1920, "height": 1080}, "has_touch": True}
    watched = await opens(lived.box.url, "/?surface=wall", **wall)
    await watched.live()
    await asyncio.sleep(1.5)
    assert not await watched.page.locator("#travel").is_visible()
    await watched.page.touchscreen.tap(700, 500)
    await watched.page.locator("#travel").wait_for()
    await watched.page.locator("#travel").tap()
    await watched.until(f"!!{SLIDER}?.ariaValueMax")
    size = await watched.page.evaluate("parseFloat(getComputedStyle(document.querySelector('#past time')).fontSize)")
    assert size >= 1080 * 0.09, "read from three metres"
    await watched.page.locator("#past .live").tap()
    await watched.live()
    keyed = await opens(lived.box.url, "/?surface=wall", viewport={"width": 1280, "height": 720})
    await keyed.live()
    await keyed.page.keyboard.press("ArrowUp")
    await keyed.until("document.activeElement.id === 'travel'")
    await keyed.page.keyboard.press("Enter")
    await keyed.until(f"!!{SLIDER}?.ariaValueMax")


async def test_a_wall_that_everybody_has_left_is_live_again(lived: Lived, opens: Opens) -> None:
    wall = await opens(lived.box.url, "/?surface=wall", viewport={"width": 1280, "height": 720})
    tablet = await opens(lived.box.url)
    for watched in (wall, tablet):
        await watched.page.clock.install()
        surface = "&surface=wall" if watched is wall else ""
        await watched.page.goto(f"{lived.box.url}/?at={lived.minutes_ago(30)}{surface}")
        await watched.until(f"!!{SLIDER}?.ariaValueMax")
        await watched.page.clock.fast_forward(290_000)
        await watched.until("document.getElementById('state').textContent === 'The past'")
        await watched.page.clock.fast_forward(20_000)
    await wall.live()
    assert await wall.page.locator("#past").count() == 0
    await tablet.until("document.getElementById('state').textContent === 'The past'")


async def test_a_wall_is_shown_what_walls_saw_and_forks_nothing(opens: Opens) -> None:
    with running_box("--lan", "--no-mdns", "--tls", "off") as box:
        watched = await opens(box.url, f"/?key={box.key('wall')}")
        await watched.live()
        walls = await asyncio.to_thread(plant, box, 2.0, "wall")
        await asyncio.to_thread(plant, box, 1.9, "staff")
        at = max(walls) - 20 * MINUTE
        await watched.page.goto(f"{box.url}/?at={at}")
        await watched.until(f"!!{SLIDER}?.ariaValueMax")
        expected = walls[max(t for t in walls if t <= at)]
        await watched.until(f"document.querySelector('{NUMBER}').textContent === '{expected}'")
        assert not await watched.page.locator("#past .fork").is_visible()


async def test_where_nothing_is_recorded_there_is_no_way_there(opens: Opens) -> None:
    with running_box("--record", "none") as box:
        watched = await opens(box.url)
        await watched.live()
        await asyncio.sleep(2)
        assert not await watched.page.locator("#travel").is_visible()
        await watched.page.goto(f"{box.url}/?at=10m")
        await watched.until("document.querySelector('#past .how')?.textContent === 'Nothing was recorded there.'")
        await watched.page.locator("#past .live").click()
        await watched.live()


@pytest.mark.parametrize("name", SURFACES)
async def test_every_surface_fits_and_can_be_read(
    lived: Lived, opens: Opens, pictures: Path, tmp_path: Path, name: str
) -> None:
    path, options = SURFACES[name]
    at = f"{'&' if '?' in path else '?'}at={lived.minutes_ago(70)}"
    watched = await opened(opens, lived.box.url, path + at, **options)
    await shows(watched, lived)
    await watched.page.wait_for_timeout(2500)  # what was just drawn has settled
    assert await watched.page.evaluate(OVERFLOW) == []
    assert await watched.page.evaluate(CUT_OFF) == []
    assert await watched.page.evaluate(CONTRAST) == []
    assert await watched.page.evaluate(UNNAMED) == []
    small = "[...document.querySelectorAll('#past :is(button, select, .bar)')].filter((el) => el.offsetParent)"
    heights = await watched.page.evaluate(f"{small}.map((el) => el.getBoundingClientRect().height)")
    assert min(heights) >= 44, "a finger finds it"
    folder = pictures if name in SHOWN else Path(os.environ.get("DREAMSTACK_LOOK", tmp_path))
    await watched.page.screenshot(path=folder / f"{name}.png")


async def test_all_of_it_is_reached_by_keys_and_one_sees_where_one_is(lived: Lived, opens: Opens) -> None:
    watched = await opened(opens, lived.box.url, f"/?at={lived.minutes_ago(15)}")
    await watched.page.locator("#past .bar").focus()
    stops = []
    for _ in range(11):
        stops.append(await watched.page.evaluate(FOCUSED))
        await watched.page.keyboard.press("Tab")
    names = [name for name, _, _ in stops]
    assert names[:4] == ["bar", "before", "play", "after"]
    assert {"SELECT", "fork", "live"} <= set(names)
    assert all(seen for _, _, seen in stops)
