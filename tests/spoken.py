"""Questions spoken by flite, as a microphone would give them to a box; and what one hears of silence."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from appliance.llm.listening.listener import Listener
from appliance.llm.listening.said import Heard, Utterance


class Spoken(NamedTuple):
    """16-bit samples of one channel."""

    samples: bytes
    rate: int

    def padded(self, before_s: float, after_s: float) -> Spoken:
        """With silence around it."""
        quiet = [b"\0\0" * int(seconds * self.rate) for seconds in (before_s, after_s)]
        return Spoken(quiet[0] + self.samples + quiet[1], self.rate)

    def wave(self) -> bytes:
        """As a WAV file."""
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(self.rate)
            out.writeframes(self.samples)
        return file.getvalue()


@cache
def spoken(text: str, voice: str = "rms") -> Spoken:
    """What a voice says."""
    program = shutil.which("flite")
    if program is None:
        pytest.fail("This test speaks: apt-get install flite", pytrace=False)
    file = Path("/dev/stdout")
    said = subprocess.run([program, "-voice", voice, "-t", text, "-o", str(file)], capture_output=True, check=True)
    with wave.open(io.BytesIO(said.stdout)) as sound:
        return Spoken(sound.readframes(sound.getnframes()), sound.getframerate())


def hear(listener: Listener, said: Spoken, *words: str) -> Heard:
    """What a box hears of it, with names that may occur in it."""
    return listener.hear(Utterance(said.samples, said.rate, 1, words))


def heard_whole(listener: Listener, question: str) -> Heard:
    """What it hears of a question, once that is known to be the question, word for word."""
    heard = hear(listener, spoken(question))
    assert heard.text.casefold().rstrip("?.") == question.casefold().rstrip("?.")
    return heard


def noise(seconds: float, loudness: float = 0.0005, rate: int = 16_000) -> Spoken:
    """A room in which nobody speaks."""
    heard = np.random.default_rng(1).normal(0, loudness, int(seconds * rate))
    return Spoken((heard * 32767).astype("<i2").tobytes(), rate)
