"""Streams: audiences are kept apart, sources replace only what is theirs."""

from __future__ import annotations

import asyncio

import pytest

from appliance.bridge.stream import Stream, Streams
from appliance.errors import ApplianceError
from appliance.types import Signal


def test_a_role_sees_what_it_may_and_nothing_else() -> None:
    stream = Stream("main")
    stream.write("s", [Signal("open", 1, "wall"), Signal("inner", 2, "staff"), Signal("secret", 3, "admin")])
    assert stream.view("wall").values == {"open": 1}
    assert stream.view("staff").values == {"open": 1, "inner": 2}
    assert b"secret" not in stream.view("staff").payload(None)[0]
    assert stream.view("admin").values == {"open": 1, "inner": 2, "secret": 3}


def test_a_signal_whose_audience_rises_leaves_the_lower_views() -> None:
    stream = Stream("main")
    stream.write("s", [Signal("x", 1, "wall")])
    stream.write("s", [Signal("x", 2, "staff")])
    assert stream.view("wall").values == {}
    assert stream.view("staff").values == {"x": 2}


def test_a_source_that_returns_replaces_only_its_own() -> None:
    stream = Stream("main")
    stream.write("one", [Signal("a", 1), Signal("b", 1), Signal("s", 1, "staff")])
    stream.write("two", [Signal("c", 1)])
    stream.replace("one", "wall", [Signal("b", 2)])
    assert stream.view("staff").values == {"b": 2, "c": 1, "s": 1}


def test_a_bad_name_changes_nothing() -> None:
    stream = Stream("main")
    with pytest.raises(ApplianceError):
        stream.write("s", [Signal("fine", 1), Signal("$", 1)])
    assert stream.view("admin").values == {}


async def test_waiting_ends_with_the_next_change_of_this_view() -> None:
    stream = Stream("main")
    waiting = asyncio.create_task(stream.wait("wall", 0))
    stream.write("s", [Signal("inner", 1, "staff")])
    await asyncio.sleep(0)
    assert not waiting.done()
    stream.write("s", [Signal("open", 1, "wall")])
    await asyncio.wait_for(waiting, 1)


def test_streams_are_made_by_sources_not_by_readers() -> None:
    streams = Streams()
    assert streams.find("x") is None
    made = streams.open("x")
    assert streams.find("x") is made
    assert streams.names() == ["x"]


def test_a_stream_that_nobody_uses_is_collected_and_the_kept_one_is_not() -> None:
    streams = Streams()
    streams.keep("main")
    for name in ("read", "written", "idle"):
        streams.open(name)
    with streams.open("read").usage.reading(), streams.open("written").usage.writing():
        assert streams.collect(3600) == []
        assert streams.collect(0) == ["idle"]
        assert streams.names() == ["main", "read", "written"]
    assert streams.collect(0) == ["read", "written"]
    assert streams.open("read").view("wall").epoch != ""


def test_only_so_many_streams_are_made() -> None:
    streams = Streams(most=2)
    streams.open("a"), streams.open("b")
    for name, code in (("c", "SIG309"), ("", "SIG306"), ("x" * 201, "SIG306")):
        with pytest.raises(ApplianceError) as caught:
            Streams(most=0 if code == "SIG309" else 9).open(name)
        assert caught.value.code == code
    with pytest.raises(ApplianceError):
        streams.open("c")
    assert streams.open("a").name == "a"
    streams.collect(0)
    assert streams.open("c").name == "c"
