"""A relay and one peer over the in-memory transport, whose peers are all called "there"."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.bridge import passes
from appliance.bridge.frame import Frame, FrameType, control, encode, input_frame
from appliance.bridge.mesh import Relay, alive, peer, seal
from appliance.bridge.mesh import relay as relays
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.chain import Link
from appliance.bridge.mesh.seal import Place
from appliance.bridge.signals import Copy
from appliance.bridge.transports import ConnectionLost
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, OTHER, SCREEN

WALL = Place("main", "wall")


def link(base: int | None, version: int, epoch: str = "e1", room: int = 0) -> Link:
    kind = FrameType.SIGNAL_SYNC if base is None else FrameType.SIGNAL_DIFF
    begins = f'"b":{base},' if base is not None else ""
    body = f'{{"n":{version},"x":"{"x" * room}","$":{{"e":"{epoch}",{begins}"v":{version}}}}}'
    frame = Frame(kind, body.encode())
    return Link(frame, seal.seal(BOX, WALL, frame, 1, 1), epoch, base, version)


class Far:
    """The peer's end."""

    def __init__(self, road: MemoryConnection) -> None:
        self.road = road
        self.copy = Copy()
        self.kinds: list[str] = []

    async def say(self, kind: str, /, **values: Any) -> None:
        await self.road.send(encode(control(kind, **values)))

    async def join(self, **version: Any) -> None:
        await self.say("hello", version=1, kind="wall", **{"pass": passes.issue(BOX, "there", role="wall", name="Far")})
        await self.say("subscribe", stream="main", seal=True, **version)

    async def next(self) -> dict[str, Any]:
        frame = await asyncio.wait_for(self.road.receive(), 2)
        said = frame.json()
        if frame.type == FrameType.CONTROL:
            self.kinds.append(said["type"])
        else:
            self.kinds.append("sync" if frame.type == FrameType.SIGNAL_SYNC else "diff")
            (self.copy.sync if frame.type == FrameType.SIGNAL_SYNC else self.copy.diff)(said)
        return said

    async def hear(self, kind: str) -> dict[str, Any]:
        while True:
            said = await self.next()
            if said.get("type") == kind:
                return said

    async def until(self, version: int) -> None:
        while self.copy.version != version:
            await self.next()


@pytest.fixture
async def relay() -> Relay:
    relay = Relay("me", peers_limit=1)
    relay.box_id, relay.box_name, relay.place = BOX.endpoint_id, "Box", WALL
    relay.add(link(None, 3))
    relay.add(link(3, 4))
    return relay


@asynccontextmanager
async def joined(relay: Relay, room: int = 1000) -> AsyncIterator[Far]:
    near, far = pair(room)
    serving = asyncio.create_task(relay.serve(near))
    try:
        yield Far(far)
    finally:
        await far.close()
        await asyncio.wait_for(serving, 2)


async def refusal(relay: Relay, **said: Any) -> str:
    async with joined(relay) as far:
        await far.say("hello", version=1, **said)
        return str((await far.hear("error"))["code"])


