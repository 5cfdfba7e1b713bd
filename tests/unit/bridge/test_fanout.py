"""The fan-out: one parcel for all, at once where the road is free, as one where it was not."""

from __future__ import annotations

import asyncio

import pytest

from appliance.bridge import Copy, Member, Session, Streams, control, encode
from appliance.bridge.fanout import WHOLE, Fanout, Parcel
from appliance.bridge.frame import Frame, FrameType, decode
from appliance.bridge.signals import View
from appliance.bridge.transports.memory import pair
from appliance.types import Signal


@pytest.mark.parametrize("size", [2, 100, WHOLE, WHOLE + 1])
def test_a_parcel_is_the_frame_of_each_connection(size: int) -> None:
    payload = b'{"a":"' + b"x" * size + b'"}'
    parcel = Parcel(FrameType.SIGNAL_DIFF, payload, 0, 41)
    for seq in (0, 7, 65_535):
        assert parcel.frame(seq) == encode(Frame(FrameType.SIGNAL_DIFF, payload, seq=seq, timestamp=41))
    assert parcel.size == len(parcel.frame(0))


def test_what_is_large_is_shared_and_not_copied() -> None:
    parcel = Parcel(FrameType.SIGNAL_DIFF, b"x" * WHOLE, 0, 0)
    assert parcel.pieces(1)[1] is parcel.pieces(2)[1]


async def test_a_step_is_made_once_and_offered_to_all() -> None:
    view = View()
    fanout, taken = Fanout(view), []

    def take(offered: Fanout) -> bool:
        taken.append(offered.parcel(0))
        return True

    with fanout.reader(take) as one, fanout.reader(take) as other:
        view.write({"a": 1})
        fanout.changed()
        assert not taken  # not in the middle of whoever writes
        await asyncio.sleep(0)
        assert len(taken) == 2
        assert taken[0] is taken[1]
        assert not one.is_set()
        assert not other.is_set()
    assert len(fanout) == 0


async def test_who_cannot_take_it_is_told_and_who_left_is_not_offered_it() -> None:
    view = View()
    fanout = Fanout(view)
    with fanout.reader(lambda _: False) as behind:
        with fanout.reader(lambda _: pytest.fail("it has left")):
            view.write({"a": 1})
            fanout.changed()
        await asyncio.sleep(0)
        assert behind.is_set()


async def test_steps_of_one_moment_are_offered_as_one() -> None:
    view = View()
    fanout, versions = Fanout(view), []

    def take(offered: Fanout) -> bool:
        versions.append(offered.view.version)
        return True

    with fanout.reader(take):
        for step in range(5):
            view.write({"a": step})
            fanout.changed()
        await asyncio.sleep(0.01)
    assert versions == [5]


async def test_all_are_served_when_there_are_more_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.bridge.fanout.SLICE", 2)
    view = View()
    fanout, had = Fanout(view), dict.fromkeys(range(5), 0)

    def reader_of(index: int) -> None:
        def take(offered: Fanout) -> bool:
            had[index] = offered.view.version
            return True

        readers.append(fanout.reader(take))

    readers: list = []  # type: ignore[type-arg]
    for index in had:
        reader_of(index)
    for reader in readers:
        reader.__enter__()
    view.write({"a": 1})
    fanout.changed()
    await asyncio.sleep(0)
    view.write({"a": 2})
    fanout.changed()
    await asyncio.sleep(0.01)
    assert set(had.values()) == {2}


class Sometimes:
    """A road that is free or not, over one of memory."""

    def __init__(self) -> None:
        self.inner, self.far = pair()
        self.peer, self.free, self.at_once = "x", True, 0
        self.send, self.receive, self.close = self.inner.send, self.inner.receive, self.inner.close

    def send_now(self, parcel: Parcel, seq: int) -> bool:
        if self.free:
            self.at_once += 1
            self.inner._outbox.put_nowait(parcel.frame(seq))
        return self.free


async def test_a_session_loses_nothing_between_its_two_ways_of_sending() -> None:
    streams, road, copy, numbers = Streams(), Sometimes(), Copy(), []
    stream = streams.open("main")
    session = Session(road, streams, "Box", lambda *_: None, Member("x", "staff"))
    running = asyncio.create_task(session.run())
    await road.far.send(encode(control("subscribe")))
    for step in range(300):
        road.free = step % 3 != 0
        stream.write("s", [Signal("n", step), Signal(f"x{step % 7}", step)])
        if step % 2:
            await asyncio.sleep(0)
    while copy.values.get("n") != 299:
        frame = await asyncio.wait_for(road.far.receive(), 2)
        numbers.append(frame.seq)
        if frame.type == FrameType.SIGNAL_SYNC:
            copy.sync(frame.json())
        elif frame.type == FrameType.SIGNAL_DIFF:
            copy.diff(frame.json())  # raises where a step is missing
    assert copy.values == stream.view("staff").values
    assert numbers == list(range(len(numbers)))
    assert road.at_once > 20
    await road.far.close()
    await running
    assert len(stream.fanout("staff")) == 0


def test_parcels_decode() -> None:
    assert decode(Parcel(FrameType.SIGNAL_SYNC, b"{}", 2, 9).frame(3)).seq == 3
