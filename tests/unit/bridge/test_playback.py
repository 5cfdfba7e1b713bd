"""A screen is shown the past by the same frames as the present: at the recorded pace, faster, and step by step."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.bridge import Streams
from appliance.bridge import playback as playback_module
from appliance.bridge.frame import FrameType
from appliance.bridge.mesh import Mesh
from appliance.bridge.recordings import Recordings
from appliance.bridge.segment_writer import SegmentWriter
from appliance.bridge.signals import View
from appliance.bridge.transports.memory import MemoryConnection
from appliance.types import Signal
from tests.unit.bridge.mesh.keys import BOX
from tests.unit.bridge.past import T0, at_count, counted, step
from tests.unit.bridge.test_session import Screen, screen_of


@pytest.fixture
def streams(tmp_path: Path) -> Streams:
    counted(tmp_path / "main" / "staff", 100)
    streams = Streams()
    streams.open("main").write("s", [Signal("n", -1)])
    streams.past = Recordings(tmp_path)
    return streams


async def until_n(screen: Screen, n: int, *, or_later: bool = False) -> None:
    async with asyncio.timeout(5):
        while (now := screen.copy.values.get("n")) != n and not (or_later and now is not None and now > n):
            frame = await screen.connection.receive()
            screen.kinds.append(frame.type)
            if frame.type != FrameType.CONTROL:
                (screen.copy.sync if frame.type == FrameType.SIGNAL_SYNC else screen.copy.diff)(frame.json())


async def replay(screen: Screen, **said: Any) -> dict[str, Any]:
    await screen.say("replay", **said)
    return await screen.hear("replaying")


async def test_it_begins_with_a_keyframe_and_goes_on_at_the_recorded_pace(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        screen.kinds.clear()
        told = await replay(screen, stream="main", t=T0 + 2_000, speed=1)
        assert (told["state"], told["speed"], told["role"]) == ("playing", 1.0, "staff")
        assert screen.kinds[0] == FrameType.SIGNAL_SYNC
        assert screen.copy.values == at_count(20)
        began = time.monotonic()
        await until_n(screen, 28, or_later=True)
        assert 0.7 < time.monotonic() - began < 1.5
        assert screen.copy.values == at_count(screen.copy.values["n"])
        assert FrameType.SIGNAL_SYNC not in screen.kinds[3:]


async def test_faster_and_as_fast_as_it_goes(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        began = time.monotonic()
        await replay(screen, t=T0, speed=10)
        await until_n(screen, 50, or_later=True)
        assert 0.4 < time.monotonic() - began < 1.5
        await replay(screen, speed=1000)
        assert (await screen.hear("replaying"))["state"] == "ended"
        assert screen.copy.values == at_count(99)
        assert time.monotonic() - began < 4


async def test_it_stands_still_steps_and_goes_on(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        told = await replay(screen, t=T0 + 1_050, speed=0)
        assert (told["state"], told["t"]) == ("paused", T0 + 1_050)
        for steps, n in ((1, 11), (1, 12), (1, 13), (5, 18)):
            told = await replay(screen, step=steps)
            while told["t"] != T0 + n * 100:  # told once more when the step is made
                told = await screen.hear("replaying")
            assert told["state"] == "paused"
            await until_n(screen, n)
        await asyncio.sleep(0.3)
        assert screen.copy.values == at_count(18)
        assert (await replay(screen, speed=2))["state"] == "playing"
        await until_n(screen, 20, or_later=True)


async def test_it_steps_back_to_the_changes_before(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await replay(screen, t=T0 + 2_050, speed=5)
        for steps, n in ((1, 19), (1, 18), (3, 15)):
            if n == 19:
                assert (await replay(screen, t=T0 + 2_050, speed=0))["t"] == T0 + 2_050
            told = await replay(screen, step=-steps)
            assert (told["state"], told["t"]) == ("paused", T0 + n * 100)
            assert screen.copy.values == at_count(n)
        assert (await replay(screen, step=-1000))["t"] == T0
        assert (await replay(screen, step=-1))["t"] == T0
        await screen.say("replay", step=2)
        await until_n(screen, 2)


async def test_before_the_beginning_is_the_beginning(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        told = await replay(screen, t=T0 - 3_600_000, speed=0)
        assert (told["state"], told["t"]) == ("paused", T0)
        assert screen.copy.values == at_count(0)


async def test_time_in_which_nothing_happens_passes_too(tmp_path: Path) -> None:
    writer, view = SegmentWriter(tmp_path / "main" / "staff", {"stream": "main", "role": "staff"}, reserve=0), View()
    now = time.time_ns() // 1_000_000
    await asyncio.to_thread(writer.write, [step(view, now - 2_000, {"n": 1}, opens=True)])
    streams = Streams()
    streams.past = Recordings(tmp_path, lambda: {writer.path} if writer.path else set())
    async with screen_of(streams) as screen:
        assert (await replay(screen, t=now - 1_500, speed=1))["state"] == "playing"
        assert (await screen.hear("replaying"))["state"] == "playing"
        await asyncio.to_thread(writer.write, [step(view, now - 100, {"n": 2})])
        await until_n(screen, 2)
        assert (await replay(screen, speed=1000))["state"] == "playing"
        told = await screen.hear("replaying")
        assert (told["state"], told["t"] >= now) == ("ended", True)
    await asyncio.to_thread(writer.finish, now + 1)


async def test_scrubbing_is_a_new_keyframe_each_time(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        for n in (90, 3, 55):
            await replay(screen, t=T0 + n * 100, speed=0)
            assert screen.copy.values == at_count(n)
        assert streams.past is not None and streams.past.playing == 1


async def test_live_again(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await replay(screen, t=T0, speed=1)
        assert (await replay(screen, live=True))["state"] == "live"
        assert screen.copy.values == {"n": -1}
        streams.open("main").write("s", [Signal("n", -2)])
        await until_n(screen, -2)
        await asyncio.sleep(0.3)
        assert screen.copy.values == {"n": -2}
        assert streams.past is not None and streams.past.playing == 0


async def test_a_subscription_ends_it_and_so_does_leaving(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await replay(screen, t=T0, speed=1)
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        assert screen.copy.values == {"n": -1}
        await replay(screen, t=T0, speed=1)
    assert streams.past is not None and streams.past.playing == 0


async def test_no_frame_is_cut_when_it_ends(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[bytes] = []

    async def slowly(road: MemoryConnection, raw: bytes) -> None:
        try:
            await asyncio.sleep(0.03)
            await put(road, raw)
        except asyncio.CancelledError:
            cut.append(raw)
            raise

    put = MemoryConnection.send
    monkeypatch.setattr(playback_module, "TELL_S", 0.01)
    async with screen_of(streams) as screen:
        monkeypatch.setattr(MemoryConnection, "send", slowly)
        for wait in (0.05, 0.11, 0.07, 0.13):
            await screen.say("replay", t=T0, speed=0.01)
            await asyncio.sleep(wait + 0.1)
        told = await replay(screen, live=True)
        while told["state"] != "live":
            told = await screen.hear("replaying")
        monkeypatch.undo()
    assert cut == []
    assert screen.copy.values == {"n": -1}


async def test_need_sync_is_of_the_past_while_it_is_shown(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await replay(screen, t=T0 + 700, speed=0)
        screen.copy.values = {}
        await screen.say("need_sync")
        await until_n(screen, 7)
        assert screen.copy.values == at_count(7)


async def test_a_screen_that_does_not_read_gets_it_merged(streams: Streams) -> None:
    async with screen_of(streams, room=1) as screen:
        await screen.hear("hello")
        await screen.say("replay", t=T0, speed=100)
        await asyncio.sleep(0.5)
        await until_n(screen, 99)
        assert screen.copy.values == at_count(99)
        assert len(screen.kinds) < 20
        with contextlib.suppress(TimeoutError):  # what it still says of where it is: this road blocks who writes
            while True:
                await asyncio.wait_for(screen.connection.receive(), 0.5)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"t": T0, "stream": "../x"}, "BRG460"),
        ({"t": "noon"}, "BRG466"),
        ({"t": None}, "BRG466"),
        ({"t": T0, "speed": -1}, "BRG410"),
        ({"t": T0, "speed": True}, "BRG410"),
        ({"t": T0, "speed": 1e9}, "BRG410"),
        ({"speed": 1}, "BRG410"),
        ({"step": 1}, "BRG410"),
        ({"live": True, "stream": "nowhere"}, "BRG408"),
    ],
)
async def test_what_cannot_be_is_told_and_the_present_goes_on(
    streams: Streams, said: dict[str, Any], code: str
) -> None:
    async with screen_of(streams) as screen:
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        await screen.say("replay", **said)
        assert (await screen.hear("error"))["code"] == code
        streams.open("main").write("s", [Signal("n", -2)])
        await until_n(screen, -2)


async def test_steps_that_cannot_be(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await replay(screen, t=T0, speed=0)
        for steps in (0, True, 1.5, "1", 10**6, -(10**6)):
            await screen.say("replay", step=steps)
            assert (await screen.hear("error"))["code"] == "BRG410"


async def test_a_role_is_not_shown_what_a_higher_one_saw(streams: Streams) -> None:
    from appliance.bridge import Member

    async with screen_of(streams, Member("hall", "wall")) as screen:
        await screen.say("replay", t=T0)
        assert (await screen.hear("error"))["code"] == "BRG460"
        assert "n" not in screen.copy.values


async def test_the_past_of_a_stream_that_a_screen_may_not_read_is_closed_too(streams: Streams) -> None:
    async with screen_of(streams, may=lambda member, name: name != "main") as screen:
        for said in ({"t": T0}, {"t": T0, "stream": "main"}, {"live": True}):
            await screen.say("replay", **said)
            assert (await screen.hear("error"))["code"] == "BRG408"


async def test_main_is_the_stream_of_the_screens_room(streams: Streams, tmp_path: Path) -> None:
    from appliance.bridge import Member

    await asyncio.to_thread(counted, tmp_path / "room+icu" / "staff", 20)
    async with screen_of(streams, Member("tablet", "staff", own="room/icu")) as screen:
        told = await replay(screen, t=T0 + 99_000, speed=0)
        assert (told["stream"], screen.copy.values) == ("room/icu", at_count(19))
        assert (await replay(screen, t=T0 + 500, speed=0))["stream"] == "room/icu"


async def test_too_many_are_told_so(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "PLAYBACKS_LIMIT", 1)
    async with screen_of(streams) as screen, screen_of(streams) as other:
        await replay(screen, t=T0)
        await other.say("replay", t=T0)
        assert (await other.hear("error"))["code"] == "BRG465"
        await replay(screen, t=T0 + 500)


async def test_a_bridge_without_recordings_says_so() -> None:
    async with screen_of(Streams()) as screen:
        await screen.say("replay", t=T0)
        assert (await screen.hear("error"))["code"] == "BRG460"


async def test_the_past_is_not_signed_as_it_could_pass_for_the_present(streams: Streams) -> None:
    async with screen_of(streams, mesh=Mesh(BOX, 1)) as screen:
        await screen.say("subscribe", stream="main", seal=True)
        await screen.hear("seal")
        await screen.hear("subscribed")
        await replay(screen, stream="main", t=T0, speed=1000)
        await screen.say("prove", n="now?")
        await screen.say("ping", t=1)
        said: list[str] = []
        async with asyncio.timeout(5):
            while "pong" not in said or screen.copy.values["n"] != 99:
                frame = await screen.connection.receive()
                if frame.type == FrameType.CONTROL:
                    said.append(frame.json()["type"])
                else:
                    (screen.copy.sync if frame.type == FrameType.SIGNAL_SYNC else screen.copy.diff)(frame.json())
        assert not {"seal", "alive"} & set(said)
