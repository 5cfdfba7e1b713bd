"""A real box and screens that can only show pixels or play samples, over both transports."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from appliance.bridge import Frame, FrameType, control
from appliance.bridge.frame import KEYFRAME
from tests.box import ROOT, Box
from tests.dumb_screen import DumbScreen, over_iroh, over_websocket
from tests.receiver import socket_url

Join = Callable[[], AbstractAsyncContextManager[DumbScreen]]
PANEL = {"width": 64, "height": 32}
PAPER = {"width": 800, "height": 480, "colors": "bw"}


@pytest.fixture(params=["websocket", "iroh"])
def join(request: pytest.FixtureRequest, box: Box, tmp_path: Path) -> Join:
    return (lambda: over_iroh(box, tmp_path)) if request.param == "iroh" else (lambda: over_websocket(box))


@pytest.fixture
async def data(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=box.url, headers=box.bearer("staff"), timeout=15, trust_env=False) as client:
        yield client


async def turn_bed(data: httpx.AsyncClient, bed: int, status: str) -> None:
    (await data.patch(f"/rest/beds?id=eq.{bed}", json={"status": status})).raise_for_status()


async def ask(data: httpx.AsyncClient, question: str) -> None:
    answer = await data.post("/api/ask", json={"question": question, "role": "wall"})
    assert answer.json()["status"] == "answered"


async def test_a_picture_follows_the_data_and_ends_as_a_fresh_one(
    join: Join, data: httpx.AsyncClient, tmp_path: Path
) -> None:
    await ask(data, "How many beds are in cleaning?")
    bed = (await data.get("/rest/beds?status=eq.cleaning&limit=1")).json()[0]["id"]
    async with join() as screen:
        await screen.subscribe(pixels=PANEL)
        assert [(f.type, f.flags) for f in screen.frames] == [(FrameType.PIXELS, KEYFRAME)]
        first = screen.picture.data
        assert len(first) == 64 * 32 * 4
        await turn_bed(data, bed, "occupied")
        try:
            await screen.until(lambda: screen.picture.data != first)
        finally:
            await turn_bed(data, bed, "cleaning")
        await screen.until(lambda: screen.picture.data == first)
        changes = [frame for frame in screen.frames if frame.type == FrameType.PIXELS_DELTA]
        assert len(changes) >= 2
        assert max(len(frame.payload) for frame in changes) < len(first) / 2
        assert set(screen.kinds()) == {FrameType.PIXELS, FrameType.PIXELS_DELTA}  # signals were not asked for
        followed = screen.picture.data
        await screen.send(control("need_sync"))
        await screen.until(lambda: screen.kinds()[-1] == FrameType.PIXELS)
        assert screen.frames[-1].payload == followed


async def test_a_page_of_paper_beside_signals(join: Join) -> None:
    async with join() as screen:
        await screen.subscribe(pixels=PAPER | {"packed": True}, signals=True)
        assert screen.kinds() == [FrameType.PIXELS_DELTA, FrameType.SIGNAL_SYNC]
        assert len(screen.frames[0].payload) < 150_000
        pixels = np.frombuffer(screen.picture.data, np.uint8).reshape(480, 800, 4)
        assert set(np.unique(pixels[..., :3])) == {0, 255}
        assert 0.01 < (pixels[..., 0] == 0).mean() < 0.4


async def test_a_picture_that_cannot_be_drawn_is_refused_and_the_rest_goes_on(join: Join) -> None:
    async with join() as screen:
        await screen.subscribe(pixels={"width": 100_000, "height": 2})
        assert screen.said[-1]["code"] == "BRG450"
        await screen.subscribe(pixels=PANEL)
        assert screen.said[-1]["type"] == "subscribed"


async def test_the_past_comes_as_pictures_and_so_does_the_present_after_it(
    join: Join, data: httpx.AsyncClient, tmp_path: Path
) -> None:
    await ask(data, "How many beds are in cleaning?")
    bed = (await data.get("/rest/beds?status=eq.cleaning&limit=1")).json()[0]["id"]
    async with join() as screen:
        await screen.subscribe(pixels=PAPER)
        first = screen.picture.data
        await asyncio.sleep(1)
        then = time.time_ns() // 1_000_000
        await asyncio.sleep(1)
        await turn_bed(data, bed, "occupied")
        try:
            await screen.until(lambda: screen.picture.data != first)
            await asyncio.sleep(1)
            present = screen.picture.data
            await screen.send(control("replay", t=then, speed=0))
            await screen.until(lambda: screen.said[-1]["type"] == "replaying")
            past = screen.picture.data
            assert len({first, present, past}) == 3, "what was then, with the word that it is the past"
            below = 4 * 800 * 60  # under the title, where that word stands
            assert past[below:] == first[below:] != present[below:]
            await screen.send(control("replay", live=True))
            await screen.until(lambda: screen.said[-1].get("state") == "live")
            assert screen.picture.data == present
            assert set(screen.kinds()) == {FrameType.PIXELS, FrameType.PIXELS_DELTA}
        finally:
            await turn_bed(data, bed, "cleaning")


def samples(frames: list[Frame]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.frombuffer(b"".join(frame.payload for frame in frames), "<i2")


async def test_an_answer_is_spoken_to_the_screen_that_asked(join: Join) -> None:
    async with join() as screen:
        await screen.subscribe(speak=True)
        await screen.ask("How many beds are in cardiology?")
        await screen.until(lambda: screen.sound() and not screen.sound()[-1].payload)
        heard = screen.sound()
        assert {(frame.width, frame.height) for frame in heard} == {(160, 1)}
        assert all(len(frame.payload) <= 8000 for frame in heard)
        sound = samples(heard)
        assert 0.5 < len(sound) / 16_000 < 10
        assert np.sqrt(np.mean(sound.astype(float) ** 2)) > 500


async def test_only_what_the_screen_may_see_is_spoken(join: Join, data: httpx.AsyncClient) -> None:
    answer = (await data.post("/api/ask", json={"question": "How many patients are there?"})).json()
    async with join() as screen:  # as a wall
        await screen.subscribe()
        await screen.send(control("speak", answer=answer["id"]))
        await screen.until(lambda: screen.said[-1]["type"] == "error")
        assert screen.said[-1]["code"] == "BRG452"
        assert FrameType.AUDIO not in screen.kinds()


async def test_the_stream_carries_its_page(join: Join, data: httpx.AsyncClient) -> None:
    async with join() as screen:
        await screen.subscribe(app=True, signals=False)
        assert screen.kinds() == [FrameType.APP]
        page = await data.get("/s/main")
        assert page.content == screen.frames[0].payload == (await data.get("/")).content
        assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert (await data.get("/s/nowhere")).json()["code"] == "BRG408"


async def test_the_receiver_in_the_docs_shows_what_any_other_does(box: Box, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "dumb-screens.md").read_text()
    program = text.partition("```python panel\n")[2].partition("```")[0]
    (tmp_path / "panel.py").write_text(program)
    shown = tmp_path / "panel.png"
    command = [sys.executable, str(tmp_path / "panel.py"), socket_url(box.url, "wall"), str(shown)]
    running = await asyncio.create_subprocess_exec(*command)
    try:
        async with over_websocket(box) as screen, asyncio.timeout(15):
            await screen.subscribe(pixels=PANEL)
            await asyncio.to_thread(wait_for, shown, screen.picture.data)
    finally:
        running.kill()
        await running.wait()


def wait_for(file: Path, pixels: bytes) -> None:
    """Return once the picture in a file is this one."""
    for _ in range(100):
        with contextlib.suppress(OSError):  # not there yet, or just being written
            if Image.open(file).tobytes() == pixels:
                return
        time.sleep(0.1)
    raise AssertionError("the receiver shows something else")


async def test_many_screens_of_one_size_are_one_picture(box: Box) -> None:
    async with over_websocket(box) as one, over_websocket(box) as other:
        await asyncio.gather(one.subscribe(pixels=PANEL), other.subscribe(pixels=PANEL))
        assert one.picture.data == other.picture.data
