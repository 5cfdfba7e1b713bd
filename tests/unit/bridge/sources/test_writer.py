"""Sources over their own connection: what they write, and what screens send up to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge import Member
from appliance.bridge.frame import INPUT, Frame, FrameType, control, decode, encode
from appliance.bridge.limits import Limits
from appliance.bridge.sources import writer
from appliance.bridge.sources.writer import WAITING_LIMIT, Inputs, Said, read, write
from appliance.bridge.stream import Stream
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal

STAFF = Member("tablet", "staff")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "$")
VALUES = st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.sampled_from([FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF]),
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.sampled_from(ROLES),
    st.lists(NAMES, max_size=3),
)
def test_what_is_written_is_read(kind: FrameType, values: dict[str, Any], audience: Role, gone: list[str]) -> None:
    frame = decode(write(kind, values, audience, gone))
    role, signals, stream = read(frame)
    assert (frame.type, role, stream) == (kind, audience, None)
    assert [signal.name for signal in signals if signal.value is None] == gone
    assert {signal.name: signal.value for signal in signals if signal.value is not None} == values
    assert {signal.audience for signal in signals} <= {audience}


def frame(payload: object) -> Frame:
    return Frame(FrameType.SIGNAL_DIFF, msgspec.json.encode(payload))


def test_without_an_audience_everybody_may_see_it() -> None:
    assert read(frame({"beds.free": 7})) == Said("wall", [Signal("beds.free", 7, "wall")], None)


@pytest.mark.parametrize(
    "head",
    [{"a": "king"}, {"a": None}, {"a": ["staff"]}, {"a": {}}, {"a": ""}, [], "staff", None, 7]
    + [{"a": "staff", "del": gone} for gone in (7, "beds.free", {"beds.free": 1}, None)],
)
def test_a_head_that_makes_no_sense_is_refused(head: object) -> None:
    with pytest.raises(ApplianceError, match="SIG303"):
        read(frame({"beds.free": 7, "$": head}))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ApplianceError, match="SIG303"):
        read(Frame(FrameType.SIGNAL_SYNC, payload))


async def test_inputs_come_out_in_order_with_who_said_them() -> None:
    inputs = Inputs()
    inputs.hear(STAFF, {"type": "ask", "question": "one"})
    inputs.hear(Member("wall 1", "wall"), {"type": "set", "screen": "not me", "role": "admin"})
    assert await inputs.take() == {"type": "ask", "question": "one", "screen": "tablet", "role": "staff"}
    assert await inputs.take() == {"type": "set", "screen": "wall 1", "role": "wall"}


async def test_taking_waits_for_the_next_one() -> None:
    inputs = Inputs()
    waiting = asyncio.create_task(inputs.take())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    inputs.hear(STAFF, {"type": "key"})
    assert (await asyncio.wait_for(waiting, 1))["type"] == "key"


@pytest.mark.parametrize("said", [{}, {"type": "dance"}, {"type": None}, {"type": 7}, {"type": "x" * 1000}])
def test_an_unknown_input_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ApplianceError, match="SIG307"):
        Inputs().hear(STAFF, said)


@pytest.mark.parametrize("kind", [["ask"], {"ask": 1}])
def test_an_input_whose_type_is_no_text_is_refused(kind: object) -> None:
    with pytest.raises(ApplianceError, match="SIG307"):
        Inputs().hear(STAFF, {"type": kind})


async def test_only_so_many_wait() -> None:
    inputs = Inputs()
    for n in range(WAITING_LIMIT):
        inputs.hear(STAFF, {"type": "ask", "n": n})
    with pytest.raises(ApplianceError, match="LLM209"):
        inputs.hear(STAFF, {"type": "ask", "n": -1})
    assert (await inputs.take())["n"] == 0
    inputs.hear(STAFF, {"type": "ask", "n": WAITING_LIMIT})
    assert [(await inputs.take())["n"] for _ in range(WAITING_LIMIT)] == list(range(1, WAITING_LIMIT + 1))


async def test_what_waited_too_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_S", 0.05)
    inputs = Inputs()
    inputs.hear(STAFF, {"type": "ask", "n": 1})
    await asyncio.sleep(0.06)
    inputs.hear(STAFF, {"type": "ask", "n": 2})
    assert (await inputs.take())["n"] == 2


def test_what_waited_too_long_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_S", 0.05)
    inputs = Inputs()
    for _ in range(WAITING_LIMIT):
        inputs.hear(STAFF, {"type": "ask"})
    time.sleep(0.06)
    inputs.hear(STAFF, {"type": "ask"})


async def test_what_could_not_be_delivered_is_the_next_again() -> None:
    inputs = Inputs()
    inputs.hear(STAFF, {"type": "ask", "n": 1})
    inputs.hear(STAFF, {"type": "ask", "n": 2})
    inputs.give_back(await inputs.take())
    assert [(await inputs.take())["n"] for _ in range(2)] == [1, 2]


@asynccontextmanager
async def source(stream: Stream, inputs: Inputs) -> AsyncIterator[MemoryConnection]:
    """The source's end of a connection that the bridge serves."""
    box, end = pair()
    task = asyncio.create_task(writer.run(box, "assistant", stream, inputs))
    yield end
    await end.close()
    await asyncio.wait_for(task, 2)


