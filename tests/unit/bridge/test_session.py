"""One connection's conversation, over the in-memory transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.bridge import Copy, Member, Session, Streams, control, encode, input_frame, passes
from appliance.bridge.ear import Said
from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import Mesh, Witness, alive, letters
from appliance.bridge.mesh.seal import Place
from appliance.bridge.rooms import own_stream
from appliance.bridge.sources.screens import Screens, SetLimits
from appliance.bridge.transports import ConnectionLost
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.errors import ApplianceError
from appliance.types import Signal
from tests.unit.bridge.mesh.keys import BOX, SCREEN

STAFF = Member("tablet", "staff")


class Screen:
    """A screen for tests: sends control frames and keeps a copy of the stream."""

    def __init__(self, connection: MemoryConnection) -> None:
        self.connection = connection
        self.copy = Copy()
        self.kinds: list[int] = []

    async def say(self, kind: str, **values: Any) -> None:
        await self.connection.send(encode(control(kind, **values)))

    async def hear(self, kind: str) -> dict[str, Any]:
        while True:
            frame = await asyncio.wait_for(self.connection.receive(), 2)
            self.kinds.append(frame.type)
            if frame.type == FrameType.SIGNAL_SYNC:
                self.copy.sync(frame.json())
            elif frame.type == FrameType.SIGNAL_DIFF:
                self.copy.diff(frame.json())
            elif frame.json()["type"] == kind:
                return frame.json()

    async def until(self, name: str, value: Any) -> None:
        while self.copy.values.get(name) != value:
            frame = await asyncio.wait_for(self.connection.receive(), 2)
            self.kinds.append(frame.type)
            (self.copy.sync if frame.type == FrameType.SIGNAL_SYNC else self.copy.diff)(frame.json())


@asynccontextmanager
async def screen_of(streams: Streams, member: Member | None = STAFF, **more: Any) -> AsyncIterator[Screen]:
    heard: list[Any] = more.pop("heard", [])
    box, screen = pair(more.pop("room", 1000))
    session = Session(box, streams, "Box", lambda who, said: heard.append((who, said)), member, **more)
    task = asyncio.create_task(session.run())
    yield Screen(screen)
    await screen.close()
    await asyncio.wait_for(task, 2)


@pytest.fixture
def streams() -> Streams:
    streams = Streams(diffs_kept=4)
    streams.open("main").write("s", [Signal("beds.free", 7), Signal("private", 1, "admin")])
    return streams


async def test_a_screen_gets_a_keyframe_then_diffs(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        assert (await screen.hear("hello"))["role"] == "staff"
        await screen.say("subscribe", stream="main", e=None, v=None)
        await screen.hear("subscribed")
        assert screen.copy.values == {"beds.free": 7}
        streams.open("main").write("s", [Signal("beds.free", 8)])
        await screen.until("beds.free", 8)
        assert screen.kinds[-2:] == [FrameType.CONTROL, FrameType.SIGNAL_DIFF]


async def test_a_box_that_does_not_listen_skips_sound(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        assert "listens" not in await screen.hear("hello")
        await screen.connection.send(encode(Frame(FrameType.AUDIO, b"\0\0", 2, width=160, height=1)))
        await screen.say("ping", t=1)
        assert (await screen.hear("pong"))["t"] == 1


async def test_what_is_spoken_comes_back_as_words(streams: Streams) -> None:
    class Understanding:
        async def ready(self, member: Member) -> None:
            assert member == STAFF

        async def hear(self, member: Member, said: Said) -> dict[str, Any]:
            return {"text": f"{len(said.samples)} bytes", "sure": False, "others": []}

    async with screen_of(streams, understanding=Understanding()) as screen:
        assert (await screen.hear("hello"))["listens"] is True
        for payload, flags in ((b"\0\0", 2), (b"\0\0\0\0", 0), (b"", 0)):
            await screen.connection.send(encode(Frame(FrameType.AUDIO, payload, flags, width=160, height=1)))
        assert (await screen.hear("heard"))["text"] == "6 bytes"


async def test_a_screen_resumes_from_its_version(streams: Streams) -> None:
    view = streams.open("main").view("staff")
    version = view.version
    streams.open("main").write("s", [Signal("beds.free", 9)])
    async with screen_of(streams) as screen:
        screen.copy.sync({"beds.free": 7, "$": {"e": view.epoch, "v": version}})
        await screen.say("subscribe", stream="main", e=view.epoch, v=version)
        await screen.hear("subscribed")
        assert FrameType.SIGNAL_SYNC not in screen.kinds
        assert screen.copy.values["beds.free"] == 9


async def test_need_sync_sends_the_whole_state(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        screen.copy = Copy()
        await screen.say("need_sync")
        await screen.until("beds.free", 7)


async def test_a_screen_that_does_not_read_gets_one_merged_update(streams: Streams) -> None:
    async with screen_of(streams, room=1) as screen:
        await screen.hear("hello")
        await screen.say("subscribe", stream="main")
        for n in range(500):
            streams.open("main").write("s", [Signal("beds.free", n), Signal(f"x{n % 3}", n)])
            await asyncio.sleep(0)
        await screen.hear("subscribed")
        screen.kinds.clear()
        await screen.until("beds.free", 499)
        assert len(screen.kinds) <= 4


async def test_inputs_reach_the_front_with_who_said_them(streams: Streams) -> None:
    heard: list[Any] = []
    async with screen_of(streams, heard=heard) as screen:
        await screen.connection.send(encode(input_frame("ask", question="How many?")))
        await screen.say("ping", t=1)
        assert (await screen.hear("pong"))["t"] == 1
    assert heard == [(STAFF, {"type": "ask", "question": "How many?"})]


async def test_an_unknown_frame_type_is_skipped(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await screen.connection.send(encode(Frame(0x77, b"from the future")))
        await screen.say("ping", t=2)
        assert (await screen.hear("pong"))["t"] == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x31\x80" + bytes(14), "SIG301"),
        (bytes([0xF0]) + bytes(11) + b"\xff\xff\xff\x7f", "SIG302"),
        (encode(Frame(FrameType.CONTROL, b"not json")), "SIG303"),
        (encode(control("dance")), "SIG307"),
    ],
)
async def test_what_cannot_be_read_is_told_and_ends_the_connection(streams: Streams, raw: bytes, code: str) -> None:
    async with screen_of(streams) as screen:
        await screen.connection.send(raw)
        assert (await screen.hear("error"))["code"] == code
        with pytest.raises(ConnectionLost):
            await screen.hear("pong")


async def test_who_is_not_known_gets_nothing(streams: Streams) -> None:
    def admit(said: dict[str, Any]) -> Member:
        raise ApplianceError("BRG401", "No.")

    async with screen_of(streams, None, admit=admit) as screen:
        await screen.say("hello", version=1, credential="wrong")
        assert (await screen.hear("error"))["code"] == "BRG401"
        assert screen.copy.values == {}
    async with screen_of(streams, None, admit=admit) as screen:
        await screen.say("subscribe", stream="main")
        assert (await screen.hear("error"))["code"] == "BRG401"


async def test_signed_frames_go_to_those_who_ask_for_them_alone(streams: Streams) -> None:
    async with screen_of(streams, mesh=Mesh(BOX, 1)) as screen:
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        assert FrameType.CONTROL not in screen.kinds[1:-1]
        await screen.say("subscribe", stream="main", seal=True)
        witness = Witness(BOX.endpoint_id)
        witness.begin(Place("main", "staff"), direct=False)
        witness.sealed(await screen.hear("seal"))
        link = witness.check(await screen.connection.receive())
        assert (link.base, link.version) == (None, 1)
        streams.open("main").write("s", [Signal("beds.free", 8)])
        witness.sealed(await screen.hear("seal"))
        link = witness.check(await screen.connection.receive())
        assert (link.base, link.version) == (1, 2)


async def test_the_box_says_where_it_stands_and_at_once_when_asked(streams: Streams) -> None:
    async with screen_of(streams, mesh=Mesh(BOX, 1)) as screen:
        await screen.say("subscribe", stream="main", seal=True)
        assert alive.hear(BOX.endpoint_id, await screen.hear("alive")).v == 1
        await screen.say("prove", n="abc")
        assert alive.hear(BOX.endpoint_id, await screen.hear("alive")).n == "abc"


async def test_a_letter_is_heard_as_its_writers(streams: Streams) -> None:
    heard: list[Any] = []
    given = passes.issue(BOX, SCREEN.endpoint_id, role="admin")
    epoch = streams.open("main").view("staff").epoch
    async with screen_of(streams, mesh=Mesh(BOX, 1), heard=heard) as screen:
        await screen.say("subscribe", stream="main", seal=True)
        await screen.hear("subscribed")
        letter = input_frame("letter", **letters.write(SCREEN, given, epoch, {"type": "ask", "question": "Hi?"}))
        await screen.connection.send(encode(letter))
        await screen.connection.send(encode(letter))
        assert (await screen.hear("error"))["code"] == "BRG434"
        assert heard == [(Member(SCREEN.endpoint_id[:16], "admin"), {"type": "ask", "question": "Hi?"})]
        await screen.say("ping", t=1)
        await screen.hear("pong")  # a fault in a letter is its writer's: this road goes on


async def test_a_letters_ref_is_acknowledged_to_its_writer_at_once_or_when_it_is_done(streams: Streams) -> None:
    given = passes.issue(BOX, SCREEN.endpoint_id, role="staff")
    epoch = streams.open("main").view("staff").epoch
    mesh = Mesh(BOX, 1)
    async with screen_of(streams, mesh=mesh, write=Screens(SetLimits()).set) as screen:
        await screen.say("subscribe", stream="main", seal=True)
        await screen.hear("subscribed")
        asks: list[dict[str, Any]] = [{"type": "ask", "ref": "r1"}, {"type": "ask", "ref": "r2", "ack": True}]
        for said in [*asks, {"type": "set", "ref": "r3", "values": {"beds.free": 1}}]:
            letter = letters.write(SCREEN, given, epoch, said)
            await screen.connection.send(encode(input_frame("letter", **letter)))
            if said["ref"] == "r2":
                assert mesh.done("tablet", "r2") is None, "it was not the relay that asked"
                await asyncio.sleep(0.05)
                behind = mesh.done(SCREEN.endpoint_id[:16], "r2")
                assert behind is not None
                await behind
            told = await screen.hear("error" if said["type"] == "set" else "ack")
            assert (told["ref"], told["n"]) == (said["ref"], letter["n"])


async def test_a_letter_of_who_may_not_read_this_stream_is_refused(streams: Streams) -> None:
    heard: list[Any] = []
    given = passes.issue(BOX, SCREEN.endpoint_id, role="staff", room="er")
    epoch = streams.open("main").view("staff").epoch
    may = lambda member, stream: member.own == stream  # noqa: E731
    async with screen_of(streams, mesh=Mesh(BOX, 1), heard=heard, may=may) as screen:
        await screen.say("subscribe", stream="main", seal=True)
        await screen.hear("subscribed")
        letter = input_frame("letter", **letters.write(SCREEN, given, epoch, {"type": "ask", "question": "Hi?"}))
        await screen.connection.send(encode(letter))
        assert (await screen.hear("error"))["code"] == "BRG408"
        assert heard == []


async def test_an_admitted_screen_gets_a_pass(streams: Streams) -> None:
    async with screen_of(streams, None, admit=lambda _: STAFF, mesh=Mesh(BOX, 7)) as screen:
        await screen.say("hello", version=1)
        said = await screen.hear("hello")
        found = passes.verify(said["pass"], BOX.endpoint_id)
        assert (found.screen, found.role, said["g"]) == ("there", "staff", 7)


async def test_a_pass_says_room_and_name_and_a_browser_gets_none(streams: Streams) -> None:
    streams.open("room/icu")
    member = Member("s1", "wall", "icu", "Hall", "room/icu")
    async with screen_of(streams, None, admit=lambda _: member, mesh=Mesh(BOX, 7)) as screen:
        await screen.say("hello", version=1)
        found = passes.verify((await screen.hear("hello"))["pass"], BOX.endpoint_id)
        assert (found.name, found.room, own_stream(found.room)) == ("Hall", "icu", member.own)
    async with screen_of(streams, member, mesh=Mesh(BOX, 7)) as screen:
        assert "pass" not in await screen.hear("hello")


LAMP = "set.staff.lamp"


def sets(**said: Any) -> bytes:
    return encode(input_frame("set", **said))


async def test_what_a_screen_sets_comes_back_to_it_and_is_acknowledged(streams: Streams) -> None:
    async with screen_of(streams, write=Screens(SetLimits()).set) as screen:
        await screen.say("subscribe", stream="main")
        await screen.hear("subscribed")
        await screen.connection.send(sets(values={LAMP: 0.7}, ref="r1"))
        assert await screen.hear("ack") == {"type": "ack", "ref": "r1"}
        await screen.until(LAMP, 0.7)
        await screen.connection.send(sets(values={LAMP: 0.1}, base={LAMP: 0}, ref="r2"))
        assert await screen.hear("ack") == {"type": "ack", "ref": "r2", "lost": [LAMP]}
        assert streams.open("main").view("staff").values[LAMP] == 0.7


@pytest.mark.parametrize(
    ("values", "code"), [({"beds.free": 0}, "SIG306"), ([], "SIG310"), ({LAMP: "x" * 99_000}, "SIG309")]
)
async def test_a_set_that_is_refused_does_not_end_the_connection(streams: Streams, values: Any, code: str) -> None:
    async with screen_of(streams, write=Screens(SetLimits()).set) as screen:
        await screen.say("subscribe", stream="main")
        await screen.connection.send(sets(values=values, ref=7))
        told = await screen.hear("error")
        assert (told["code"], told["ref"]) == (code, 7)
        assert told.keys() == {"type", "ref", "code", "message", "details", "hint"}
        await screen.say("ping", t=1)
        assert (await screen.hear("pong"))["t"] == 1
        assert streams.open("main").view("staff").values == {"beds.free": 7}


async def test_a_set_needs_a_stream(streams: Streams) -> None:
    async with screen_of(streams, write=Screens(SetLimits()).set) as screen:
        await screen.connection.send(sets(values={LAMP: 1}))
        assert (await screen.hear("error"))["code"] == "BRG408"


async def test_an_input_with_a_ref_is_acknowledged_once_it_was_taken(streams: Streams) -> None:
    heard: list[Any] = []
    async with screen_of(streams, heard=heard) as screen:
        await screen.connection.send(encode(input_frame("ask", question="?", ref="q")))
        assert (await screen.hear("ack"))["ref"] == "q"
        assert len(heard) == 1


async def test_a_subscribed_screen_counts_as_a_reader_until_it_leaves(streams: Streams) -> None:
    other = streams.open("other")
    async with screen_of(streams) as screen:
        for name in ("main", "other"):
            await screen.say("subscribe", stream=name)
            await screen.hear("subscribed")
            assert (streams.open("main").usage.readers, other.usage.readers) == ((1, 0) if name == "main" else (0, 1))
    assert other.usage.readers == 0


async def test_a_screen_that_says_end_is_let_go(streams: Streams) -> None:
    async with screen_of(streams) as screen:
        await screen.say("end")
        with pytest.raises(ConnectionLost):
            await screen.hear("pong")
