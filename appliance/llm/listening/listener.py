"""What hears: a model of speech that is loaded when first needed, and let go when nobody spoke for a while."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.errors import ApplianceError
from appliance.llm.listening.said import Heard, Utterance
from appliance.llm.listening.sound import RATE, from_pcm, trimmed
from appliance.types import UTTERANCE_S

if TYPE_CHECKING:
    from appliance.llm.listening.engine import Engine

SHORTEST_S: Final = 0.3
KEPT_S: Final = 600.0
_HYPHEN: Final = re.compile(r"\b([Tt])o-(day|night|morrow)\b")
_WORD: Final = re.compile(r"\w+")


class Listener:
    """Hears one utterance at a time, whoever calls.

    Args:
        model: a folder of Moonshine's files, or a GGML file of Whisper's; None where this box has none.
        threads: that it may use.
        language: two letters, for models that know several.
    """

    def __init__(self, model: Path | None, threads: int = 2, language: str = "en") -> None:
        self._model, self._threads, self._language = model, threads, language
        self._engine: Engine | None = None
        self._turn = threading.Lock()
        self._used_at = 0.0

    @property
    def here(self) -> bool:
        """Whether there is a model."""
        return self._model is not None and (self._model.is_file() or (self._model / "tokenizer.bin").is_file())

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
            engine = self._loaded()
            found = engine.hear(sound, said.words)
        texts = [text for each in found if (text := tidied(each.text))]
        if not texts:
            raise nothing_said()
        mean, first = found[0].mean, _bare(texts[0])
        others = {bare: text for text in reversed(texts) if (bare := _bare(text)) != first}
        return Heard(texts[0], mean > engine.sure, list(others.values())[::-1][:2], round(mean, 3), round(seconds, 2))

    def rest(self) -> bool:
        """Let the model go where nobody spoke for ten minutes; whether it was."""
        with self._turn:
            if self._engine is None or time.monotonic() - self._used_at < KEPT_S:
                return False
            self._engine = None
            return True

    def _loaded(self) -> Engine:
        if self._model is None or not self.here:
            raise ApplianceError(
                "LLM230",
                "This box has no model that hears speech.",
                None,
                "Run the setup again, or see listening_model.",
            )
        if self._engine is None:
            self._engine = load(self._model, self._threads, self._language)
        self._used_at = time.monotonic()
        return self._engine


def load(model: Path, threads: int, language: str) -> Engine:
    """The engine for a model, which its kind of file says.

    Raises:
        ApplianceError: LLM230, it cannot be loaded.
    """
    # each engine's library takes tens of megabytes, which silence does not need
    if model.is_file():
        from appliance.llm.listening.whisper import Whisper

        return Whisper(model, threads, language)
    from appliance.llm.listening.moonshine import Moonshine

    return Moonshine(model, threads)


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
