"""Speech at a real box: sound frames up, words down; the same by the API; nothing of it kept."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from appliance.bridge import Decoder, control, encode
from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from tests.box import Box, running_box
from tests.receiver import socket_url
from tests.spoken import Spoken, noise, spoken
from tests.whisper_model import whisper_file

CLEAR = "How many beds are free in cardiology?"


def frames(said: Spoken, rate: int = 0) -> Iterator[bytes]:
    """The frames of an utterance, a quarter of a second each."""
    rate, step = rate or said.rate, said.rate // 4 * 2
    for at in range(0, len(said.samples), step):
        piece = said.samples[at : at + step]
        yield encode(Frame(FrameType.AUDIO, piece, 0 if at else KEYFRAME, width=rate // 100, height=1))
    yield encode(Frame(FrameType.AUDIO, b"", width=rate // 100, height=1))


def stereo(said: Spoken) -> bytes:
    """A WAV file of two channels: more than a mebibyte."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(said.rate)
        out.writeframes(np.repeat(np.frombuffer(said.samples, "<i2"), 2).tobytes())
    return file.getvalue()


async def told(box: Box, *sent: bytes, kinds: tuple[str, ...] = ("heard", "error")) -> dict[str, Any]:
    """The first control frame of such a kind after these frames."""
    async with connect(socket_url(box.url), proxy=None, max_size=None) as socket:
        decoder, waiting = Decoder(), list(sent)
        await socket.send(encode(control("subscribe", stream="main")))
        async with asyncio.timeout(20):
            while True:
                message = await socket.recv()
                assert isinstance(message, bytes)
                for frame in decoder.feed(message):
                    said = frame.json()
                    if frame.type == FrameType.CONTROL and said["type"] == "hello":
                        assert said["listens"] is True
                        for each in waiting:
                            await socket.send(each)
                    elif frame.type == FrameType.CONTROL and said["type"] in kinds:
                        return said


async def test_what_is_said_comes_back_as_words(box: Box) -> None:
    heard = await told(box, *frames(spoken(CLEAR)))
    assert (heard["text"], heard["sure"]) == (CLEAR, True)
    assert isinstance(heard["others"], list)


async def test_two_screens_speak_at_once(box: Box) -> None:
    texts = (CLEAR, "Do we have any morphine?")
    both = await asyncio.gather(*(told(box, *frames(spoken(text))) for text in texts))
    assert [heard["text"].casefold() for heard in both] == [text.casefold() for text in texts]


async def test_silence_and_nonsense_are_told_and_the_line_stays(box: Box) -> None:
    assert (await told(box, *frames(noise(1.0))))["code"] == "LLM231"
    assert (await told(box, *frames(noise(1.0), rate=6_000)))["code"] == "SIG308"
    # the line goes on: the next is heard
    assert (await told(box, *frames(noise(1.0)), *frames(spoken(CLEAR)), kinds=("heard",)))["text"] == CLEAR


async def test_a_sound_file_at_the_api(box: Box) -> None:
    async with httpx.AsyncClient(base_url=box.url, timeout=20, trust_env=False) as client:
        answer = await client.post("/api/listen", content=spoken(CLEAR).wave(), headers={"Content-Type": "audio/wav"})
        heard = answer.json()
        assert (answer.status_code, heard["text"], heard["sure"]) == (200, CLEAR, True)
        assert 1.5 < heard["seconds"] < 4
        long = Spoken(spoken(CLEAR).samples + noise(27.0).samples, 16_000)
        assert (await client.post("/api/listen", content=stereo(long))).json()["text"] == CLEAR
        for body, code in (
            (b"no sound", "LLM232"),
            (bytes(7_000_000), "LLM232"),
            (noise(1.0).wave(), "LLM231"),
            (noise(31.0).wave(), "LLM232"),
        ):
            refused = await client.post("/api/listen", content=body)
            assert refused.json()["code"] == code
            assert set(refused.json()) == {"code", "message", "details", "hint"}
        asked = await client.post("/api/ask", json={"question": heard["text"]})
        assert asked.json()["status"] == "answered"


def test_a_whisper_file_that_the_settings_name_is_what_hears() -> None:
    with running_box("--no-mdns", "--listening-model", str(whisper_file())) as box:
        question = "How many beds are free in cardiology?"
        answer = httpx.post(f"{box.url}/api/listen", content=spoken(question).wave(), timeout=60, trust_env=False)
        heard = answer.json()
        assert (answer.status_code, heard["text"].casefold().rstrip(".?")) == (200, question.casefold().rstrip("?"))
        asked = httpx.post(f"{box.url}/api/ask", json={"question": heard["text"]}, timeout=40, trust_env=False)
        assert asked.json()["status"] == "answered"
