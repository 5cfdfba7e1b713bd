from __future__ import annotations

import asyncio
import secrets
import socket

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from appliance.bridge import discovery
from appliance.bridge.discovery import FoundBox, announce, announcing, find, find_relays
from appliance.errors import ApplianceError

pytestmark = pytest.mark.alone


@pytest.fixture(autouse=True)
def own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real mDNS under a name of this test's own, so that a box that runs on this machine is not found."""
    monkeypatch.setattr(discovery, "SERVICE", f"_ds{secrets.token_hex(4)}._udp.local.")


def some_id() -> str:
    return secrets.token_hex(32)


async def test_a_box_is_found_with_its_name_id_and_address() -> None:
    endpoint_id = some_id()
    leave = await announce("Ward 3. Lobby", endpoint_id, ["127.0.0.1:4711", "[::1]:4712"], lan=False)
    try:
        found = await find(3, endpoint_id)
    finally:
        await leave()
    assert found == [FoundBox("Ward 3. Lobby", endpoint_id, ("127.0.0.1:4711",))]


async def test_two_boxes_of_the_same_name_are_both_found() -> None:
    ids = sorted([some_id(), some_id()])
    first = await announce("Twin", ids[0], ["127.0.0.1:1001"], lan=False)
    second = await announce("Twin", ids[1], ["127.0.0.1:1002"], lan=False)
    try:
        found = await find(3)
    finally:
        await second()
        await first()
    assert {(box.name, box.endpoint_id, box.addresses) for box in found} == {
        ("Twin", ids[0], ("127.0.0.1:1001",)),
        ("Twin", ids[1], ("127.0.0.1:1002",)),
    }


async def test_only_the_box_asked_for_is_returned() -> None:
    wanted, other = some_id(), some_id()
    one = await announce("One", wanted, ["127.0.0.1:1001"], lan=False)
    two = await announce("Two", other, ["127.0.0.1:1002"], lan=False)
    try:
        found = await find(3, wanted)
    finally:
        await one()
        await two()
    assert [box.endpoint_id for box in found] == [wanted]


async def test_a_box_that_left_is_not_found() -> None:
    endpoint_id = some_id()
    leave = await announce("Gone", endpoint_id, ["127.0.0.1:4711"], lan=False)
    await leave()
    assert await find(0.8, endpoint_id) == []


async def test_a_box_at_a_new_address_is_found_there() -> None:
    endpoint_id = some_id()
    first = await announce("Mover", endpoint_id, ["127.0.0.1:1001"], lan=False)
    await first()
    second = await announce("Mover", endpoint_id, ["127.0.0.1:1002"], lan=False)
    try:
        assert (await find(3, endpoint_id))[0].addresses == ("127.0.0.1:1002",)
    finally:
        await second()


async def test_a_loopback_box_is_held_to_the_loopback_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[AsyncZeroconf] = []
    real = discovery._responder

    async def keep(lan: bool) -> AsyncZeroconf:
        made.append(await real(lan))
        return made[-1]

    monkeypatch.setattr(discovery, "_responder", keep)
    leave = await announce("Near", some_id(), ["127.0.0.1:4711"], lan=False)
    try:
        roads = [*made[0].zeroconf.engine.readers, *made[0].zeroconf.engine.senders]
        devices = {road.sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") for road in roads}
    finally:
        await leave()
    assert devices == {b"lo"}


async def test_a_box_without_an_ipv4_address_cannot_be_announced() -> None:
    with pytest.raises(ApplianceError) as told:
        await announce("Six", some_id(), ["[::1]:4712"], lan=False)
    assert told.value.code == "BRG415"


async def test_a_box_on_the_network_is_found_as_well() -> None:
    endpoint_id = some_id()
    leave = await announce("Open", endpoint_id, ["127.0.0.1:4711"], lan=True)
    try:
        assert [box.endpoint_id for box in await find(3, endpoint_id)] == [endpoint_id]
    finally:
        await leave()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("", "DreamStack"),
        ("\x07...", "DreamStack"),
        ("Dr. Who's box", "Dr Who's box"),
        ("é" * 100, "é" * 30),
        ("a\nb", "ab"),
    ],
)
def test_any_name_becomes_a_label(name: str, label: str) -> None:
    assert discovery._label(name) == label
    AsyncServiceInfo(discovery.SERVICE, f"{label}-99.{discovery.SERVICE}")  # raises where DNS-SD would not take it


@pytest.mark.parametrize("properties", [{}, {"id": "x", "v": "2"}, {"v": "1"}])
def test_a_service_that_is_not_a_box_of_this_version_is_passed_over(properties: dict[str, str]) -> None:
    info = AsyncServiceInfo(
        discovery.SERVICE, f"Odd.{discovery.SERVICE}", port=1, parsed_addresses=["127.0.0.1"], properties=properties
    )
    assert discovery._read(info) is None


async def test_a_relay_is_no_box_and_is_found_for_its_box_alone() -> None:
    box, relay = some_id(), some_id()
    one = await announce("Box", box, ["127.0.0.1:1001"], lan=False)
    two = await announce("Lobby relay", relay, ["127.0.0.1:1002"], lan=False, relay_of=box)
    try:
        assert [each.endpoint_id for each in await find(3)] == [box]
        assert await find_relays(3, box) == [FoundBox("Lobby relay", relay, ("127.0.0.1:1002",), box)]
        assert await find_relays(0.5, some_id()) == []
        assert await find_relays(0.5, box, besides=relay) == []
    finally:
        await one()
        await two()


async def test_a_new_address_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "ADDRESSES_S", 0.1)
    box, addresses = some_id(), ["127.0.0.1:1001"]
    telling = asyncio.create_task(announcing("Box", box, lambda: addresses, lan=False))
    try:
        assert (await find(5, box))[0].addresses == ("127.0.0.1:1001",)
        addresses = ["127.0.0.1:1002"]
        async with asyncio.timeout(10):
            while [each.addresses for each in await find(2, box)] != [("127.0.0.1:1002",)]:
                pass
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    assert await find(0.5, box) == []


async def test_a_network_that_is_not_there_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(discovery, "ADDRESSES_S", 0.05)
    real, box, tries = announce, some_id(), 0

    async def down_at_first(*given: object, **more: object) -> object:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ApplianceError("BRG415", "No network.")
        return await real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(discovery, "announce", down_at_first)
    telling = asyncio.create_task(announcing("Box", box, lambda: ["127.0.0.1:1001"], lan=False))
    try:
        assert len(await find(5, box)) == 1
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    assert capsys.readouterr().err.count("not announced") == 2
