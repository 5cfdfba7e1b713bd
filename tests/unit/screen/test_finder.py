from __future__ import annotations

from pathlib import Path

import pytest

from appliance.bridge.discovery import announce
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import Identity, load_or_create
from appliance.errors import ApplianceError
from appliance.screen import finder
from appliance.screen.finder import Finder
from appliance.screen.ticket import Ticket
from tests.unit.screen.small_box import SmallBox

pytestmark = pytest.mark.alone

NOWHERE = ("127.0.0.1:9",)


@pytest.fixture
def other_identity(tmp_path: Path) -> Identity:
    return load_or_create(tmp_path / "other.key")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "DIAL_TIMEOUT_S", 1.0)


def looking(screen: Identity, box: Ticket | None, *, faithful: bool = False) -> Finder:
    return Finder(screen, box, faithful=faithful, frame_limit=DEFAULT_LIMIT)


async def failing(search: Finder) -> ApplianceError:
    with pytest.raises(ApplianceError) as told:
        await search.connect()
    return told.value


async def test_no_box_is_told_with_what_to_do(screen: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 0.3)
    error = await failing(looking(screen, None))
    assert error.code == "SCR500"
    assert error.hint is not None
    assert "appliance up" in error.hint
    assert "--box" in error.hint


async def test_a_box_that_was_known_elsewhere_is_followed(box: SmallBox, screen: Identity) -> None:
    leave = await announce("Small", box.identity.endpoint_id, box.ticket.addresses, lan=False)
    search = looking(screen, Ticket(box.identity.endpoint_id, NOWHERE), faithful=True)
    try:
        road = await search.connect()
    finally:
        await leave()
    assert search.box == box.ticket
    await road.close()


async def test_of_two_boxes_none_is_guessed(box: SmallBox, screen: Identity) -> None:
    one = await announce("Ward", box.identity.endpoint_id, box.ticket.addresses, lan=False)
    two = await announce("Ward", screen.endpoint_id, NOWHERE, lan=False)
    try:
        error = await failing(looking(screen, None))
        road = await looking(screen, box.ticket).connect()
    finally:
        await one()
        await two()
    assert error.code == "SCR503"
    assert f"{box.identity.endpoint_id}@127.0.0.1:{box.port}" in str(error.details)
    assert road.peer == box.identity.endpoint_id
    await road.close()


async def test_a_faithful_screen_takes_no_other_box(
    box: SmallBox, screen: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 1.0)
    leave = await announce("Other", box.identity.endpoint_id, box.ticket.addresses, lan=False)
    gone = Ticket(screen.endpoint_id, NOWHERE)
    try:
        error = await failing(looking(screen, gone, faithful=True))
        road = await looking(screen, gone, faithful=False).connect()
    finally:
        await leave()
    assert error.code == "SCR501"
    assert road.peer == box.identity.endpoint_id
    await road.close()


async def test_a_screen_stays_with_the_box_it_has_met(
    box: SmallBox, screen: Identity, monkeypatch: pytest.MonkeyPatch, other_identity: Identity
) -> None:
    monkeypatch.setattr(finder, "LOOK_TIMEOUT_S", 1.0)
    search = looking(screen, box.ticket, faithful=False)
    await (await search.connect()).close()
    await box.stop()
    other = SmallBox(other_identity)
    await other.start()
    leave = await announce("Other", other.identity.endpoint_id, other.ticket.addresses, lan=False)
    try:
        assert (await failing(search)).code == "SCR501"
    finally:
        await leave()
        await other.stop()
