"""Pictures for dumb screens: drawn once for all, when something visible changed, and no longer than wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from appliance.bridge import Streams
from appliance.bridge.picture import PictureFlow
from appliance.bridge.pixels import Picture
from appliance.bridge.stream import Stream
from appliance.config import Settings, load
from appliance.errors import ApplianceError
from appliance.screen.pictures import Look, Moment, Shape, draw, read_look
from appliance.services import pictures as module
from appliance.services.pictures import Pictures, read_wish
from appliance.types import Role, Signal
from tests.unit.screen.pictures.hospital import answer, beds, signals

PANEL = {"width": 64, "height": 32}
MOMENT = Moment()


BASE = load({"data": "/nowhere", "picture_every_s": 0.01, "timezone": "UTC"}, environ={})


def settings(**given: Any) -> Settings:
    return msgspec.structs.replace(BASE, **given)


async def a_box(kept_up: Callable[[], bool] = lambda: True, **given: Any) -> Pictures:
    return await asyncio.to_thread(Pictures, settings(**given), kept_up)  # as a process that starts, it reads a zone


def hospital() -> Stream:
    stream = Streams().open("main")
    stream.write("a", [Signal(name, value) for name, value in signals("beds").items()])
    return stream


def tell(stream: Stream, free: int, audience: Role = "wall") -> None:
    stream.write("a", [Signal(name, value, audience) for name, value in beds(free).items()])


def expected(stream: Stream, role: Role = "wall", moment: Moment = MOMENT) -> bytes:
    return draw(read_look(stream.view(role).values, moment), Shape(64, 32))


@pytest.fixture
async def box() -> AsyncIterator[Pictures]:
    pictures = await a_box()
    yield pictures
    await pictures.close()


def count_drawings(monkeypatch: pytest.MonkeyPatch) -> list[Shape]:
    drawn: list[Shape] = []

    def counted(look: Look, shape: Shape) -> bytes:
        drawn.append(shape)
        return draw(look, shape)

    monkeypatch.setattr(module, "draw", counted)
    return drawn


class Looker:
    """A receiver that takes every frame of a flow."""

    def __init__(self, flow: PictureFlow) -> None:
        self.flow, self.picture, self.frames = flow, Picture(), 0

    async def until(self, met: Callable[[bytes], bool]) -> None:
        async with asyncio.timeout(5):
            while True:
                frame = self.flow.take()
                if frame is not None:
                    self.picture.take(frame)
                    self.frames += 1
                if met(self.picture.data):
                    return
                await self.flow.wait()


async def test_the_picture_is_that_of_the_signals_and_follows_them(box: Pictures) -> None:
    stream = hospital()
    looker = Looker(await box.open(stream, "wall", PANEL))
    await looker.until(lambda data: data == expected(stream))
    for free in (25, 26, 7):
        tell(stream, free)
        await looker.until(lambda data: data == expected(stream))
    assert looker.frames == 4


async def test_it_is_drawn_once_for_all_who_look(box: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_drawings(monkeypatch)
    stream = hospital()
    lookers = [Looker(await box.open(stream, "wall", PANEL)) for _ in range(5)]
    tell(stream, 3)
    await asyncio.gather(*(looker.until(lambda data: data == expected(stream)) for looker in lookers))
    assert box.count == 1
    assert len(drawn) <= 2
    await Looker(await box.open(stream, "wall", PANEL | {"colors": "bw"})).until(bool)
    assert box.count == 2


async def test_what_nobody_sees_is_not_drawn(box: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_drawings(monkeypatch)
    stream = hospital()
    await Looker(await box.open(stream, "wall", PANEL)).until(bool)
    for n in range(20):
        stream.write("a", [Signal("changes.beds", n), Signal("answer.beds.took_ms", n)])
        await asyncio.sleep(0.02)
    assert len(drawn) == 1


async def test_many_changes_are_few_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_drawings(monkeypatch)
    pictures, stream = await a_box(picture_every_s=0.2), hospital()
    looker = Looker(await pictures.open(stream, "wall", PANEL))
    for free in range(100, 150):
        tell(stream, free)
        await asyncio.sleep(0.01)
    await looker.until(lambda data: data == expected(stream))
    assert len(drawn) <= 8
    await pictures.close()


async def test_a_change_after_a_quiet_time_is_drawn_at_once() -> None:
    pictures, stream = await a_box(picture_every_s=1.0), hospital()
    looker = Looker(await pictures.open(stream, "wall", PANEL))
    await looker.until(lambda data: data == expected(stream))
    await asyncio.sleep(1.2)
    began = time.monotonic()
    stream.write("a", [Signal("changes.beds", 1)])  # as the feed does, a moment before the answer is read anew
    await asyncio.sleep(0.01)
    tell(stream, 3)
    await looker.until(lambda data: data == expected(stream))
    assert time.monotonic() - began < 0.6
    await pictures.close()


async def test_a_role_sees_its_own(box: Pictures) -> None:
    stream = hospital()
    private = answer("p", "Who lies in C-04?", "A patient.", {"kind": "text"}) | {"answers.order": ["p", "beds"]}
    stream.write("b", [Signal(name, value, "staff") for name, value in private.items() if name != "answers.order"])
    stream.write("b", [Signal("answers.order", private["answers.order"])])
    wall, staff = Looker(await box.open(stream, "wall", PANEL)), Looker(await box.open(stream, "staff", PANEL))
    await wall.until(lambda data: data == expected(stream, "wall"))
    await staff.until(lambda data: data == expected(stream, "staff"))
    assert wall.picture.data != staff.picture.data
    tell(stream, 5)
    public = {name: value for name, value in stream.view("wall").values.items() if not name.startswith("answer.p")}
    await wall.until(lambda data: data == draw(read_look(public, MOMENT), Shape(64, 32)))


async def test_nobody_looks_nothing_is_drawn(box: Pictures) -> None:
    stream = hospital()
    flows = [await box.open(stream, "wall", PANEL) for _ in range(2)]
    flows[0].close()
    assert box.count == 1
    flows[1].close()
    assert box.count == 0


async def test_who_keeps_up_the_answers_is_away_and_the_picture_says_since_when(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AWAY_S", 0.1)
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    there = [True]
    pictures, stream = await a_box(lambda: there[0]), hospital()
    looker = Looker(await pictures.open(stream, "wall", PANEL))
    await looker.until(lambda data: data == expected(stream))
    there[0] = False
    await looker.until(lambda data: data != expected(stream))
    assert bytes((255, 170, 0, 255)) in looker.picture.data
    there[0] = True
    await looker.until(lambda data: data == expected(stream))
    await pictures.close()


async def test_a_picture_that_fails_says_so_and_recovers(box: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(values: Any, moment: Any) -> Any:
        if values["answer.beds.view"]["value"] == 13:
            raise RuntimeError("unlucky")
        return read_look(values, moment)

    monkeypatch.setattr(module, "read_look", fail)
    stream = hospital()
    looker = Looker(await box.open(stream, "wall", PANEL))
    await looker.until(lambda data: data == expected(stream))
    tell(stream, 13)
    await looker.until(lambda data: bytes((255, 170, 0, 255)) in data)
    tell(stream, 14)
    await looker.until(lambda data: data == expected(stream))


async def test_there_are_only_so_many_different_pictures() -> None:
    pictures, stream = await a_box(pictures_limit=1), hospital()
    first = await pictures.open(stream, "wall", PANEL)
    with pytest.raises(ApplianceError) as caught:
        await pictures.open(stream, "staff", PANEL)
    assert caught.value.code == "BRG451"
    await pictures.open(stream, "wall", PANEL)
    first.close()
    await pictures.close()


WRONG: list[Any] = [
    None, 7, {}, {"width": 64}, {"width": "64", "height": 32}, {"width": 0, "height": 32}, {"width": 7, "height": 32},
    {"width": -64, "height": 32}, {"width": 2000, "height": 2000}, {"width": 9000, "height": 8},
    {"width": 64, "height": 32, "colors": "sepia"}, {"width": 64.5, "height": 32},
    {"width": 64, "height": 32, "clock": 1},
]  # fmt: skip


@pytest.mark.parametrize("pixels", WRONG, ids=str)
def test_a_wish_that_cannot_be_met_is_told(pixels: Any) -> None:
    with pytest.raises(ApplianceError) as caught:
        read_wish(pixels, settings())
    assert caught.value.code == "BRG450"
    assert caught.value.hint


async def test_the_clock_is_the_facilitys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)  # 22:13:20 UTC
    pictures, stream = await a_box(timezone="Asia/Tokyo"), hospital()
    shape = {"width": 200, "height": 120, "clock": True}
    looker = Looker(await pictures.open(stream, "wall", shape))
    moment = Moment("07:13", "", pictures._zone)  # type: ignore[arg-type]
    wanted = draw(read_look(stream.view("wall").values, moment), Shape(200, 120))
    await looker.until(lambda data: data == wanted)
    await pictures.close()
