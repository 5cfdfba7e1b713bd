from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from appliance.bridge.frame import DEFAULT_LIMIT, Frame, FrameType, control, encode
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports import iroh as transport
from appliance.bridge.transports.iroh import IrohConnection, IrohListener, dial, listen
from appliance.errors import ApplianceError

Serve = Callable[[Connection], Awaitable[None]]


People = dict[str, Identity]


@pytest.fixture
def who(tmp_path: Path) -> People:
    return {name: load_or_create(tmp_path / name) for name in ("box", "screen", "other", "stranger")}


@contextlib.asynccontextmanager
async def box(identity: Identity, serve: Serve, limit: int = DEFAULT_LIMIT) -> AsyncIterator[IrohListener]:
    listener = await listen(identity, "127.0.0.1:0", serve, limit)
    try:
        yield listener
    finally:
        await listener.close()


async def reach(identity: Identity, listener: IrohListener, limit: int = DEFAULT_LIMIT) -> IrohConnection:
    return await dial(identity, listener.endpoint_id, listener.addresses(), 5, limit)


async def echo(road: Connection) -> None:
    while True:
        frame = await road.receive()
        await road.send(encode(frame))


async def test_both_sides_know_who_is_at_the_other_end(who: People) -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def serve(road: Connection) -> None:
        await seen.put(road.peer)
        await road.receive()

    async with box(who["box"], serve) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        assert await seen.get() == who["screen"].endpoint_id
        assert road.peer == listener.endpoint_id == who["box"].endpoint_id
        await road.close()


async def test_a_thousand_frames_travel_each_way_in_order(who: People) -> None:
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)

        async def send() -> None:
            for number in range(0, 1000, 10):
                await road.send(b"".join(encode(control("ping", t=number + i)) for i in range(10)))

        sending = asyncio.create_task(send())
        got = [(await road.receive()).json()["t"] for _ in range(1000)]
        await sending
        await road.close()
    assert got == list(range(1000))


async def test_a_frame_of_a_megabyte_arrives_whole(who: People) -> None:
    payload = os.urandom(1_000_000)
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(Frame(FrameType.PIXELS, payload, width=500, height=500)))
        frame = await road.receive()
        await road.close()
    assert (frame.type, frame.width, frame.payload) == (FrameType.PIXELS, 500, payload)


async def test_a_large_frame_does_not_hold_up_the_loop(who: People) -> None:
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)
        sending = asyncio.create_task(road.send(encode(Frame(FrameType.PIXELS, bytes(DEFAULT_LIMIT)))))
        before = time.perf_counter()
        await asyncio.sleep(0)  # the send has now handed its bytes over: 0.5 s when done byte by byte
        held_s = time.perf_counter() - before
        await road.receive()
        await sending
        await road.close()
    assert held_s < 0.2


async def test_concurrent_senders_do_not_mix_their_frames(who: People) -> None:
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)
        frames = [encode(Frame(FrameType.PIXELS, bytes([i]) * 50_000)) for i in range(20)]
        sending = asyncio.gather(*(road.send(raw) for raw in frames))
        got = [(await road.receive()).payload for _ in frames]
        await sending
        await road.close()
    assert sorted(payload[0] for payload in got) == list(range(20))
    assert all(payload == payload[:1] * 50_000 for payload in got)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (struct.pack("<BBHIHHI", 0xF0, 0x80, 0, 0, 0, 0, 0), "SIG301"),
        (struct.pack("<BBHIHHI", 0xF0, 0, 0, 0, 0, 0, 5_000), "SIG302"),
    ],
)
async def test_a_malformed_frame_is_told_from_receive(who: People, raw: bytes, code: str) -> None:
    told: asyncio.Queue[ApplianceError] = asyncio.Queue()

    async def serve(road: Connection) -> None:
        try:
            await road.receive()
        except ApplianceError as error:
            await told.put(error)
            await road.send(encode(control("error", **error.shape())))
            await road.close(error.code)

    async with box(who["box"], serve, limit=1_000) as listener:
        road = await reach(who["screen"], listener)
        await road.send(raw)
        assert (await told.get()).code == code
        assert (await road.receive()).json()["code"] == code  # the goodbye still arrives
        with pytest.raises(ConnectionLost) as lost:
            await road.receive()
        await road.close()
    assert str(lost.value) in ("the peer ended its stream", f"closed by the peer: {code}")


