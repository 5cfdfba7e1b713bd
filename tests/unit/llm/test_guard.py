"""The guard counts the starts that find the last one ended in the middle of the large model's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.llm.guard import DEATHS_AT_MOST, Guard


def dies(file: Path) -> None:
    Guard(file).__enter__()


def test_a_process_that_lives_counts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "models" / "guard.json"
    with pytest.raises(ZeroDivisionError), Guard(file):
        raise ZeroDivisionError
    assert Guard(file).deaths == 0


def test_it_is_set_aside_after_three(tmp_path: Path) -> None:
    file = tmp_path / "guard.json"
    for time in range(DEATHS_AT_MOST):
        Guard(file).check()
        dies(file)
        assert Guard(file).deaths == time + 1
    with pytest.raises(ApplianceError, match="LLM224"):
        Guard(file).check()
    Guard(file).pardon()
    Guard(file).check()


def test_one_that_does_its_work_is_forgiven(tmp_path: Path) -> None:
    file = tmp_path / "guard.json"
    dies(file)
    guard = Guard(file)
    with guard:
        guard.well()
    assert Guard(file).deaths == 0


def test_a_stop_is_no_end_of_that_kind(tmp_path: Path) -> None:
    file = tmp_path / "guard.json"
    guard = Guard(file)
    guard.__enter__()
    guard.stopping()
    assert Guard(file).deaths == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"deaths": "many"}'])
def test_a_file_that_cannot_be_read_counts_nothing(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "guard.json").write_bytes(content)
    assert Guard(file).deaths == 0
    assert Guard(None).deaths == 0
