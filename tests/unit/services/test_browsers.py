"""Browsers that are screens: what is no credential of theirs, whatever it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.services.browsers import Browsers


@pytest.mark.parametrize("given", ["scs-", "scs-a~1~é", "scs-a~é~x", "scs-é~9999999999~x", "scs-a~b~c~d", "scs-\0~1~"])
def test_what_the_box_did_not_sign_is_nobodys(tmp_path: Path, given: str) -> None:
    assert Browsers(tmp_path / "browsers.key").key_of(given) is None


def test_a_key_that_a_cut_of_power_left_empty_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "browsers.key"
    path.write_bytes(b"")
    Browsers(path).key_of("scs-a~1~b")
    assert len(path.read_bytes()) == 32
