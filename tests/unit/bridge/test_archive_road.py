"""Archives between peers: whatever the other side sends, what is kept is what was asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.bridge import Member
from appliance.bridge import archive_road as road_module
from appliance.bridge.archive import PIECE, Archive, hash_of, seal
from appliance.bridge.archive_road import ALPN, MANIFEST, PIECE_FRAME, ArchiveClient, ArchiveServer
from appliance.bridge.frame import Frame, FrameType, control, encode
from appliance.bridge.identity import load_or_create
from appliance.bridge.segments import pack
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import dial, listen
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.errors import ApplianceError
from appliance.types import Role

KEYS: dict[str, Role] = {"w": "wall", "s": "staff"}


def admit(said: dict[str, Any]) -> Member:
    if said.get("credential") not in KEYS:
        raise ApplianceError("BRG401", "The box does not know this credential.")
    return Member("peer", KEYS[said["credential"]])


def archived(folder: Path, size: int = 5 * PIECE + 99) -> str:
    """A segment of the staff's, of about this many bytes; its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    path, chance = folder / "1700000000000.seg", random.Random(size)
    head = pack(1, encode(control("recording", version=1, began=1, stream="main", role="staff")))
    path.write_bytes(head + pack(2, encode(Frame(0x31, chance.randbytes(size)))))
    return seal(path)


@asynccontextmanager
async def peer(folder: Path, key: str = "s") -> AsyncIterator[ArchiveClient]:
    here, there = pair()
    serving = asyncio.create_task(ArchiveServer(Archive([folder])).serve(here, admit))
    client = ArchiveClient(there)
    await client.hello(key)
    yield client
    await client.close()
    await asyncio.wait_for(serving, 2)


def same(one: Path, folder: Path) -> bool:
    [path] = folder.glob("*.seg")
    return one.read_bytes() == path.read_bytes() and hash_of(one.with_suffix(".b3").read_bytes()) == one.stem


async def test_it_arrives_whole_and_can_be_served_on(tmp_path: Path) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    told: list[tuple[int, int]] = []
    async with peer(tmp_path / "box") as client:
        assert [item["hash"] for item in await client.items()] == [wanted]
        path = await client.fetch(wanted, tmp_path / "mine", lambda done, of: told.append((done, of)))
    assert await asyncio.to_thread(same, path, tmp_path / "box")
    assert len(told) == 6 and told[-1][0] == told[-1][1]
    async with peer(tmp_path / "mine") as second:
        again = await second.fetch(wanted, tmp_path / "third")
        assert await second.fetch(wanted, tmp_path / "third") == again
    assert await asyncio.to_thread(same, again, tmp_path / "box")


async def test_who_may_not_have_it_does_not_even_hear_of_it(tmp_path: Path) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    async with peer(tmp_path / "box", "w") as client:
        assert await client.items() == []
        with pytest.raises(ApplianceError, match="BRG463"):
            await client.fetch(wanted, tmp_path / "mine")
    with pytest.raises(ApplianceError, match="BRG401"):
        async with peer(tmp_path / "box", "wrong"):
            raise AssertionError("was let in")


async def test_what_comes_before_the_hello_or_makes_no_sense_ends_it(tmp_path: Path) -> None:
    hello = control("hello", credential="s")
    for frames in (
        [control("get", hash="0" * 64)],
        [Frame(FrameType.SIGNAL_SYNC, b"{}")],
        [hello, control("pieces")],
        [hello, control("get", hash="../../etc/passwd")],
        [hello, control("format", disk="all")],
        [hello, control("pieces", **{"from": -1})],
    ):
        here, there = pair()
        serving = asyncio.create_task(ArchiveServer(Archive([tmp_path])).serve(here, admit))
        for frame in frames:
            await there.send(encode(frame))
        kinds: list[str] = []
        while not kinds or kinds[-1] != "error":
            kinds.append((await asyncio.wait_for(there.receive(), 2)).json()["type"])
        await asyncio.wait_for(serving, 2)


def _into(told: list[int]) -> Callable[[int, int], None]:
    return lambda done, of: told.append(done)


async def test_a_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    for cut, left in ((2 * PIECE + 500, 4), (3 * PIECE, 3), (0, 6), (10**9, 0)):
        mine = tmp_path / f"mine{cut}"
        mine.mkdir()
        [whole] = (tmp_path / "box").glob("*.seg")
        (mine / f"{wanted}.part").write_bytes(whole.read_bytes()[:cut])
        told: list[int] = []
        async with peer(tmp_path / "box") as client:
            path = await client.fetch(wanted, mine, _into(told))
        assert len(told) == left
        assert await asyncio.to_thread(same, path, tmp_path / "box")
        assert not (mine / f"{wanted}.part").exists()


@pytest.mark.parametrize("suffix", ["part", "seg"])
async def test_what_is_there_and_wrong_is_not_believed(tmp_path: Path, suffix: str) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    [whole] = (tmp_path / "box").glob("*.seg")
    hurt = bytearray(whole.read_bytes())
    hurt[PIECE + 5] ^= 1
    (mine := tmp_path / "mine").mkdir()
    (mine / f"{wanted}.{suffix}").write_bytes(hurt)
    async with peer(tmp_path / "box") as client:
        path = await client.fetch(wanted, mine)
    assert await asyncio.to_thread(same, path, tmp_path / "box")


