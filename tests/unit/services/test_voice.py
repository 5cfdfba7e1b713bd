"""The voice: real speech from the real program, and what happens where it fails."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from appliance.errors import ApplianceError
from appliance.llm.listening.sound import resample
from appliance.services import voice as module
from appliance.services.voice import RATE, Voice, speakable

SENTENCE = "Seven beds are free in cardiology."


def heard(samples: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(samples, "<i2").astype(np.float64)


async def test_a_sentence_can_be_heard_and_takes_its_time() -> None:
    sound = heard(await Voice("en").speak(SENTENCE))
    assert 1.0 < len(sound) / RATE < 5.0
    assert np.sqrt(np.mean(sound**2)) > 500
    assert np.abs(sound).max() <= 32767
    loud = np.abs(np.fft.rfft(sound))
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert loud[(hertz > 100) & (hertz < 4000)].sum() > 3 * loud[hertz > 4000].sum()


async def test_a_longer_text_takes_longer_up_to_the_limit() -> None:
    short, long = [len(await Voice("en").speak(text)) for text in (SENTENCE, SENTENCE * 3)]
    assert long > 2 * short
    assert len(await Voice("en", limit=len(SENTENCE)).speak(SENTENCE * 9)) < 1.5 * short


@pytest.mark.parametrize(
    "text", ["--help", "-v nowhere", "; rm -rf /", "$(date)", "<break time='60s'/> yes", "-f /etc/passwd"]
)
async def test_no_text_is_an_option_or_a_command(text: str) -> None:
    sound = heard(await Voice("en").speak(text))
    assert 0.2 < len(sound) / RATE < 15
    assert np.sqrt(np.mean(sound**2)) > 300


def test_text_is_one_line_of_what_can_be_printed() -> None:
    assert speakable("a\n\x00b\t\x1b c") == "a b c"


async def test_nothing_to_say_is_silence() -> None:
    assert await Voice("en").speak(" \n ") == b""


async def test_the_same_sentence_is_spoken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Voice("en")
    first = await mouth.speak(SENTENCE)
    monkeypatch.setattr(mouth, "_say", None)
    assert await mouth.speak(SENTENCE) is first


async def test_without_the_program_the_box_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ApplianceError) as caught:
        await Voice("en").speak(SENTENCE)
    assert (caught.value.code, caught.value.hint) == ("BRG411", "apt-get install espeak-ng")


@pytest.mark.parametrize("name", ["nosuchvoice", "-h", "en --path=/", ""])
async def test_a_voice_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        await Voice(name).speak(SENTENCE)
    assert caught.value.code == "BRG453"


async def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.to_thread(_hanging, tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    began = time.monotonic()
    with pytest.raises(ApplianceError) as caught:
        await Voice("en", timeout_s=0.3).speak(SENTENCE)
    assert caught.value.code == "BRG453"
    assert time.monotonic() - began < 5
    assert not await asyncio.to_thread(_runs, tmp_path)


def _runs(folder: Path) -> bool:
    return Path("/proc", (folder / "pid").read_text().strip()).exists()


def _hanging(folder: Path) -> None:
    program = folder / module.PROGRAM
    program.write_text(f"#!/bin/sh\necho $$ >{folder}/pid\nexec sleep 60\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_tone_is_the_same_tone_at_another_rate() -> None:
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)
    sound = resample(tone, 22_050, RATE)
    assert len(sound) == RATE
    loud = np.abs(np.fft.rfft(sound * np.hanning(RATE)))
    assert int(loud.argmax()) == 440
    assert loud[:430].max() < loud[440] / 300
    assert loud[450:].max() < loud[440] / 300


def test_what_the_new_rate_cannot_carry_is_gone() -> None:
    tone = 8000 * np.sin(2 * np.pi * 10_000 * np.arange(22_050) / 22_050)
    sound = resample(tone, 22_050, RATE)
    assert np.sqrt(np.mean(sound**2)) < 80
