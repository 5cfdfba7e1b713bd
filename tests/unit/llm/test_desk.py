"""Two models at one desk: the larger one is asked first, the small one whenever that does not lead to a plan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ApplianceError
from appliance.llm import desk as desk_module
from appliance.llm.desk import FAILURES_AT_MOST, Desk
from appliance.llm.dialects import pick
from appliance.llm.dialects.ask import Ask
from appliance.llm.dialects.chatml import Chatml
from appliance.llm.model import Model
from appliance.llm.plan import Condition, Query, Select
from appliance.llm.prompt import Dialect, Task
from appliance.llm.prose import Prose
from appliance.llm.worker import Worker
from tests.unit.llm.test_worker import TASK, shipped, until
from tests.unit.llm.tiny_model import chat_model

GOOD = Query("beds", (Select("*", "count"),))
SMALL = shipped().name
PROSE = Prose("How many?", (("ward", "Ward"), ("count", "count")), ({"ward": "ICU", "count": 7},))


class Said(Chatml):
    """A larger model's dialect, where a test says what came of it."""

    token_limit = 4

    def __init__(self, parse: Callable[[], Query] = lambda: GOOD, before: Callable[[], None] = lambda: None) -> None:
        self._parse, self._before = parse, before

    def grammar(self, task: Task) -> str:
        self._before()
        return "root ::= [a-z]+"

    def parse(self, text: str, task: Task) -> Query:
        return self._parse()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@asynccontextmanager
async def working(
    load: Callable[[], Model | None], dialect: Callable[[Model], Dialect], patience_s: float = 20, limit: int = 8
) -> AsyncIterator[Desk]:
    desk = Desk(Worker(shipped, lambda _: Ask(), 8), Worker(load, dialect, limit), patience_s)
    task = asyncio.create_task(desk.run())
    await until(lambda: desk.small.told()["state"] == "ready" and desk.large.told()["state"] != "loading")
    yield desk
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def tiny_of(path: Path) -> Callable[[], Model]:
    return lambda: Model.load(path, 1, 2048)