async def test_a_receive_ends_when_the_peer_closes(who: People) -> None:
    async def serve(road: Connection) -> None:
        await road.receive()

    async with box(who["box"], serve) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(road.receive(), 5)
        with pytest.raises(ConnectionLost):
            for _ in range(100):  # a few may still fit before the close is heard
                await road.send(encode(control("ping")))
                await asyncio.sleep(0.01)
        await road.close()


async def test_the_box_hears_a_screen_that_leaves(who: People) -> None:
    left = asyncio.Event()

    async def serve(road: Connection) -> None:
        with pytest.raises(ConnectionLost):
            await echo(road)
        left.set()

    async with box(who["box"], serve) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        await road.receive()
        await road.close()
        await asyncio.wait_for(left.wait(), 5)


async def test_closing_ends_a_receive_on_this_side(who: People) -> None:
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        await road.receive()
        waiting = asyncio.create_task(road.receive())
        await asyncio.sleep(0.05)
        await road.close()
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(ConnectionLost):
            await road.send(b"")
        await road.close()


async def test_a_cancelled_send_ends_the_connection(who: People) -> None:
    async def serve(road: Connection) -> None:
        await road.receive()
        await asyncio.Event().wait()

    async with box(who["box"], serve) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        stuck = asyncio.create_task(road.send(bytes(64 * 1024 * 1024)))
        await asyncio.sleep(0.3)
        assert not stuck.done()  # the peer does not read: its window is full
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        with pytest.raises(ConnectionLost):
            await road.receive()
        await road.close()


async def test_a_closing_box_lets_its_screens_go(who: People) -> None:
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)
        await road.send(encode(control("hello")))
        await road.receive()
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(road.receive(), 5)
    with pytest.raises(ConnectionLost, match="closed by the peer: the box stops"):
        for _ in range(100):
            await road.send(encode(control("ping")))
            await asyncio.sleep(0.01)
    await road.close()


async def test_a_fault_while_serving_ends_that_connection_only(who: People, capsys: pytest.CaptureFixture[str]) -> None:
    async def serve(road: Connection) -> None:
        frame = await road.receive()
        if frame.json()["type"] == "fail":
            raise ValueError("no")
        await road.send(encode(frame))
        await road.receive()

    async with box(who["box"], serve) as listener:
        bad = await reach(who["screen"], listener)
        await bad.send(encode(control("fail")))
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(bad.receive(), 5)
        good = await reach(who["other"], listener)
        await good.send(encode(control("hello")))
        assert (await good.receive()).json() == {"type": "hello"}
        await good.close()
        await bad.close()
    assert "serving a screen failed" in capsys.readouterr().err


async def test_a_box_comes_back_at_the_same_port_with_the_same_id(who: People) -> None:
    async with box(who["box"], echo) as first:
        address = first.addresses()[0]
    again = await listen(who["box"], address, echo, DEFAULT_LIMIT)
    road = await dial(who["screen"], who["box"].endpoint_id, [address], 5, DEFAULT_LIMIT)
    await road.send(encode(control("hello")))
    assert (await road.receive()).json() == {"type": "hello"}
    await road.close()
    await again.close()


async def test_a_port_in_use_is_told(who: People) -> None:
    async with box(who["box"], echo) as listener:
        with pytest.raises(ApplianceError) as told:
            await listen(who["other"], listener.addresses()[0], echo, DEFAULT_LIMIT)
    assert told.value.code == "BRG407"


