"""Bytes of an update: the diff beside the whole state as JSON, and beside a compressed picture of the page.

A real box with the hospital demo; a bed's status is switched, and what the stream then says is counted. The pictures
are of the real page in headless Chromium, 1280 x 800, as PNG and as JPEG of quality 80.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import Any, Final

import httpx
import msgspec
from playwright.async_api import async_playwright
from websockets.asyncio.client import connect

from appliance.bridge import Copy, Decoder, FrameType, control, encode
from appliance.bridge.frame import HEADER_SIZE
from benchmarks.box import Box, running_box
from benchmarks.change import QUESTION
from benchmarks.page import BROWSERS
from benchmarks.report import Measure, Ratio, Result

QUIET_S: Final = 0.4
MOST: Final = 30
SETTLE_MS: Final = 1500


async def run(count: int) -> Result:
    """Count the bytes of up to 30 updates."""
    async with running_box() as box:
        updates, state = await _updates(box, min(count, MOST))
        png, jpeg = await _pictures(box)
    diff = Measure("an update as diffs, headers included", tuple(map(float, updates)), "B")
    others = (
        Measure("the whole state as JSON", (float(state),), "B"),
        Measure("a picture of the page, JPEG", (float(jpeg),), "B"),
        Measure("a picture of the page, PNG", (float(png),), "B"),
    )
    return Result(
        "sizes",
        "bytes of an update",
        (diff, *others),
        tuple(Ratio(other, diff) for other in others),
        notes=("An update is all frames that follow one committed row: the answers about it are read anew.",),
    )


async def _updates(box: Box, count: int) -> tuple[list[int], int]:
    database = await box.database()
    async with database, httpx.AsyncClient(base_url=box.url, trust_env=False, timeout=60) as client:
        (await client.post("/api/ask", json={"question": QUESTION})).raise_for_status()
        bed = (await client.get("/rest/beds?select=id&status=eq.free&limit=1")).raise_for_status().json()[0]["id"]
        url = box.url.replace("http", "ws", 1) + "/ws"
        async with connect(url, compression=None, proxy=None, max_size=None) as socket:
            await socket.send(encode(control("subscribe", stream="main")))
            copy, found = Copy(), []
            await _heard(socket, copy)
            for turn in range(count):
                status = "occupied" if turn % 2 == 0 else "free"
                await database.execute("update api.beds set status = %s where id = %s", (status, bed))
                found.append(await _heard(socket, copy))
            return [size for size in found if size], len(msgspec.json.encode(copy.values))


async def _heard(socket: Any, copy: Copy) -> int:
    """Bytes of signal frames until the stream is quiet."""
    decoder, size = Decoder(), 0
    while True:
        try:
            async with asyncio.timeout(QUIET_S):
                message = await socket.recv()
        except TimeoutError:
            return size
        for frame in decoder.feed(message):
            if frame.type == FrameType.SIGNAL_SYNC:
                copy.sync(frame.json())
            elif frame.type == FrameType.SIGNAL_DIFF:
                copy.diff(frame.json())
            size += HEADER_SIZE + len(frame.payload) if frame.type != FrameType.CONTROL else 0


async def _pictures(box: Box) -> tuple[int, int]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        raise FileNotFoundError("Chromium is not installed. Run: sudo apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            page = await browser.new_page(viewport={"width": 1280, "height": 800})
            await page.goto(box.url)
            await page.wait_for_timeout(SETTLE_MS)
            png = await page.screenshot(type="png")
            return len(png), len(await page.screenshot(type="jpeg", quality=80))
        finally:
            await browser.close()
