"""The soak in short: every kind of receiver is there, and those that behave end right."""

from __future__ import annotations

import pytest

from benchmarks import soak
from benchmarks.soak import Lost, final_state, state_of
from benchmarks.stayer import Stayer


def test_the_final_state_is_what_the_steps_add_up_to() -> None:
    import msgspec

    for last in (1, 3, 120):
        values: dict[str, object] = {}
        for step in range(1, last + 1):
            values |= msgspec.json.decode(state_of(step))
        assert values == final_state(last)


async def test_a_short_soak_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("STAYING", 3), ("LEAVING", 2), ("DEAF", 1), ("PIECE_S", 1.0)):
        monkeypatch.setattr(soak, name, few)
    result = await soak.run(1, minutes=0.12, flood_to=20)
    assert "all have the source's final state" in result.notes[0]
    for kind in ("garbage", "huge", "half", "flooded", "joined and left"):
        assert kind in result.notes[1]


async def test_a_receiver_without_the_final_state_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("STAYING", 1), ("LEAVING", 1), ("DEAF", 1), ("PIECE_S", 1.0), ("SETTLE_S", 0.2)):
        monkeypatch.setattr(soak, name, few)
    monkeypatch.setattr(Stayer, "values", {})
    with pytest.raises(Lost, match="1 of 1"):
        await soak.run(1, minutes=0.03, flood_to=5)
