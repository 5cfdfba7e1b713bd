"""The model file: loading a GGUF with llama.cpp, and writing under a grammar.

The only place that knows llama.cpp. Everything here blocks and belongs in a worker thread.

    >>> model = Model.load(Path("models/ask-1-q8_0.gguf"), threads=2, context=4096)  # doctest: +SKIP
    >>> "".join(model.write([Piece("<q>", True), ...], grammar, 64))  # doctest: +SKIP
"""

from __future__ import annotations

import codecs
import ctypes
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp import Llama, LogitsProcessorList

from appliance.errors import ApplianceError
from appliance.llm.decoding import Rules, Written, best
from appliance.llm.prompt import Piece

_MAGIC: Final = b"GGUF"
_SMALL_BYTES: Final = 64 * 1024 * 1024
_AFTER_MARK: Final = re.compile(r"(?<=[<\[])")


def _ignore(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    return None


BEAMS_AT_MOST: Final = 8
HEADS_KEPT: Final = 24
"""So many schemas stay in the cache; the one that was not used for longest goes first."""
_CELLS: Final = 6144
_BATCH: Final = 512


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
        self.trained = trained_context(llama)
        self._threads = int(llama.n_threads)
        self._board: _Board | None = None

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

    def close(self) -> None:
        """Give its memory back; it cannot be used after that."""
        if self._board is not None:
            self._board.close()
            self._board = None
        self._llama.close()

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

    def sketches(
        self,
        head: list[Piece],
        tail: list[Piece],
        rules: Rules,
        width: int,
        limit: int,
        go_on: Callable[[], bool] = lambda: True,
    ) -> list[Written]:
        """The likeliest things to write after a prompt, best first; for models that read both ways.

        Args:
            head: the part of the prompt that stays the same between questions; it is read once and kept.
            tail: the rest of the prompt.
            rules: what may be written.
            width: how many are followed side by side, at most :data:`BEAMS_AT_MOST`.
            limit: tokens at most.
            go_on: asked before each token; False ends the writing.

        Raises:
            ApplianceError: LLM202, the prompt does not fit the model's context; LLM200, llama.cpp failed.
        """
        first, last = self._tokens(head), self._tokens(tail)
        if len(first) + len(last) + limit > self.trained:
            raise ApplianceError(
                "LLM202", "The question is too long for the model.", {"tokens": len(last)}, "Ask it shorter."
            )
        if self._board is None:
            self._board = _Board(self._llama, self._threads)
        return best(self._board, self._board.read(first, last), rules, min(width, BEAMS_AT_MOST), limit, go_on)

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
        str(path),
        n_gpu_layers=_gpu_layers(path),
        n_ctx=min(context, trained),
        n_threads=threads,
        n_threads_batch=threads,
        n_batch=512,
        verbose=False,
    )


def _gpu_layers(path: Path) -> int:
    # The small model is done before a GPU would have begun.
    large = path.stat().st_size >= _SMALL_BYTES
    return -1 if large and llama_cpp.llama_supports_gpu_offload() else 0


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


def trained_context(llama: Llama) -> int:
    """The tokens that a model was trained to hold."""
    return int(llama_cpp.llama_model_n_ctx_train(llama.model))


