"""Answers spoken to the screen that asked: AUDIO frames in pieces of a quarter of a second.

    subscribe {..., "speak": true}     what this screen asks from now on is spoken once it is answered
    CONTROL speak {"answer": "<id>"}   this answer is spoken now; without an answer: silence

What is spoken is read from the signals that the screen's own role sees, so nothing is said that it may not show. The
first frame of a text is a KEYFRAME: whatever still sounds ends there. The last one has no samples.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, control
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.screen.answers import ShownAnswer, answers
from appliance.services.voice import CHANNELS, RATE, Voice
from appliance.types import Role

PIECE: Final = RATE // 4 * 2 * CHANNELS
"""Bytes of samples in a frame: 250 ms."""
SLACK_S: Final = 5.0
"""A slow screen plays what it got late, by as much as this."""
SETTLE_S: Final = 0.03
"""Who asks for one answer after another, faster than that, hears the last one; no program is started for the others."""
ANSWERED_S: Final = 120.0
"""How long an answer is waited for that is to be spoken."""


class SpeechFlow:
    """A :class:`~appliance.bridge.flow.Flow` of what is spoken to one receiver; holds one text at most.

    Args:
        stream, role: where answers are read.
        voice: who speaks.
        asked: speak the answers to what the screen asks.
    """

    deflate = False

    def __init__(self, stream: Stream, role: Role, voice: Voice, *, asked: bool) -> None:
        self._stream, self._role, self._voice, self._asked = stream, role, voice, asked
        self._samples = b""
        self._at: int | None = None
        self._sounds_until = 0.0  # the screen may have all samples long before it has played them
        self._told: list[Frame] = []
        self._more = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return when there is something to say."""
        await self._more.wait()

    def take(self) -> Frame | None:
        """The next quarter of a second, or an error to tell."""
        if self._told:
            frame = self._told.pop(0)
        elif self._at is None:
            frame = None
        else:
            frame = self._piece(self._at)
        if not self._told and self._at is None:
            self._more.clear()
        return frame

    def _piece(self, at: int) -> Frame:
        piece = self._samples[at : at + PIECE]
        if at == 0:
            self._sounds_until = time.monotonic() + len(self._samples) / (2 * RATE * CHANNELS) + SLACK_S
        self._at = at + PIECE if piece else None
        if not piece:
            self._samples = b""
        return _audio(piece, KEYFRAME if at == 0 else 0)

    def again(self) -> None:
        """Sound that was missed is not told again."""

    def hear(self, said: dict[str, Any]) -> bool:
        """Speak an answer, or the one to a question that is asked just now; either ends what is being said."""
        kind = said.get("type")
        if kind == "speak":
            self._start(self._speak(str(said["answer"])) if said.get("answer") else None)
        elif kind == "ask":
            known = {shown.id for shown in self._answers()} if self._asked else set()
            self._start(self._speak_asked(str(said.get("question", "")), known) if self._asked else None)
        return kind == "speak"

    def close(self) -> None:
        """Say no more."""
        if self._work is not None:
            self._work.cancel()

    def _start(self, work: Coroutine[Any, Any, None] | None) -> None:
        if self._work is not None:
            self._work.cancel()
        if self._at is not None or time.monotonic() < self._sounds_until:
            self._at, self._samples, self._sounds_until = None, b"", 0.0
            self._tell(_audio(b"", KEYFRAME))
        self._work = None if work is None else asyncio.create_task(self._heedful(work))

    async def _heedful(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await asyncio.sleep(SETTLE_S)
            await work
        except ApplianceError as error:
            self._tell(control("error", **error.shape()))
        except TimeoutError:  # what was asked has no answer yet: it will be shown, and not spoken so late
            return

    def _tell(self, frame: Frame) -> None:
        self._told = [*self._told[-3:], frame]
        self._more.set()

    async def _speak(self, answer: str) -> None:
        shown = next((shown for shown in self._answers() if shown.id == answer), None)
        if shown is None or not shown.status:
            raise ApplianceError("BRG452", "There is no such answer to speak.", answer[:80])
        await self._say(shown.told)

    async def _speak_asked(self, question: str, known: set[str]) -> None:
        words = _words(question)
        async with asyncio.timeout(ANSWERED_S):
            while True:
                version = self._stream.view(self._role).version
                for shown in self._answers():
                    if shown.id not in known and shown.status and _words(shown.question) == words:
                        await self._say(shown.told)
                        return
                await self._stream.wait(self._role, version)

    async def _say(self, text: str) -> None:
        samples = await self._voice.speak(text)
        self._samples, self._at = samples, 0
        self._more.set()

    def _answers(self) -> list[ShownAnswer]:
        return answers(self._stream.view(self._role).values)


def _words(question: str) -> str:
    return " ".join(question.split()).casefold()


def _audio(samples: bytes, flags: int) -> Frame:
    return Frame(FrameType.AUDIO, samples, flags, width=RATE // 100, height=CHANNELS)
