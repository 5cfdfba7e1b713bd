"""The worker: a fair queue, one question at a time through the model, and what its watchers hear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.dialects.ask import Ask
from appliance.llm.model import Model
from appliance.llm.plan import Query
from appliance.llm.prompt import Dialect, Piece, Task
from appliance.llm.worker import FairQueue, Job, Worker
from appliance.services.llm import SHIPPED
from appliance.types import Field

MODEL = Path(__file__).resolve().parents[3] / "models" / SHIPPED
FIELDS = (Field("ward", "Ward", "text"), Field("status", "Status", "text"), Field("floor", "Floor", "integer"))
TASK = Task("How many beds are free in cardiology?", "beds", "Beds", FIELDS)


def job(screen: str) -> Job:
    return Job(TASK, screen, 60)


def drained(queue: FairQueue) -> list[Job]:
    taken = []
    while (job := queue.take()) is not None:
        taken.append(job)
    return taken


SCREENS = st.lists(st.sampled_from("abcde"), max_size=30)


@given(SCREENS)
def test_every_job_comes_out_once_and_in_the_order_that_was_told(screens: list[str]) -> None:
    queue, jobs = FairQueue(), [job(screen) for screen in screens]
    for one in jobs:
        queue.put(one)
    assert len(queue) == len(jobs)
    told = queue.order()
    taken = drained(queue)
    assert taken == told
    assert sorted(map(id, taken)) == sorted(map(id, jobs))
    assert len(queue) == 0 and queue.take() is None


@given(SCREENS)
def test_each_screen_keeps_its_own_order(screens: list[str]) -> None:
    queue, jobs = FairQueue(), [job(screen) for screen in screens]
    for one in jobs:
        queue.put(one)
    taken = drained(queue)
    for screen in set(screens):
        assert [one for one in taken if one.screen == screen] == [one for one in jobs if one.screen == screen]


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none()), max_size=60))
def test_no_screen_is_passed_twice_by_another(steps: list[str | None]) -> None:
    """None takes a job, a letter puts one. Between two turns of a waiting screen each other has one at most."""
    queue, waiting = FairQueue(), dict[str, int]()
    passed: dict[str, dict[str, int]] = {}
    for step in steps:
        if step is not None:
            queue.put(job(step))
            if not waiting.get(step):
                passed[step] = {}
            waiting[step] = waiting.get(step, 0) + 1
            continue
        taken = queue.take()
        if taken is None:
            continue
        waiting[taken.screen] -= 1
        passed[taken.screen] = {}
        for screen in waiting:
            if waiting[screen] and screen != taken.screen:
                passed[screen][taken.screen] = passed[screen].get(taken.screen, 0) + 1
                assert passed[screen][taken.screen] == 1


@given(SCREENS, st.data())
def test_what_is_removed_never_comes_out_and_the_rest_does(screens: list[str], data: st.DataObject) -> None:
    queue, jobs = FairQueue(), [job(screen) for screen in screens]
    for one in jobs:
        queue.put(one)
    gone = [one for one in jobs if data.draw(st.booleans())]
    for one in gone + gone:
        queue.remove(one)
    assert sorted(map(id, drained(queue))) == sorted(id(one) for one in jobs if one not in gone)


class Spoken(Ask):
    """The shipped model's dialect, with something of a test's own done before each prompt."""

    def __init__(self, before: Callable[[Task], None]) -> None:
        self._before = before

    def pieces(self, task: Task, template: str) -> list[Piece]:
        self._before(task)
        return super().pieces(task, template)


def shipped() -> Model:
    return Model.load(MODEL, 1, 512)


@asynccontextmanager
async def working(
    dialect: Callable[[Model], Dialect] = lambda _: Ask(), limit: int = 8, load: Callable[[], Model] = shipped
) -> AsyncIterator[Worker]:
    worker = Worker(load, dialect, limit)
    task = asyncio.create_task(worker.run())
    yield worker
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def asked(worker: Worker, screen: str = "s", deadline_s: float = 10, task: Task = TASK) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        return [event async for event in worker.plan(task, screen, deadline_s)]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


NAME = SHIPPED.removesuffix("-q8_0.gguf")


def slow(seconds: float) -> Callable[[Model], Dialect]:
    return lambda _: Spoken(lambda _: time.sleep(seconds))


async def test_a_question_becomes_a_plan() -> None:
    async with working() as worker:
        events = await asked(worker)
    names = [event["event"] for event in events]
    assert names[0] == "queued" and names[-1] == "plan" and names.count("started") == 1
    assert "".join(event["text"] for event in events if event["event"] == "token") == events[-1]["written"]
    assert events[-1]["plan"]["collection"] == "beds" and events[-1]["plan"]["form"] == "query"
    assert events[-1]["model_ms"] > 0 and worker.tokens_per_s > 0 and worker.done == 1


async def test_screens_take_turns_and_hear_their_place() -> None:
    order: list[str] = []
    async with working(lambda _: Spoken(lambda task: order.append(task.question))) as worker:
        tasks = [Task(f"{screen}{n} beds?", "beds", "Beds", FIELDS) for screen in "ab" for n in range(3)]
        heard = await asyncio.gather(*(asked(worker, task.question[0], task=task) for task in tasks))
    assert order == [f"{screen}{n} beds?" for n in range(3) for screen in "ab"]
    for events in heard:
        positions = [event["position"] for event in events if event["event"] == "queued"]
        assert positions[-1] == 1 and max(positions) <= 6


async def test_too_many_are_refused_and_those_that_wait_are_served() -> None:
    async with working(slow(0.2), limit=2) as worker:
        waiting = [asyncio.create_task(asked(worker, str(n))) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApplianceError, match="LLM209"):
            await asked(worker)
        assert [(await events)[-1]["event"] for events in waiting] == ["plan", "plan"]


async def test_the_deadline_ends_the_writing() -> None:
    async with working(slow(0.3)) as worker:
        late = (await asked(worker, deadline_s=0.1))[-1]
        assert (late["event"], late["error"]["code"]) == ("error", "LLM210")
        assert (await asked(worker))[-1]["event"] == "plan"


async def test_the_deadline_holds_in_the_queue_too() -> None:
    prompts: list[Task] = []

    def before(task: Task) -> None:
        prompts.append(task)
        time.sleep(0.4)

    async with working(lambda _: Spoken(before)) as worker:
        first = asyncio.create_task(asked(worker, "one"))
        await asyncio.sleep(0)
        late = (await asked(worker, "two", deadline_s=0.1))[-1]
        assert late["error"]["code"] == "LLM210"
        assert (await first)[-1]["event"] == "plan"
    assert len(prompts) == 1


async def test_an_asker_who_leaves_leaves_the_queue() -> None:
    prompts: list[Task] = []

    def before(task: Task) -> None:
        prompts.append(task)
        time.sleep(0.3)

    async with working(lambda _: Spoken(before)) as worker:
        first = asyncio.create_task(asked(worker, "one"))
        left = asyncio.create_task(asked(worker, "two"))
        await until(lambda: len(prompts) == 1 and worker.told()["queue"] == 1)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        assert worker.told()["queue"] == 0
        assert (await first)[-1]["event"] == "plan"
        assert (await asked(worker))[-1]["event"] == "plan"
    assert len(prompts) == 2


@pytest.mark.parametrize("fault", [ApplianceError("LLM208", "No such template."), ZeroDivisionError("a bug")])
async def test_a_fault_in_one_question_is_told_and_the_next_is_answered(fault: Exception) -> None:
    faults = [fault]

    def before(_: Task) -> None:
        if faults:
            raise faults.pop()

    async with working(lambda _: Spoken(before)) as worker:
        told = (await asked(worker))[-1]
        assert told["event"] == "error"
        assert told["error"]["code"] == (fault.code if isinstance(fault, ApplianceError) else "LLM200")
        assert worker.told()["state"] == "ready"
        assert (await asked(worker))[-1]["event"] == "plan"


class Mute(Ask):
    """Takes nothing that the model wrote for a plan."""

    def parse(self, text: str, task: Task) -> Query:
        raise ApplianceError("LLM206", "The model wrote no plan.", text)


async def test_what_is_no_plan_is_an_error_event() -> None:
    async with working(lambda _: Mute()) as worker:
        told = (await asked(worker))[-1]
    assert (told["event"], told["error"]["code"]) == ("error", "LLM206")


def missing() -> Model:
    return Model.load(MODEL.with_name("none.gguf"), 1, 512)


async def test_without_a_model_every_question_is_told_why() -> None:
    async with working(load=missing) as worker:
        with pytest.raises(ApplianceError, match="LLM208"):
            while True:
                events = await asked(worker)
                assert events[-1]["error"]["code"] == "LLM208"
        assert worker.told()["state"] == "failed"


async def test_who_asked_while_the_model_was_loading_is_told_that_it_cannot_be() -> None:
    def late() -> Model:
        time.sleep(0.2)
        return missing()

    async with working(load=late) as worker:
        began = time.monotonic()
        assert (await asked(worker))[-1]["error"]["code"] == "LLM208"
        assert time.monotonic() - began < 5


async def test_watchers_hear_every_state() -> None:
    async with working() as worker:
        heard: list[dict[str, Any]] = []

        async def watch() -> None:
            async for event in worker.watch():
                heard.append(event)

        watcher = asyncio.create_task(watch())
        await asyncio.sleep(0)
        await asked(worker)
        await asyncio.sleep(0)
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    states = [event["state"] for event in heard]
    assert states[0] == "loading" and "busy" in states and states[-1] == "ready"
    assert heard[-1] == worker.told()
    assert heard[-1]["name"] == NAME and heard[-1]["tokens_per_s"] > 0 and heard[-1]["queue"] == 0


async def test_a_watcher_that_does_not_read_costs_little_and_sees_the_latest() -> None:
    async with working(limit=200) as worker:
        watching = aiter(worker.watch())
        await anext(watching)
        jobs = [asyncio.create_task(asked(worker, str(n))) for n in range(60)]
        await asyncio.gather(*jobs)
        async with asyncio.timeout(5):
            while (await anext(watching)) != worker.told():
                pass
        assert [events.qsize() <= 100 for events in worker.watchers._queues] == [True]
