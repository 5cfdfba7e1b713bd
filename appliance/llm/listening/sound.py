"""Samples, made fit to be heard: one channel, 16,000 a second, without the silence around the words.

>>> tone = np.sin(np.arange(48_000) * 0.1).astype(np.float32)
>>> len(resample(tone, 48_000, RATE))
16000
>>> trimmed(np.concatenate([np.zeros(16_000, np.float32), tone[:8000], np.zeros(32_000, np.float32)])).size
14400
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""One channel, from -1 to 1."""
RATE: Final = 16_000
TAPS: Final = 63
FRAME: Final = RATE // 50
AROUND: Final = RATE // 5
"""Samples of silence that stay before and after the words."""
QUIET: Final = 0.003
"""A root mean square under which nobody spoke: -50 dB of full scale."""


def resample(heard: npt.NDArray[Any], rate: int, wanted: int) -> npt.NDArray[np.float64]:
    """Samples at another rate: first without what the new rate cannot carry, then read between the old ones."""
    at: npt.NDArray[np.float64] = np.arange(int(len(heard) * wanted / rate)) * np.float64(rate / wanted)
    if not len(heard):
        return at
    smooth: npt.NDArray[Any] = heard
    if rate != wanted:
        highest = 0.45 * min(rate, wanted) / rate
        steps = np.arange(TAPS) - TAPS // 2
        sieve = 2 * highest * np.sinc(2 * highest * steps) * np.hamming(TAPS)
        smooth = np.convolve(heard, sieve / sieve.sum(), "same")[: len(heard)]
    return np.asarray(np.interp(at, np.arange(len(smooth)), smooth), np.dtype(np.float64))


def from_pcm(samples: bytes, rate: int, channels: int) -> Samples:
    """Signed 16-bit little-endian samples, channels interleaved, as one channel at :data:`RATE`."""
    whole = len(samples) - len(samples) % (2 * channels)
    heard = np.frombuffer(samples[:whole], "<i2").reshape(-1, channels).mean(axis=1) / 32768.0
    return resample(heard, rate, RATE).astype(np.float32)


def trimmed(heard: Samples) -> Samples:
    """Without the silence before and after the words; empty where nobody spoke.

    What is silence is measured against the loudest tenth: a quiet voice in a quiet room is not cut away.
    """
    frames = heard[: len(heard) - len(heard) % FRAME].reshape(-1, FRAME)
    if not len(frames):
        return heard[:0]
    loud = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    voice = float(np.quantile(loud, 0.9))
    peak = float(loud.max())
    if peak < QUIET:
        return heard[:0]
    spoken = np.flatnonzero(loud > max(QUIET / 2, min(voice, peak) * 0.08))
    begin, end = spoken[0] * FRAME - AROUND, (spoken[-1] + 1) * FRAME + AROUND
    return heard[max(0, begin) : end]


def levelled(heard: Samples) -> Samples:
    """Without an offset, and loud enough: microphones differ tenfold, and the model was taught on level ones."""
    even = heard - heard.mean()
    peak = float(np.abs(even).max(initial=0.0))
    return np.asarray(even * min(20.0, 0.6 / peak), np.float32) if peak > 0 else even
