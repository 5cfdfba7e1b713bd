from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from appliance.bridge import Streams
from appliance.bridge.discovery import announce
from appliance.bridge.frame import DEFAULT_LIMIT, Frame, FrameType, control, encode
from appliance.bridge.identity import Identity
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.screen import agent, cache, finder
from appliance.screen.agent import Agent
from appliance.screen.finder import Finder
from appliance.screen.ticket import Ticket
from tests.unit.screen.small_box import KEY, SmallBox, agent_for, running, until


async def test_a_screen_holds_what_the_box_shows(box: SmallBox, screen: Identity) -> None:
    box.write({"beds.free": 7})
    screen_agent = agent_for(screen, box.ticket)
    async with running(screen_agent):
        await until(screen_agent, lambda: screen_agent.state == "live")
        assert dict(screen_agent.signals) == {"beds.free": 7}
        assert (screen_agent.box_name, screen_agent.role, screen_agent.age_s()) == ("Small", "staff", 0)
        box.write({"beds.free": 8, "beds.ward": "Cardiology"})
        await until(screen_agent, lambda: screen_agent.signals.get("beds.free") == 8)
        box.write({"beds.ward": None})
        await until(screen_agent, lambda: "beds.ward" not in screen_agent.signals)


async def test_a_question_goes_up(box: SmallBox, screen: Identity) -> None:
    screen_agent = agent_for(screen, box.ticket)
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
        ref = await screen_agent.ask("How many beds are free?")
        heard = await asyncio.wait_for(box.heard.get(), 5)
    assert heard == {"type": "ask", "ref": ref, "question": "How many beds are free?", "role": "staff"}


async def test_a_question_while_the_box_is_away_is_told(screen: Identity) -> None:
    with pytest.raises(ApplianceError) as told:
        await agent_for(screen, None).ask("Anybody there?")
    assert told.value.code == "SCR502"


async def test_a_screen_comes_back_and_resumes_with_its_version(box: SmallBox, screen: Identity) -> None:
    box.write({"a": 1, "b": [1, 2]})
    screen_agent = agent_for(screen, box.ticket)
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
        epoch = screen_agent.version[0]
        await box.stop()
        await until(screen_agent, lambda: screen_agent.state == "away")
        assert dict(screen_agent.signals) == {"a": 1, "b": [1, 2]}
        assert screen_agent.problem is not None
        assert screen_agent.problem.code == "SCR502"
        box.write({"a": 2})
        began = time.monotonic()
        await box.start()
        await until(screen_agent, lambda: screen_agent.state == "live")
        assert time.monotonic() - began < 5
        assert dict(screen_agent.signals) == {"a": 2, "b": [1, 2]}
        assert screen_agent.version[0] == epoch
        assert screen_agent.problem is None


async def test_a_box_that_lost_its_history_gives_the_whole_state(box: SmallBox, screen: Identity) -> None:
    box.write({"a": 1, "old": True})
    screen_agent = agent_for(screen, box.ticket)
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
        epoch = screen_agent.version[0]
        await box.stop()
        box.streams = Streams(256)
        box.streams.open("main")
        box.write({"a": 5})
        await box.start()
        await until(screen_agent, lambda: screen_agent.version[0] != epoch)
        assert dict(screen_agent.signals) == {"a": 5}


async def test_a_box_that_moved_is_found_again(box: SmallBox, screen: Identity) -> None:
    screen_agent = agent_for(screen, box.ticket)
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
        await box.stop()
        box.write({"moved": True})
        await box.start(port=0)
        leave = await announce("Small", box.identity.endpoint_id, [f"127.0.0.1:{box.port}"], lan=False)
        try:
            await until(screen_agent, lambda: screen_agent.signals.get("moved") is True)
        finally:
            await leave()


async def test_a_box_is_found_without_being_named(box: SmallBox, screen: Identity) -> None:
    box.write({"here": 1})
    leave = await announce("Small", box.identity.endpoint_id, [f"127.0.0.1:{box.port}"], lan=False)
    screen_agent = Agent(Finder(screen, None, faithful=False, frame_limit=DEFAULT_LIMIT))
    try:
        async with running(screen_agent):
            await until(screen_agent, lambda: screen_agent.signals.get("here") == 1)
    finally:
        await leave()


