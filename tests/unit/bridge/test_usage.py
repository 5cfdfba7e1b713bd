"""Who uses a stream, and since when nobody does."""

from __future__ import annotations

import time

import pytest

from appliance.bridge.usage import Usage


def test_a_stream_is_used_while_anybody_reads_or_writes_it() -> None:
    usage = Usage()
    assert usage.idle_s() is not None
    with usage.reading(), usage.reading():
        assert (usage.readers, usage.idle_s()) == (2, None)
        with usage.writing():
            assert usage.sources == 1
        assert usage.idle_s() is None
    assert (usage.readers, usage.sources) == (0, 0)


def test_idle_counts_from_the_last_use(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    usage = Usage()
    now[0] = 130.0
    assert usage.idle_s() == 30.0
    with usage.writing():
        now[0] = 200.0
    assert usage.idle_s() == 0.0
    now[0] = 205.0
    assert usage.idle_s() == 5.0
