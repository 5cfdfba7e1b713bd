"""Screens behind screens, over real Iroh on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.bridge import Streams, passes
from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError
from appliance.screen import agent, finder, mesh
from appliance.screen.agent import Agent
from appliance.screen.ticket import Ticket
from appliance.types import Signal
from tests.unit.screen.small_box import until
from tests.unit.screen.small_mesh import NOWHERE, Room, SigningBox, all_running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "DIAL_TIMEOUT_S", 1.0)
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(agent, "BETTER_S", 0.5)
    monkeypatch.setattr(agent, "MIND_S", 0.2)


@pytest.fixture
async def box(box_identity: Identity) -> AsyncIterator[SigningBox]:
    box = SigningBox(box_identity)
    box.write({"beds.free": 7})
    await box.start()
    yield box
    await box.stop()


@pytest.fixture
def room(tmp_path: Path, box: SigningBox) -> Room:
    return Room(tmp_path / "screens", box)


def shows(agent: Agent, **values: Any) -> bool:
    wanted = {name.replace("_", "."): value for name, value in values.items()}
    return agent.state == "live" and all(agent.signals.get(name) == value for name, value in wanted.items())


async def test_a_screen_behind_a_screen_shows_what_the_box_shows(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            for count in range(20):
                box.write({"beds.free": count, "n": count})
            await until(far, lambda: shows(far, beds_free=19, n=19))
            assert far.version == near.version
            assert far.side.via == near.side.identity.endpoint_id
            assert box.connected == [near.side.identity.endpoint_id]


async def test_its_questions_reach_the_box_as_its_own(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near))
        box.role = "wall"
        far = room.agent("far", via=(door,), role="admin")
        async with all_running(far):
            await until(far, lambda: shows(far))
            ref = await far.ask("How many beds are free?")
            heard = await asyncio.wait_for(box.heard.get(), 5)
    assert heard == {
        "type": "ask",
        "ref": ref,
        "question": "How many beds are free?",
        "role": "admin",
        "screen": far.side.identity.endpoint_id[:16],
    }


async def test_three_in_a_row(box: SigningBox, room: Room) -> None:
    one = room.agent("one", near=True, relays=True)
    async with room.door(one) as first, all_running(one):
        await until(one, lambda: shows(one))
        two = room.agent("two", via=(first,), relays=True)
        async with room.door(two) as second, all_running(two):
            await until(two, lambda: shows(two))
            three = room.agent("three", via=(second,))
            async with all_running(three):
                await until(three, lambda: shows(three, beds_free=7))
                box.write({"beds.free": 3})
                await until(three, lambda: shows(three, beds_free=3))
                await three.ask("From the third")
                heard = await asyncio.wait_for(box.heard.get(), 5)
                assert heard["screen"] == three.side.identity.endpoint_id[:16]


async def test_a_room_keeps_its_picture_while_the_box_restarts(
    box: SigningBox, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh, "SILENT_S", 2.5)
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            await box.stop()
            await until(far, lambda: far.state == "away")
            late = room.agent("late", via=(door,))
            async with all_running(late):
                await until(late, lambda: late.signals.get("beds.free") == 7)
                assert late.state == "away"
                age = late.age_s()
                assert age is not None
                assert 2 < age < 30
                box.streams = Streams(256)
                box.forget()
                box.write({"beds.free": 9})
                await box.start_again()
                await until(near, lambda: shows(near, beds_free=9), 20)
                await until(far, lambda: shows(far, beds_free=9), 20)
                await until(late, lambda: shows(late, beds_free=9), 20)
                assert near.version == far.version == late.version


async def test_it_moves_to_the_box_without_a_flicker(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=())
        far._finder._seen[door.endpoint_id] = door  # type: ignore[attr-defined]
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7), 15)
            assert far.side.via is not None
            states: list[tuple[str, Any]] = []
            far.listeners.append(lambda: states.append((far.state, far.signals.get("beds.free"))))
            far._finder.box = box.ticket
            await until(far, lambda: far.side.via is None and shows(far), 15)
            box.write({"beds.free": 4})
            await until(far, lambda: shows(far, beds_free=4))
            assert {state for state, _ in states} == {"live"}
            assert {value for _, value in states} == {7, 4}
            assert far.side.pass_text != ""


def lie(frame: Frame) -> Frame:
    if frame.type in (FrameType.SIGNAL_SYNC, FrameType.SIGNAL_DIFF):
        return msgspec.structs.replace(frame, payload=frame.payload.replace(b'"beds.free":7', b'"beds.free":70'))
    return frame


def leave_out_seals(frame: Frame) -> Frame | None:
    return None if frame.type == FrameType.CONTROL and frame.json().get("type") == "seal" else frame


@pytest.mark.parametrize("change", [lie, leave_out_seals])
async def test_a_relay_that_alters_frames_is_left(box: SigningBox, room: Room, change: Any) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near, change) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: far.problem is not None and far.problem.code == "SIG320", 15)
            assert far.signals == {}
            far._finder.box = box.ticket
            await until(far, lambda: shows(far, beds_free=7), 15)


async def test_a_relay_that_holds_back_is_left(box: SigningBox, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh, "LAG_S", 0.5)
    monkeypatch.setattr(mesh, "HELD_BACK_S", 2.0)
    frozen = False

    def hold(frame: Frame) -> Frame | None:
        seal = frame.type == FrameType.CONTROL and frame.json().get("type") == "seal"
        return None if frozen and (seal or frame.type == FrameType.SIGNAL_DIFF) else frame

    near = room.agent("near", near=True, relays=True)
    async with room.door(near, hold) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            frozen = True
            box.write({"beds.free": 8})
            await until(far, lambda: far.state == "away")
            await until(far, lambda: far.problem is not None and far.problem.code == "SIG321", 15)


async def test_an_old_word_does_not_make_an_old_picture_new(
    box: SigningBox, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay drops the box's words and says the first of them again and again."""
    monkeypatch.setattr(mesh, "SILENT_S", 3.0)
    first: list[Frame] = []

    def repeat(frame: Frame) -> Frame:
        if frame.type == FrameType.CONTROL and frame.json().get("type") == "alive" and "n" not in body(frame):
            first.append(frame)
            return first[0]
        return frame

    near = room.agent("near", near=True, relays=True)
    async with room.door(near, repeat) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            await until(far, lambda: far.state == "away", 10)
            assert far.problem is not None
            assert far.problem.code == "SCR510"