class _Board:
    """A context in which prompts are read both ways and several continuations are written side by side.

    Sequences 0 to HEADS_KEPT - 1 hold schemas; two sets of BEAMS_AT_MOST behind them take turns with the beams.
    """

    def __init__(self, llama: Llama, threads: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = _CELLS, _BATCH, _BATCH
        params.n_seq_max = HEADS_KEPT + 2 * BEAMS_AT_MOST
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified, params.no_perf = True, True
        self._model = llama  # the context must not outlive it
        self._context = llama_cpp.llama_init_from_model(llama.model, params)
        if not self._context:
            raise ApplianceError("LLM208", "There is no room for the model's working memory.", {"cells": _CELLS}, _FIX)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._size = llama.n_vocab()
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        vocab = llama_cpp.llama_model_get_vocab(llama.model)
        self._bytes = [_piece(vocab, number) for number in range(self._size)]
        self._heads: dict[tuple[int, ...], int] = {}
        self._cells: dict[int, int] = {}
        self._side = 0
        self._at = 0

    def close(self) -> None:
        """Give the memory back; llama.cpp wants contexts freed before their model."""
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
            self._context = None

    def token(self, number: int) -> bytes:
        """The bytes of a token."""
        return self._bytes[number]

    def read(self, head: list[int], tail: list[int]) -> npt.NDArray[np.float32]:
        """Read a prompt; the logits of the first token behind it."""
        for sequence in range(HEADS_KEPT, HEADS_KEPT + 2 * BEAMS_AT_MOST):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        kept = self._head(head)
        self._side = 0
        if kept is not None:
            llama_cpp.llama_memory_seq_cp(self._memory, kept, HEADS_KEPT, -1, -1)
        llama_cpp.llama_set_causal_attn(self._context, False)
        self._decode([(token, len(head) + place, HEADS_KEPT) for place, token in enumerate(tail)], last_only=True)
        llama_cpp.llama_set_causal_attn(self._context, True)
        self._at = len(head) + len(tail)
        return self._logits(len(tail) - 1)

    def _head(self, tokens: list[int]) -> int | None:
        """The sequence that holds a schema, read now if it is not kept."""
        if not tokens:
            return None
        key = tuple(tokens)
        if key in self._heads:
            self._heads[key] = self._heads.pop(key)  # the last one used stands last
            return self._heads[key]
        sequence = self._free_sequence(len(tokens))
        llama_cpp.llama_set_causal_attn(self._context, False)
        self._decode([(token, place, sequence) for place, token in enumerate(tokens)], last_only=True)
        llama_cpp.llama_set_causal_attn(self._context, True)
        self._heads[key] = sequence
        self._cells[sequence] = len(tokens)
        return sequence

    def _free_sequence(self, cells: int) -> int:
        while self._heads and (
            len(self._heads) >= HEADS_KEPT or sum(self._cells.values()) + cells > _CELLS - 2 * _BATCH
        ):
            dropped = self._heads.pop(next(iter(self._heads)))
            llama_cpp.llama_memory_seq_rm(self._memory, dropped, -1, -1)
            del self._cells[dropped]
        return next(number for number in range(HEADS_KEPT) if number not in self._cells)

    def advance(self, chosen: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
        """Go on with (which of the present ones, next token) and give the logits of each, one row each."""
        here, there = (HEADS_KEPT + side * BEAMS_AT_MOST for side in (self._side, 1 - self._side))
        for place in range(BEAMS_AT_MOST):
            llama_cpp.llama_memory_seq_rm(self._memory, there + place, -1, -1)
        for place, (parent, _) in enumerate(chosen):
            llama_cpp.llama_memory_seq_cp(self._memory, here + parent, there + place, -1, -1)
        for place in range(BEAMS_AT_MOST):
            llama_cpp.llama_memory_seq_rm(self._memory, here + place, -1, -1)
        self._decode([(token, self._at, there + place) for place, (_, token) in enumerate(chosen)])
        self._side, self._at = 1 - self._side, self._at + 1
        return np.stack([self._logits(place) for place in range(len(chosen))])

    def _decode(self, tokens: list[tuple[int, int, int]], last_only: bool = False) -> None:
        """Let the model read (token, place, sequence)."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, (token, place, sequence) in enumerate(tokens):
            batch.token[index], batch.pos[index] = token, place
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
            batch.logits[index] = not last_only or index == len(tokens) - 1
        status = llama_cpp.llama_decode(self._context, batch)
        if status:
            self._forget()
            raise ApplianceError("LLM200", "The model failed while it was reading.", {"status": status})

    def _forget(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, True)
        self._heads.clear()
        self._cells.clear()

    def _logits(self, index: int) -> npt.NDArray[np.float32]:
        found = llama_cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(found, shape=(self._size,)).copy()


def _piece(vocab: llama_cpp.llama_vocab_p, number: int) -> bytes:
    """The bytes of a token, control tokens as they are written."""
    buffer = ctypes.create_string_buffer(64)
    size = llama_cpp.llama_token_to_piece(vocab, number, buffer, len(buffer), 0, True)
    return buffer.raw[: max(size, 0)]
