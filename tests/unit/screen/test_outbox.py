"""What is asked while the box is away is sent when it is back, once; it survives the agent, and has its limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError
from appliance.screen import outbox
from appliance.screen.agent import Agent
from appliance.screen.outbox import Outbox
from tests.unit.screen.small_box import SmallBox, agent_for, running, until


def ask(ref: str, **more: Any) -> dict[str, Any]:
    return {"type": "ask", "ref": ref, "question": f"Question {ref}?", **more}


@contextlib.asynccontextmanager
async def sending(agent: Agent, box: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(box.run())
    try:
        async with running(agent):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def empty(box: Outbox) -> None:
    async with asyncio.timeout(10):
        while box.waiting:  # noqa: ASYNC110 (what it still has to write tells nobody)
            await asyncio.sleep(0.01)


def refs(box: SmallBox) -> list[str]:
    """What a box has heard, and takes out of its list."""
    return [box.heard.get_nowait()["ref"] for _ in range(box.heard.qsize())]


async def test_what_is_asked_while_the_box_is_away_is_sent_once_in_its_order(
    box: SmallBox, screen: Identity, tmp_path: Path
) -> None:
    await box.stop()
    agent = agent_for(screen, box.ticket)
    out = Outbox(agent, tmp_path / "outbox.json")
    async with sending(agent, out):
        for ref in ("r1", "r2", "r1"):  # a page that came back says r1 again
            await out.add(ask(ref))
        assert out.waiting == 2
        await box.start()
        await empty(out)
        await asyncio.sleep(0.2)
    assert refs(box) == ["r1", "r2"]
    assert (tmp_path / "outbox.json").read_bytes() == b"[]"


async def test_it_survives_the_agent(box: SmallBox, screen: Identity, tmp_path: Path) -> None:
    before = Outbox(agent_for(screen, box.ticket), tmp_path / "outbox.json")
    await before.add(ask("r1"))
    agent = agent_for(screen, box.ticket)
    after = Outbox(agent, tmp_path / "outbox.json")
    await asyncio.to_thread(after.load)
    assert after.waiting == 1
    async with sending(agent, after):
        await empty(after)
    assert refs(box) == ["r1"]
    third = Outbox(agent, tmp_path / "outbox.json")
    await asyncio.to_thread(third.load)
    assert third.waiting == 0


async def test_what_the_box_does_not_confirm_is_sent_again(
    box: SmallBox, screen: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_S", 0.02)
    monkeypatch.setattr(outbox, "REPEAT_S", 0.3)
    box.acknowledges = False
    agent = agent_for(screen, box.ticket)
    out = Outbox(agent, tmp_path / "outbox.json")
    async with sending(agent, out):
        await until(agent, agent.live.is_set)
        await out.add(ask("r1"))
        assert (await asyncio.wait_for(box.heard.get(), 5))["ref"] == "r1"
        again = await asyncio.wait_for(box.heard.get(), 5)
        assert again == ask("r1", ack=True, role="staff")
        box.acknowledges = True
        await empty(out)


async def test_what_was_on_its_way_when_the_box_went_is_sent_again(
    box: SmallBox, screen: Identity, tmp_path: Path
) -> None:
    box.acknowledges = False
    agent = agent_for(screen, box.ticket)
    out = Outbox(agent, tmp_path / "outbox.json")
    async with sending(agent, out):
        await until(agent, agent.live.is_set)
        await out.add(ask("r1"))
        await asyncio.wait_for(box.heard.get(), 5)
        await box.stop()
        await until(agent, lambda: agent.state == "away")
        box.acknowledges = True
        await box.start()
        await empty(out)
    assert refs(box) == ["r1"]


async def test_too_many_are_refused(screen: Identity, tmp_path: Path) -> None:
    out = Outbox(agent_for(screen, None), tmp_path / "outbox.json", limit=2)
    await out.add(ask("r1"))
    await out.add(ask("r2"))
    with pytest.raises(ApplianceError) as told:
        await out.add(ask("r3"))
    assert told.value.code == "SCR511"
    assert out.waiting == 2


async def test_what_waited_too_long_is_given_up_and_that_is_told(
    box: SmallBox, screen: Identity, tmp_path: Path
) -> None:
    agent = agent_for(screen, box.ticket)
    out = Outbox(agent, tmp_path / "outbox.json", age_s=0)
    told: list[ApplianceError] = []
    out.given_up.append(told.append)
    await out.add(ask("r1"))
    async with sending(agent, out):
        await empty(out)
        await until(agent, agent.live.is_set)
    assert [error.code for error in told] == ["SCR508"]
    assert refs(box) == []


async def test_a_yes_is_not_kept_for_later(box: SmallBox, screen: Identity, tmp_path: Path) -> None:
    agent = agent_for(screen, box.ticket)
    out = Outbox(agent, tmp_path / "outbox.json")
    yes = ask("r1", plan={"form": "alert", "confirmed": True})
    with pytest.raises(ApplianceError) as told:
        await out.add(yes)
    assert (told.value.code, out.waiting) == ("SCR507", 0)
    async with sending(agent, out):
        await until(agent, agent.live.is_set)
        await out.add(yes)
        await empty(out)
    assert refs(box) == ["r1"]


@pytest.mark.parametrize("body", [b"", b"{", b'[{"ref": 1}]'])
async def test_a_file_that_cannot_be_read_is_as_none(screen: Identity, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "outbox.json").write_bytes(body)
    out = Outbox(agent_for(screen, None), tmp_path / "outbox.json")
    await asyncio.to_thread(out.load)
    assert out.waiting == 0