def body(frame: Frame) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(frame.json()["body"])
    return said


async def test_without_a_pass_nothing_is_told(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        for shown in ("", near.side.pass_text):
            far.side.pass_text = shown
            far.problem = None
            async with all_running(far):
                await until(far, lambda: far.problem is not None and far.problem.code == "BRG430", 15)
            assert (far.signals, far.box_name) == ({}, "")


async def test_a_wall_gets_nothing_from_a_screen_of_staff(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,), role="wall")
        async with all_running(far):
            await until(far, lambda: far.problem is not None and far.problem.code == "BRG402", 15)
        assert far.signals == {}


async def test_a_revoked_screen_is_sent_away_by_the_relay(box: SigningBox, room: Room) -> None:
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            box.mesh.revoke(far.side.identity.endpoint_id)
            await until(far, lambda: far.problem is not None and far.problem.code == "BRG430", 1.5)
            relay = near.side.relay
            assert relay is not None
            async with asyncio.timeout(2):
                while relay.peers:
                    await relay.changed.wait()


async def test_the_key_of_the_box_never_goes_to_a_relay(box: SigningBox, room: Room) -> None:
    far = room.agent("far", via=(Ticket("ab" * 32, NOWHERE),))
    far._hello["credential"] = "secret"
    far.side.begin(box.identity.endpoint_id, "ab" * 32)
    assert far.side.hello(far._hello)["credential"] == ""
    far.side.begin(box.identity.endpoint_id, None)
    assert far.side.hello(far._hello)["credential"] == "secret"