class Liar(MemoryConnection):
    """The honest peer's end of a road, on which one frame is changed."""

    def __init__(self, honest: MemoryConnection, kind: int, at: int, payload: Any) -> None:
        super().__init__(honest.peer, honest._inbox, honest._outbox)
        self._kind, self._at, self._payload = kind, at, payload

    async def send(self, raw: bytes) -> None:
        from appliance.bridge.frame import decode

        frame = decode(raw)
        if frame.type == self._kind:
            self._at -= 1
            if self._at < 0:
                raw = encode(Frame(frame.type, self._payload(frame.payload)))
        await super().send(raw)


def flipped(payload: bytes) -> bytes:
    return payload[:-9] + bytes([payload[-9] ^ 4]) + payload[-8:]


@pytest.mark.parametrize(
    ("kind", "at", "payload", "kept"),
    [
        (MANIFEST, 0, flipped, None),
        (MANIFEST, 0, lambda payload: payload[:-32], None),
        (MANIFEST, 0, lambda payload: b"", None),
        (PIECE_FRAME, 0, flipped, 0),
        (PIECE_FRAME, 3, flipped, 3),
        (PIECE_FRAME, 3, lambda payload: payload[:-1], 3),
        (PIECE_FRAME, 5, lambda payload: payload + b"more", 5),
        (PIECE_FRAME, 2, lambda payload: b"", 2),
    ],
)
async def test_the_first_wrong_byte_ends_it_and_what_was_right_is_kept(
    tmp_path: Path, kind: int, at: int, payload: Any, kept: int | None
) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    here, there = pair()
    liar = Liar(here, kind, at, payload)
    serving = asyncio.create_task(ArchiveServer(Archive([tmp_path / "box"])).serve(liar, admit))
    client = ArchiveClient(there)
    await client.hello("s")
    with pytest.raises(ApplianceError, match="BRG464"):
        await client.fetch(wanted, tmp_path / "mine")
    await client.close()
    await asyncio.wait_for(serving, 2)
    part = tmp_path / "mine" / f"{wanted}.part"
    assert await asyncio.to_thread(lambda: list(tmp_path.glob("mine/*.seg"))) == []
    size = await asyncio.to_thread(lambda: part.stat().st_size if part.exists() else None)
    assert size == (None if kept is None else kept * PIECE)


async def test_a_disk_that_went_bad_is_found_by_the_peer_itself(tmp_path: Path) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box")
    [whole] = (tmp_path / "box").glob("*.seg")
    hurt = bytearray(whole.read_bytes())
    hurt[2 * PIECE + 5] ^= 1
    whole.write_bytes(hurt)
    async with peer(tmp_path / "box") as client:
        with pytest.raises(ApplianceError, match="BRG464"):
            await client.fetch(wanted, tmp_path / "mine")


async def test_a_peer_that_says_nothing_or_leaves_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road_module, "SILENCE_S", 0.1)
    here, there = pair()
    with pytest.raises(ApplianceError, match="SCR502"):
        await ArchiveClient(there).hello("s")
    await here.close()
    with pytest.raises(ApplianceError, match="SCR502"):
        await ArchiveClient(there).items()


async def test_too_many_callers_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road_module, "SERVED_LIMIT", 1)
    server = ArchiveServer(Archive([tmp_path]))
    (one, ours), (two, theirs) = pair(), pair()
    tasks = [asyncio.create_task(server.serve(each, admit)) for each in (one, two)]
    assert await ArchiveClient(ours).hello("s") == "staff"
    with pytest.raises(ApplianceError, match="BRG465"):
        await ArchiveClient(theirs).hello("s")
    await ours.close()
    await asyncio.wait_for(asyncio.gather(*tasks), 2)


async def test_over_iroh_beside_the_bitstream_on_one_endpoint(tmp_path: Path) -> None:
    wanted = await asyncio.to_thread(archived, tmp_path / "box", 20 * PIECE)
    box, mine = [await asyncio.to_thread(load_or_create, tmp_path / f"{name}.key") for name in ("box", "mine")]
    server, met = ArchiveServer(Archive([tmp_path / "box"])), asyncio.Queue[str]()

    async def archive(road: Connection) -> None:
        await server.serve(road, admit)

    async def bitstream(road: Connection) -> None:
        met.put_nowait((await road.receive()).json()["type"])

    listener = await listen(box, "127.0.0.1:0", bitstream, 4_000_000, {ALPN: archive})
    try:
        road = await dial(mine, listener.endpoint_id, listener.addresses(), 5, 4_000_000, ALPN)
        client = ArchiveClient(road)
        await client.hello("s")
        path = await client.fetch(wanted, tmp_path / "mine")
        await client.close()
        screen = await dial(mine, listener.endpoint_id, listener.addresses(), 5, 4_000_000)
        await screen.send(encode(control("hello")))
        assert await asyncio.wait_for(met.get(), 5) == "hello"
        await screen.close()
    finally:
        await listener.close()
    assert await asyncio.to_thread(same, path, tmp_path / "box")
