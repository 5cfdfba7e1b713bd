"""The model's work as signals, from its events to the stream."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from appliance.bridge.sources import inference
from appliance.bridge.sources.inference import signals
from appliance.bridge.stream import Stream
from appliance.types import Signal
from tests.unit.bridge.sources.feeds import event, feed

WORK = {"state": "busy", "queue": 2, "name": "ask-bootstrap", "tokens_per_s": 410.0}


def test_what_is_known_is_told_to_every_screen() -> None:
    assert signals(WORK) == [
        Signal("model.state", "busy", "wall"),
        Signal("model.queue", 2, "wall"),
        Signal("model.name", "ask-bootstrap", "wall"),
        Signal("model.tokens_per_s", 410.0, "wall"),
    ]


@pytest.mark.parametrize(("told", "count"), [({}, 0), ({"queue": 0}, 1), ({"name": None}, 0), ({"prompt": "x"}, 0)])
def test_what_is_not_said_stays_as_it_is(told: dict[str, Any], count: int) -> None:
    assert len(signals(told)) == count


async def test_the_stream_says_that_the_model_is_away_and_back() -> None:
    stream, seen = Stream("main"), list[object]()
    busy = event("work", '{"state":"busy","queue":2,"name":"ask-bootstrap","tokens_per_s":410.0}')
    scripts = [[busy, event("ping", "-")], [event("work", '{"state":"ready","queue":0}')]]
    async with feed([*scripts]) as server, asyncio.timeout(5), httpx.AsyncClient() as client:
        task = asyncio.create_task(inference.run(client, server.url, stream))
        while seen[-1:] != ["ready"]:
            await stream.wait("wall", len(seen))
            seen.append(stream.view("wall").values["model.state"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert seen == ["busy", "down", "ready"]
    assert stream.view("wall").values == {
        "model.state": "ready",
        "model.queue": 0,
        "model.name": "ask-bootstrap",
        "model.tokens_per_s": 410.0,
    }