async def test_a_pass_is_renewed_over_the_relays(box: SigningBox, room: Room) -> None:
    one = room.agent("one", near=True, relays=True)
    async with room.door(one) as first, all_running(one):
        await until(one, lambda: shows(one))
        two = room.agent("two", via=(first,), relays=True)
        async with room.door(two) as second, all_running(two):
            await until(two, lambda: shows(two))
            three = room.agent("three", via=(second,))
            soon = time.time() + 86_400
            old = passes.issue(box.identity, three.side.identity.endpoint_id, role="staff", name="Desk", expires=soon)
            three.side.pass_text = old
            async with all_running(three):
                await until(three, lambda: shows(three))
                await until(three, lambda: three.side.pass_text != old)
            found = passes.verify(three.side.pass_text, box.identity.endpoint_id)
            assert found.expires > soon + 86_400
            assert (found.name, found.role) == ("Desk", "staff")
            assert two.side.pass_text != three.side.pass_text


async def test_two_that_lose_the_box_do_not_live_on_each_others_word(
    box: SigningBox, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh, "SILENT_S", 2.5)
    one, two = (room.agent(name, near=True, relays=True) for name in ("one", "two"))
    async with room.door(one) as first, room.door(two) as second, all_running(one, two):
        one._finder._seen[second.endpoint_id] = second  # type: ignore[attr-defined]
        two._finder._seen[first.endpoint_id] = first  # type: ignore[attr-defined]
        await until(one, lambda: shows(one, beds_free=7))
        await until(two, lambda: shows(two, beds_free=7))
        await box.stop()
        await until(one, lambda: one.state == "away")
        await until(two, lambda: two.state == "away")
        await asyncio.sleep(5)  # time to find each other
        for each in (one, two):
            assert (each.state, each.signals["beds.free"]) == ("away", 7)
        box.streams = Streams(256)
        box.forget()
        box.write({"beds.free": 9})
        await box.start_again()
        await until(one, lambda: shows(one, beds_free=9), 20)
        await until(two, lambda: shows(two, beds_free=9), 20)


async def test_a_way_that_leads_back_or_is_too_long_is_refused(box: SigningBox, room: Room) -> None:
    far = room.agent("far")
    far.side.begin(box.identity.endpoint_id, "ab" * 32)

    async def up(_: Frame) -> None: ...

    for path in ([far.side.identity.endpoint_id], ["a", "b", "c", "d", "e"]):
        with pytest.raises(ApplianceError, match="BRG431"):
            await far.side.met({"role": "wall", "path": path}, "main", up)
    await far.side.met({"role": "wall", "path": ["a", "b", "c", "d"]}, "main", up)


async def test_a_room_is_followed_over_a_relay_and_what_is_asked_there_is_acknowledged(
    box: SigningBox, room: Room
) -> None:
    box.room = "icu"
    box.streams.open("room/icu").write("test", [Signal("room", "icu")])
    near = room.agent("near", near=True, relays=True)
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, room="icu"))
        far = room.agent("far", via=(door,))
        done: asyncio.Queue[str] = asyncio.Queue()
        far.done.append(done.put_nowait)
        async with all_running(far):
            await until(far, lambda: shows(far, room="icu"))
            assert (far.room, far.role) == ("icu", "staff")
            await far.tell({"type": "ask", "ref": "r1", "question": "Free beds?"})
            assert await asyncio.wait_for(done.get(), 5) == "r1"
            await far.tell({"type": "ask", "ref": "r2", "question": "And now?", "ack": True})
            async with asyncio.timeout(5):
                while (await box.heard.get())["ref"] != "r2":
                    pass
                behind = box.mesh.done(far.side.identity.endpoint_id[:16], "r2")
                assert behind is not None
                await behind
            assert await asyncio.wait_for(done.get(), 5) == "r2"


async def test_a_relay_that_is_not_let_in_any_more_passes_nothing_on(
    box: SigningBox, room: Room, tmp_path: Path
) -> None:
    near = room.agent("near", near=True, relays=True)
    near.side._pass_path = tmp_path / "pass"
    async with room.door(near) as door, all_running(near):
        await until(near, lambda: shows(near, beds_free=7))
        far = room.agent("far", via=(door,))
        async with all_running(far):
            await until(far, lambda: shows(far, beds_free=7))
            assert near.side.pass_text == (tmp_path / "pass").read_text()
            near.forget()
            await until(far, lambda: far.problem is not None and far.problem.code == "BRG432", 2)
        await near.side.tidy()
        assert near.side.pass_text == ""
        assert not (tmp_path / "pass").exists()
