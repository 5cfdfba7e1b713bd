"""The change feed as signals: counted per collection, told to whom may see it, never what is in a row."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.sources import changes as source
from appliance.bridge.sources.changes import NAME, Changes
from appliance.bridge.stream import Stream
from appliance.types import ROLES, Moved, Op, Role
from tests.unit.bridge.sources.feeds import event, feed


def change(collection: str, op: Op = "update", audience: Role = "wall", n: int = 1) -> Moved:
    return Moved(collection, op, "2026-03-01T08:00:00+00:00", n, audience)


def test_a_change_says_what_happened_and_when() -> None:
    signal = Changes().signal(change("beds", "insert", "staff"))
    assert signal.name == "changes.beds" and signal.audience == "staff"
    assert signal.value == {"op": "insert", "at": "2026-03-01T08:00:00+00:00", "n": 1}


@given(st.lists(st.tuples(st.sampled_from(["beds", "patients", "inventory"]), st.integers(1, 1000)), max_size=30))
def test_each_collection_is_counted_by_itself(moves: list[tuple[str, int]]) -> None:
    changes, seen = Changes(), Counter[str]()
    for name, count in moves:
        seen[name] += count
        assert changes.signal(change(name, n=count)).value["n"] == seen[name]


def test_every_role_that_may_see_the_collection_hears_of_it_and_no_other() -> None:
    stream, changes = Stream("main"), Changes()
    for role in ROLES:
        stream.write(NAME, [changes.signal(change(f"for_{role}", audience=role))])
    assert set(stream.view("wall").values) == {"changes.for_wall"}
    assert set(stream.view("staff").values) == {"changes.for_wall", "changes.for_staff"}
    assert set(stream.view("admin").values) == {f"changes.for_{role}" for role in ROLES}


async def test_nothing_of_a_row_travels() -> None:
    stream = Stream("main")
    whole = '{"collection":"patients","op":"insert","at":"","n":1,"audience":"staff","row":{"name":"Ada Lovelace"}}'
    script = [event("change", whole, "1.1"), event("moved", whole, "1.2")]
    async with feed([script]) as server, asyncio.timeout(5), httpx.AsyncClient() as client:
        task = asyncio.create_task(source.run(client, server.url, stream))
        await stream.wait("admin", 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    sent = stream.view("admin").payload(None)[0]
    assert b"changes.patients" in sent and b'"n":1' in sent, "a change itself is no signal"
    assert b"Ada" not in sent and b"row" not in sent


def test_two_equal_changes_are_two_steps() -> None:
    stream, changes = Stream("main"), Changes()
    versions = []
    for _ in range(2):
        stream.write(NAME, [changes.signal(change("beds"))])
        versions.append(stream.view("wall").version)
    assert versions == [1, 2]


async def test_the_feed_becomes_signals_through_a_break() -> None:
    stream = Stream("main")
    told = msgspec.json.encode(change("beds", audience="staff")).decode()
    async with feed([[event("ready", id="1.0"), event("moved", told, "1.1")], [event("moved", told, "1.2")]]) as server:
        async with asyncio.timeout(5), httpx.AsyncClient() as client:
            task = asyncio.create_task(source.run(client, server.url, stream))
            await stream.wait("staff", 0)
            await stream.wait("staff", 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert server.asked == [None, "1.1"]
    assert stream.view("staff").values["changes.beds"]["n"] == 2
    assert stream.view("wall").values == {}
