"""What the page itself costs: until something is seen, and frame by frame while much of it changes.

First paint is that of the box's page over loopback, in a browser that has never seen it and in one that has. For the
frames the page gets its signals from this process, so that the box takes no time from it: 50 live answers of all kinds,
each of which changes ten times a second. **The baseline** is the same page with the same answers that stand still.
Layout shifts are what Chromium itself counts as such; a live update must cause none.
"""

from __future__ import annotations

import asyncio
import http
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from appliance.bridge import Frame, FrameType, control, encode
from appliance.bridge.frame import Decoder
from appliance.screen.receiver import Part, load_page, load_parts
from benchmarks.box import running_box
from benchmarks.page import browser
from benchmarks.report import Measure, Ratio, Result

CARDS: Final = 50
EVERY_S: Final = 0.1
WATCHED_S: Final = 10.0
LOADS: Final = 12
WARDS: Final = ("Cardiology", "Emergency", "Intensive Care", "Maternity", "Oncology", "Surgery")
FRAMES: Final = """(seconds) => new Promise((resolve) => {
  const taken = [], began = performance.now();
  let last = began, shifted = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((it) => (shifted += it.value)));
  observer.observe({ type: "layout-shift" });
  const next = (now) => {
    taken.push(now - last);
    last = now;
    if (now - began < seconds * 1000) return requestAnimationFrame(next);
    setTimeout(() => (observer.disconnect(), resolve([taken.slice(1), shifted])), 300);
  };
  requestAnimationFrame(next);
})"""
PAINTED: Final = """() => new Promise((resolve) => {
  const told = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const look = () => (told() ? resolve(told()) : setTimeout(look, 20));
  look();
})"""


async def run(count: int) -> Result:
    """Measure; `count` decides only how often the page is loaded, at most 12 times each way."""
    async with browser() as chromium:
        cold, warm, shown = await _loads(chromium, min(count, LOADS))
        still, moving = await _frames(chromium, changing=False), await _frames(chromium, changing=True)
    first = Measure("the page is opened -> first paint, never seen before", tuple(cold))
    busy = Measure(f"a frame, {CARDS} live answers, each changing 10 times a second", tuple(moving[0]))
    calm = Measure(f"a frame, {CARDS} live answers that stand still", tuple(still[0]))
    measures = (
        first,
        Measure("the same, seen before", tuple(warm)),
        Measure("the page is opened -> its answers are live", tuple(shown)),
        busy,
        calm,
    )
    return Result("paint", "what the page costs", measures, (Ratio(busy, calm),), (), _notes(moving, still))


def _notes(moving: tuple[list[float], float], still: tuple[list[float], float]) -> tuple[str, ...]:
    frames, shifted = moving
    return (
        f"{len(frames)} frames in {WATCHED_S:g} s, {1000 * len(frames) / sum(frames):.1f} a second; the slowest took "
        f"{max(frames):.1f} ms; {sum(each > 17.5 for each in frames)} took longer than 17.5 ms "
        f"(standing still: {sum(each > 17.5 for each in still[0])} of {len(still[0])}).",
        f"Layout shift while everything changed: {shifted:g}.",
        "Headless Chromium without a GPU, 1920 x 1080; it draws in software, on the processors of this machine.",
    )


# First paint -------------------------------------------------------------------------------------------------


async def _loads(chromium: Browser, count: int) -> tuple[list[float], list[float], list[float]]:
    cold: list[float] = []
    warm: list[float] = []
    shown: list[float] = []
    async with running_box() as box:
        for _ in range(count):
            context = await chromium.new_context(viewport={"width": 1280, "height": 800})
            cold.append(await _load(context, box.url, shown))
            warm.append(await _load(context, box.url, []))
            await context.close()
    return cold, warm, shown


async def _load(context: BrowserContext, url: str, shown: list[float]) -> float:
    page = await context.new_page()
    await page.goto(url)
    painted = float(await page.evaluate(PAINTED))
    await page.locator("#state.live").wait_for()
    shown.append(float(await page.evaluate("performance.now()")))
    await page.close()
    return painted


# Frames ------------------------------------------------------------------------------------------------------


async def _frames(chromium: Browser, *, changing: bool) -> tuple[list[float], float]:
    async with _signals(changing=changing) as url:
        context = await chromium.new_context(viewport={"width": 1920, "height": 1080})
        page = await context.new_page()
        await page.goto(url)
        await page.locator(f"#grid .card:nth-child({CARDS - 1})").wait_for()
        await _settled(page)
        taken, shifted = await page.evaluate(FRAMES, WATCHED_S)
        await context.close()
    return taken, shifted


