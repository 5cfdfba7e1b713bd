"""The model service as its own process: a question over server-sent events, its state, its errors, its end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from httpx_sse import aconnect_sse

from appliance.config import Runtime, load
from appliance.errors import HTTP_STATUS
from appliance.llm.plan import Query
from appliance.llm.prompt import Task
from appliance.services.clients import loopback_client
from appliance.services.llm import SHIPPED
from appliance.services.model_client import larger_plan
from tests.box import free_port
from tests.unit.llm.tiny_model import chat_model

NOWHERE = "http://127.0.0.1:9"
TOKEN = "a token of the box"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SOON_S = 20.0
TASK = {
    "question": "How many beds are free in cardiology?",
    "collection": "beds",
    "label": "Beds",
    "fields": [
        {"name": "ward", "label": "Ward", "type": "text"},
        {"name": "status", "label": "Status", "type": "text"},
        {"name": "floor", "label": "Floor", "type": "integer"},
    ],
}


class Service:
    """A running model service."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url, self.process = url, process

    def until(self, state: str) -> dict[str, Any]:
        """What its health says once it is in this state."""
        began = time.monotonic()
        while time.monotonic() - began < SOON_S and self.process.poll() is None:
            with suppress(httpx.TransportError):
                told: dict[str, Any] = httpx.get(f"{self.url}/health", headers=BEARER).json()
                if told["state"] == state:
                    return told
            time.sleep(0.05)
        raise AssertionError(f"the model service was never {state}")


def runtime_at(url: str, **settings: Any) -> Runtime:
    return Runtime(
        settings=load({"data": "/nowhere", **settings}, environ={}),
        postgres_dsn="",
        postgrest_url=NOWHERE,
        pgflex_url=NOWHERE,
        llm_url=url,
        bridge_url=NOWHERE,
        gateway_url=NOWHERE,
        token=TOKEN,
        secret="",
        keys={},
    )


@contextmanager
def running(**settings: Any) -> Iterator[Service]:
    url = f"http://127.0.0.1:{free_port()}"
    runtime = runtime_at(url, **settings)
    environment = {"PATH": "/usr/bin:/bin", "DREAMSTACK_RUNTIME": runtime.encode()}
    process = subprocess.Popen([sys.executable, "-m", "appliance.services.llm"], env=environment)
    try:
        yield Service(url, process)
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as service:
        service.until("ready")
        yield service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, headers=BEARER, timeout=10) as client:
        yield client


async def planned(client: httpx.AsyncClient, **more: Any) -> list[dict[str, Any]]:
    """The events of one question, to the last."""
    async with (
        asyncio.timeout(SOON_S),
        aconnect_sse(client, "POST", "/plan", json={"task": TASK, **more}) as source,
    ):
        events = [event async for event in source.aiter_sse()]
    told = [msgspec.json.decode(event.data) for event in events]
    assert [event.event for event in events] == [said["event"] for said in told]
    return told


def refused(answer: httpx.Response, code: str) -> None:
    assert set(answer.json()) == {"code", "message", "details", "hint"}
    assert (answer.json()["code"], answer.status_code) == (code, HTTP_STATUS[code])


async def test_a_question_becomes_a_plan(client: httpx.AsyncClient) -> None:
    told = await planned(client)
    names = [event["event"] for event in told]
    assert names[0] == "queued" and "started" in names and names[-1] == "plan"
    assert told[-1]["written"] == "".join(event["text"] for event in told if event["event"] == "token")
    assert told[-1]["plan"]["collection"] == "beds"


async def test_many_screens_at_once_all_get_theirs(client: httpx.AsyncClient) -> None:
    heard = await asyncio.gather(*(planned(client, screen=f"screen {n}") for n in range(12)))
    assert [events[-1]["event"] for events in heard] == ["plan"] * 12
    assert len({events[-1]["written"] for events in heard}) == 1


async def test_a_question_out_of_time_is_told(client: httpx.AsyncClient) -> None:
    last = (await planned(client, deadline_s=0))[-1]
    assert (last["event"], last["error"]["code"]) == ("error", "LLM210")


async def test_a_task_too_large_for_the_model_is_told(client: httpx.AsyncClient) -> None:
    fields = [{"name": f"f{n}", "label": f"a long label of field number {n}", "type": "text"} for n in range(200)]
    last = (await planned(client, task={**TASK, "fields": fields}))[-1]
    assert last["error"]["code"] == "LLM202"
    assert (await planned(client))[-1]["event"] == "plan"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"task": {}}',
        b'{"task": "x"}',
        b"\xff\xfe",
        b'{"screen": "\xff"}',
        b'{"task":' * 5000,
    ],
)
async def test_a_body_that_cannot_be_read_is_told(client: httpx.AsyncClient, body: bytes) -> None:
    refused(await client.post("/plan", content=body), "LLM211")


async def test_only_the_box_itself_may_ask(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url) as stranger:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            refused(await stranger.post("/plan", json={"task": TASK}, headers=headers), "BRG401")
            refused(await stranger.get("/events", headers=headers), "BRG401")
            refused(await stranger.get("/health", headers=headers), "BRG401")


