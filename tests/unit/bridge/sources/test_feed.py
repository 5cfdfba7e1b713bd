"""Following a feed through breaks: it goes on where it was, and says that it was away."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import httpx
import pytest
from httpx_sse import ServerSentEvent

from appliance.bridge.sources import feed as product
from appliance.bridge.sources.feed import follow
from tests.unit.bridge.sources.feeds import NO_FEED, REFUSED, event, feed


async def followed(url: str, count: int) -> list[ServerSentEvent]:
    """The first `count` events."""
    heard: list[ServerSentEvent] = []
    async with asyncio.timeout(10), httpx.AsyncClient() as client:
        async for one in follow(client, url):
            heard.append(one)
            if len(heard) == count:
                break
    return heard


def names(heard: list[ServerSentEvent]) -> list[str]:
    return [one.event for one in heard]


async def test_events_come_as_they_are_told() -> None:
    async with feed([[event("ready", id="1.0"), event("change", '{"op": "insert"}', "1.1")]]) as server:
        heard = await followed(server.url, 2)
    assert [(one.event, one.data, one.id) for one in heard] == [
        ("ready", "{}", "1.0"),
        ("change", '{"op": "insert"}', "1.1"),
    ]


async def test_after_a_break_it_goes_on_after_the_last_event() -> None:
    scripts: list[list[str] | str] = [
        [event("change", id="1.1"), event("change", id="1.2")],
        [event("change", id="1.3")],
        [event("change", id="1.4")],
    ]
    async with feed(scripts) as server:
        heard = await followed(server.url, 6)
        assert server.asked == [None, "1.2", "1.3"]
    assert names(heard) == ["change", "change", "lost", "change", "lost", "change"]
    assert [one.id for one in heard if one.event == "change"] == ["1.1", "1.2", "1.3", "1.4"]


async def test_events_without_an_id_keep_the_place() -> None:
    async with feed([[event("change", id="1.1"), event("catalog")], [event("ready")]]) as server:
        await followed(server.url, 4)
        assert server.asked == [None, "1.1"]


async def test_after_a_gap_the_old_place_is_forgotten() -> None:
    async with feed([[event("change", id="1.1"), event("gap")], [event("ready", id="9.0")]]) as server:
        heard = await followed(server.url, 4)
        assert server.asked == [None, None]
    assert names(heard) == ["change", "gap", "lost", "ready"]


async def test_a_feed_that_refuses_or_is_none_is_tried_again() -> None:
    async with feed([REFUSED, NO_FEED, [event("ready")]]) as server:
        assert names(await followed(server.url, 3)) == ["lost", "lost", "ready"]
        assert len(server.asked) == 3


async def test_nobody_there_is_tried_ever_more_slowly_up_to_the_longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(product, "LONGEST_WAIT_S", 0.08)
    async with feed([]) as server:
        url = server.url
    times = []
    async with httpx.AsyncClient() as client:
        async for one in follow(client, url):
            assert one.event == "lost"
            times.append(time.monotonic())
            if len(times) == 6:
                break
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert all(wait >= least for wait, least in zip(waits, [0.02, 0.04, 0.08, 0.08, 0.08], strict=True))


async def test_a_feed_that_fell_silent_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "SILENCE_S", 0.2)
    async with feed([[event("ready", id="1.0")]]) as server:
        assert names(await followed(server.url, 2)) == ["ready", "lost"]
