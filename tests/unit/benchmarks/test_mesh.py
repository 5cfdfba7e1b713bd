"""What is timed does what it says; what the networks show is told as they said it."""

from typing import Any

import pytest

from benchmarks import mesh

STEPS: list[dict[str, Any]] = [
    {"step": "ten writes a second: bytes/s received, sent", "box-lan": [1, 7000], "near-lan": [2000, 1],
     "sleeper-ward": [3000, 1]},
    {"step": "all joined", "converged_s": 0.1},
    {"step": "cut and asleep", "seconds": 60.0},
    {"step": "box away", "noticed_s": 7.1, "newcomer_s": 1.2},
]  # fmt: skip


async def test_signing_is_measured_beside_a_hash_and_the_steps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def networks(*_: Any) -> list[dict[str, Any]]:
        return STEPS

    monkeypatch.setattr(mesh, "networks", networks)
    result = await mesh.run(2)
    assert [measure.what for measure in result.measures][:3] == [
        "sign 200 bytes",
        "check 200 bytes",
        "SHA-512 of 200 bytes",
    ]
    assert result.measures[-1].samples == (0.1,)
    assert all(ratio.value > 1 for ratio in result.ratios)
    assert "7,000 bytes/s" in result.notes[0]
