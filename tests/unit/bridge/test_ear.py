"""Frames of sound from a screen, the words it is told, and what makes no sense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from appliance.bridge import Member
from appliance.bridge.ear import Ear, Said
from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.errors import ApplianceError
from appliance.types import UTTERANCE_S

RATE = 16_000


class Understanding:
    """Tells how many samples it got."""

    def __init__(self) -> None:
        self.made_ready = 0
        self.heard: list[Said] = []
        self.wait: asyncio.Event | None = None
        self.fault: ApplianceError | None = None

    async def ready(self, member: Member) -> None:
        self.made_ready += 1
        if self.fault:
            raise self.fault

    async def hear(self, member: Member, said: Said) -> dict[str, Any]:
        if self.wait is not None:
            await self.wait.wait()
        self.heard.append(said)
        if self.fault:
            raise self.fault
        return {"text": f"{len(said.samples) // 2} samples of {member.screen}", "sure": True, "others": []}


class Spoken:
    """An ear, what it told, and what stands behind it."""

    def __init__(self) -> None:
        self.understanding = Understanding()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.ear = Ear(Member("tablet", "staff"), self.understanding, self._tell)

    async def _tell(self, frame: Frame) -> None:
        self.told.put_nowait(frame.json())

    def say(self, samples: int, *, begins: bool = False, rate: int = RATE, channels: int = 1, odd: int = 0) -> None:
        payload = bytes(2 * channels * samples + odd)
        flags = KEYFRAME if begins else 0
        self.ear.take(Frame(FrameType.AUDIO, payload, flags, width=rate // 100, height=channels))

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.told.get(), 2)


@pytest.fixture
async def spoken() -> AsyncIterator[Spoken]:
    spoken = Spoken()
    yield spoken
    spoken.ear.close()
    await asyncio.sleep(0)


async def test_pieces_are_heard_as_one_once_the_last_is_there(spoken: Spoken) -> None:
    spoken.say(4000, begins=True)
    spoken.say(4000)
    await asyncio.sleep(0.01)
    assert (spoken.understanding.made_ready, spoken.understanding.heard) == (1, [])
    spoken.say(0)
    assert await spoken.next() == {"type": "heard", "text": "8000 samples of tablet", "sure": True, "others": []}


async def test_a_fault_is_told_and_the_next_utterance_is_heard(spoken: Spoken) -> None:
    spoken.understanding.fault = ApplianceError("LLM231", "Nothing was heard.")
    spoken.say(10, begins=True)
    spoken.say(0)
    assert (await spoken.next())["code"] == "LLM231"
    spoken.understanding.fault = None
    spoken.say(10, begins=True)
    spoken.say(0)
    assert (await spoken.next())["text"] == "10 samples of tablet"


async def test_a_new_beginning_ends_the_one_before(spoken: Spoken) -> None:
    spoken.understanding.wait = asyncio.Event()
    spoken.say(10, begins=True)
    spoken.say(0)
    await asyncio.sleep(0.01)
    spoken.say(20, begins=True)
    spoken.understanding.wait.set()
    spoken.say(0)
    assert (await spoken.next())["text"] == "20 samples of tablet"
    assert [len(said.samples) for said in spoken.understanding.heard] == [40]


async def test_a_beginning_without_sound_takes_back_what_was_said(spoken: Spoken) -> None:
    spoken.say(10, begins=True)
    spoken.say(0, begins=True)
    spoken.say(0)
    await asyncio.sleep(0.02)
    assert (spoken.told.qsize(), spoken.understanding.heard) == (0, [])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"rate": 7_900}, "SIG308"),
        ({"rate": 96_000}, "SIG308"),
        ({"channels": 3}, "SIG308"),
        ({"odd": 1}, "SIG308"),
        ({"samples": int(RATE * (UTTERANCE_S + 1))}, "LLM232"),
    ],
)
async def test_what_makes_no_sense_is_told_once(spoken: Spoken, given: dict[str, Any], code: str) -> None:
    spoken.say(**{"samples": 10, "begins": True} | given)
    assert (await spoken.next())["code"] == code
    spoken.say(10)
    spoken.say(0)
    await asyncio.sleep(0.01)
    assert (spoken.told.qsize(), spoken.understanding.heard) == (0, [])


async def test_sound_may_not_change_on_the_way(spoken: Spoken) -> None:
    spoken.say(10, begins=True)
    spoken.say(10, rate=8_000)
    assert (await spoken.next())["code"] == "SIG308"


async def test_what_never_ends_takes_no_more_memory(spoken: Spoken) -> None:
    spoken.say(1, begins=True)
    for _ in range(100):
        spoken.say(RATE)
    assert (await spoken.next())["code"] == "LLM232"
    assert spoken.ear._pieces is None
