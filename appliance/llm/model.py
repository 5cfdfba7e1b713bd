"""The model file: loading a GGUF with llama.cpp, and writing under a grammar.

The only place that knows llama.cpp. Everything here blocks and belongs in a worker thread.

    >>> model = Model.load(Path("models/ask-bootstrap-q8_0.gguf"), threads=2, context=4096)  # doctest: +SKIP
    >>> "".join(model.write([Piece("<q>", True), ...], grammar, 64))  # doctest: +SKIP
"""

from __future__ import annotations

import codecs
import ctypes
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp import Llama, LogitsProcessorList

from appliance.errors import ApplianceError
from appliance.llm.prompt import Piece

_MAGIC: Final = b"GGUF"
_SMALL_BYTES: Final = 64 * 1024 * 1024
_AFTER_MARK: Final = re.compile(r"(?<=[<\[])")


def _ignore(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    return None


_keep_quiet = llama_cpp.llama_log_callback(_ignore)
"""Kept for the life of the process: llama.cpp holds on to it."""


class Model:
    """A loaded model. Not thread-safe: one thread at a time.

    Attributes:
        name: the file's ``general.name``, else the file's name.
        template: the chat template it carries, or empty.
        load_s: seconds it took to load.
        context: tokens it can hold.
    """

    def __init__(self, llama: Llama, path: Path, load_s: float) -> None:
        self._llama = llama
        self.name = str(llama.metadata.get("general.name") or path.stem)
        self.template = str(llama.metadata.get("tokenizer.chat_template") or "")
        self.load_s = load_s
        self.context = int(llama.n_ctx())

    @classmethod
    def load(cls, path: Path, threads: int, context: int) -> Model:
        """Read a GGUF file.

        Args:
            path: the file.
            threads: threads to compute with; 0 takes one for a file under 64 MB, else all cores.
            context: tokens of context, at most what the model was trained for.

        Raises:
            ApplianceError: LLM208, it is missing, damaged or of a kind llama.cpp does not know.
        """
        _check_file(path)
        llama_cpp.llama_log_set(_keep_quiet, ctypes.c_void_p(0))
        began = time.monotonic()
        try:
            llama = _open(path, threads, context)
        except (ValueError, RuntimeError, OSError, AssertionError) as error:
            raise ApplianceError("LLM208", "The model file cannot be loaded.", f"{path}: {error}", _FIX) from None
        return cls(llama, path, time.monotonic() - began)

    def write(
        self, prompt: list[Piece], grammar: str, limit: int, go_on: Callable[[], bool] = lambda: True
    ) -> Iterator[str]:
        """What the model writes after a prompt, token by token.

        Args:
            prompt: the prompt's pieces.
            grammar: GBNF that holds the output.
            limit: tokens at most.
            go_on: asked before each token; False ends the writing.

        Raises:
            ApplianceError: LLM202, the prompt does not fit the model's context; LLM200, llama.cpp failed.
        """
        tokens = self._tokens(prompt)
        if len(tokens) + limit > self.context:
            raise ApplianceError(
                "LLM202", "The question is too long for the model.", {"tokens": len(tokens)}, "Ask it shorter."
            )
        try:
            yield from self._generate(tokens, grammar, limit, go_on)
        except (RuntimeError, ValueError) as error:
            raise ApplianceError("LLM200", "The model failed while it was writing.", str(error)) from None

    def _generate(self, tokens: list[int], grammar: str, limit: int, go_on: Callable[[], bool]) -> Iterator[str]:
        vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may be written in several tokens
        with _Hold(self._llama, grammar) as hold:
            held = LogitsProcessorList([hold])
            written = self._llama.generate(tokens, temp=0.0, top_k=1, repeat_penalty=1.0, logits_processor=held)
            for count, token in enumerate(written):
                if count >= limit or llama_cpp.llama_vocab_is_eog(vocab, token) or not go_on():
                    return
                yield decoder.decode(self._llama.detokenize([token], special=True))

    def _tokens(self, prompt: list[Piece]) -> list[int]:
        vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        tokens = [self._llama.token_bos()] if llama_cpp.llama_vocab_get_add_bos(vocab) else []
        for piece in prompt:
            # llama.cpp finds user-defined tokens even in plain text, so plain text is cut inside what looks like one.
            for part in [piece.text] if piece.control else _AFTER_MARK.split(piece.text):
                text = part.encode("utf-8", "replace")
                tokens += self._llama.tokenize(text, add_bos=False, special=piece.control)
        return tokens


_FIX: Final = "Name another GGUF file in the setting model, or leave it empty for the shipped one."


def _open(path: Path, threads: int, context: int) -> Llama:
    probe = Llama(str(path), vocab_only=True, verbose=False)
    trained = int(probe.metadata.get(f"{probe.metadata.get('general.architecture')}.context_length", context))
    probe.close()
    if threads == 0:
        # Two threads gain a small model nothing, and wait for each other when the machine is busy.
        threads = 1 if path.stat().st_size < _SMALL_BYTES else os.cpu_count() or 1
    return Llama(
        str(path), n_ctx=min(context, trained), n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False
    )


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ApplianceError("LLM208", "The model file cannot be read.", f"{path}: {error.strerror}", _FIX) from None
    if magic != _MAGIC:
        raise ApplianceError("LLM208", "The model file is not a GGUF file.", str(path), _FIX)


_TOKEN: Final = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class _Hold:
    """Holds the writing to a grammar: the best token is tried alone, the others only when it does not fit.

    Trying one token costs almost nothing, trying the whole vocabulary costs more than computing it, and the
    model's first choice nearly always fits. The outcome is the same: the best token that the grammar allows.
    """

    def __init__(self, llama: Llama, grammar: str) -> None:
        vocab = llama_cpp.llama_model_get_vocab(llama.model)
        self._sampler = llama_cpp.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
        if not self._sampler:
            raise ApplianceError("LLM200", "The grammar of the plan cannot be read.", grammar[:500])
        self._all = np.zeros(llama.n_vocab(), dtype=_TOKEN)
        self._all["id"] = np.arange(llama.n_vocab())
        self._begun = False

    def __enter__(self) -> _Hold:
        return self

    def __exit__(self, *_: object) -> None:
        llama_cpp.llama_sampler_free(self._sampler)

    def __call__(self, written: npt.NDArray[np.intc], logits: npt.NDArray[np.single]) -> npt.NDArray[np.single]:
        """The logits with one finite value: that of the token to write next."""
        if self._begun:
            llama_cpp.llama_sampler_accept(self._sampler, int(written[-1]))
        self._begun = True
        best = int(logits.argmax())
        if not np.isfinite(self._allowed(self._all[best : best + 1], logits[best : best + 1])[0]):
            best = int(self._allowed(self._all, logits).argmax())
        only = np.full_like(logits, -np.inf)
        only[best] = 0.0
        return only

    def _allowed(self, tokens: npt.NDArray[np.void], logits: npt.NDArray[np.single]) -> npt.NDArray[np.single]:
        tried = tokens.copy()
        tried["logit"] = logits
        data = tried.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        listed = llama_cpp.llama_token_data_array(data=data, size=len(tried), selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(listed))
        return tried["logit"]
