"""Forks: a past state goes on as a stream of its own, and nobody sees more of it than they saw then."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.bridge import Streams
from appliance.bridge import forks as forks_module
from appliance.bridge.forks import Forks, past_of
from appliance.bridge.recordings import Recordings
from appliance.bridge.segment_writer import SegmentWriter
from appliance.bridge.signals import View
from appliance.errors import ApplianceError
from appliance.types import Signal
from tests.unit.bridge.past import T0, step


@pytest.fixture
def past(tmp_path: Path) -> Recordings:
    for role, values in (
        ("wall", {"beds": 7, "ward": "open"}),
        ("staff", {"beds": 7, "ward": "in full", "patient": "A. B."}),
    ):
        writer, view = SegmentWriter(tmp_path / "main" / role, {"stream": "main", "role": role}, reserve=0), View()
        writer.write([step(view, T0, values, opens=True), step(view, T0 + 5_000, {"beds": 8})])
        writer.finish(T0 + 9_000)
    return Recordings(tmp_path)


def test_a_fork_begins_with_the_past_and_lives_its_own_life(past: Recordings) -> None:
    streams = Streams()
    live = streams.open("main")
    Forks(streams).begin(past_of(past, "what-if", "main", "staff", T0 + 1_000))
    fork = streams.find("what-if")
    assert fork is not None
    of = {"fork.of": {"stream": "main", "t": T0 + 1_000}}
    assert fork.view("staff").values == {"beds": 7, "ward": "in full", "patient": "A. B."} | of
    live.write("s", [Signal("beds", 99)])
    assert fork.view("staff").values["beds"] == 7
    fork.write("model", [Signal("beds", 3), Signal("patient", None)])
    assert fork.view("admin").values == {"beds": 3, "ward": "in full"} | of
    assert "patient" not in live.view("admin").values


def test_nobody_sees_more_of_a_fork_than_they_saw_then(past: Recordings) -> None:
    streams = Streams()
    Forks(streams).begin(past_of(past, "f", "main", "admin", T0 + 6_000))
    fork = streams.find("f")
    assert fork is not None
    assert fork.view("wall").values == {"beds": 8}
    Forks(streams).begin(past_of(past, "g", "main", "wall", T0 + 6_000))
    of_wall = streams.find("g")
    assert of_wall is not None
    assert of_wall.view("admin").values == {"beds": 8, "ward": "open", "fork.of": {"stream": "main", "t": T0 + 6_000}}


def test_names_and_numbers_are_bounded(past: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams()
    streams.open("main")
    forks = Forks(streams)
    for name, code in (("main", "BRG462"), ("", "BRG410"), ("a/b", "BRG410"), (".x", "BRG410"), ("x" * 65, "BRG410")):
        with pytest.raises(ApplianceError, match=code):
            forks.begin(past_of(past, name, "main", "staff", T0))
    monkeypatch.setattr(forks_module, "FORKS_LIMIT", 1)
    forks.begin(past_of(past, "one", "main", "staff", T0))
    with pytest.raises(ApplianceError, match="BRG465"):
        forks.begin(past_of(past, "two", "main", "staff", T0))
    with pytest.raises(ApplianceError, match="BRG460"):
        past_of(past, "three", "main", "staff", T0 - 1)


def test_a_fork_that_ends_leaves_its_screens(past: Recordings) -> None:
    streams = Streams()
    forks = Forks(streams)
    forks.begin(past_of(past, "one", "main", "staff", T0))
    stream = streams.find("one")
    assert stream is not None
    stream.write("other", [Signal("more", 1, "admin")])
    assert forks.told("staff") == [{"name": "one", "stream": "main", "t": T0, "role": "staff"}]
    assert forks.told("wall") == []
    with pytest.raises(ApplianceError, match="BRG408"):
        forks.end("one", "wall")
    forks.end("one", "staff")
    assert streams.find("one") is None
    assert stream.view("admin").values == {}
    with pytest.raises(ApplianceError, match="BRG408"):
        forks.end("main", "admin")
