"""Whisper as an engine: a GGML file, run by whisper.cpp.

The only module that knows its library. A file is one that whisper.cpp reads (``ggml-base.en.bin`` and its like, whole
or quantized); where its model knows many languages, it is told which one the box speaks. The names of the facility go
into the prompt, which the model takes for what was said before (Radford et al. 2022, arXiv:2212.04356).
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import _pywhispercpp as library
import numpy as np

from appliance.llm.listening.engine import Guess, cannot_load
from appliance.llm.listening.ggml import fault
from appliance.llm.listening.sound import RATE, Samples, levelled

PIECES_A_SECOND: Final = 8.0
PROMPT_PIECES: Final = 120
"""Of the names: half of what the model would read, since each costs time before the first word is written."""
SHORTEST_S: Final = 1.1
"""The model hears nothing in less than a second."""


class Whisper:
    """A model in a GGML file.

    Args:
        file: where it is.
        threads: that it may use.
        language: two letters, for models that know several.

    Raises:
        ApplianceError: LLM230, it cannot be loaded.
    """

    sure = -0.25
    """See docs/adr/0014."""

    def __init__(self, file: Path, threads: int, language: str = "en") -> None:
        if why := fault(file):
            raise cannot_load(f"{file.name} {why}.")
        _silence()
        chosen = library.whisper_context_default_params()
        chosen.use_gpu = False
        self._context: Any = library.whisper_init_from_file_with_params(str(file), chosen)
        if self._context is None:
            raise cannot_load(f"whisper.cpp does not read {file.name}.")
        self._threads = threads
        self._language = language if library.whisper_is_multilingual(self._context) else "en"
        self._last = library.whisper_token_eot(self._context)

    def hear(self, sound: Samples, words: Sequence[str]) -> list[Guess]:
        """What was said: one text at most; see :class:`~appliance.llm.listening.engine.Engine`."""
        seconds = len(sound) / RATE
        padded = np.pad(levelled(sound), (0, max(0, int(SHORTEST_S * RATE) - len(sound))))
        if library.whisper_full(self._context, self._chosen(seconds, words), padded, len(padded)):
            return []
        segments = range(library.whisper_full_n_segments(self._context))
        pieces = [(place, at) for place in segments for at in range(self._count(place))]
        scores = [self._likelihood(*piece) for piece in pieces if self._is_text(*piece)]
        text = b"".join(library.whisper_full_get_segment_text(self._context, place) for place in segments)
        return [Guess(" ".join(text.decode(errors="replace").split()), float(np.mean(scores)))] if scores else []

    def __del__(self) -> None:
        if getattr(self, "_context", None) is not None:
            library.whisper_free(self._context)

    def _chosen(self, seconds: float, words: Sequence[str]) -> Any:
        chosen = library.whisper_full_default_params(library.whisper_sampling_strategy.WHISPER_SAMPLING_BEAM_SEARCH)
        chosen.print_progress = chosen.print_realtime = chosen.print_timestamps = chosen.print_special = False
        chosen.no_timestamps = chosen.single_segment = chosen.no_context = True
        chosen.suppress_nst = True  # no "[music]"
        chosen.temperature_inc = 0.0  # the same sound is the same text, in a time that is known
        chosen.max_tokens = int(seconds * PIECES_A_SECOND) + 8
        chosen.n_threads, chosen.language = self._threads, self._language
        if words:
            chosen.initial_prompt = prompt(words)
        return chosen

    def _count(self, segment: int) -> int:
        return int(library.whisper_full_n_tokens(self._context, segment))

    def _is_text(self, segment: int, at: int) -> bool:
        return bool(library.whisper_full_get_token_id(self._context, segment, at) < self._last)

    def _likelihood(self, segment: int, at: int) -> float:
        return float(np.log(max(library.whisper_full_get_token_p(self._context, segment, at), 1e-9)))


def prompt(words: Sequence[str]) -> str:
    """The names as a text that might have been said before, as long as the model may read.

    >>> prompt(["Cardiology", "ICU"])
    'Cardiology, ICU.'
    """
    kept, letters = list[str](), 0
    for word in words:
        letters += len(word) + 2
        if letters > PROMPT_PIECES * 4:  # a piece is about four letters
            break
        kept.append(word)
    return ", ".join(kept) + "."


@cache
def _silence() -> None:
    """What goes wrong is raised; the library's own lines are for its makers. It must not hold ours at the very end."""
    library.whisper_log_set(lambda *_: None)
    atexit.register(library.whisper_log_set)
