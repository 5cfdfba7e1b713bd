"""A larger model is heard where the small one is not sure, and its word alone makes nothing sure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from appliance.llm.candidates import Candidate, Scores
from appliance.llm.confidence import Understood
from appliance.llm.notation import read
from appliance.llm.plan import Query, Select
from appliance.llm.prompt import Task
from appliance.services import second_opinion
from appliance.services.second_opinion import BOTH, LARGER, with_second_opinion
from appliance.types import Question
from tests.unit.llm.facility import CATALOG, linked
from tests.unit.services.runtimes import runtime

LISTED = Query("beds", (Select("id"), Select("bed")))
COUNTED = Query("beds", (Select("*", "count"),))


def understood(*unsaid: str) -> Understood:
    links, sketch = linked("beds"), read("<all><e>")
    return Understood(Candidate(LISTED, links, sketch, Scores(-1.0)), 0.4, (), unsaid)


async def opinion(monkeypatch: pytest.MonkeyPatch, plan: Query | None, before: Understood) -> Understood:
    async def larger(
        client: httpx.AsyncClient, where: object, task: Task, screen: str, tell: Callable[[dict[str, Any]], None]
    ) -> Query | None:
        assert task.collection == "beds" and screen == "s"
        tell({"error": {"code": "LLM203"}})
        tell({"stage": "queued"})
        return plan

    monkeypatch.setattr(second_opinion, "larger_plan", larger)
    told: list[dict[str, Any]] = []
    async with httpx.AsyncClient() as client:
        question = Question("1", "beds", "staff", "", screen="s")
        found = await with_second_opinion(client, runtime(), question, before, CATALOG, told.append)
    assert all("stage" in each for each in told)
    return found


async def test_both_read_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await opinion(monkeypatch, LISTED, understood())
    assert (found.best and found.best.plan, found.confidence) == (LISTED, BOTH)


async def test_the_larger_one_alone_is_perhaps(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await opinion(monkeypatch, COUNTED, understood())
    assert (found.best and found.best.plan, found.confidence) == (COUNTED, LARGER)
    assert [each.plan for each in found.others] == [LISTED]


@pytest.mark.parametrize(
    "plan", [None, Query("beds", (Select("nothing"),)), Query("patients", (Select("patient"),))], ids=str
)
async def test_what_cannot_be_run_changes_nothing(monkeypatch: pytest.MonkeyPatch, plan: Query | None) -> None:
    assert await opinion(monkeypatch, plan, understood()) == understood()


async def test_words_that_nothing_explains_are_asked_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = understood("purple")
    assert await opinion(monkeypatch, COUNTED, before) == before
    assert await opinion(monkeypatch, COUNTED, replace(before, best=None)) == replace(before, best=None)
