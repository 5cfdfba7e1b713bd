"""Moonshine as an engine: the network, the search, and the favour for the facility's own names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.llm.listening.engine import Guess
from appliance.llm.listening.hints import Hints
from appliance.llm.listening.names import ASKED
from appliance.llm.listening.network import Network
from appliance.llm.listening.search import search
from appliance.llm.listening.sound import RATE, Samples, levelled

PIECES_A_SECOND: Final = 6.5
"""More is not spoken: a model that writes more repeats itself."""


class Moonshine:
    """A model of Moonshine's.

    Args:
        folder: of its three files.
        threads: that it may use.

    Raises:
        ApplianceError: LLM230, it cannot be loaded.
    """

    sure = -0.18
    """See docs/adr/0014."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._network = Network(folder, threads)
        self._hints: tuple[Sequence[str], Hints] | None = None

    def hear(self, sound: Samples, words: Sequence[str]) -> list[Guess]:
        """What was said; see :class:`~appliance.llm.listening.engine.Engine`."""
        limit = int(len(sound) / RATE * PIECES_A_SECOND) + 8
        found = search(self._network, self._network.encode(levelled(sound)), self._hints_of(words), limit)
        return [Guess(self._network.tokens.text(each.pieces), each.mean) for each in found]

    def _hints_of(self, words: Sequence[str]) -> Hints:
        """Those of the last utterance where its words were the same: a role's names seldom change."""
        if self._hints is None or self._hints[0] != words:
            self._hints = words, Hints(pieces for word in (*words, *ASKED) for pieces in self._ways(word))
        return self._hints[1]

    def _ways(self, word: str) -> list[tuple[int, ...]]:
        """The pieces of a word as it may stand in a sentence: as it is, small, and with a capital."""
        ways = {word, word.lower(), word[:1].upper() + word[1:]}
        return [pieces for way in sorted(ways) if (pieces := self._network.tokens.pieces(way))]
