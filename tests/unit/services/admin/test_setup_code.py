"""The setup code: easy to read aloud, hard to guess, gone once it was used."""

from pathlib import Path

import pytest

from appliance.bridge.registry import ALPHABET
from appliance.services.admin.setup_code import FILE, LENGTH, code_of, forget, grouped, matches, new_code


def test_a_code_is_private_and_made_of_what_cannot_be_mistaken(tmp_path: Path) -> None:
    code = new_code(tmp_path)
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert code_of(tmp_path) == code
    assert new_code(tmp_path) != code


def test_it_is_found_behind_a_link_and_goes_there(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "parts" / "setup.code")
    code = new_code(tmp_path)
    assert (tmp_path / FILE).is_symlink()
    assert (tmp_path / "parts" / "setup.code").read_text().strip() == code
    forget(tmp_path)
    assert code_of(tmp_path) == ""


@pytest.mark.parametrize("typed", ["ABCD2345", "abcd-2345", " abcd 2345 ", "AB-CD-23-45"])
def test_case_blanks_and_dashes_do_not_count(typed: str) -> None:
    assert matches("ABCD2345", typed)


@pytest.mark.parametrize(("code", "typed"), [("", ""), ("", "-"), ("ABCD2345", ""), ("ABCD2345", "ABCD234")])
def test_no_code_is_matched_by_nothing(code: str, typed: str) -> None:
    assert not matches(code, typed)


def test_it_is_shown_in_two_groups() -> None:
    assert grouped("ABCD2345") == "ABCD-2345"
