from __future__ import annotations

import msgspec
import pytest

from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import seal
from appliance.bridge.mesh.seal import Place, Seal
from appliance.errors import ApplianceError
from tests.unit.bridge.mesh.keys import BOX, OTHER

WALL = Place("main", "wall")
FRAME = Frame(FrameType.SIGNAL_DIFF, b'{"beds.free":7,"$":{"e":"9f3c01aa","b":1,"v":2}}', timestamp=41)
SEAL = seal.seal(BOX, WALL, FRAME, 3, 1_764_000_000_000)


def is_refused(place: Place, frame: Frame, given: Seal, box_id: str = BOX.endpoint_id) -> bool:
    with pytest.raises(ApplianceError) as raised:
        seal.check(box_id, place, frame, given)
    return raised.value.code == "SIG320"


def test_a_seal_travels_and_is_checked_over_the_payloads_own_bytes() -> None:
    given = seal.read(SEAL.frame().json())
    assert given == SEAL
    seal.check(BOX.endpoint_id, WALL, FRAME, given)


def test_what_the_header_says_besides_is_not_signed() -> None:
    seal.check(BOX.endpoint_id, WALL, msgspec.structs.replace(FRAME, seq=9, timestamp=0), SEAL)


def test_every_bit_of_the_payload_counts() -> None:
    for at in range(len(FRAME.payload)):
        changed = bytearray(FRAME.payload)
        changed[at] ^= 1
        assert is_refused(WALL, msgspec.structs.replace(FRAME, payload=bytes(changed)), SEAL)


def test_the_same_bytes_do_not_serve_another_view_or_time() -> None:
    assert is_refused(Place("main", "staff"), FRAME, SEAL)
    assert is_refused(Place("other", "wall"), FRAME, SEAL)
    assert is_refused(WALL, msgspec.structs.replace(FRAME, type=FrameType.SIGNAL_SYNC), SEAL)
    assert is_refused(WALL, FRAME, msgspec.structs.replace(SEAL, g=4))
    assert is_refused(WALL, FRAME, msgspec.structs.replace(SEAL, t=SEAL.t + 1))


def test_only_the_box_seals() -> None:
    assert is_refused(WALL, FRAME, SEAL, OTHER.endpoint_id)
    assert is_refused(WALL, FRAME, seal.seal(OTHER, WALL, FRAME, SEAL.g, SEAL.t))


@pytest.mark.parametrize(
    "sig", ["", "!", "AAAA", "é", SEAL.sig[:-2]], ids=["none", "a mark", "short", "no ASCII", "cut"]
)
def test_what_is_no_signature_is_refused(sig: str) -> None:
    assert is_refused(WALL, FRAME, msgspec.structs.replace(SEAL, sig=sig))


@pytest.mark.parametrize("said", [{}, {"g": 1, "t": 2}, {"g": "1", "t": 2, "sig": ""}, {"g": 1, "t": None, "sig": ""}])
def test_what_is_no_seal_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ApplianceError, match="SIG320"):
        seal.read(said)
