from __future__ import annotations

from typing import Any

import pytest

from appliance.bridge import passes
from appliance.bridge.mesh import letters
from appliance.bridge.mesh.letters import Letters
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, OTHER, SCREEN

PASS = passes.issue(BOX, SCREEN.endpoint_id, role="staff", name="Desk")
ASK = {"type": "ask", "question": "How many beds are free?", "ref": "r1"}
EPOCH = "9f3c01aa"


def letter(said: dict[str, Any] | None = None) -> dict[str, Any]:
    return letters.write(SCREEN, PASS, EPOCH, said or ASK)


def code(box: Letters, said: dict[str, Any], epoch: str = EPOCH) -> str:
    with pytest.raises(ApplianceError) as raised:
        box.open(said, epoch)
    return raised.value.code


@pytest.fixture
def box() -> Letters:
    return Letters(BOX.endpoint_id)


def test_the_box_knows_whose_it_is(box: Letters) -> None:
    writer, said = box.open(letter(), EPOCH)
    assert (writer.screen, writer.role, writer.name) == (SCREEN.endpoint_id, "staff", "Desk")
    assert said == ASK


def test_it_counts_once(box: Letters) -> None:
    first, second = letter(), letter()
    box.open(second, EPOCH)
    assert code(box, second) == "BRG434"
    assert code(box, first) == "BRG434"  # kept back by a relay until a later one had come


def test_it_is_not_kept_for_after_a_restart(box: Letters) -> None:
    assert code(box, letter(), "00000000") == "BRG434"


def test_a_relay_cannot_change_it(box: Letters) -> None:
    said = letter()
    assert code(box, {**said, "body": said["body"].replace("free", "full")}) == "BRG430"


def test_a_pass_does_not_make_a_writer(box: Letters) -> None:
    assert code(box, letters.write(OTHER, PASS, EPOCH, ASK)) == "BRG430"


def test_nor_does_a_key_without_a_pass(box: Letters) -> None:
    assert code(box, letters.write(OTHER, "", EPOCH, ASK)) == "BRG430"
    own = passes.issue(OTHER, OTHER.endpoint_id, role="admin")
    assert code(box, letters.write(OTHER, own, EPOCH, ASK)) == "BRG430"


@pytest.mark.parametrize("said", [{}, {"pass": PASS}, {"pass": PASS, "body": "{}", "sig": "AA"}, {"pass": 7, "sig": 7}])
def test_what_is_no_letter_is_refused(box: Letters, said: dict[str, Any]) -> None:
    assert code(box, said) == "BRG430"


def test_memory_of_writers_is_bounded(box: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "SCREENS_KEPT", 1)
    other = passes.issue(BOX, OTHER.endpoint_id, role="wall")
    box.open(letter(), EPOCH)
    box.open(letters.write(OTHER, other, EPOCH, ASK), EPOCH)
    assert list(box._last) == [OTHER.endpoint_id]
