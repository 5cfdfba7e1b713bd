"""A real box with a larger model beside the small one: chosen while it runs, asked, killed, and away again."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from httpx_sse import aconnect_sse

from appliance.services.llm import SHIPPED
from tests.box import Box, appliance, running_box
from tests.unit.llm.tiny_model import chat_model

SMALL = SHIPPED.removesuffix("-q8_0.gguf")
QUESTIONS = [f"How many beds are free in {ward}?" for ward in ("Cardiology", "Surgery", "Oncology", "Emergency")]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with running_box("--no-mdns") as box:
        yield box


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


async def asked(box: Box, question: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=box.url, timeout=60, trust_env=False) as door:
        answer: dict[str, Any] = (await door.post("/api/ask", json={"question": question})).json()
    return answer


async def test_questions_wait_for_a_model_that_was_killed(box: Box) -> None:
    """Those in its queue and those asked while it is away: all get the answer they would have got, none is lost."""
    await asyncio.to_thread(box.wait_well, 20)
    usual = [(await asked(box, question))["status"] for question in QUESTIONS]
    assert "failed" not in usual
    first = [asyncio.create_task(asked(box, question)) for question in QUESTIONS * 4]
    await asyncio.sleep(0.15)
    await asyncio.to_thread(box.kill, "llm")
    second = [asyncio.create_task(asked(box, question)) for question in QUESTIONS]
    answers = await asyncio.gather(*first, *second)
    assert [answer["status"] for answer in answers] == usual * 5, answers


def test_a_larger_model_is_added_used_tried_and_given_up(box: Box, tiny: Path) -> None:
    box.wait_well(20)
    data = ("--data", str(box.data))
    assert appliance("model", "add", str(tiny), "--name", "tiny", *data).returncode == 0
    used = appliance("model", "use", "tiny", *data)
    assert f"now uses tiny-chat beside {SMALL}" in used.stdout, used.stderr
    told = httpx.get(f"{box.url}/api/model", timeout=10).json()
    assert (told["name"], told["large"]["name"], told["large"]["state"]) == (SMALL, "tiny-chat", "ready")
    tried = appliance("model", "try", "shipped", QUESTIONS[0], *data, "--url", box.url)
    assert f"of the box at {box.url}" in tried.stdout and "per second" in tried.stdout, tried.stderr
    asyncio.run(_is_asked_and_measured(box))
    box.kill("llm")
    time.sleep(0.5)
    box.wait_well(20)
    assert "beside" in appliance("model", "use", "tiny", *data).stdout
    assert "alone" in appliance("model", "use", "shipped", *data).stdout
    assert httpx.get(f"{box.url}/api/model", timeout=10).json()["large"]["state"] == "none"


async def _is_asked_and_measured(box: Box) -> None:
    """Random weights write junk: whatever comes of it, the question is answered and no number is made up."""
    answer = await asked(box, QUESTIONS[0])
    assert answer["status"] in ("answered", "clarify"), answer
    async with (
        httpx.AsyncClient(base_url=box.url, timeout=60, trust_env=False) as door,
        aconnect_sse(door, "POST", "/api/prose", json={"question": "Beds?", "plan": _PLAN}) as feed,
    ):
        events = [(event.event, msgspec.json.decode(event.data)) async for event in feed.aiter_sse()]
        assert events[0][0] == "answer" and events[0][1]["status"] == "answered"
        assert events[-1][0] in ("told", "error")
        if events[-1][0] == "error":
            assert events[-1][1]["error"]["code"] == "LLM223"
        numbers = (await door.get("/metrics")).text
        assert re.search(r'^dreamstack_model_loaded{model="large"} 1.0$', numbers, re.MULTILINE)
        assert re.search(r'^dreamstack_model_first_token_seconds_count{model="large"} [1-9]', numbers, re.MULTILINE)
        assert "dreamstack_questions_total" in numbers
        checks = {check["name"]: check for check in (await door.get("/health")).json()["checks"]}
        assert "tiny-chat" in checks["model"]["sentence"]


_PLAN = {"form": "query", "collection": "beds", "select": [{"field": "*", "aggregate": "count"}]}


async def test_only_the_admin_has_a_model_loaded(box: Box) -> None:
    async with httpx.AsyncClient(base_url=box.url, timeout=60, trust_env=False) as door:
        refused = await door.post("/api/model/reload")
        assert (refused.status_code, refused.json()["code"]) == (403, "BRG402")
        well = await door.post("/api/model/reload", headers=box.bearer("admin"))
        assert well.status_code == 200 and well.json()["name"] == SMALL


async def test_without_a_larger_model_prose_is_refused_after_the_answer(box: Box) -> None:
    done = await asyncio.to_thread(appliance, "ask", "--prose", "--url", box.url, "How many beds are there?")
    assert done.returncode == 0 and "120 beds" in done.stdout
    assert done.stderr.startswith("LLM222: ")
