"""The page of a stream, taken from the stream itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from appliance.bridge import Member, Session, Streams
from appliance.bridge.transports.websocket import WebSocketConnection
from appliance.config import load
from appliance.errors import ApplianceError
from appliance.screen.receiver import load_page, load_parts
from appliance.services.offers import Offers
from appliance.services.viewer import Viewers, page_of
from tests.accepted import Accepted
from tests.unit.services.runtimes import NOWHERE, runtime

USUAL = load_page()
OWN = b"<!doctype html><style>p{color:red}</style><p>Ward</p><script>let a = 1</script><script >let b\n</script>"


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_lets_the_pages_own_parts_run_and_nothing_else() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in page_of(OWN, b"").policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [f"'sha256-{digest(text)}'" for text in ("let a = 1", "let b\n")]
    assert rules["style-src"] == f"'sha256-{digest('p{color:red}')}'"


def test_a_page_without_scripts_runs_none() -> None:
    assert "script-src 'none'" in page_of(b"<p>", b"").policy


def test_the_usual_page_may_run_itself_and_what_it_fetches_and_nothing_else() -> None:
    policy = USUAL.policy
    for part in load_parts().values():
        if part.kind == "application/json":
            continue
        named = f" 'sha256-{digest(part.plain.decode())}'"
        assert policy.count(named) == 1
        policy = policy.replace(named, "")
    assert page_of(USUAL.plain, b"").policy == policy


@asynccontextmanager
async def a_bridge(streams: Streams, make: Callable[[str], Any]) -> AsyncIterator[Any]:
    offers = await asyncio.to_thread(lambda: Offers(load({"data": "/nowhere"}, environ={}), lambda: True))

    async def met(socket: ServerConnection) -> None:
        road = WebSocketConnection(Accepted(socket), "viewer", 4_000_000)
        await Session(road, streams, "Box", lambda *_: None, Member("viewer", "wall"), offer=offers.offer).run()

    async with serve(met, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield make(f"http://127.0.0.1:{port}")
    await offers.pictures.close()


def viewers(url: str) -> Viewers:
    return Viewers(runtime(url=url), USUAL)


async def test_a_stream_is_shown_by_the_page_it_carries() -> None:
    streams = Streams()
    streams.open("main")
    streams.open("ward").viewer = OWN
    async with a_bridge(streams, viewers) as box:
        assert await box.page("main", "wall", "viewer") is USUAL
        ward = await box.page("ward", "wall", "viewer")
        assert (ward.plain, ward.etag != USUAL.etag) == (OWN, True)
        assert await box.page("ward", "wall", "viewer") is ward
        for n in range(40):
            streams.open("ward").viewer = OWN + b"%d" % n
            assert (await box.page("ward", "wall", "viewer")).plain.endswith(b"%d" % n)
        assert len(box._pages) <= 16
        assert await box.page("main", "wall", "viewer") is USUAL


async def test_a_stream_that_is_not_there_is_told() -> None:
    streams = Streams()
    async with a_bridge(streams, viewers) as box:
        with pytest.raises(ApplianceError) as caught:
            await box.page("nowhere", "wall", "viewer")
        assert caught.value.code == "BRG408"
        assert streams.names() == []


async def test_while_the_bridge_is_away_the_last_page_is_served() -> None:
    assert await asyncio.wait_for(viewers(NOWHERE).page("main", "wall", "viewer"), 10) is USUAL
    streams = Streams()
    streams.open("ward").viewer = OWN
    async with a_bridge(streams, viewers) as box:
        ward = await box.page("ward", "wall", "viewer")
    assert await asyncio.wait_for(box.page("ward", "wall", "viewer"), 10) is ward
