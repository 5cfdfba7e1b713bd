"""A wall display beside a real box: let in by its code, it shows what it held when the box goes, with its age."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.box import Box, running_box
from tests.browser.conftest import Opens
from tests.browser.probes import CONTRAST, OVERFLOW
from tests.kiosk import kiosk_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.alone]

QUESTION = "How many beds are free in cardiology?"
OFFLINE = "How many beds are occupied in cardiology?"
NEWS = 'document.getElementById("news").textContent'
STATE = 'document.getElementById("state")?.textContent'


def admin(box: Box, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, box.url + path, json=body, headers=box.bearer("admin"), trust_env=False)
    assert answer.status_code < 300, answer.text
    return answer.json()


def asked(box: Box, screen: str) -> int:
    """How many questions of a screen the box has worked on."""
    return len(re.findall(rf"asked  .*screen={screen}\b", box.log()))


async def test_a_wall_display_outlives_its_box(opens: Opens, tmp_path: Path, pictures: Path) -> None:
    with running_box("--no-mdns", "--join", "approve") as box:
        async with kiosk_of(tmp_path, box.ticket()) as kiosk:
            watched = await opens(kiosk.url, viewport={"width": 1920, "height": 1080})
            await watched.page.locator("#code:not([hidden])").wait_for(timeout=15_000)
            code = (await watched.text("#code")).replace("-", "")
            assert re.fullmatch(r"[A-Z0-9]{6}", code)
            assert await watched.page.evaluate(OVERFLOW) == []
            await watched.page.screenshot(path=pictures / "kiosk-code.png")
            place = {"name": "Wall by the door", "role": "staff"}
            screen = (await asyncio.to_thread(admin, box, "POST", f"/api/screens/codes/{code}", place))["id"]
            await watched.page.locator("#hero").wait_for(timeout=15_000)
            await watched.live()
            await watched.ask(QUESTION)
            await watched.answered(QUESTION)
            shown = await watched.text("#sentence")
            assert asked(box, screen) == 1
            await asyncio.sleep(2.5)  # it keeps what it holds every 2 s

            await asyncio.to_thread(box.stop)
            await watched.until(f"{STATE} === 'Not connected'")
            await watched.until(f"/Shown as of .*, [3-9] s ago/.test({NEWS})")
            assert await watched.text("#sentence") == shown
            assert await watched.page.evaluate(CONTRAST) == []
            assert await watched.page.evaluate(OVERFLOW) == []
            await watched.ask(OFFLINE)
            await watched.until(f"/1 question is kept for it/.test({NEWS})")
            assert await watched.text("#question") == OFFLINE
            assert await watched.text("#sentence") == "Kept until the box is back"
            await asyncio.sleep(0.5)  # it fades in
            await watched.page.screenshot(path=pictures / "kiosk-away.png")

            await watched.page.reload()  # the browser died; what was asked has not
            await watched.until(f"/Shown as of .* ago. 1 question is kept for it/.test({NEWS})")
            assert await watched.text("#sentence") == shown
            clock = await watched.text("#clock")
            assert clock[:4] == (await watched.page.evaluate("new Date().toTimeString()"))[:4], "it is this machine's"

            await asyncio.to_thread(box.start)
            await watched.until(f"{STATE} === 'Live'", 20)
            titles = "[...document.querySelectorAll('#question, .card:not([data-now=true]) h3')]"
            mine = f"{titles}.filter((el) => el.textContent === {json.dumps(OFFLINE)}).length"
            await watched.until(f"{mine} === 1", 20)
            await watched.until(f"!/kept/.test({NEWS})")
            await asyncio.sleep(2)
            assert await watched.page.evaluate(mine) == 1
            assert asked(box, screen) == 3, "the first, the first again when the box put it back, and the second once"
            kept = json.loads((box.data / "gateway" / "board.json").read_bytes())
            assert [live["question"]["text"] for live in kept].count(OFFLINE) == 1
