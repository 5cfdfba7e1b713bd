"""What is done is known to be done, also after a restart; what came to nothing may come again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.services import heard
from appliance.services.heard import Heard


async def test_a_ref_is_done_once_also_after_a_restart(tmp_path: Path) -> None:
    first = Heard(tmp_path / "heard.json")
    assert await first.begin("r1")
    assert not await first.begin("r1"), "it is being done"
    assert not first.is_done("r1")
    await first.done("r1")
    assert not await first.begin("r1")
    again = Heard(tmp_path / "heard.json")
    assert not await again.begin("r1")
    assert again.is_done("r1")
    assert await again.begin("r2")


async def test_what_came_to_nothing_may_come_again(tmp_path: Path) -> None:
    memory = Heard(tmp_path / "heard.json")
    assert await memory.begin("r1")
    memory.give_up("r1")
    assert await memory.begin("r1")


async def test_what_has_no_ref_is_always_done(tmp_path: Path) -> None:
    memory = Heard(tmp_path / "heard.json")
    assert await memory.begin("") and await memory.begin("")
    await memory.done("")
    assert not (tmp_path / "heard.json").exists()


async def test_it_keeps_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "REFS_KEPT", 3)
    memory = Heard(tmp_path / "heard.json")
    await asyncio.gather(*(memory.done(f"r{i}") for i in range(5)))
    again = Heard(tmp_path / "heard.json")
    assert [await again.begin(f"r{i}") for i in range(5)] == [True, True, False, False, False]


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1}'])
async def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "heard.json").write_bytes(body)
    memory = Heard(tmp_path / "heard.json")
    assert await memory.begin("r1")
    await memory.done("r1")
    assert not await Heard(tmp_path / "heard.json").begin("r1")
