"""What is listened to, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Utterance(msgspec.Struct, frozen=True):
    """What somebody said.

    Attributes:
        samples: signed 16-bit little-endian, channels interleaved.
        rate: samples a second of each channel.
        channels: how many.
        words: names that may occur in it: of collections, fields, values.
    """

    samples: bytes
    rate: int
    channels: int = 1
    words: Sequence[str] = ()

    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / (2 * self.rate * self.channels)


class Heard(msgspec.Struct, frozen=True):
    """What was understood.

    Attributes:
        text: a sentence; never empty.
        sure: whether it may be taken for what was said without asking.
        others: up to two other texts that it may have been.
        mean: the mean logarithm of a piece's likelihood.
        seconds: of speech.
    """

    text: str
    sure: bool
    others: list[str]
    mean: float
    seconds: float
