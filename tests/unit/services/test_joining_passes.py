"""What the bridge says in passes follows the list of screens: who is taken out or moved, and what a restart keeps."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from appliance.bridge import Member, Streams, passes
from appliance.bridge.mesh import Mesh, letters
from appliance.bridge.passes import Pass
from appliance.bridge.registry import Caller, Screen
from appliance.errors import ApplianceError
from appliance.services.access import Access
from appliance.services.joining import Joining
from tests.unit.bridge.mesh.keys import BOX, OTHER, SCREEN
from tests.unit.services.runtimes import runtime

KEY = f"iroh:{SCREEN.endpoint_id}"


async def started(folder: Path) -> tuple[Joining, Mesh]:
    """Joining as the bridge begins it, on the folder of an earlier one or a new one."""
    given = runtime(data=str(folder))
    joining = Joining(given.settings, Access(given), Streams())
    await joining.load()
    mesh = Mesh(BOX, 1, allow=joining.allow)
    await joining.vouch(mesh)
    return joining, mesh


def let_in(joining: Joining) -> Screen:
    return joining.registry.admit(Caller(KEY, "wall", ""), "Hall", "icu", "staff", "code")


def given() -> str:
    return passes.issue(BOX, SCREEN.endpoint_id, role="staff", name="Hall", room="icu")


async def test_a_letter_is_heard_as_the_screen_that_the_list_has(tmp_path: Path) -> None:
    joining, mesh = await started(tmp_path)
    screen = let_in(joining)
    opened = mesh.open(letters.write(SCREEN, given(), "e1", {"type": "ask"}), "e1")
    assert opened.member == Member(screen.id, "staff", "icu", "Hall", "room/icu")
    assert mesh.revocations() == {}, "one that is let in is not one that is moved"
    joining.registry.change(screen.id, name="Lobby")
    found = passes.verify(mesh.renew(opened.writer), BOX.endpoint_id)
    assert (found.name, found.role, found.room) == ("Lobby", "staff", "icu")
    assert mesh.revocations() == {}


@pytest.mark.parametrize("change", [{"role": "wall"}, {"room": "er"}])
async def test_the_pass_of_a_moved_screen_holds_no_longer_and_its_next_one_does(
    tmp_path: Path, change: dict[str, str]
) -> None:
    joining, mesh = await started(tmp_path)
    screen, old = let_in(joining), passes.verify(given(), BOX.endpoint_id)
    joining.registry.change(screen.id, **change)
    with pytest.raises(ApplianceError, match="BRG430"):
        passes.check_revoked(old, mesh.revocations())
    await asyncio.sleep(0.01)
    passes.check_revoked(passes.verify(given(), BOX.endpoint_id), mesh.revocations())


async def test_who_was_taken_out_gets_no_pass_and_is_not_heard_also_after_a_restart(tmp_path: Path) -> None:
    joining, mesh = await started(tmp_path)
    screen, old = let_in(joining), passes.verify(given(), BOX.endpoint_id)
    joining.registry.revoke(screen.id)
    await joining.save()
    for now, its in ((joining, mesh), await started(tmp_path)):
        assert now.allow(old) is None
        assert list(its.revocations()) == [SCREEN.endpoint_id]
        with pytest.raises(ApplianceError, match="BRG430"):
            its.renew(old)
        with pytest.raises(ApplianceError, match="BRG430"):
            its.open(letters.write(SCREEN, given(), "e1", {"type": "ask"}), "e1")


async def test_one_that_came_with_a_key_is_as_its_pass_says(tmp_path: Path) -> None:
    joining, _ = await started(tmp_path)
    shown = Pass(OTHER.endpoint_id, "admin", time.time() + 60, "desk")
    assert joining.allow(shown) == Member(OTHER.endpoint_id[:16], "admin", "", "desk")


async def test_what_is_done_is_told_behind_a_relay(tmp_path: Path) -> None:
    joining, mesh = await started(tmp_path)
    told: asyncio.Queue[str] = asyncio.Queue()
    mesh.awaits("s1", "r1", told.put)
    joining.done("s1", "r1")
    assert await asyncio.wait_for(told.get(), 1) == "r1"
