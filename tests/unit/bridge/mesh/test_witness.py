from __future__ import annotations

import pytest

from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import alive, seal
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.seal import Place
from appliance.bridge.mesh.witness import Witness
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, OTHER

WALL = Place("main", "wall")


def sync(epoch: str, version: int) -> Frame:
    return Frame(FrameType.SIGNAL_SYNC, b'{"$":{"e":"%s","v":%d}}' % (epoch.encode(), version))


@pytest.fixture
def witness() -> Witness:
    witness = Witness(BOX.endpoint_id)
    witness.begin(WALL, direct=False)
    return witness


def came(witness: Witness, frame: Frame, g: int, t: int) -> None:
    witness.sealed(seal.seal(BOX, WALL, frame, g, t).frame().json())
    witness.check(frame)


def word(witness: Witness, epoch: str, version: int, g: int, t: int, role: str = "wall") -> None:
    witness.alive(alive.say(BOX, Alive("main", role, g, t, epoch, version)).json())


def code(witness: Witness, frame: Frame, g: int, t: int) -> str:
    with pytest.raises(ApplianceError) as raised:
        came(witness, frame, g, t)
    return raised.value.code


def test_a_checked_frame_says_where_it_leads(witness: Witness) -> None:
    diff = Frame(FrameType.SIGNAL_DIFF, b'{"a":1,"$":{"e":"e1","b":4,"v":6}}')
    witness.sealed(seal.seal(BOX, WALL, diff, 1, 1).frame().json())
    link = witness.check(diff)
    assert (link.epoch, link.base, link.version) == ("e1", 4, 6)


def test_a_seal_is_for_one_frame(witness: Witness) -> None:
    frame = sync("e1", 1)
    came(witness, frame, 1, 1)
    with pytest.raises(ApplianceError, match="SIG320"):
        witness.check(frame)


def test_an_earlier_epoch_is_an_old_story(witness: Witness) -> None:
    came(witness, sync("e1", 1), 1, 100)
    came(witness, sync("e2", 1), 2, 50)  # the box restarted, and its clock had gone back
    assert code(witness, sync("e1", 1), 1, 100) == "SIG321"
    came(witness, sync("e2", 1), 2, 50)


def test_within_a_generation_its_clock_tells(witness: Witness) -> None:
    came(witness, sync("e1", 1), 1, 100)
    word(witness, "e1", 1, 1, 200)
    assert code(witness, sync("e0", 9), 1, 150) == "SIG321"
    came(witness, sync("e3", 1), 1, 250)


def test_an_old_frame_of_the_present_epoch_is_taken(witness: Witness) -> None:
    """Relays hand newcomers their keyframe, which was signed earlier; the copy itself never goes back."""
    word(witness, "e1", 9, 1, 200)
    came(witness, sync("e1", 1), 1, 100)


def test_a_word_of_another_view_or_box_counts_for_nothing(witness: Witness) -> None:
    with pytest.raises(ApplianceError, match="SIG320"):
        word(witness, "e1", 1, 1, 1, role="staff")
    with pytest.raises(ApplianceError, match="SIG320"):
        witness.alive(alive.say(OTHER, Alive("main", "wall", 1, 1, "e1", 1)).json())


def test_an_old_word_is_an_old_story(witness: Witness) -> None:
    came(witness, sync("e2", 1), 2, 1)
    with pytest.raises(ApplianceError, match="SIG321"):
        word(witness, "e1", 1, 1, 1)


def test_the_boxs_own_word_holds_whatever_was_known(witness: Witness) -> None:
    came(witness, sync("e2", 1), 9, 1)
    witness.begin(WALL, direct=True)
    came(witness, sync("e1", 1), 1, 1)


def test_before_the_hello_nothing_is_taken() -> None:
    with pytest.raises(ApplianceError, match="SIG320"):
        came(Witness(BOX.endpoint_id), sync("e1", 1), 1, 1)
