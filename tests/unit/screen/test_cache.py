from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.screen.cache import Held, load, save, write
from appliance.screen.ticket import Ticket

HELD = Held(Ticket("d8f7" * 16, ("10.0.0.5:4711",)), "9f3c", 41, {"beds.free": 7, "rows": [{"bed": "C-01"}]}, 1.5)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path / "screen" / "held.json", HELD)
    assert load(tmp_path / "screen" / "held.json") == HELD
    assert [path.name for path in (tmp_path / "screen").iterdir()] == ["held.json"]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    save(tmp_path / "screen" / "held.json", HELD)
    assert stat.S_IMODE((tmp_path / "screen" / "held.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b'{"box":1}', b"\xff\xfe"])
def test_what_cannot_be_read_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "held.json").write_bytes(content)
    assert load(tmp_path / "held.json") is None


def test_nothing_saved_is_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "held.json") is None


def test_a_save_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "held.json"
    save(path, HELD)
    with pytest.raises(TypeError):
        save(path, Held(HELD.box, "e", 1, {"bad": object()}, 2.0))
    assert load(path) == HELD
    assert [item.name for item in tmp_path.iterdir()] == ["held.json"]


def test_a_file_that_several_write_at_once_is_one_of_theirs(tmp_path: Path) -> None:
    path, bodies = tmp_path / "kept.json", [bytes([65 + number]) * 2_000_000 for number in range(8)]
    with ThreadPoolExecutor(8) as together:
        for done in [together.submit(write, path, body) for body in bodies]:
            done.result()
    assert path.read_bytes() in bodies
    assert list(tmp_path.iterdir()) == [path]
