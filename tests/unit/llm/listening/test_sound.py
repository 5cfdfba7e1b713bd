"""Samples made fit to be heard."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.llm.listening.sound import RATE, from_pcm, levelled, resample, trimmed
from tests.spoken import noise, spoken


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0, loud: float = 0.3) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_a_tone_of_any_rate_is_the_same_tone(rate: int) -> None:
    heard = resample(tone(1.0, rate), rate, RATE)
    assert abs(len(heard) - RATE) <= 1
    assert int(np.abs(np.fft.rfft(heard[:RATE] * np.hanning(len(heard[:RATE])))).argmax()) == 440


def test_two_channels_become_one() -> None:
    left, right = tone(0.5), np.zeros(RATE // 2)
    both = (np.stack([left, right], 1) * 32767).astype("<i2").tobytes()
    heard = from_pcm(both, RATE, 2)
    assert len(heard) == RATE // 2
    assert np.allclose(heard, left / 2, atol=1e-3)


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert len(from_pcm(b"\0" * 101, RATE, 2)) == 25


def test_silence_around_the_words_is_cut() -> None:
    said = spoken("How many beds are free?")
    inside = trimmed(from_pcm(said.samples, said.rate, 1))
    padded = said.padded(3.0, 4.0)
    assert abs(len(trimmed(from_pcm(padded.samples, padded.rate, 1))) - len(inside)) < RATE * 0.5


def test_nobody_spoke() -> None:
    assert trimmed(from_pcm(noise(2.0).samples, RATE, 1)).size == 0
    assert trimmed(np.zeros(0, np.float32)).size == 0


def test_a_quiet_voice_is_kept_and_made_loud_enough() -> None:
    quiet = (tone(1.0) * 0.05).astype(np.float32)
    assert trimmed(quiet).size > RATE * 0.9
    assert np.abs(levelled(quiet)).max() > 0.25
    assert np.abs(levelled(np.zeros(10, np.float32))).max() == 0
