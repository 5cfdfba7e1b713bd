"""Which road is taken, over listeners on loopback that do nothing but answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.bridge.discovery import announce
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import Identity
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.screen import finder
from appliance.screen.roads import Roads
from appliance.screen.ticket import Ticket
from tests.unit.bridge.mesh.keys import BOX, OTHER, SCREEN, make

NOWHERE = ("127.0.0.1:9",)
GONE = Ticket(BOX.endpoint_id, NOWHERE)
FORGED = ApplianceError("SIG320", "Not what the box signed.")
LOST = ApplianceError("SCR502", "Lost.")
THIRD = make()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "DIAL_TIMEOUT_S", 0.7)
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.3)


@asynccontextmanager
async def door(identity: Identity) -> AsyncIterator[Ticket]:
    async def met(connection: Connection) -> None:
        await connection.receive()

    listener = await listen(identity, "127.0.0.1:0", met, DEFAULT_LIMIT)
    try:
        yield Ticket(listener.endpoint_id, tuple(listener.addresses()[:1]))
    finally:
        await listener.close()


def roads(box: Ticket | None, **more: Any) -> Roads:
    return Roads(SCREEN, box, faithful=True, frame_limit=DEFAULT_LIMIT, look=more.pop("look", False), **more)


async def taken(search: Roads) -> str | None:
    """The EndpointId of the relay that the road leads to, None for the box."""
    road = await search.connect()
    await road.close()
    return search.relay.endpoint_id if search.relay else None


async def test_the_box_comes_first() -> None:
    async with door(BOX) as box, door(OTHER) as relay:
        search = roads(box)
        search._seen[relay.endpoint_id] = relay
        assert await taken(search) is None
        search.box = GONE
        assert await taken(search) == OTHER.endpoint_id


async def test_a_named_relay_comes_before_the_box() -> None:
    async with door(BOX) as box, door(OTHER) as relay:
        assert await taken(roads(box, via=(relay,))) == OTHER.endpoint_id
    async with door(BOX) as box:
        assert await taken(roads(box, via=(relay,))) is None


async def test_a_relay_is_found_by_mdns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 2.0)
    async with door(OTHER) as relay:
        leave = await announce("Lobby", relay.endpoint_id, relay.addresses, lan=False, relay_of=BOX.endpoint_id)
        try:
            assert await taken(roads(GONE, look=True)) == OTHER.endpoint_id
        finally:
            await leave()


async def test_without_any_road_the_boxs_own_reason_is_told() -> None:
    with pytest.raises(ApplianceError, match="SCR501"):
        await roads(GONE).connect()


async def test_a_screen_that_knows_no_box_takes_no_relays_word() -> None:
    async with door(OTHER) as relay:
        with pytest.raises(ApplianceError, match="SCR500"):
            await roads(None, via=(relay,)).connect()


async def test_nothing_is_taken_from_one_that_takes_from_this_screen() -> None:
    async with door(OTHER) as relay:
        search = roads(GONE, via=(relay,), peers=lambda: {OTHER.endpoint_id})
        with pytest.raises(ApplianceError, match="SCR501"):
            await search.connect()


async def test_one_that_failed_comes_last_and_one_that_forged_not_at_all() -> None:
    async with door(OTHER) as relay, door(THIRD) as another:
        search = roads(GONE)
        search._seen = {each.endpoint_id: each for each in (relay, another)}
        first = await taken(search)
        search.blame(LOST)
        assert await taken(search) not in (first, None)
        search.blame(LOST)
        assert await taken(search) == first  # both failed: the one whose failure is longer ago
        search.blame(FORGED)
        assert await taken(search) != first
        search.blame(FORGED)
        with pytest.raises(ApplianceError, match="SCR501"):
            await search.connect()


async def better(search: Roads, *, live: bool) -> str | None:
    road = await search.better(live=live)
    if road is None:
        return "none"
    await road.close()
    return search.relay.endpoint_id if search.relay else None


async def test_from_a_relay_it_goes_back_to_the_box() -> None:
    async with door(BOX) as box, door(OTHER) as relay, door(THIRD) as another:
        search = roads(GONE)
        search._seen[relay.endpoint_id] = relay
        assert await taken(search) == OTHER.endpoint_id
        search._seen[another.endpoint_id] = another
        assert await better(search, live=True) == "none"
        search.box = box
        assert await better(search, live=True) is None
        assert await better(search, live=True) == "none"  # on the box's own road nothing is better


async def test_from_a_relay_without_the_box_it_goes_to_another() -> None:
    async with door(OTHER) as relay, door(THIRD) as another:
        search = roads(GONE)
        search._seen[relay.endpoint_id] = relay
        assert await taken(search) == OTHER.endpoint_id
        search._seen[another.endpoint_id] = another
        assert await better(search, live=False) == THIRD.endpoint_id
        assert await better(search, live=False) == "none"  # not back at once: the first has no box either


async def test_a_named_relay_that_has_the_box_is_kept() -> None:
    async with door(BOX) as box, door(OTHER) as relay:
        search = roads(box, via=(relay,))
        assert await taken(search) == OTHER.endpoint_id
        assert await better(search, live=True) == "none"
        assert await better(search, live=False) is None


async def test_now_and_then_the_network_is_asked_where_the_box_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 3.0)
    async with door(BOX) as box, door(OTHER) as relay:
        search = roads(GONE)
        search._seen[relay.endpoint_id] = relay
        assert await taken(search) == OTHER.endpoint_id
        leave = await announce("Box", box.endpoint_id, box.addresses, lan=False)
        try:
            found = [await better(search, live=True) for _ in range(6)]
        finally:
            await leave()
        assert found == ["none"] * 5 + [None]