async def test_a_wrong_credential_ends_the_agent_with_the_reason(box_identity: Identity, screen: Identity) -> None:
    box = SmallBox(box_identity, key=KEY)
    await box.start()
    try:
        with pytest.raises(ApplianceError) as told:
            await asyncio.wait_for(agent_for(screen, box.ticket, credential="wrong").run(), 10)
        assert told.value.code == "BRG401"
        screen_agent = agent_for(screen, box.ticket, credential=KEY, kind="wall")
        async with running(screen_agent):
            await until(screen_agent, screen_agent.live.is_set)
    finally:
        await box.stop()
    assert (box.hellos[-1]["kind"], box.hellos[-1]["version"]) == ("wall", 1)


async def test_a_stream_that_is_not_there_is_told_and_tried_again(box: SmallBox, screen: Identity) -> None:
    screen_agent = agent_for(screen, box.ticket, stream="other")
    async with running(screen_agent):
        await until(screen_agent, lambda: screen_agent.problem is not None)
        assert screen_agent.problem is not None
        assert screen_agent.problem.code == "BRG408"
        assert screen_agent.state == "searching"


async def test_a_silent_box_is_given_up_and_its_content_kept(
    box: SmallBox, screen: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "PING_S", 0.1)
    monkeypatch.setattr(agent, "SILENCE_S", 0.5)
    box.write({"a": 1})
    said: list[Frame] = []

    async def serve(connection: Connection) -> None:
        frames = [Frame(FrameType.SIGNAL_SYNC, b'{"a":1,"$":{"e":"e","v":1}}'), control("subscribed", e="e", v=1)]
        await connection.send(b"".join(encode(frame) for frame in frames))
        while True:
            said.append(await connection.receive())  # and never an answer

    listener = await listen(box.identity, "127.0.0.1:0", serve, DEFAULT_LIMIT)
    screen_agent = agent_for(screen, Ticket(box.identity.endpoint_id, tuple(listener.addresses())))
    try:
        async with running(screen_agent):
            await until(screen_agent, screen_agent.live.is_set)
            await until(screen_agent, lambda: screen_agent.state == "away", timeout_s=4)
            assert dict(screen_agent.signals) == {"a": 1}
            age = screen_agent.age_s()
            assert age is not None
            assert age >= 0.5  # since the box was last heard, not since the screen noticed
    finally:
        await listener.close()
    kinds = [frame.json()["type"] for frame in said]
    assert kinds[:2] == ["hello", "subscribe"]
    assert "ping" in kinds
    assert [frame.seq for frame in said[:3]] == [0, 1, 2]


async def test_a_diff_for_another_version_asks_for_the_whole_state(box_identity: Identity, screen: Identity) -> None:
    asked: list[str] = []

    async def serve(connection: Connection) -> None:
        await connection.send(
            encode(Frame(FrameType.SIGNAL_SYNC, b'{"a":1,"$":{"e":"e","v":1}}'))
            + encode(control("subscribed", stream="main", e="e", v=1))
            + encode(Frame(FrameType.SIGNAL_DIFF, b'{"a":3,"$":{"e":"e","b":2,"v":3}}'))
            + encode(Frame(FrameType.SIGNAL_DIFF, b'{"a":4,"$":{"e":"e","b":3,"v":4}}'))
        )
        while True:
            said = (await connection.receive()).json()
            asked.append(said["type"])
            if said["type"] == "need_sync":
                await connection.send(encode(Frame(FrameType.SIGNAL_SYNC, b'{"a":4,"$":{"e":"e","v":4}}')))

    listener = await listen(box_identity, "127.0.0.1:0", serve, DEFAULT_LIMIT)
    screen_agent = agent_for(screen, Ticket(box_identity.endpoint_id, tuple(listener.addresses())))
    states: list[str] = []
    screen_agent.listeners.append(lambda: states.append(screen_agent.state))
    try:
        async with running(screen_agent):
            await until(screen_agent, lambda: screen_agent.signals.get("a") == 4)
    finally:
        await listener.close()
    assert asked.count("need_sync") == 1
    assert "catching up" in states
    assert states[-1] == "live"