async def test_health_tells_the_model(client: httpx.AsyncClient) -> None:
    before = (await client.get("/health")).json()
    await planned(client)
    after = (await client.get("/health")).json()
    assert (after["status"], after["state"], after["name"], after["error"]) == (
        "ok",
        "ready",
        SHIPPED.removesuffix("-q8_0.gguf"),
        None,
    )
    assert after["done"] == before["done"] + 1 and after["tokens_per_s"] > 0


async def test_events_tell_the_work(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(SOON_S), aconnect_sse(client, "GET", "/events") as source:
        states: list[str] = []
        asked: asyncio.Task[Any] | None = None
        async for event in source.aiter_sse():
            assert event.event == "work"
            states.append(msgspec.json.decode(event.data)["state"])
            asked = asked or asyncio.create_task(planned(client))
            if states[-1] == "ready" and "busy" in states:
                break
        assert states[0] == "ready" and asked is not None
        await asked


def test_a_model_that_cannot_be_loaded_is_told_and_the_service_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("This is not a model.")
    with running(model=str(path)) as service:
        told = service.until("failed")
        assert (told["status"], told["error"]["code"]) == ("down", "LLM208")
        last = asyncio.run(_asked(service))[-1]
        assert last["error"]["code"] == "LLM208" and str(path) in str(last["error"]["details"])


async def _asked(service: Service) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=service.url, headers=BEARER, timeout=10) as client:
        return await planned(client)


def test_the_dialect_of_the_settings_is_used() -> None:
    """The shipped model under the dialect of chat models: its context is too small for that, and it says so."""
    with running(model_dialect="instruct") as service:
        service.until("ready")
        assert asyncio.run(_asked(service))[-1]["error"]["code"] == "LLM202"


def test_it_ends_within_two_seconds_while_a_stream_is_open() -> None:
    with running() as service:
        service.until("ready")
        with httpx.stream("GET", f"{service.url}/events", headers=BEARER, timeout=10) as stream:
            next(stream.iter_raw())
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(10)
        assert time.monotonic() - began < 2


def test_a_larger_model_that_ends_the_process_again_and_again_is_set_aside(tmp_path: Path) -> None:
    """Killed three times in the middle of its work, it is not loaded a fourth time, until somebody asks for it."""
    tiny = chat_model(tmp_path / "tiny.gguf")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "guard.json").write_text('{"deaths": 2, "working": true}')
    with running(data=str(tmp_path), large_model=str(tiny)) as service:
        told = service.until("ready")
        assert (told["large"]["state"], told["large"]["error"]["code"]) == ("failed", "LLM224")
        assert asyncio.run(_asked(service))[-1]["model"] == SHIPPED.removesuffix("-q8_0.gguf")
        told = httpx.post(f"{service.url}/reload", headers=BEARER, timeout=20).json()
        assert (told["large"]["state"], told["large"]["name"]) == ("ready", "tiny-chat")


def test_the_larger_models_plan_alone_is_had_where_there_is_one(tmp_path: Path) -> None:
    """As the gateway asks for it; random weights write a plan that can be run, or none."""
    tiny = chat_model(tmp_path / "tiny.gguf")
    task = msgspec.convert(TASK, type=Task)
    heard: list[str] = []

    async def plan(service: Service) -> Query | None:
        runtime = runtime_at(service.url, data=str(tmp_path))
        async with loopback_client(runtime) as client:
            return await larger_plan(client, runtime, task, "s", lambda event: heard.append(event["event"]))

    with running(data=str(tmp_path), large_model=str(tiny)) as service:
        service.until("ready")
        found = asyncio.run(plan(service))
        assert "started" in heard and (found is None or found.collection == "beds")
    assert asyncio.run(plan(service)) is None
    with running(data=str(tmp_path)) as service:
        service.until("ready")
        assert asyncio.run(plan(service)) is None


def test_a_larger_model_that_the_box_does_not_hold_is_told(tmp_path: Path) -> None:
    with running(data=str(tmp_path), large_model="none") as service:
        service.until("ready")
        refused(httpx.post(f"{service.url}/reload", headers=BEARER, timeout=20), "LLM220")
        assert asyncio.run(_asked(service))[-1]["event"] == "plan"


async def test_prose_needs_a_body_and_a_larger_model(client: httpx.AsyncClient) -> None:
    refused(await client.post("/prose", content=b"{}"), "LLM211")
    body = {"prose": {"question": "?", "columns": [["n", "n"]], "rows": [{"n": 1}]}}
    async with aconnect_sse(client, "POST", "/prose", json=body) as source:
        told = [msgspec.json.decode(event.data) async for event in source.aiter_sse()]
    assert told[-1]["error"]["code"] == "LLM222"


async def test_its_numbers_are_what_prometheus_reads(client: httpx.AsyncClient) -> None:
    await planned(client)
    numbers = (await client.get("/metrics")).text
    assert 'dreamstack_model_loaded{model="small"} 1.0' in numbers
    assert 'dreamstack_model_jobs_total{kind="plan",model="small",outcome="plan"}' in numbers