async def _settled(page: Page) -> None:
    await page.locator("html[data-full]").wait_for()
    await page.wait_for_timeout(1500)


@asynccontextmanager
async def _signals(*, changing: bool) -> AsyncIterator[str]:
    """The page, and a line that tells it of answers that change; the address it is at."""
    parts = _parts()

    def given(_: ServerConnection, request: Request) -> Response | None:
        part = parts.get(urlsplit(request.path).path)
        if request.path.startswith("/ws"):
            return None
        if part is None:
            return Response(http.HTTPStatus.NOT_FOUND, "Not Found", Headers({"Content-Length": "0"}), b"")
        told = {"Content-Type": part.media, "Content-Length": str(len(part.plain)), "Connection": "close"}
        return Response(http.HTTPStatus.OK, "OK", Headers(told), part.plain)

    async def told(socket: ServerConnection) -> None:
        await _tell(socket, changing=changing)

    async with serve(told, "127.0.0.1", 0, process_request=given, compression=None) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


def _parts() -> dict[str, Part]:
    page = load_page()
    return {"/": Part(page.plain, page.gzipped, page.etag, "text/html; charset=utf-8"), **load_parts()}


async def _tell(socket: ServerConnection, *, changing: bool) -> None:
    await socket.send(encode(control("hello", version=1, box="Box", role="staff", screen="bench")))
    chance, version = random.Random(1), 1
    state = {"box.name": "Box", "answers.order": [f"a{n}" for n in range(CARDS)], "answers.pinned": []}
    for n in range(CARDS):
        state |= _asked(n) | _changed(n, chance)
    reading = asyncio.create_task(_read(socket))
    await socket.send(_frame(FrameType.SIGNAL_SYNC, {**state, "$": {"e": "00000001", "v": version}}))
    await socket.send(encode(control("subscribed", stream="main", e="00000001", v=version)))
    try:
        while not reading.done():
            await asyncio.sleep(EVERY_S)
            if not changing:
                continue
            diff: dict[str, Any] = {"$": {"e": "00000001", "b": version, "v": version + 1}}
            for n in range(CARDS):
                diff |= _changed(n, chance)
            version += 1
            await socket.send(_frame(FrameType.SIGNAL_DIFF, diff))
    finally:
        reading.cancel()


async def _read(socket: ServerConnection) -> None:
    """Answer pings, so that the page knows that somebody is there."""
    decoder = Decoder()
    async for message in socket:
        for frame in decoder.feed(message if isinstance(message, bytes) else message.encode()):
            if frame.type == FrameType.CONTROL and frame.json().get("type") == "ping":
                await socket.send(encode(control("pong", t=frame.json().get("t"))))


def _frame(kind: FrameType, values: dict[str, Any]) -> bytes:
    return encode(Frame(kind, json.dumps(values).encode(), 2 if kind == FrameType.SIGNAL_SYNC else 0))


def _asked(n: int) -> dict[str, Any]:
    kind = ("number", "bars", "table")[n % 3]
    fields = [{"name": "ward", "label": "ward", "type": "text"}, {"name": "count", "label": "count", "type": "numeric"}]
    told: dict[str, Any] = {
        "question": f"Question {n}, about the {kind}?",
        "asked_at": f"2026-11-29T00:00:{n:02}Z",
    }
    told |= {"role": "staff", "stage": "done", "status": "answered", "fields": fields, "source": "beds"}
    return {f"answer.a{n}.{name}": value for name, value in told.items()}


def _changed(n: int, chance: random.Random) -> dict[str, Any]:
    value, kind = chance.randrange(10, 99), ("number", "bars", "table")[n % 3]
    rows = [{"ward": ward, "count": chance.randrange(1, 99)} for ward in WARDS]
    view = {"kind": "number", "value": value, "label": "beds"} if kind == "number" else {"kind": kind}
    view |= {"label": "ward", "value": "count"} if kind == "bars" else {}
    told = {"view": view, "rows": rows, "row_count": len(rows), "sentence": f"{value} beds are free."}
    told |= {"read_at": "2026-11-29T00:01:00+00:00"}
    return {f"answer.a{n}.{name}": value for name, value in told.items()}
