"""Answers spoken to the screen that asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from appliance.bridge import Streams
from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.services.speech import PIECE, SpeechFlow
from appliance.services.voice import Voice
from appliance.types import Role, Signal
from tests.unit.screen.pictures.hospital import beds, signals


class Mouth(Voice):
    """A voice for tests: three and a half pieces of samples, and the text it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.hurts = False

    async def speak(self, text: str) -> bytes:
        await asyncio.sleep(0)
        if self.hurts:
            raise ApplianceError("BRG453", "The voice failed.")
        self.texts.append(text)
        return bytes([len(self.texts)]) * (PIECE * 3 + 1000)


def tell(stream: Stream, said: dict[str, Any], audience: Role = "wall") -> None:
    stream.write("a", [Signal(name, value, audience) for name, value in said.items()])


@pytest.fixture
def stream() -> Stream:
    stream = Streams().open("main")
    tell(stream, signals("beds"))
    return stream


async def heard(flow: SpeechFlow, pieces: int) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(2):
        while len(frames) < pieces:
            await flow.wait()
            if (frame := flow.take()) is not None:
                frames.append(frame)
    return frames


async def test_an_answer_is_spoken_in_pieces_with_a_beginning_and_an_end(stream: Stream) -> None:
    mouth = Mouth()
    flow = SpeechFlow(stream, "wall", mouth, asked=False)
    assert flow.hear({"type": "speak", "answer": "beds"})
    frames = await heard(flow, 5)
    assert mouth.texts == ["24 beds are free."]
    assert [len(frame.payload) for frame in frames] == [PIECE, PIECE, PIECE, 1000, 0]
    assert [frame.flags for frame in frames] == [KEYFRAME, 0, 0, 0, 0]
    assert {(f.type, f.width, f.height) for f in frames} == {(FrameType.AUDIO, 160, 1)}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flow.wait(), 0.05)


async def test_what_the_screen_asks_is_spoken_once_it_is_answered(stream: Stream) -> None:
    mouth = Mouth()
    flow = SpeechFlow(stream, "wall", mouth, asked=True)
    flow.hear({"type": "ask", "question": " How many  BEDS are clean? "})
    await asyncio.sleep(0.01)
    tell(stream, {"answers.order": ["new", "beds"], "answer.new.question": "How many beds are clean?"})
    await asyncio.sleep(0.01)
    assert mouth.texts == []
    tell(stream, {"answer.new.status": "answered", "answer.new.sentence": "3 beds are clean."})
    await heard(flow, 1)
    assert mouth.texts == ["3 beds are clean."]
    flow.close()


async def test_what_others_ask_is_not_spoken(stream: Stream) -> None:
    mouth = Mouth()
    flow = SpeechFlow(stream, "wall", mouth, asked=True)
    tell(stream, {"answers.order": ["x"], "answer.x.question": "Why?", "answer.x.status": "answered"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flow.wait(), 0.05)
    assert mouth.texts == []


@pytest.mark.parametrize("again", [{"type": "ask", "question": "More?"}, {"type": "speak", "answer": None}])
async def test_asking_anew_ends_what_is_being_said(stream: Stream, again: dict[str, Any]) -> None:
    flow = SpeechFlow(stream, "wall", Mouth(), asked=False)
    flow.hear({"type": "speak", "answer": "beds"})
    await heard(flow, 2)
    flow.hear(again)
    end = (await heard(flow, 1))[0]
    assert (end.payload, end.flags) == (b"", KEYFRAME)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flow.wait(), 0.05)


async def test_what_was_sent_whole_and_still_sounds_ends_too(stream: Stream) -> None:
    flow = SpeechFlow(stream, "wall", Mouth(), asked=False)
    flow.hear({"type": "speak", "answer": "beds"})
    await heard(flow, 5)
    for _ in range(2):
        flow.hear({"type": "speak", "answer": None})
    assert [(f.payload, f.flags) for f in await heard(flow, 1)] == [(b"", KEYFRAME)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flow.wait(), 0.05)


async def test_another_answer_takes_the_place_of_the_first(stream: Stream) -> None:
    tell(stream, {"answers.order": ["b", "beds"], "answer.b.question": "Q", "answer.b.status": "answered"})
    flow = SpeechFlow(stream, "wall", Mouth(), asked=False)
    flow.hear({"type": "speak", "answer": "beds"})
    await heard(flow, 2)
    flow.hear({"type": "speak", "answer": "b"})
    frames = await heard(flow, 6)
    assert [(len(f.payload), f.flags) for f in frames[:2]] == [(0, KEYFRAME), (PIECE, KEYFRAME)]
    assert {frame.payload[:1] for frame in frames[1:5]} == {b"\x02"}


async def test_only_what_the_role_sees_is_spoken(stream: Stream) -> None:
    tell(stream, beds() | {"answer.beds.sentence": "For staff alone."}, "staff")
    mouth = Mouth()
    for role, code in (("wall", "BRG452"), ("staff", None)):
        flow = SpeechFlow(stream, role, mouth, asked=False)  # type: ignore[arg-type]
        flow.hear({"type": "speak", "answer": "beds"})
        first = (await heard(flow, 1))[0]
        assert (first.json()["code"] if first.type == FrameType.CONTROL else None) == code
    assert mouth.texts == ["For staff alone."]


async def test_a_voice_that_fails_is_told_and_may_be_asked_again(stream: Stream) -> None:
    mouth = Mouth()
    mouth.hurts = True
    flow = SpeechFlow(stream, "wall", mouth, asked=False)
    flow.hear({"type": "speak", "answer": "beds"})
    told = (await heard(flow, 1))[0].json()
    assert (told["type"], told["code"]) == ("error", "BRG453")
    mouth.hurts = False
    flow.hear({"type": "speak", "answer": "beds"})
    assert (await heard(flow, 1))[0].type == FrameType.AUDIO