async def asked(desk: Desk, deadline_s: float = 20, **more: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [event async for event in desk.plan(TASK, "s", deadline_s, **more)]


def by(events: list[dict[str, Any]]) -> str:
    """Which model wrote the plan."""
    assert events[-1]["event"] == "plan", events[-1]
    return str(events[-1]["model"])


async def test_without_a_larger_model_the_small_one_answers() -> None:
    async with working(lambda: None, lambda _: Said()) as desk:
        assert by(await asked(desk)) == SMALL
        assert desk.told()["large"]["state"] == "none" and desk.told()["state"] == "ready"


async def test_the_same_code_runs_both_to_the_same_kind_of_plan(tiny: Path) -> None:
    """A larger model's plan by its own grammar: random weights write some plan, and it is one that can be run."""
    async with working(tiny_of(tiny), lambda model: pick("auto", model.name, model.template)) as desk:
        events = await asked(desk)
        assert by(events) in ("tiny-chat", SMALL)
        assert events[-1]["plan"]["collection"] == "beds"
        [small] = [event for event in await asked(desk, which="small") if event["event"] == "plan"]
        assert small["model"] == SMALL and small["plan"]["form"] == events[-1]["plan"]["form"]


async def test_the_larger_one_is_asked_first(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda _: Said()) as desk:
        events = await asked(desk)
        assert by(events) == "tiny-chat" and events[0]["event"] == "queued"
        assert by(await asked(desk, which="small")) == SMALL
        told = desk.told()["large"]
        assert told["name"] == "tiny-chat" and told["tokens_per_s"] > 0 and told["first_token_ms"] > 0


def no_plan() -> Query:
    raise ApplianceError("LLM206", "The model wrote no plan.", "junk")


def bug() -> Query:
    raise ZeroDivisionError


UNFIT = {
    "no plan": (no_plan, "LLM206"),
    "a bug": (bug, "LLM200"),
    "another collection": (lambda: Query("users", (Select("*", "count"),)), "LLM206"),
    "a field that is not there": (lambda: Query("beds", (Select("password"),)), "LLM206"),
    "no sum of texts": (lambda: Query("beds", (Select("ward", "sum"),)), "LLM206"),
    "a text for a number": (
        lambda: Query("beds", (Select("*", "count"),), (Condition("floor", "gt", "high"),)),
        "LLM206",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_what_cannot_be_run_is_left_to_the_small_one(tiny: Path, name: str) -> None:
    parse, code = UNFIT[name]
    async with working(tiny_of(tiny), lambda _: Said(parse)) as desk:
        events = await asked(desk)
    assert by(events) == SMALL
    [fallback] = [event for event in events if event["event"] == "fallback"]
    assert fallback["error"]["code"] == code


async def test_the_larger_one_alone_may_be_asked(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda _: Said()) as desk:
        assert by(await asked(desk, which="large")) == "tiny-chat"
    async with working(tiny_of(tiny), lambda _: Said(no_plan)) as desk:
        last = (await asked(desk, which="large"))[-1]
        assert (last["event"], last["error"]["code"]) == ("error", "LLM206")
    async with working(lambda: None, lambda _: Said()) as desk:
        with pytest.raises(ApplianceError, match="LLM222"):
            await asked(desk, which="large")


async def test_one_that_is_too_slow_is_not_waited_for(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda _: Said(before=lambda: time.sleep(3)), patience_s=0.2) as desk:
        began = time.monotonic()
        events = await asked(desk)
        assert by(events) == SMALL and time.monotonic() - began < 3
        assert [event["error"]["code"] for event in events if event["event"] == "fallback"] == ["LLM210"]


async def test_a_full_queue_sends_the_next_one_to_the_small_model(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda _: Said(before=lambda: time.sleep(0.5)), limit=1) as desk:
        first = asyncio.create_task(asked(desk))
        await until(lambda: desk.large.told()["state"] == "busy")
        second = asyncio.create_task(asked(desk))
        await until(lambda: desk.large.waiting == 1)
        assert by(await asked(desk)) == SMALL
        assert [by(events) for events in await asyncio.gather(first, second)] == ["tiny-chat"] * 2


async def test_one_that_fails_again_and_again_is_left_alone_for_a_while(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "PAUSE_S", 0.5)
    async with working(tiny_of(tiny), lambda _: Said(no_plan)) as desk:
        for _ in range(FAILURES_AT_MOST):
            assert any(event["event"] == "fallback" for event in await asked(desk))
        assert desk.told()["large"]["paused"]
        assert not any(event["event"] == "fallback" for event in await asked(desk))
        await asyncio.sleep(0.6)
        assert any(event["event"] == "fallback" for event in await asked(desk))
        await desk.reload()
        assert not desk.told()["large"]["paused"]


async def test_one_that_cannot_be_loaded_is_told_and_does_not_matter(tmp_path: Path) -> None:
    async with working(lambda: Model.load(tmp_path / "none.gguf", 1, 512), lambda _: Said()) as desk:
        assert by(await asked(desk)) == SMALL
        assert desk.told()["large"]["error"]["code"] == "LLM208" and desk.told()["state"] == "ready"


async def test_a_reload_drops_nobody_who_waits(tiny: Path, tmp_path: Path) -> None:
    other = chat_model(tmp_path / "other.gguf", name="other-chat")
    files = [tiny, other]
    slow = Said(before=lambda: time.sleep(0.3))
    async with working(lambda: Model.load(files[0], 1, 2048), lambda _: slow) as desk:
        waiting = [asyncio.create_task(asked(desk)) for _ in range(5)]
        await until(lambda: desk.large.told()["state"] == "busy" and desk.large.waiting == 4)
        files.pop(0)
        await desk.reload()
        heard = await asyncio.gather(*waiting)
    models = [by(events) for events in heard]
    assert set(models) == {"tiny-chat", "other-chat"} and models[-1] == "other-chat"
    assert not any(event["event"] == "fallback" for events in heard for event in events)


async def test_a_reload_that_fails_leaves_the_old_one_at_work(tiny: Path, tmp_path: Path) -> None:
    files = [tiny, tmp_path / "none.gguf", tiny]
    async with working(lambda: Model.load(files.pop(0), 1, 2048), lambda _: Said()) as desk:
        with pytest.raises(ApplianceError, match="LLM208"):
            await desk.reload()
        assert by(await asked(desk)) == "tiny-chat"
        await desk.reload()
        assert by(await asked(desk)) == "tiny-chat"


async def test_when_the_larger_one_goes_those_who_wait_get_the_small_one(tiny: Path) -> None:
    models: list[Path | None] = [tiny, None]

    def load() -> Model | None:
        file = models.pop(0)
        return Model.load(file, 1, 2048) if file else None

    async with working(load, lambda _: Said(before=lambda: time.sleep(0.3))) as desk:
        waiting = [asyncio.create_task(asked(desk)) for _ in range(3)]
        await until(lambda: desk.large.waiting == 2)
        await desk.reload()
        assert [by(events) for events in await asyncio.gather(*waiting)] == ["tiny-chat"] + [SMALL] * 2


async def told(desk: Desk) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [event async for event in desk.tell(PROSE, "s", 20)]


async def test_prose_streams_sentences_whose_numbers_are_the_rows(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "In {r1.ward} there are {r1.count} beds. There are eight of them! So much for that."
    monkeypatch.setattr(Model, "write", lambda *_: iter([said[n : n + 3] for n in range(0, len(said), 3)]))
    async with working(tiny_of(tiny), lambda _: Said()) as desk:
        events = await told(desk)
    assert [event["text"] for event in events if event["event"] == "text"] == [
        "In ICU there are 7 beds.",
        " So much for that.",
    ]
    last = events[-1]
    assert (last["event"], last["text"], last["left_out"]) == (
        "told",
        "In ICU there are 7 beds. So much for that.",
        1,
    )


async def test_whatever_a_model_writes_no_digit_of_its_own_is_told(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda model: pick("auto", model.name, model.template)) as desk:
        last = (await told(desk))[-1]
    if last["event"] == "error":  # random weights seldom end a sentence
        assert last["error"]["code"] == "LLM223"
    else:
        assert set(filter(str.isdigit, last["text"])) <= {"7", "1"}


async def test_without_a_larger_model_there_is_no_prose() -> None:
    async with working(lambda: None, lambda _: Said()) as desk:
        assert (await told(desk))[-1]["error"]["code"] == "LLM222"


async def test_watchers_hear_of_both(tiny: Path) -> None:
    async with working(tiny_of(tiny), lambda _: Said()) as desk:
        watching = desk.watch()
        assert (await anext(watching))["large"]["name"] == "tiny-chat"
        await asked(desk)
        states = set()
        async with asyncio.timeout(5):
            while "ready" not in states or "busy" not in states:
                states.add((await anext(watching))["state"])
