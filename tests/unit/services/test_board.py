"""The board after a restart and when rows change: what was said yes to is not done again; a summary stays live."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.llm.forms import Alert, Plan, Summary
from appliance.llm.plan import Condition, Query, Select
from appliance.services.assistant import Assistant
from appliance.services.board import Board
from appliance.services.clients import BridgeSource
from appliance.types import Answer, Catalog, Collection, Question, Relation

ALERT = Alert("beds", (Condition("status", "eq", "broken"),))
COUNT = Query("beds", (Select("*", "count"),))
CATALOG = Catalog(
    "1",
    (Collection("beds", "beds", ()), Collection("wards", "wards", ())),
    (Relation("beds", "ward_id", "wards", "id"),),
)
ALONG = Query("beds", (Select("*", "count"),), (Condition("ward_id.name", "eq", "Surgery"),))
YES = msgspec.structs.replace(ALERT, confirmed=True)


class Asked:
    """In the place of the assistant: remembers what it was asked."""

    def __init__(self) -> None:
        self.plans: list[dict[str, Any] | None] = []
        self.read_again: list[Plan] = []
        self.breaks = False
        self.value: float | None = None
        self.plan = COUNT
        self.waits = False

    def check(self, text: str) -> str:
        return text

    async def ask(self, question: Question, tell: Any) -> Answer:
        self.plans.append(question.plan)
        if self.waits:
            await asyncio.sleep(30)
        if self.breaks:
            raise RuntimeError("the power is cut")
        if self.value is not None:
            return self.number(question)
        summary = question.plan if question.plan and question.plan["form"] == "summary" else None
        return Answer(question.id, question.text, "answered", plan=summary, sentence="1")

    def number(self, question: Question) -> Answer:
        view = {"kind": "number", "value": self.value}
        return Answer(
            question.id, question.text, "answered", "number of beds", msgspec.to_builtins(self.plan), view=view
        )

    async def catalog(self, role: str) -> Catalog:
        return CATALOG

    async def again(self, question: Question, plan: Plan) -> Answer:
        self.read_again.append(plan)
        if self.value is not None:
            return self.number(question)
        return Answer(question.id, question.text, "answered", sentence="2")


class Bridge:
    """In the place of the bridge: the signals as they are."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.done: list[dict[str, Any]] = []
        self.by_stream: dict[str, dict[str, Any]] = {}

    def acknowledge(self, said: dict[str, Any], error: object = None) -> None:
        self.done.append(said)

    def set(self, values: dict[str, Any], audience: str = "wall", stream: str = "main") -> None:
        self.values |= values
        self.by_stream.setdefault(stream, {}).update(values)

    async def flushed(self) -> None:
        return


def board(file: Path) -> tuple[Board, Asked, Bridge]:
    asked, bridge = Asked(), Bridge()
    return Board(cast(Assistant, asked), cast(BridgeSource, bridge), file, 12, ""), asked, bridge


async def test_what_was_said_yes_to_is_not_done_again_after_a_restart(tmp_path: Path) -> None:
    before, asked, _ = board(tmp_path / "board.json")
    await before.ask("How many?", "admin", "")
    await before.ask("Tell me", "admin", "", msgspec.to_builtins(ALERT))
    await before.ask("Do tell me", "admin", "", msgspec.to_builtins(YES))
    assert asked.plans[-1] == msgspec.to_builtins(YES)
    after, asked, bridge = board(tmp_path / "board.json")
    await after.restore(())
    assert asked.plans == [None, msgspec.json.decode(msgspec.json.encode(ALERT))]
    assert len(bridge.values["answers.order"]) == 2


