"""The vocabulary: byte-level BPE as llama.cpp's ``gpt2`` tokenizer reads it, with the notation's control tokens.

Its merges were learned on WikiSQL's questions and stay as they are from model to model, so that a new model can
begin with the weights of an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gguf import GGUFReader
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from appliance.llm.notation import FIRST_TOKENS, LAST_TOKENS
from appliance.llm.prompt import Piece

PAD: Final = 0
END: Final = 3


class Vocabulary:
    """Turns pieces into token numbers.

    Args:
        tokens: every token in order; control tokens first and last, as in :mod:`~appliance.llm.notation`.
        merges: the merges of the byte-level BPE, first learned first.
    """

    def __init__(self, tokens: list[str], merges: list[str]) -> None:
        plain = tokens[len(FIRST_TOKENS) :]
        plain = plain[: -len(LAST_TOKENS)] if plain[-len(LAST_TOKENS) :] == list(LAST_TOKENS) else plain
        self.tokens = [*FIRST_TOKENS, *plain, *LAST_TOKENS]
        self.merges = merges
        self.control = {token: place for place, token in enumerate(self.tokens) if token in _CONTROL}
        numbers = {token: place for place, token in enumerate(self.tokens)}
        pairs = [(first, last) for first, last in (merge.split(" ") for merge in merges)]
        self._bpe = Tokenizer(BPE(vocab=numbers, merges=pairs))
        self._bpe.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
        self._known: dict[str, list[int]] = {}

    @classmethod
    def of_model(cls, path: Path) -> Vocabulary:
        """The vocabulary of a GGUF file."""
        fields = GGUFReader(path).fields
        return cls(fields["tokenizer.ggml.tokens"].contents(), fields["tokenizer.ggml.merges"].contents())

    def __len__(self) -> int:
        return len(self.tokens)

    def numbers(self, pieces: Iterable[Piece]) -> list[int]:
        """The token numbers of pieces."""
        found: list[int] = []
        for piece in pieces:
            if piece.control:
                found.append(self.control[piece.text])
            else:
                found += self._text(piece.text)
        return found

    def _text(self, text: str) -> list[int]:
        if text not in self._known:
            if len(self._known) > 200_000:
                self._known.clear()
            self._known[text] = self._bpe.encode(text, add_special_tokens=False).ids
        return self._known[text]


_CONTROL: Final = frozenset((*FIRST_TOKENS, *LAST_TOKENS))
