"""What a subscription carries besides signals, over the in-memory transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.bridge import Member, Session, Streams, control, encode, input_frame
from appliance.bridge.flow import Flow, offer_nothing
from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.picture import PictureFeed, PictureFlow
from appliance.bridge.pixels import Picture
from appliance.bridge.stream import Stream
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.errors import ApplianceError
from appliance.types import Signal

WALL = Member("panel", "wall")


class Beats:
    """A flow for tests: a frame whenever a test says so."""

    deflate = False

    def __init__(self) -> None:
        self.frames = [b"whole"]
        self.heard: list[dict[str, Any]] = []
        self.closed = False
        self.more = asyncio.Event()

    async def wait(self) -> None:
        while not self.frames:
            self.more.clear()
            await self.more.wait()

    def take(self) -> Frame | None:
        return Frame(FrameType.AUDIO, self.frames.pop(0)) if self.frames else None

    def again(self) -> None:
        self.frames = [b"whole again"]

    def hear(self, said: dict[str, Any]) -> bool:
        self.heard.append(said)
        return bool(said["type"] == "speak")

    def close(self) -> None:
        self.closed = True

    def beat(self, payload: bytes) -> None:
        self.frames.append(payload)
        self.more.set()


class Screen:
    def __init__(self, connection: MemoryConnection) -> None:
        self.connection = connection

    async def say(self, kind: str, **values: Any) -> None:
        await self.connection.send(encode(control(kind, **values)))

    async def next(self) -> Frame:
        return await asyncio.wait_for(self.connection.receive(), 2)

    async def told(self, kind: str) -> dict[str, Any]:
        frame = await self.next()
        assert frame.type == FrameType.CONTROL
        assert frame.json()["type"] == kind
        return frame.json()


@asynccontextmanager
async def screen_of(
    offer: Any, heard: list[Any] | None = None, room: int = 1000
) -> AsyncIterator[tuple[Screen, Streams]]:
    streams = Streams()
    streams.open("main").write("s", [Signal("beds.free", 7)])
    box, mine = pair(room)
    hear = [] if heard is None else heard
    session = Session(box, streams, "Box", lambda _, said: hear.append(said), WALL, offer=offer)
    task = asyncio.create_task(session.run())
    screen = Screen(mine)
    await screen.told("hello")
    yield screen, streams
    await mine.close()
    await asyncio.wait_for(task, 2)


def offering(*flows: Flow) -> Any:
    async def offer(member: Member, stream: Stream, said: dict[str, Any]) -> list[Flow]:
        assert (member, stream.name) == (WALL, "main")
        return list(flows)

    return offer


async def test_pixels_stand_in_place_of_signals_unless_both_are_asked_for() -> None:
    flow = Beats()
    async with screen_of(offering(flow)) as (screen, streams):
        await screen.say("subscribe", pixels={})
        assert (await screen.next()).payload == b"whole"
        assert "e" not in await screen.told("subscribed")
        streams.open("main").write("s", [Signal("beds.free", 8)])
        flow.beat(b"more")
        assert (await screen.next()).payload == b"more"
        flow.frames.append(b"whole")
        await screen.say("subscribe", pixels={}, signals=True)
        assert [(await screen.next()).type for _ in range(2)] == [FrameType.AUDIO, FrameType.SIGNAL_SYNC]
        assert (await screen.told("subscribed"))["v"] == 2
        streams.open("main").write("s", [Signal("beds.free", 9)])
        assert (await screen.next()).type == FrameType.SIGNAL_DIFF
    assert flow.closed


async def test_need_sync_is_for_flows_too() -> None:
    flow = Beats()
    async with screen_of(offering(flow)) as (screen, _):
        await screen.say("subscribe")
        assert [(await screen.next()).type for _ in range(2)] == [FrameType.AUDIO, FrameType.SIGNAL_SYNC]
        await screen.told("subscribed")
        await screen.say("need_sync")
        assert (await screen.next()).payload == b"whole again"
        assert (await screen.next()).type == FrameType.SIGNAL_SYNC


async def test_what_cannot_be_had_is_told_and_leaves_things_as_they_are() -> None:
    flow = Beats()

    async def offer(_member: Member, _stream: Stream, said: dict[str, Any]) -> list[Flow]:
        if said.get("pixels"):
            raise ApplianceError("BRG450", "No.")
        return [flow]

    async with screen_of(offer) as (screen, _):
        await screen.say("subscribe", signals=False)
        await screen.next()
        await screen.told("subscribed")
        await screen.say("subscribe", pixels="none such")
        assert (await screen.told("error"))["code"] == "BRG450"
        flow.beat(b"still here")
        assert (await screen.next()).payload == b"still here"
        assert not flow.closed


async def test_a_screen_that_does_not_read_skips_pictures_and_ends_with_the_last() -> None:
    feed, picture = PictureFeed(8, 8), Picture()
    feed.show(bytes(256))
    flow = PictureFlow(feed, lambda: None)
    async with screen_of(offering(flow), room=1) as (screen, _):
        await screen.say("subscribe", pixels={})
        for n in range(1, 200):
            feed.show(bytes([n]) * 256)
            await asyncio.sleep(0)
        frames = 0
        while picture.data != bytes([199]) * 256:
            frame = await screen.next()
            if frame.type in (FrameType.PIXELS, FrameType.PIXELS_DELTA):
                picture.take(frame)
                frames += 1
        assert frames <= 4


async def test_a_flow_hears_what_the_screen_asks() -> None:
    flow, heard = Beats(), []  # type: ignore[var-annotated]
    async with screen_of(offering(flow), heard) as (screen, _):
        await screen.say("subscribe", signals=False)
        await screen.next()
        await screen.told("subscribed")
        await screen.connection.send(encode(input_frame("ask", question="How many?")))
        await screen.say("speak", answer="a1")
        await screen.say("ping", t=1)
        await screen.told("pong")
    assert [said["type"] for said in flow.heard] == ["ask", "speak"]
    assert [said["type"] for said in heard] == ["ask"]


async def test_a_flow_that_speaks_is_made_when_it_is_first_asked() -> None:
    made: list[Beats] = []

    async def offer(_member: Member, _stream: Stream, said: dict[str, Any]) -> list[Flow]:
        if said["type"] == "speak":
            made.append(Beats())
        return list(made)

    async with screen_of(offer) as (screen, _):
        await screen.say("speak", answer="a1")  # before a stream is chosen there is nothing to speak of
        await screen.say("subscribe", signals=False)
        await screen.told("subscribed")
        await screen.say("speak", answer="a1")
        assert (await screen.next()).payload == b"whole"
        await screen.say("speak", answer="a2")
        await screen.say("ping", t=1)
        await screen.told("pong")
    assert [said["answer"] for said in made[0].heard] == ["a1", "a2"]
    assert made[0].closed


@pytest.mark.parametrize("said", [{"pixels": {"width": 8, "height": 8}}, {"app": True}, {"speak": True}])
async def test_a_box_that_offers_nothing_gives_nothing(said: dict[str, Any]) -> None:
    assert await offer_nothing(WALL, Streams().open("main"), said) == []
