"""Pieces of words: there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import shipped_listening
from appliance.llm.listening.tokens import Tokens


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    file = shipped_listening() / "tokenizer.bin"
    assert file.is_file(), "the model of speech is not installed: make test-setup"
    return Tokens.read(file)


@pytest.mark.parametrize("word", ["beds", "Cardiology", "Dr. Haddad", "lab results", "Jürgen", "don't", "2.5 mg"])
def test_a_word_is_written_and_read_back(tokens: Tokens, word: str) -> None:
    pieces = tokens.pieces(word)
    assert pieces
    assert tokens.text(pieces) == word


def test_common_words_are_one_piece(tokens: Tokens) -> None:
    assert [len(tokens.pieces(word)) for word in ("the", "patient", "today")] == [1, 1, 1]


def test_all_pieces_are_there(tokens: Tokens) -> None:
    assert len(tokens) == 32_768
    assert tokens.text([1, 2, 0]) == ""


def test_what_the_model_cannot_write_has_no_pieces() -> None:
    few = Tokens([b""] * 259 + ["\u2581".encode(), b"a", "\u2581a".encode()])
    assert few.pieces("a") == (261,)
    assert few.pieces("ab") == ()
    assert few.text([261, 260]) == "aa"


@given(raw=st.binary(max_size=64))
def test_a_file_that_is_none_is_refused_or_read(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("t") / "tokenizer.bin"
    Path(file).write_bytes(raw)
    try:
        read = Tokens.read(file)
    except ValueError:
        return
    assert len(read) <= len(raw)
