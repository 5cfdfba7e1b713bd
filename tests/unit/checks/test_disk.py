"""Has the data folder room?"""

from collections import namedtuple
from pathlib import Path

import pytest

from appliance.checks import disk
from tests.unit.checks.probe import SaidProbe

Usage = namedtuple("Usage", "total used free")
MB = 1024 * 1024


async def test_the_real_room_is_told(tmp_path: Path) -> None:
    found = await disk.check(SaidProbe(tmp_path))
    assert found.name == "disk"
    assert str(tmp_path) in found.sentence
    assert "MB are free" in found.sentence


@pytest.mark.parametrize(
    ("free_mb", "state"), [(0, "down"), (49, "down"), (50, "warn"), (499, "warn"), (500, "ok"), (10**6, "ok")]
)
async def test_little_room_is_a_warning_and_none_a_fault(
    free_mb: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage(10**13, 0, free_mb * MB))
    found = await disk.check(SaidProbe())
    assert found.state == state
    assert bool(found.fix) == (state != "ok")