async def test_a_newcomer_gets_the_signed_keyframe_and_what_follows(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        assert await far.hear("subscribed") == {"type": "subscribed", "stream": "main", "e": "e1", "v": 4}
        assert far.kinds == ["hello", "seal", "sync", "seal", "diff", "subscribed"]
        relay.add(link(4, 9))
        await far.until(9)


async def test_one_that_comes_back_gets_what_it_lacks(relay: Relay) -> None:
    async with joined(relay) as far:
        far.copy.sync({"$": {"e": "e1", "v": 3}})
        await far.join(e="e1", v=3)
        await far.hear("subscribed")
        assert far.kinds == ["hello", "seal", "diff", "subscribed"]


async def test_a_slow_peer_costs_no_queue_and_has_all_in_the_end(relay: Relay) -> None:
    async with joined(relay, room=1) as far:
        await far.join()
        version = 4
        for _ in range(600):
            relay.add(link(version, version + 1))
            version += 1
            if relay.chain.is_long:
                relay.add(link(None, version))
            await asyncio.sleep(0)
        await far.until(version)


async def test_what_follows_goes_in_pieces(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "PIECE", 1000)
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        for version in range(4, 40):
            relay.add(link(version, version + 1, room=700))
        await far.until(40)
    sizes = [len(links) for links in (peer._as_much_as_fits([link(1, 2, room=r) for r in rooms]) for rooms in ROOMS)]
    assert sizes == [0, 1, 2, 1]


ROOMS: tuple[tuple[int, ...], ...] = ((), (5000, 1), (100, 100, 5000), (900, 900))


async def test_the_hello_says_the_way_and_each_change_of_it(relay: Relay) -> None:
    async def up(_: Frame) -> None: ...

    await relay.attach(BOX.endpoint_id, "Box", WALL, ("r1",), up)
    async with joined(relay) as far:
        await far.join()
        hello = await far.hear("hello")
        assert (hello["box"], hello["role"], hello["screen"], hello["name"]) == ("Box", "wall", "there", "Far")
        assert (hello["path"], hello["up"]) == (["me", "r1"], True)
        relay.detach()
        assert (await far.hear("path"))["up"] is False


async def test_another_view_sends_all_away(relay: Relay) -> None:
    async def up(_: Frame) -> None: ...

    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        await relay.attach(BOX.endpoint_id, "Box", Place("main", "staff"), (), up)
        with pytest.raises(ConnectionLost):
            await far.hear("never")
    assert relay.chain.keyframe is None


async def test_who_may_not_have_it(relay: Relay) -> None:
    relay.place = Place("main", "staff")
    assert await refusal(relay) == "BRG430"
    assert await refusal(relay, **{"pass": passes.issue(BOX, "here", role="admin")}) == "BRG430"
    assert await refusal(relay, **{"pass": passes.issue(OTHER, "there", role="admin")}) == "BRG430"
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="admin", expires=1.0)}) == "BRG430"
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="wall")}) == "BRG402"


async def test_without_a_hello_nothing_is_sent(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.say("subscribe", stream="main")
        assert (await far.hear("error"))["code"] == "BRG430"
        assert far.kinds == ["error"]


async def test_it_serves_no_more_than_it_may(relay: Relay) -> None:
    relay._peers["another"] = peer.Peer(relay, pair()[0])
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="wall")}) == "BRG409"


async def test_strangers_are_bounded(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "STRANGERS", 0)
    async with joined(relay) as first:
        await first.join()
        await first.hear("subscribed")
        async with joined(relay) as second:
            with pytest.raises(ConnectionLost):
                await second.hear("anything")


async def test_a_peer_that_reads_nothing_more_can_be_ended(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "SILENCE_S", 0.5)
    near, far = pair(1)
    serving = asyncio.create_task(relay.serve(near))
    await Far(far).join()
    for version in range(4, 30):
        relay.add(link(version, version + 1))
        await asyncio.sleep(0)
    await asyncio.wait_for(serving, 3)
    assert relay.peers == frozenset()


async def test_one_that_it_takes_from_is_not_served(relay: Relay) -> None:
    relay.path = ("me", "there")
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="wall")}) == "BRG431"


async def test_nothing_to_pass_on_is_said() -> None:
    assert await refusal(Relay("me"), **{"pass": passes.issue(BOX, "there", role="wall")}) == "BRG432"


