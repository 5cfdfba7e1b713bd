"""The benchmark of recording measures something."""

from __future__ import annotations

import pytest

from benchmarks import recording


async def test_it_tells_what_recording_costs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recording, "SECONDS", 2)
    await recording.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["a", "with", "on", "a"]
    assert "p99" in lines[3]