async def until(stream: Stream, role: Role, values: dict[str, Any]) -> None:
    async with asyncio.timeout(2):
        while stream.view(role).values != values:
            await stream.wait(role, stream.view(role).version)


async def test_a_source_writes_and_replaces_its_own_state() -> None:
    stream, inputs = Stream("main"), Inputs()
    stream.write("changes", [Signal("changes.beds", 1)])
    async with source(stream, inputs) as end:
        await end.send(write(FrameType.SIGNAL_SYNC, {"a": 1, "b": 2}, "staff"))
        await end.send(write(FrameType.SIGNAL_DIFF, {"b": 3}, "staff", ["a"]))
        await until(stream, "staff", {"changes.beds": 1, "b": 3})
    assert stream.view("wall").values == {"changes.beds": 1}
    async with source(stream, inputs) as end:
        await end.send(write(FrameType.SIGNAL_SYNC, {"c": 4}, "staff"))
        await until(stream, "staff", {"changes.beds": 1, "c": 4})


async def test_a_source_hears_inputs_and_gets_pongs() -> None:
    inputs = Inputs()
    inputs.hear(STAFF, {"type": "ask", "question": "before it came"})
    async with source(Stream("main"), inputs) as end:
        told = await asyncio.wait_for(end.receive(), 2)
        assert (told.type, told.flags, told.json()["question"]) == (FrameType.INPUT, INPUT, "before it came")
        await end.send(encode(control("ping")))
        assert (await asyncio.wait_for(end.receive(), 2)).json() == {"type": "pong"}


async def test_what_a_lost_source_did_not_get_goes_to_the_next() -> None:
    inputs = Inputs()
    box, end = pair(room=1)
    task = asyncio.create_task(writer.run(box, "assistant", Stream("main"), inputs))
    for n in range(3):
        inputs.hear(STAFF, {"type": "ask", "n": n})
    await asyncio.sleep(0.01)
    assert (await end.receive()).json()["n"] == 0
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with source(Stream("main"), inputs) as other:
        assert (await asyncio.wait_for(other.receive(), 2)).json()["n"] == 2


async def test_a_source_that_makes_no_sense_is_told_to_the_door() -> None:
    box, end = pair()
    await end.send(encode(frame({"$": {"a": "king"}})))
    with pytest.raises(ApplianceError, match="SIG303"):
        await asyncio.wait_for(writer.run(box, "assistant", Stream("main"), Inputs()), 2)


async def test_a_source_is_told_what_has_no_room_and_goes_on() -> None:
    stream = Stream("main", limits=Limits(signal_bytes=30))
    async with source(stream, Inputs()) as end:
        await end.send(write(FrameType.SIGNAL_DIFF, {"large": "x" * 40, "small": 1}, "staff"))
        told = (await asyncio.wait_for(end.receive(), 2)).json()
        assert (told["type"], told["code"], told["details"]["signals"]) == ("error", "SIG309", ["large"])
        await end.send(write(FrameType.SIGNAL_DIFF, {"": 1}, "staff"))
        assert (await asyncio.wait_for(end.receive(), 2)).json()["code"] == "SIG306"
        await end.send(write(FrameType.SIGNAL_DIFF, {"more": 2}, "staff"))
        await until(stream, "staff", {"small": 1, "more": 2})
