"""What hears: a model of speech that is loaded when first needed, and let go when nobody spoke for a while."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.errors import ApplianceError
from appliance.llm.listening.hints import Hints
from appliance.llm.listening.names import ASKED
from appliance.llm.listening.said import Heard, Utterance
from appliance.llm.listening.search import search
from appliance.llm.listening.sound import RATE, from_pcm, levelled, trimmed
from appliance.types import UTTERANCE_S

if TYPE_CHECKING:
    from appliance.llm.listening.network import Network

SHORTEST_S: Final = 0.3
PIECES_A_SECOND: Final = 6.5
"""More is not spoken: a model that writes more repeats itself."""
SURE: Final = -0.18
"""The mean logarithm of a piece from which a text is taken for what was said; see docs/adr/0014."""
KEPT_S: Final = 600.0
_HYPHEN: Final = re.compile(r"\b([Tt])o-(day|night|morrow)\b")
_WORD: Final = re.compile(r"\w+")


class Listener:
    """Hears one utterance at a time, whoever calls.

    Args:
        folder: of the model; None where this box has none.
        threads: that it may use.
    """

    def __init__(self, folder: Path | None, threads: int = 2) -> None:
        self._folder, self._threads = folder, threads
        self._network: Network | None = None
        self._hints: tuple[Sequence[str], Hints] | None = None
        self._turn = threading.Lock()
        self._used_at = 0.0

    @property
    def here(self) -> bool:
        """Whether there is a model."""
        return self._folder is not None and (self._folder / "tokenizer.bin").is_file()

    def ready(self) -> None:
        """Load the model if it is not loaded.

        Raises:
            ApplianceError: LLM230, there is none, or it cannot be loaded.
        """
        with self._turn:
            self._loaded()

    def hear(self, said: Utterance) -> Heard:
        """The words of it.

        Raises:
            ApplianceError: LLM230, there is no model; LLM231, nobody spoke; LLM232, it is too long or no sound.
        """
        if said.rate < 8000 or said.channels < 1 or said.seconds() > UTTERANCE_S:
            told = {"rate": said.rate, "channels": said.channels, "seconds": round(said.seconds(), 1)}
            raise ApplianceError("LLM232", "This cannot be listened to.", told, f"At most {UTTERANCE_S:.0f} seconds.")
        sound = trimmed(from_pcm(said.samples, said.rate, said.channels))
        seconds = len(sound) / RATE
        if seconds < SHORTEST_S:
            raise nothing_said()
        with self._turn:
            network = self._loaded()
            hints = self._hints_of(network, said.words)
            found = search(network, network.encode(levelled(sound)), hints, int(seconds * PIECES_A_SECOND) + 8)
        texts = [text for each in found if (text := tidied(network.tokens.text(each.pieces)))]
        if not texts:
            raise nothing_said()
        mean = found[0].mean
        others = list({_bare(text): text for text in reversed(texts) if _bare(text) != _bare(texts[0])}.values())[::-1][
            :2
        ]
        return Heard(texts[0], mean > SURE, others, round(mean, 3), round(seconds, 2))

    def _hints_of(self, network: Network, words: Sequence[str]) -> Hints:
        """Those of the last utterance where its words were the same: a role's names seldom change."""
        if self._hints is None or self._hints[0] != words:
            self._hints = words, Hints(pieces for word in (*words, *ASKED) for pieces in _ways(network, word))
        return self._hints[1]

    def rest(self) -> bool:
        """Let the model go where nobody spoke for ten minutes; whether it was."""
        with self._turn:
            if self._network is None or time.monotonic() - self._used_at < KEPT_S:
                return False
            self._network = self._hints = None
            return True

    def _loaded(self) -> Network:
        if self._folder is None or not self.here:
            raise ApplianceError(
                "LLM230",
                "This box has no model that hears speech.",
                None,
                "Run the setup again, or see listening_model.",
            )
        if self._network is None:
            from appliance.llm.listening.network import Network  # its library takes 40 MB, which silence does not need

            self._network = Network(self._folder, self._threads)
        self._used_at = time.monotonic()
        return self._network


def tidied(text: str) -> str:
    """The text as it is written today, without a comma at its end.

    >>> tidied("How many come to-morrow,")
    'How many come tomorrow'
    """
    return _HYPHEN.sub(r"\1o\2", text).rstrip(" ,;:-")


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def nothing_said() -> ApplianceError:
    """What is told where no words were heard."""
    return ApplianceError("LLM231", "Nothing was heard.", None, "Speak nearer to the microphone, then let go.")


def _ways(network: Network, word: str) -> list[tuple[int, ...]]:
    """The pieces of a word as it may stand in a sentence: as it is, small, and with a capital."""
    ways = {word, word.lower(), word[:1].upper() + word[1:]}
    return [pieces for way in sorted(ways) if (pieces := network.tokens.pieces(way))]
