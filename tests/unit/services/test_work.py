"""Questions that are worked on are stopped by whoever asked them, and by the admin."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from appliance.llm.forms import Alert
from appliance.llm.plan import Condition
from appliance.services.work import Work
from appliance.types import Answer, Question

YES = msgspec.to_builtins(Alert("beds", (Condition("status", "eq", "broken"),), confirmed=True))


def question(plan: dict[str, Any] | None = None) -> Question:
    return Question("a1", "How many?", "staff", "2026-11-28T09:00:00Z", "tablet", plan)


async def long_work() -> Answer:
    await asyncio.sleep(30)
    return Answer("a1", "How many?", "answered")


@pytest.mark.parametrize(
    ("said", "stops"),
    [
        ({"answer": "a1", "screen": "tablet", "role": "staff"}, True),
        ({"answer": "a1", "screen": "another", "role": "staff"}, False),
        ({"answer": "a1", "screen": "", "role": "staff"}, False),
        ({"answer": "a1", "screen": "another", "role": "admin"}, True),
        ({"answer": "a2", "screen": "tablet", "role": "staff"}, False),
        ({"asked": "r1", "screen": "came back", "role": "wall"}, True),
        ({"asked": "r2", "screen": "tablet", "role": "staff"}, False),
        ({"asked": "", "screen": "tablet", "role": "staff"}, False),
        ({}, False),
    ],
)
async def test_who_may_stop_a_question(said: dict[str, Any], stops: bool) -> None:
    work = Work()
    going = asyncio.create_task(work.on(question(), long_work(), "r1"))
    await asyncio.sleep(0)
    assert work.stop(said) is stops
    if stops:
        found = await going
        assert (found.status, found.error and found.error["code"]) == ("failed", "LLM215")
        assert work.stop(said) is False, "it is over"
    else:
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going


async def test_what_was_said_yes_to_is_not_stopped_in_the_middle() -> None:
    work = Work()
    going = asyncio.create_task(work.on(question(YES), long_work(), "r1"))
    await asyncio.sleep(0)
    assert work.stop({"asked": "r1"}) is False
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


async def test_the_work_itself_ends() -> None:
    ended = asyncio.Event()

    async def working() -> Answer:
        try:
            return await long_work()
        finally:
            ended.set()

    work = Work()
    going = asyncio.create_task(work.on(question(), working(), "r1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert work.stop({"asked": "r1"})
    await going
    assert ended.is_set()