async def test_a_ping_of_the_box_is_answered(box_identity: Identity, screen: Identity) -> None:
    pongs: asyncio.Queue[int] = asyncio.Queue()

    async def serve(connection: Connection) -> None:
        await connection.send(encode(control("ping", t=17)))
        while True:
            said = (await connection.receive()).json()
            if said["type"] == "pong":
                await pongs.put(said["t"])

    listener = await listen(box_identity, "127.0.0.1:0", serve, DEFAULT_LIMIT)
    screen_agent = agent_for(screen, Ticket(box_identity.endpoint_id, tuple(listener.addresses())))
    try:
        async with running(screen_agent):
            assert await asyncio.wait_for(pongs.get(), 5) == 17
    finally:
        await listener.close()


@pytest.mark.parametrize("payload", [b"[1]", b"not json", b'{"a":1}', b'{"$":{"v":"x"}}'])
async def test_what_cannot_be_read_ends_the_connection_not_the_agent(
    box_identity: Identity, screen: Identity, payload: bytes
) -> None:
    tries = 0

    async def serve(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        payloads = [payload, b'{"a":1,"$":{"e":"e","v":1}}']
        await connection.send(encode(Frame(FrameType.SIGNAL_SYNC, payloads[min(tries, 2) - 1])))
        with pytest.raises(ConnectionLost):
            while True:
                await connection.receive()

    listener = await listen(box_identity, "127.0.0.1:0", serve, DEFAULT_LIMIT)
    screen_agent = agent_for(screen, Ticket(box_identity.endpoint_id, tuple(listener.addresses())))
    problems: list[str] = []
    screen_agent.listeners.append(
        lambda: problems.append(screen_agent.problem.code) if screen_agent.problem is not None else None
    )
    try:
        async with running(screen_agent):
            await until(screen_agent, lambda: screen_agent.signals.get("a") == 1)
    finally:
        await listener.close()
    assert "SIG303" in problems
    assert tries == 2


async def test_what_a_screen_held_is_shown_with_its_age_until_the_box_is_back(
    box: SmallBox, screen: Identity, tmp_path: Path
) -> None:
    path = tmp_path / "held.json"
    box.write({"a": 1, "b": 2})
    first = agent_for(screen, box.ticket, cache_path=path)
    async with running(first):
        await until(first, first.live.is_set)
    held = await asyncio.to_thread(cache.load, path)
    assert held is not None
    assert (held.signals, held.epoch, held.version) == ({"a": 1, "b": 2}, *first.version)
    assert abs(held.at - time.time()) < 5

    await box.stop()
    old = cache.Held(held.box, held.epoch, held.version, held.signals, held.at - 60)
    second = agent_for(screen, box.ticket, cache_path=path, held=old)
    assert second.state == "away"
    assert dict(second.signals) == {"a": 1, "b": 2}
    age = second.age_s()
    assert age is not None
    assert 60 <= age < 70

    box.write({"a": 9})
    async with running(second):
        await box.start()
        await until(second, second.live.is_set)
        assert dict(second.signals) == {"a": 9, "b": 2}
        assert second.version[0] == held.epoch  # resumed, not sent anew


async def test_what_was_held_of_another_box_is_dropped(box: SmallBox, screen: Identity) -> None:
    held = cache.Held(Ticket("00" * 32, ("127.0.0.1:9",)), "e", 1, {"stranger": True}, time.time())
    screen_agent = agent_for(screen, box.ticket, held=held)
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
        assert dict(screen_agent.signals) == {}


async def test_a_disk_that_refuses_does_not_stop_the_screen(
    box: SmallBox, screen: Identity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread((tmp_path / "file").write_text, "in the way")
    screen_agent = agent_for(screen, box.ticket, cache_path=tmp_path / "file" / "held.json")
    async with running(screen_agent):
        await until(screen_agent, screen_agent.live.is_set)
    assert "could not be kept" in capsys.readouterr().err


async def test_a_screen_that_looks_in_vain_says_so_and_goes_on(
    box_identity: Identity, screen: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(finder, "DIAL_TIMEOUT_S", 0.2)
    screen_agent = agent_for(screen, Ticket(box_identity.endpoint_id, ("127.0.0.1:9",)))
    problems: list[ApplianceError] = []
    screen_agent.listeners.append(
        lambda: problems.append(screen_agent.problem) if screen_agent.problem is not None else None
    )
    async with running(screen_agent):
        await until(screen_agent, lambda: len(problems) == 2)
        assert [problem.code for problem in problems] == ["SCR501", "SCR501"]
        assert (screen_agent.state, screen_agent.age_s()) == ("searching", None)
