from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from appliance.bridge import Member, passes
from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import Mesh, alive, letters, next_generation, seal
from appliance.bridge.mesh.seal import Place
from appliance.bridge.signals import View
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, SCREEN


def test_a_generation_grows_with_every_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys" / "generation"
    clock = iter([1000.0, 1000.0, 900.0, 2000.0])
    monkeypatch.setattr(time, "time", lambda: next(clock))
    assert [next_generation(path) for _ in range(4)] == [1000, 1001, 1002, 2000]


@pytest.mark.parametrize("spoilt", ["1x", "", "7"])
def test_a_spoilt_file_or_an_old_one_does_not_lead_back(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "generation"
    path.write_text(spoilt)
    number = next_generation(path)
    assert number > 1_700_000_000
    assert next_generation(path) > number


def test_a_greeting_has_a_pass_for_that_screen() -> None:
    said = Mesh(BOX, 4, clock=lambda: 1_764_000_000.5).greeting(SCREEN.endpoint_id, "Lobby", "wall")
    found = passes.verify(said["pass"], BOX.endpoint_id)
    assert (found.screen, found.name, found.role) == (SCREEN.endpoint_id, "Lobby", "wall")
    assert (said["g"], said["t"]) == (4, 1_764_000_000_500)


def test_a_step_is_signed_once_for_all_receivers() -> None:
    times = iter(range(1, 9))
    mesh = Mesh(BOX, 1, clock=lambda: float(next(times)))
    frame = Frame(FrameType.SIGNAL_DIFF, b'{"$":{"e":"e1","b":1,"v":2}}')
    first = mesh.seal("main", "wall", "e1", (1, 2), frame)
    assert mesh.seal("main", "wall", "e1", (1, 2), frame) is first
    assert mesh.seal("main", "wall", "e1", (0, 2), frame) is not first
    assert mesh.seal("main", "staff", "e1", (1, 2), frame).payload != first.payload
    seal.check(BOX.endpoint_id, Place("main", "wall"), frame, seal.read(first.json()))


def test_the_clock_does_not_go_back_while_the_box_runs() -> None:
    times = iter([5.0, 3.0, 6.0])
    mesh = Mesh(BOX, clock=lambda: next(times))
    assert [mesh.now() for _ in range(3)] == [5000, 5000, 6000]


def test_a_word_names_the_revoked_until_their_passes_have_run_out() -> None:
    now = 1000.0
    mesh = Mesh(BOX, clock=lambda: now)
    view = View()
    mesh.take_up({"one": 2000.0})
    mesh.revoke("two")
    until = 1000.0 + passes.VALID_S
    assert alive.hear(BOX.endpoint_id, mesh.word("main", "wall", view).json()).no == {"one": 2000.0, "two": until}
    now = 2000.0
    assert alive.hear(BOX.endpoint_id, mesh.word("main", "wall", view, "n1").json()).no == {"two": until}
    now = until
    assert mesh.revocations() == {}


def test_a_revoked_screens_letters_are_refused() -> None:
    mesh = Mesh(BOX)
    given = passes.issue(BOX, SCREEN.endpoint_id, role="staff")
    assert mesh.open(letters.write(SCREEN, given, "e1", {"type": "ask"}), "e1").said == {"type": "ask"}
    mesh.revoke(SCREEN.endpoint_id)
    with pytest.raises(ApplianceError, match="BRG430"):
        mesh.open(letters.write(SCREEN, given, "e1", {"type": "ask"}), "e1")


def test_a_pass_that_is_given_after_a_revocation_holds() -> None:
    mesh = Mesh(BOX)
    mesh.revoke(SCREEN.endpoint_id)
    later = time.time() + passes.VALID_S + 1
    given = passes.issue(BOX, SCREEN.endpoint_id, role="staff", expires=later)
    assert mesh.open(letters.write(SCREEN, given, "e1", {"type": "ask"}), "e1").said == {"type": "ask"}


def test_a_letter_is_of_whom_the_box_knows_by_now() -> None:
    known: Member | None = Member("s1", "wall", "icu", "Hall", "room/icu")
    mesh = Mesh(BOX, allow=lambda _: known)
    given = passes.issue(BOX, SCREEN.endpoint_id, role="admin")
    assert mesh.open(letters.write(SCREEN, given, "e1", {"type": "ask"}), "e1").member == known
    known = None
    with pytest.raises(ApplianceError, match="BRG430"):
        mesh.open(letters.write(SCREEN, given, "e1", {"type": "ask"}), "e1")


async def test_what_is_done_is_told_once_to_the_screen_that_waits() -> None:
    told: list[str] = []

    async def tell(ref: str) -> None:
        told.append(ref)

    mesh = Mesh(BOX)
    mesh.awaits("s1", "r1", tell)
    assert mesh.done("s2", "r1") is None
    behind = mesh.done("s1", "r1")
    assert behind is not None
    await behind
    assert told == ["r1"]
    assert mesh.done("s1", "r1") is None


async def test_a_revocation_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "EVERY_S", 60)
    mesh = Mesh(BOX)
    waiting = asyncio.create_task(mesh.pause())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    mesh.revoke("one")
    await asyncio.wait_for(waiting, 1)


def test_a_pass_is_renewed_for_what_the_screen_is_now() -> None:
    shown = passes.Pass(SCREEN.endpoint_id, "staff", 9e9, "Desk")
    assert passes.verify(Mesh(BOX).renew(shown), BOX.endpoint_id).role == "staff"
    lowered = Mesh(BOX, allow=lambda _: Member("s1", "wall", "East", "Hall", "room/East"))
    found = passes.verify(lowered.renew(shown), BOX.endpoint_id)
    assert (found.role, found.name, found.room) == ("wall", "Hall", "East")
    with pytest.raises(ApplianceError, match="BRG430"):
        Mesh(BOX, allow=lambda _: None).renew(shown)