async def test_a_summary_of_everything_is_read_anew_whatever_changes(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    found = await live.ask("Sum up", "staff", "", msgspec.to_builtins(Summary()))
    await live.ask("Sum up beds", "staff", "", msgspec.to_builtins(Summary("beds")))
    assert bridge.values[f"answer.{found.id}.source"] == ""
    live.changed("wards")
    await run_until_read(live, asked)
    assert asked.read_again == [Summary()]
    assert bridge.values[f"answer.{found.id}.sentence"] == "2"


@pytest.mark.parametrize(("changed", "again"), [("wards", True), ("beds", True), ("patients", False)])
async def test_what_the_fields_of_an_answer_lead_to_keeps_it_live(tmp_path: Path, changed: str, again: bool) -> None:
    live, asked, _ = board(tmp_path / "board.json")
    asked.value, asked.plan = 1, ALONG
    await live.ask("How many beds are in surgery?", "staff", "")
    live.changed(changed)
    await run_until_read(live, asked)
    assert asked.read_again == ([ALONG] if again else [])


async def test_a_screen_that_asks_again_is_told_that_it_is_done(tmp_path: Path) -> None:
    said = {"type": "ask", "ref": "r1", "ack": True, "question": "How many?", "role": "staff", "screen": "s1"}
    live, asked, bridge = board(tmp_path / "board.json")
    for _ in range(3):
        live.ask_soon(said)
    await settled(bridge, 1)
    live.ask_soon(said)
    await settled(bridge, 2)
    assert len(asked.plans) == 1
    after, asked, bridge = board(tmp_path / "board.json")  # the box was started anew
    after.ask_soon(said)
    await settled(bridge, 1)
    assert asked.plans == []
    assert bridge.done == [said]


async def test_a_yes_whose_end_nobody_saw_is_not_done_again(tmp_path: Path) -> None:
    said = {"type": "ask", "ref": "r1", "question": "Tell me", "role": "admin", "plan": msgspec.to_builtins(YES)}
    live, asked, _ = board(tmp_path / "board.json")
    asked.breaks = True
    live.ask_soon(said)
    (task,) = live._tasks
    with suppress(RuntimeError):
        await task
    after, asked, bridge = board(tmp_path / "board.json")
    after.ask_soon(said)
    await settled(bridge, 1)
    assert asked.plans == []


async def run_until_read(live: Board, asked: Asked) -> None:
    """Let the board run until it read something anew, for a second at most."""
    task = asyncio.create_task(live.run())
    for _ in range(100):
        if asked.read_again:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def settled(bridge: Bridge, count: int) -> None:
    """Wait until so many inputs were said to be done."""
    async with asyncio.timeout(5):
        while len(bridge.done) < count:  # noqa: ASYNC110 (this bridge tells nobody)
            await asyncio.sleep(0.01)


# Numbers, pins ---------------------------------------------------------------------------------------------


async def test_a_number_keeps_what_it_was_earlier_over_a_new_question_and_a_restart(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    first = await live.ask("How many?", "staff", "")
    assert bridge.values[f"answer.{first.id}.trend"] is None
    asked.value = 6
    again = await live.ask("How many?", "staff", "")
    assert bridge.values[f"answer.{again.id}.trend"]["was"] == 4
    after, asked, bridge = board(tmp_path / "board.json")
    asked.value = 7
    await after.restore(())
    assert [value for _, value in bridge.values[f"answer.{again.id}.trend"]["points"]] == [4, 6, 7]


async def test_another_reading_of_a_question_has_no_earlier_number(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    await live.ask("How many?", "staff", "")
    asked.value = None
    other = await live.ask("How many?", "staff", "")
    asked.value = 6
    again = await live.ask("How many?", "staff", "")
    assert bridge.values[f"answer.{other.id}.trend"] is None
    assert bridge.values[f"answer.{again.id}.trend"] is None


async def test_an_answer_is_pinned_in_a_room_stays_over_a_restart_and_is_taken_off(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    answer = await live.ask("How many?", "staff", "")
    said = {"type": "pin", "role": "staff", "screen": "s1", "name": "Tablet 3", "answer": answer.id, "room": "icu"}
    await live.pin(said, {"icu": "Intensive care"})
    [pin] = [id_ for id_ in bridge.by_stream["room/icu"]["answers.order"] if id_.startswith("p")]
    assert bridge.by_stream["room/icu"][f"answer.{pin}.pinned"] == {"by": "Tablet 3", "room": "icu"}
    assert pin not in bridge.by_stream["main"]["answers.order"], "the rest of the house does not show it"
    after, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    await after.restore(())
    assert bridge.by_stream["room/icu"][f"answer.{pin}.view"]["value"] == 4
    await after.pin({**said, "answer": pin, "off": True})
    assert pin not in bridge.by_stream["room/icu"]["answers.order"]
    assert bridge.by_stream["room/icu"][f"answer.{pin}.question"] is None
    third, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    await third.restore(())
    assert f"answer.{pin}.question" not in bridge.values


async def test_a_room_that_is_no_more_takes_its_answers_along(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    said = {"type": "pin", "role": "staff", "screen": "s1", "name": "Tablet 3"}
    here = await live.ask("How many?", "staff", "", room="icu")
    house = await live.ask("How many?", "staff", "")
    rooms = {"icu": "Intensive care", "er": "Emergency"}
    await live.pin({**said, "answer": house.id, "room": "icu"}, rooms)
    await live.pin({**said, "answer": house.id, "room": "er"}, rooms)
    [pin] = [id_ for id_ in bridge.by_stream["room/icu"]["answers.order"] if id_.startswith("p")]
    await live.close("icu")
    assert bridge.by_stream["room/icu"]["answers.order"] == []
    assert {bridge.by_stream["room/icu"][f"answer.{id_}.question"] for id_ in (pin, here.id)} == {None}
    assert house.id in bridge.by_stream["main"]["answers.order"]
    [kept] = [id_ for id_ in bridge.by_stream["room/er"]["answers.order"] if id_.startswith("p")]
    after, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    await after.restore(())
    assert f"answer.{pin}.question" not in bridge.by_stream.get("room/icu", {})
    assert bridge.by_stream["room/er"][f"answer.{kept}.question"] == "How many?"


async def test_an_answer_for_the_whole_house_is_pinned_there(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.value = 4
    answer = await live.ask("How many?", "staff", "", room="icu")
    await live.pin({"role": "staff", "screen": "s1", "answer": answer.id, "room": "", "name": ""} | {"room": "icu"})
    await live.pin({"role": "admin", "screen": "s1", "answer": answer.id})
    assert len(bridge.by_stream["main"]["answers.pinned"]) == 1


async def test_who_does_not_see_an_answer_cannot_pin_it(tmp_path: Path) -> None:
    live, asked, _ = board(tmp_path / "board.json")
    asked.value = 4
    admins = await live.ask("How many?", "admin", "")
    elsewhere = await live.ask("How many?", "staff", "", room="icu")
    for id_ in (admins.id, elsewhere.id, "a0"):
        with pytest.raises(ApplianceError) as failed:
            await live.pin({"role": "staff", "screen": "s1", "answer": id_})
        assert failed.value.code == "LLM216"


async def test_a_question_is_stopped(tmp_path: Path) -> None:
    live, asked, bridge = board(tmp_path / "board.json")
    asked.waits = True
    live.ask_soon({"type": "ask", "ref": "r1", "question": "How many?", "role": "staff", "screen": "s1"})
    async with asyncio.timeout(5):
        while not live.stop({"asked": "r1", "role": "staff", "screen": "s2"}):  # noqa: ASYNC110 (it says nothing)
            await asyncio.sleep(0.01)
    await settled(bridge, 1)
    [status] = [name for name in bridge.values if name.endswith(".error")]
    assert bridge.values[status]["code"] == "LLM215"