async def test_a_pass_that_runs_out_ends_it(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        monkeypatch.setattr(time, "time", lambda: 9e9)
        relay.add(link(4, 5))
        assert (await far.hear("error"))["code"] == "BRG430"


async def test_letters_go_up_as_they_came_and_what_comes_back_finds_its_way(relay: Relay) -> None:
    went: asyncio.Queue[Frame] = asyncio.Queue()

    async def up(frame: Frame) -> None:
        went.put_nowait(frame)

    await relay.attach(BOX.endpoint_id, "Box", WALL, (), up)
    letter = input_frame("letter", n=17, body="{}", sig="")
    async with joined(relay) as far:
        await far.join()
        await far.road.send(encode(letter))
        await far.say("prove", n="abc")
        await far.hear("subscribed")
        assert (await went.get()).payload == letter.payload
        await went.get()
        word = Alive("main", "wall", 1, 1, "e1", 4, n="abc")
        relay.hear(word, alive.say(BOX, word))
        assert '"n":"abc"' in (await far.hear("alive"))["body"]
        assert relay.answer("17", control("error", code="BRG434", n=17))
        assert (await far.hear("error"))["n"] == 17
        assert not relay.answer("17", control("error", code="BRG434", n=17))


async def test_without_a_road_a_letter_is_told_to_be_lost(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.road.send(encode(input_frame("letter", n=17, body="{}", sig="")))
        said = await far.hear("error")
        assert (said["code"], said["n"]) == ("SCR502", "17")


@pytest.mark.parametrize("frame", [input_frame("ask", question="x"), input_frame("letter", body="x" * 70_000)])
async def test_a_relay_takes_letters_only(relay: Relay, frame: Frame) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.road.send(encode(frame))
        assert (await far.hear("error"))["code"] == "SIG307"


async def test_a_peer_that_floods_is_sent_away(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        for number in range(peer.UP_PER_S + 1):
            await far.say("prove", n=str(number))
        codes = []
        while "LLM209" not in codes:
            codes.append((await far.hear("error"))["code"])


async def test_the_word_goes_to_every_peer_and_first_to_a_newcomer(relay: Relay) -> None:
    word = Alive("main", "wall", 1, 1, "e1", 4)
    relay.hear(word, alive.say(BOX, word))
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        assert far.kinds[:3] == ["hello", "alive", "seal"]
        later = Alive("main", "wall", 1, 2, "e1", 4)
        relay.hear(later, alive.say(BOX, later))
        assert '"t":2' in (await far.hear("alive"))["body"]


async def test_a_revoked_peer_is_sent_away_and_not_let_in_again(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        word = Alive("main", "wall", 1, 1, "e1", 4, no={"there": time.time() + passes.VALID_S})
        relay.hear(word, alive.say(BOX, word))
        assert (await far.hear("error"))["code"] == "BRG430"
    earlier = time.time() + passes.VALID_S - 1
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="wall", expires=earlier)}) == "BRG430"
    async with joined(relay) as far:
        await far.say("hello", version=1, **{"pass": passes.issue(BOX, "there", role="wall", expires=earlier + 60)})
        assert (await far.hear("hello"))["role"] == "wall"


async def test_the_picture_of_a_room_is_for_who_is_in_it_and_for_the_admin(relay: Relay) -> None:
    async def up(_: Frame) -> None: ...

    await relay.attach(BOX.endpoint_id, "Box", Place("room/icu", "wall"), (), up)
    relay.add(link(None, 4))
    for room in ("", "er"):
        assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="staff", room=room)}) == "BRG402"
    in_it = passes.issue(BOX, "there", role="wall", room="icu")
    for stream, given in (("main", in_it), ("room/icu", passes.issue(BOX, "there", role="admin"))):
        async with joined(relay) as far:
            await far.say("hello", version=1, **{"pass": given})
            assert (await far.hear("hello"))["room"] == ("icu" if given == in_it else "")
            await far.say("subscribe", stream=stream, seal=True)
            assert (await far.hear("subscribed"))["stream"] == "room/icu"
    async with joined(relay) as far:  # for an admin of no room `main` is the whole house
        await far.say("hello", version=1, **{"pass": passes.issue(BOX, "there", role="admin")})
        await far.say("subscribe", stream="main", seal=True)
        assert (await far.hear("error"))["code"] == "BRG408"


async def test_a_relay_that_may_not_hold_the_picture_any_more_sends_its_peers_away(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        relay.forget()
        assert (await far.hear("error"))["code"] == "BRG432"
    assert await refusal(relay, **{"pass": passes.issue(BOX, "there", role="wall")}) == "BRG432"


async def test_need_sync_gives_the_keyframe_again(relay: Relay) -> None:
    async with joined(relay) as far:
        await far.join()
        await far.hear("subscribed")
        await far.say("need_sync")
        await far.hear("subscribed")
        assert far.kinds.count("sync") == 2


def test_what_the_screen_is_called_does_not_matter_to_the_key() -> None:
    with pytest.raises(ApplianceError, match="BRG430"):
        Relay("me").check(passes.verify(passes.issue(BOX, SCREEN.endpoint_id, role="wall"), BOX.endpoint_id), "x")
