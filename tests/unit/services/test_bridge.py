"""The bridge process's inside: sources and screens on memory connections, limits from the settings, collection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.bridge import Frame, FrameType, Member, control, encode, input_frame
from appliance.bridge.sources.writer import write
from appliance.bridge.transports import ConnectionLost
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.services import bridge as service
from appliance.services.bridge import MAIN, Bridge
from tests.unit.services.runtimes import runtime

STAFF = Member("tablet", "staff")


@asynccontextmanager
async def served(
    bridge: Bridge, member: Member | None = None, source: tuple[str, str] = ("", "")
) -> AsyncIterator[Any]:
    """The other end of a screen's connection, or of a source's: its name and stream."""
    box, end = pair()
    task = asyncio.create_task(bridge.receiver(box, member) if member else bridge.source(box, *source))
    yield end
    await end.close()
    await asyncio.wait_for(task, 2)


async def hear(end: MemoryConnection, kind: str) -> dict[str, Any]:
    while True:
        frame = await asyncio.wait_for(end.receive(), 2)
        if frame.type == FrameType.CONTROL and frame.json()["type"] == kind:
            return frame.json()


async def until(bridge: Bridge, values: dict[str, Any], stream: str = MAIN) -> None:
    async with asyncio.timeout(2):
        view = bridge.streams.open(stream).view("staff")
        while view.values != values:
            await bridge.streams.open(stream).wait("staff", view.version)


def said(kind: str, **values: Any) -> bytes:
    frame: Frame = input_frame(kind, **values) if kind in ("set", "ask") else control(kind, **values)
    return encode(frame)


async def test_a_screen_sets_and_another_sees_it() -> None:
    bridge = Bridge(runtime())
    async with served(bridge, STAFF) as tablet, served(bridge, Member("phone", "staff")) as phone:
        for end in (tablet, phone):
            await end.send(said("subscribe", stream=MAIN))
            await hear(end, "subscribed")
        await tablet.send(said("set", values={"set.staff.lamp": 1}, ref="r"))
        assert (await hear(tablet, "ack"))["ref"] == "r"
        frame = await asyncio.wait_for(phone.receive(), 2)
        assert frame.json()["set.staff.lamp"] == 1
        await phone.send(said("ask", question="?", ref="q"))
        assert (await hear(phone, "ack"))["ref"] == "q"
    assert (await bridge.inputs.take())["question"] == "?", "what is no set goes on to the sources"


async def test_the_limits_are_settings() -> None:
    bridge = Bridge(runtime(set_signals_limit=1, set_bytes_limit=100, signal_bytes_limit=50, streams_limit=2))
    async with served(bridge, STAFF) as tablet, served(bridge, source=("assistant", MAIN)) as source:
        await tablet.send(said("subscribe", stream=MAIN))
        await tablet.send(said("set", values={"set.staff.a": 1, "set.staff.b": 1}))
        assert (await hear(tablet, "error"))["code"] == "SIG309"
        await source.send(write(FrameType.SIGNAL_SYNC, {"rows": "x" * 60, "n": 1}, "staff"))
        assert (await hear(source, "error"))["details"]["signals"] == ["rows"]
        await until(bridge, {"n": 1})


async def test_a_source_of_one_stream_too_many_is_told_and_let_go() -> None:
    bridge = Bridge(runtime(streams_limit=1))
    async with served(bridge, source=("lamp", "other")) as source:
        assert (await hear(source, "error"))["code"] == "SIG309"
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(source.receive(), 2)
    assert bridge.streams.names() == [MAIN]


async def test_what_nobody_uses_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "COLLECT_S", 0.02)
    bridge = Bridge(runtime(stream_kept_s=0.05, set_kept_s=0.05))
    collecting = asyncio.create_task(bridge.collect())
    async with served(bridge, source=("lamp", "room")) as source:
        await source.send(write(FrameType.SIGNAL_SYNC, {"on": True}, "wall"))
        await until(bridge, {"on": True}, "room")
        async with served(bridge, STAFF) as tablet:
            await tablet.send(said("subscribe", stream="room"))
            await tablet.send(said("set", values={"screen.tablet.page": 2}))
            await until(bridge, {"on": True, "screen.tablet.page": 2}, "room")
            await asyncio.sleep(0.15)
            assert bridge.streams.names() == [MAIN, "room"]
            assert "screen.tablet.page" in bridge.streams.open("room").view("staff").values, "it is still there"
        await until(bridge, {"on": True}, "room")
        await asyncio.sleep(0.15)
        assert "room" in bridge.streams.names(), "its source is connected"
    await asyncio.sleep(0.3)
    assert bridge.streams.names() == [MAIN]
    assert bridge.sessions == set()
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
