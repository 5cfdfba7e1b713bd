"""The data service as its own process: requests, errors, the event stream, the demo, and its end."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse

from appliance.errors import HTTP_STATUS
from appliance.types import Catalog, Change
from tests.integration.pgflex_box import Box, running_box

SOON_S = 5.0


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box(document_limit=100_000) as box:
        box.start_service()
        yield box


@pytest.fixture
async def client(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    headers = {**box.bearer, "X-Role": "staff"}
    async with httpx.AsyncClient(base_url=box.pgflex_url, headers=headers, timeout=10) as client:
        yield client


class Events:
    """The events of one stream, as they come."""

    def __init__(self, source: EventSource) -> None:
        self._events = source.aiter_sse()

    async def next(self, name: str) -> ServerSentEvent:
        """The next event of this name."""
        async with asyncio.timeout(SOON_S):
            async for event in self._events:
                if event.event == name:
                    return event
        raise AssertionError(f"the stream ended before {name}")

    async def rest(self) -> list[ServerSentEvent]:
        """What still comes until the stream ends."""
        async with asyncio.timeout(SOON_S):
            return [event async for event in self._events]


@asynccontextmanager
async def listening(client: httpx.AsyncClient, query: str, after: str | None = None) -> AsyncIterator[Events]:
    headers = {"Last-Event-ID": after} if after else {}
    async with aconnect_sse(client, "GET", f"/changes?{query}", headers=headers) as source:
        yield Events(source)


def refused(answer: httpx.Response, code: str) -> dict[str, Any]:
    """The error of an answer, in the one shape."""
    told: dict[str, Any] = answer.json()
    assert set(told) == {"code", "message", "details", "hint"}
    assert (told["code"], answer.status_code) == (code, HTTP_STATUS[code])
    return told


async def test_write_read_and_listen(client: httpx.AsyncClient) -> None:
    async with listening(client, "role=staff&collection=beds") as events:
        await events.next("ready")
        answer = await client.post("/flex/beds", json=[{"bed": "A", "price": 1.10}, {"bed": "B"}])
        assert answer.status_code == 201
        assert [row["id"] for row in answer.json()] == [1, 2]
        first, second = await events.next("change"), await events.next("change")
        told = msgspec.json.decode(first.data, type=Change)
        assert (told.collection, told.op, told.row) == ("beds", "insert", {"id": 1, "bed": "A", "price": 1.1})
        assert told.position == first.id
        await events.next("catalog")
        assert (await client.patch("/flex/beds/2", json={"bed": "C"})).json()["bed"] == "C"
        assert (await client.delete("/flex/beds/1")).status_code == 204
    async with listening(client, "role=staff&collection=beds", second.id) as events:
        missed = [msgspec.json.decode((await events.next("change")).data, type=Change) for _ in range(2)]
    assert [(item.op, item.key) for item in missed] == [("update", 2), ("delete", 1)]
    catalog = msgspec.json.decode((await client.get("/catalog?role=staff")).content, type=Catalog)
    assert catalog.collection("beds") is not None
    assert msgspec.json.decode((await client.get("/catalog?role=wall")).content, type=Catalog).collections == ()


async def test_gap_event(client: httpx.AsyncClient) -> None:
    async with listening(client, "role=staff", "99999999999.1") as events:
        gap = msgspec.json.decode((await events.next("gap")).data)
        assert gap["after"] == "99999999999.1"
        ready = await events.next("ready")
        assert ready.id == gap["position"]


async def test_every_error_has_the_one_shape(client: httpx.AsyncClient) -> None:
    await client.post("/flex/things", json={"a": 1})
    refused(await client.get("/nothing"), "BRG404")
    refused(await client.put("/health"), "BRG405")
    refused(await client.get("/catalog?role=king"), "BRG410")
    refused(await client.post("/flex/things", json={"a": 1}, headers={"X-Role": ""}), "BRG410")
    refused(await client.post("/flex/things", json={"a": 1}, headers={"X-Role": "wall"}), "PGF106")
    refused(await client.patch("/flex/things/x", json={"a": 1}), "BRG410")
    refused(await client.patch("/flex/things/99999999999999999999", json={"a": 1}), "BRG410")
    refused(await client.patch("/flex/things/77", json={"a": 1}), "PGF113")
    refused(await client.patch("/flex/things/1", json=[{"a": 1}]), "PGF103")
    refused(await client.delete("/flex/nowhere/1"), "PGF104")
    refused(await client.post("/flex/Things", json={"a": 1}), "PGF105")
    refused(await client.post("/flex/things", content=b"{"), "PGF103")
    refused(await client.post("/flex/things", content=b""), "PGF103")
    refused(await client.post("/flex/things", json="x"), "PGF103")
    refused(await client.post("/flex/things", json={"a": "x" * 100_001}), "PGF109")
    refused(await client.get("/changes?role=staff", headers={"Last-Event-ID": "yesterday"}), "PGF111")


async def test_only_the_box_itself_may_ask(box: Box) -> None:
    async with httpx.AsyncClient(base_url=box.pgflex_url) as stranger:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": box.token}):
            for path in ("/health", "/changes?role=admin", "/nothing"):
                refused(await stranger.get(path, headers=headers), "BRG401")


async def test_what_is_asked_in_somebodys_name_reaches_nothing_of_the_box_itself(
    box: Box, client: httpx.AsyncClient
) -> None:
    for method, path in (
        ("GET", "/ledger/audit"),
        ("POST", "/ledger/audit"),
        ("GET", "/ledger/questions"),
        ("GET", "/access?role=admin"),
        ("GET", "/access/state"),
        ("POST", "/end"),
    ):
        refused(await client.request(method, path, json=[]), "BRG404")
    refused(await client.post("/demo", json={"name": "hospital"}), "PGF106")
    for path in ("/catalog?role=admin", "/changes?role=admin"):
        refused(await client.get(path), "BRG402")
    async with httpx.AsyncClient(base_url=box.pgflex_url, headers=box.bearer, timeout=10) as itself:
        assert (await itself.get("/ledger/audit")).json() == []
        assert (await itself.get("/access/state")).status_code == 200


async def test_nobody_gives_out_a_token_above_their_own_role(client: httpx.AsyncClient) -> None:
    refused(await client.post("/tokens", json={"role": "admin"}), "BRG402")
    refused(await client.post("/tokens", json={"role": "nobody"}), "PGF150")
    assert (await client.post("/tokens", json={"role": "wall"})).json()["role"] == "wall"
    assert (await client.post("/tokens", json={"role": "staff"})).json()["role"] == "staff"


async def test_health_and_no_demo(client: httpx.AsyncClient) -> None:
    health = (await client.get("/health")).json()
    assert (health["status"], health["database"], health["feed"]["live"]) == ("ok", "ok", True)
    assert (await client.get("/demo")).json() == {"facility": None, "questions": None, "pinned": None}


async def test_database_away_and_back(box: Box, client: httpx.AsyncClient) -> None:
    await client.post("/flex/lasting", json={"n": 1})
    async with listening(client, "role=staff&collection=lasting") as events:
        await events.next("ready")
        await asyncio.to_thread(box.kill_postgres)
        began = time.monotonic()
        health = (await client.get("/health")).json()
        assert (health["status"], health["database"]) == ("failing", "down")
        assert time.monotonic() - began < 1.4
        refused(await client.post("/flex/lasting", json={"n": 2}), "PGF101")
        await asyncio.to_thread(box.restart_postgres)
        for _ in range(100):
            if (await client.post("/flex/lasting", json={"n": 3})).status_code == 201:
                break
            await asyncio.sleep(0.1)
        told = msgspec.json.decode((await events.next("change")).data, type=Change)
        while told.row and told.row["n"] == 1:
            told = msgspec.json.decode((await events.next("change")).data, type=Change)
        assert told.row is not None and told.row["n"] == 3
    for _ in range(100):
        if (await client.get("/health")).json()["status"] == "ok":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the service did not become well again")


def test_ends_within_a_second_while_streams_are_open() -> None:
    with running_box() as box:
        process = box.start_service()
        asyncio.run(_ended_while_listening(box, process))


async def _ended_while_listening(box: Box, process: subprocess.Popen[bytes]) -> None:
    async with (
        httpx.AsyncClient(base_url=box.pgflex_url, headers=box.bearer, timeout=10) as client,
        listening(client, "role=staff") as one,
        listening(client, "role=admin") as other,
    ):
        await one.next("ready")
        await other.next("ready")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await one.rest() == await other.rest() == []
        await asyncio.to_thread(process.wait, 5)
        assert time.monotonic() - began < 1.0


def test_demo_lives_and_a_second_start_does_not_load_it_again() -> None:
    with running_box(demo="hospital", demo_tick_s=0.2) as box:
        process = box.start_service()
        asyncio.run(_demo_lives(box))
        process.terminate()
        process.wait(5)
        before = _facts(box)
        box.start_service()
        after = _facts(box)
        assert before["facility"] == after["facility"]


def _facts(box: Box) -> dict[str, Any]:
    with psycopg.connect(box.dsn) as db:
        row = db.execute("select value from flex.settings where key = 'demo'").fetchone()
        assert row is not None
        return dict(row[0])


async def _demo_lives(box: Box) -> None:
    async with httpx.AsyncClient(base_url=box.pgflex_url, headers=box.bearer, timeout=10) as client:
        demo = (await client.get("/demo")).json()
        assert demo["facility"] and demo["questions"] and len(demo["pinned"]) == 3
        async with listening(client, "role=staff") as events:
            await events.next("ready")
            await events.next("change")


def test_port_in_use_is_told(box: Box) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance.services.pgflex"],
        env={"PATH": "/usr/bin:/bin", "DREAMSTACK_RUNTIME": box.runtime().encode()},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "BRG407" in done.stderr and "Traceback" not in done.stderr
