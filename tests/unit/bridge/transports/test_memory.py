"""The in-memory twin keeps the promises of a connection."""

from __future__ import annotations

import asyncio

import pytest

from appliance.bridge.frame import Frame, FrameType, control, encode
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports.memory import pair
from appliance.errors import ApplianceError


async def test_frames_arrive_in_order_both_ways() -> None:
    here, there = pair()
    ends: tuple[Connection, Connection] = (here, there)
    for one, other in (ends, ends[::-1]):
        for n in range(3):
            await one.send(encode(control("ping", t=n)))
        assert [(await other.receive()).json()["t"] for _ in range(3)] == [0, 1, 2]
    assert (here.peer, there.peer) == ("there", "here")


async def test_frames_may_arrive_back_to_back_or_in_pieces() -> None:
    here, there = pair()
    raw = encode(Frame(FrameType.APP, b"one")) + encode(Frame(FrameType.APP, b"two"))
    await here.send(raw)
    for at in range(len(raw)):
        await here.send(raw[at : at + 1])
    assert [(await there.receive()).payload for _ in range(4)] == [b"one", b"two", b"one", b"two"]


async def test_a_slow_reader_slows_the_writer() -> None:
    here, there = pair(room=2)
    for _ in range(2):
        await here.send(encode(control("ping")))
    third = asyncio.create_task(here.send(encode(control("pong"))))
    await asyncio.sleep(0.01)
    assert not third.done()
    await there.receive()
    await asyncio.wait_for(third, 1)


async def test_what_cannot_be_read_is_told() -> None:
    here, there = pair()
    await here.send(b"\x31\x80" + bytes(14))
    with pytest.raises(ApplianceError, match="SIG301"):
        await there.receive()


async def test_after_closing_nothing_goes_and_nothing_comes() -> None:
    here, there = pair()
    await here.send(encode(control("ping")))
    await here.close("enough")
    await here.close()
    assert (await there.receive()).json() == {"type": "ping"}
    for end in (here, there):
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(end.receive(), 1)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(end.send(b""), 1)


async def test_closing_wakes_who_waits_to_read() -> None:
    here, there = pair()
    waiting = [asyncio.create_task(end.receive()) for end in (here, there)]
    await asyncio.sleep(0)
    await here.close()
    for task in waiting:
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(task, 1)
