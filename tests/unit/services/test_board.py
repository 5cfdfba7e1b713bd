"""The board after a restart and when rows change: what was said yes to is not done again; a summary stays live."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from appliance.llm.forms import Alert, Plan, Summary
from appliance.llm.plan import Condition
from appliance.services.assistant import Assistant
from appliance.services.board import Board
from appliance.services.clients import BridgeSource
from appliance.types import Answer, Question

ALERT = Alert("beds", (Condition("status", "eq", "broken"),))
YES = msgspec.structs.replace(ALERT, confirmed=True)


class Asked:
    """In the place of the assistant: remembers what it was asked."""

    def __init__(self) -> None:
        self.plans: list[dict[str, Any] | None] = []
        self.read_again: list[Plan] = []
        self.breaks = False

    def check(self, text: str) -> str:
        return text

    async def ask(self, question: Question, tell: Any) -> Answer:
        self.plans.append(question.plan)
        if self.breaks:
            raise RuntimeError("the power is cut")
        summary = question.plan if question.plan and question.plan["form"] == "summary" else None
        return Answer(question.id, question.text, "answered", plan=summary, sentence="1")

    async def again(self, question: Question, plan: Plan) -> Answer:
        self.read_again.append(plan)
        return Answer(question.id, question.text, "answered", sentence="2")


class Bridge:
    """In the place of the bridge: the signals as they are."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.done: list[dict[str, Any]] = []

    def acknowledge(self, said: dict[str, Any]) -> None:
        self.done.append(said)

    def set(self, values: dict[str, Any], audience: str = "wall", stream: str = "main") -> None:
        self.values |= values

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
    task = asyncio.create_task(live.run())
    for _ in range(100):
        if asked.read_again:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert asked.read_again == [Summary()]
    assert bridge.values[f"answer.{found.id}.sentence"] == "2"


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


async def settled(bridge: Bridge, count: int) -> None:
    """Wait until so many inputs were said to be done."""
    async with asyncio.timeout(5):
        while len(bridge.done) < count:  # noqa: ASYNC110 (this bridge tells nobody)
            await asyncio.sleep(0.01)
