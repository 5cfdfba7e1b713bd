"""The beam, over a writer whose likelihoods are written down."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from appliance.llm.listening.hints import FAVOUR, Hints
from appliance.llm.listening.search import search
from appliance.llm.listening.tokens import END

PIECES = 40
A, B, C, D = 10, 11, 12, 13


class Texts:
    """What was written in each text."""

    def __init__(self, texts: list[tuple[int, ...]]) -> None:
        self.texts = texts

    def chosen(self, texts: npt.NDArray[np.int64]) -> Texts:
        return Texts([self.texts[place] for place in texts])


class Book:
    """Writes by a table: after these pieces, so likely is each next one."""

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]]) -> None:
        self._table = table
        self.steps = 0

    def write(self, state: Texts, last: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], Texts]:
        self.steps += 1
        texts = [(*text, int(piece)) for text, piece in zip(state.texts, last, strict=True)]
        scores = np.full((len(texts), PIECES), -20.0, np.float32)
        for row, text in zip(scores, texts, strict=True):
            for piece, likely in self._table.get(text[1:], {END: 1.0}).items():
                row[piece] = np.log(likely)
        return scores, Texts(texts)


def found(table: dict[tuple[int, ...], dict[int, float]], hints: Hints | None = None) -> list[tuple[int, ...]]:
    told = search(Book(table), Texts([()]), hints or Hints([]), 12)
    return [each.pieces for each in told]


def test_what_begins_less_likely_may_end_likeliest() -> None:
    table = {
        (): {A: 0.6, B: 0.4},
        (A,): {C: 0.3, D: 0.3, END: 0.3},
        (B,): {C: 0.99},
        (B, C): {END: 0.99},
    }
    assert found(table)[0] == (B, C)


def test_a_hint_turns_what_sounds_alike() -> None:
    table = {(): {A: 0.55, B: 0.45}, (A,): {END: 1.0}, (B,): {END: 1.0}}
    assert found(table)[0] == (A,)
    assert found(table, Hints([(B,)]))[0] == (B,)


def test_half_a_hint_is_worth_nothing() -> None:
    table = {(): {A: 0.55, B: 0.45}, (A,): {END: 1.0}, (B,): {END: 1.0}}
    assert found(table, Hints([(B, C)]))[0] == (A,)


def test_a_hint_within_a_hint_keeps_its_favour() -> None:
    hints = Hints([(B,), (B, C, D)])
    node, favour = hints.step(hints.none, B)
    node, more = hints.step(node, C)
    _, owed = hints.step(node, A)
    assert (favour, more, owed) == (FAVOUR, FAVOUR, -FAVOUR)
    assert hints.end(node) == -FAVOUR


def test_no_hint_turns_what_was_clearly_said() -> None:
    table = {(): {A: 0.9999, B: 0.0001}, (A,): {END: 1.0}, (B,): {END: 1.0}}
    assert found(table, Hints([(B,)]))[0] == (A,)


def test_a_text_without_end_stops_at_the_limit() -> None:
    class Endless(Book):
        def write(self, state: Texts, last: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], Texts]:
            scores = np.full((len(last), PIECES), -20.0, np.float32)
            scores[:, A] = 0
            self.steps += 1
            return scores, state

    book = Endless({})
    told = search(book, Texts([()]), Hints([]), 9)
    assert book.steps == 9
    assert told[0].pieces == (A,) * 9


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_any_number_of_hints(count: int) -> None:
    hints = Hints((10 + n % 29, 10 + n // 29 % 29) for n in range(count))
    assert len(hints.following(hints.none)) == min(29, count)
