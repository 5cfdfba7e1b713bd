from __future__ import annotations

from typing import Any

import pytest

from appliance.bridge.mesh.steady import SteadyCopy
from appliance.errors import ApplianceError


def sync(version: int, epoch: str = "e1") -> dict[str, Any]:
    return {"n": version, f"at{version}": True, "$": {"e": epoch, "v": version}}


def diff(base: int, version: int, epoch: str = "e1") -> dict[str, Any]:
    return {"n": version, "$": {"e": epoch, "b": base, "v": version}}


@pytest.fixture
def copy() -> SteadyCopy:
    copy = SteadyCopy()
    copy.sync(sync(5))
    return copy


def test_it_never_goes_back(copy: SteadyCopy) -> None:
    seen = []
    copy.sync(sync(2))
    for base, version in ((2, 3), (3, 4), (4, 6), (6, 7)):
        copy.diff(diff(base, version))
        seen.append((copy.version, copy.is_behind))
    assert seen == [(5, True), (5, True), (6, False), (7, False)]
    assert copy.values == {"n": 7, "at2": True}


def test_what_is_as_new_is_taken_at_once(copy: SteadyCopy) -> None:
    copy.sync(sync(5))
    assert not copy.is_behind
    copy.sync(sync(9))
    assert copy.version == 9


def test_another_epoch_is_taken_at_once(copy: SteadyCopy) -> None:
    copy.sync(sync(1, "e2"))
    assert (copy.epoch, copy.version, copy.is_behind) == ("e2", 1, False)


def test_a_gap_beside_is_noticed(copy: SteadyCopy) -> None:
    copy.sync(sync(2))
    with pytest.raises(ApplianceError, match="SIG305"):
        copy.diff(diff(3, 4))
    assert copy.values["n"] == 5


def test_a_new_road_begins_anew(copy: SteadyCopy) -> None:
    copy.sync(sync(2))
    copy.start_over()
    copy.diff(diff(5, 6))
    assert copy.version == 6
