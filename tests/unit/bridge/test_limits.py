"""How much a stream may hold: weighed as it travels, and what has no room is absent, not stale."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.limits import Limits, Meter, telling, weight
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.observation import Logger
from appliance.types import Signal

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3).filter(lambda name: name != "$")
values = st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def refused(stream: Stream, *signals: Signal) -> dict[str, Any]:
    with pytest.raises(ApplianceError) as caught:
        stream.write("s", signals)
    assert caught.value.code == "SIG309"
    details: dict[str, Any] = caught.value.details
    return details


@given(st.lists(st.tuples(names, values), max_size=30))
def test_a_state_is_never_over_its_limits(writes: list[tuple[str, Any]]) -> None:
    limits = Limits(signals=5, signal_bytes=30, stream_bytes=80)
    stream = Stream("main", limits=limits)
    for name, value in writes:
        try:
            stream.write("s", [Signal(name, value)])
        except ApplianceError as error:
            assert error.code == "SIG309"
            assert name not in stream.view("wall").values
    view = stream.view("wall")
    assert len(view.values) <= 5
    head = len('{"$":{"e":"00000000","v":}}') + len(str(view.version))
    assert len(view.payload(None)[0]) - head <= 80
    assert all(weight(Signal(name, value)) <= 30 for name, value in view.values.items())


def test_a_signal_that_grew_too_large_is_gone_and_the_others_are_written() -> None:
    stream = Stream("main", limits=Limits(signal_bytes=40))
    stream.write("s", [Signal("rows", "small")])
    told = refused(stream, Signal("rows", "x" * 50), Signal("count", 7))
    assert told == {"stream": "main", "signals": ["rows"], "count": 1}
    assert stream.view("wall").values == {"count": 7}
    stream.write("s", [Signal("rows", "small again")])
    assert stream.view("wall").values == {"count": 7, "rows": "small again"}


def test_what_is_removed_makes_room() -> None:
    stream = Stream("main", limits=Limits(signals=2))
    stream.write("s", [Signal("a", 1), Signal("b", 1)])
    assert refused(stream, Signal("c", 1))["signals"] == ["c"]
    stream.write("s", [Signal("a", None), Signal("c", 1)])
    stream.replace("s", "wall", [Signal("d", 1), Signal("e", 1)])
    assert stream.view("wall").values == {"d": 1, "e": 1}


def test_a_signal_weighs_what_it_takes_in_a_frame() -> None:
    assert weight(Signal('"', "ä")) == len('"\\"":"ä",'.encode())
    assert weight(Signal("a", None)) == 0
    assert Meter(Limits()).sift([Signal("a", None)]) == ([Signal("a", None)], [])


def test_the_box_s_own_sources_go_on_and_say_so() -> None:
    out = io.StringIO()
    full = Stream("main", limits=Limits(signals=0))
    with telling(Logger("bridge", out)):
        full.write("changes", [Signal("changes.beds", 1)])
    assert "no room for some signals  stream=main signals=['changes.beds']" in out.getvalue()
    with pytest.raises(ApplianceError, match="SIG306"), telling(Logger("bridge", out)):
        raise ApplianceError("SIG306", "No.")