async def test_an_unknown_id_at_a_known_address_is_not_connected_to(who: People) -> None:
    async with box(who["box"], echo) as listener:
        with pytest.raises(ApplianceError) as told:
            await dial(who["screen"], who["stranger"].endpoint_id, listener.addresses(), 2, DEFAULT_LIMIT)
    assert told.value.code == "SCR501"


async def test_nobody_at_the_address_times_out(who: People) -> None:
    with pytest.raises(ApplianceError) as told:
        await dial(who["screen"], who["box"].endpoint_id, ["127.0.0.1:9"], 0.3, DEFAULT_LIMIT)
    assert told.value.code == "SCR501"


async def test_another_protocol_is_not_answered(
    who: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with box(who["box"], echo) as listener:
        monkeypatch.setattr(transport, "ALPN", b"something/else/1")
        with pytest.raises(ApplianceError) as told:
            await reach(who["screen"], listener)
        assert told.value.code == "SCR501"
        monkeypatch.undo()
        road = await reach(who["screen"], listener)  # the box is still there for others
        await road.send(encode(control("hello")))
        await road.receive()
        await road.close()


@pytest.mark.parametrize(
    ("endpoint_id", "address"),
    [
        ("nonsense", "127.0.0.1:1"),
        ("", "127.0.0.1:1"),
        ("box", "here"),
        ("box", "127.0.0.1:99999"),
        ("box", "127.0.0.1"),
    ],
)
async def test_what_cannot_be_an_address_is_told(who: People, endpoint_id: str, address: str) -> None:
    wanted = who["box"].endpoint_id if endpoint_id == "box" else endpoint_id
    with pytest.raises(ApplianceError) as told:
        await dial(who["screen"], wanted, [address], 1, DEFAULT_LIMIT)
    assert told.value.code == "SCR504"


async def test_a_caller_that_opens_no_stream_is_sent_away(
    who: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(transport, "JOIN_TIMEOUT_S", 0.3)
    async with box(who["box"], echo) as listener:
        road = await reach(who["screen"], listener)  # connected, but nothing is written
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(road.receive(), 5)
        await road.close()
    assert "did not finish its handshake" in capsys.readouterr().err


async def test_the_threads_of_iroh_are_confined(who: People) -> None:
    async with box(who["box"], echo):
        confined = await asyncio.to_thread(confined_threads)
    assert confined["async-compat/to"] == {"2"}


async def test_a_loopback_box_opens_no_socket_that_others_can_reach(who: People) -> None:
    before = await asyncio.to_thread(udp_sockets)
    async with box(who["box"], echo) as listener:
        seen: set[str] = set()
        for _ in range(40):  # the port mapper would have a wildcard socket open for seconds
            seen |= await asyncio.to_thread(udp_sockets) - before
            await asyncio.sleep(0.01)
        assert all(address.startswith(("127.0.0.1:", "[::1]:")) for address in listener.addresses())
    assert seen
    assert {address.rpartition(":")[0] for address in seen} <= {"0100007F", "00000000000000000000000001000000"}


def confined_threads() -> dict[str, set[str]]:
    """Per thread name of this process, what the kernel says of its seccomp mode; 2 is a filter."""
    told: dict[str, set[str]] = {}
    for task in Path("/proc/self/task").iterdir():
        status = dict(row.split(":\t", 1) for row in (task / "status").read_text().splitlines() if ":\t" in row)
        told.setdefault(status["Name"], set()).add(status["Seccomp"])
    return told


def udp_sockets() -> set[str]:
    """The local addresses of this process's UDP sockets, as /proc writes them."""
    mine = set()
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            mine.add(os.readlink(f"/proc/self/fd/{descriptor}"))
    rows = [row.split() for name in ("udp", "udp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1] for row in rows if f"socket:[{row[9]}]" in mine}
