"""What every engine of speech does: a sound to the texts that it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.listening.sound import Samples


class Guess(msgspec.Struct, frozen=True):
    """A text that may have been said.

    Attributes:
        text: as the model writes it; may be empty.
        mean: the mean logarithm of the likelihood of its pieces.
    """

    text: str
    mean: float


class Engine(Protocol):
    """A model of speech that is loaded.

    Attributes:
        sure: the mean from which a text is taken for what was said, without asking.
    """

    sure: float

    def hear(self, sound: Samples, words: Sequence[str]) -> list[Guess]:
        """What was said, the likeliest first; nothing where no words were heard.

        Args:
            sound: one channel, 16,000 samples a second, without the silence around it.
            words: names that may occur in it, the most frequent first.
        """
        ...


def cannot_load(reason: str) -> ApplianceError:
    """What is told of a model that cannot be loaded."""
    sentence = "The model that hears speech cannot be loaded."
    return ApplianceError("LLM230", sentence, reason[:300], "See listening_model.")
