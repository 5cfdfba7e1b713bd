"""The credentials of a box: made once, kept, and never empty."""

from pathlib import Path

from appliance.services.keys import role_keys
from appliance.types import ROLES


def test_keys_are_made_once_in_files_of_the_owner(tmp_path: Path) -> None:
    made = role_keys(tmp_path)
    assert set(made) == set(ROLES) and len(set(made.values())) == len(ROLES)
    assert role_keys(tmp_path) == made
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(f"{role}.key" for role in ROLES)
    assert not any(file.stat().st_mode & 0o077 for file in tmp_path.iterdir())


def test_a_file_that_a_cut_of_power_left_empty_gets_a_new_key(tmp_path: Path) -> None:
    made = role_keys(tmp_path)
    (tmp_path / "admin.key").write_text("")
    (tmp_path / "wall.key").write_text("\n")
    again = role_keys(tmp_path)
    assert all(again.values())
    assert again["staff"] == made["staff"] and again["admin"] != made["admin"]
    assert (tmp_path / "admin.key").read_text().strip() == again["admin"]
