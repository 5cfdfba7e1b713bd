"""Decoding: the rules let through what fits the schema and the question, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.decoding import Rules, State, best
from appliance.llm.notation import FIRST_TOKENS, LAST_TOKENS, Column, read

COLUMNS = (
    Column("ward"),
    Column("ward name"),
    Column("floor", "number"),
    Column("since", "time"),
    Column("free", "flag"),
)
QUESTION = "how many free beds in icu or (surgery) on floor 12 since monday, top 3, call it net weight"


def rules(**more: bool) -> Rules:
    return Rules(COLUMNS, QUESTION, spans=1, **more)


def walk(text: str, by: Rules | None = None) -> State | None:
    held = by or rules()
    state: State | None = held.start
    for token in re.findall(r"<[^<>]+>|[^<>]", text):
        state = held.step(state, token.encode()) if state else None
    return state


@pytest.mark.parametrize(
    "text",
    [
        "<count><all><and> ward<eq> icu<e>",
        "<count><all><and> ward<eq> icu<or> surgery<and> floor<gte> 12<e>",
        " ward name<and> free<yes><e>",
        "<sum> floor<by> ward<having><gt> 12<top><lim> 3<e>",
        "<all><and> since<when><w1><top> floor<lim> 1<e>",
        "<count><all><by><month> since<e>",
        "<all><and> since<gt> now<low> since<lim> 1<e>",
        "<alert><count><all><and> ward<eq> icu<having><lt> 3<e>",
        "<add> net weight<is> floor<plus> floor<e>",
        "<none><e>",
        " ward<,> floor<e>",
    ],
)
def test_what_fits_goes_through(text: str) -> None:
    state = walk(text)
    assert state is not None and state.phase == "end"
    read(text)


@pytest.mark.parametrize(
    "text",
    [
        " bed",  # no such label
        "<sum> ward<e>",  # no number
        "<count><all><and> ward<gt> icu",  # a text has no order
        "<count><all><and> ward<eq> cardiology",  # not in the question
        "<count><all><and> ward<eq> icu<and> ward<eq>",  # one field, two values at once
        "<count><all><and> ward<eq> ic<e>",  # half a word
        "<count><all><and> since<when><w2>",  # there is one time
        "<count><all><and> free<eq>",
        "<all><having>",  # nothing is counted
        "<count><all><by><month> ward<e>",  # a text has no months
        "<all><top><lim> 3",  # by what?
        "<none><and>",
        "<add> net weight<is> ward",
        "<e>",
    ],
)
def test_what_does_not_fit_is_held_back(text: str) -> None:
    assert walk(text) is None


def test_tables_of_unknown_kinds_take_any_comparison_and_nothing_else() -> None:
    assert walk(" ward<and> ward<gt> icu<e>", rules(loose=True)) is not None
    assert walk("<avg> ward<e>", rules(loose=True)) is not None
    assert walk("<count><all>", rules(loose=True)) is None
    assert walk(" ward<by>", rules(loose=True)) is None
    assert walk("<none>", rules(loose=True)) is None


TOKENS = [
    token.encode() for token in [*FIRST_TOKENS, *LAST_TOKENS, " wa", "rd", " name", " floor", " icu", " 12", " ", "x"]
]


class Dice:
    """A model of any opinion."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def token(self, number: int) -> bytes:
        return TOKENS[number]

    def advance(self, chosen: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
        return self._rng.normal(size=(len(chosen), len(TOKENS))).astype(np.float32) * 3


@given(st.integers(0, 2**32))
def test_whatever_a_model_thinks_it_writes_sketches_that_fit(seed: int) -> None:
    dice = Dice(seed)
    found = best(dice, dice.advance([(0, 0)])[0], rules(), 4, 40, lambda: True)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert len({each.text for each in found}) == len(found) <= 4
    for each in found:
        state = walk(each.text)
        assert state is not None and state.phase == "end"
        read(each.text)


def test_the_likeliest_comes_first() -> None:
    class Sure:
        def token(self, number: int) -> bytes:
            return TOKENS[number]

        def advance(self, chosen: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
            return np.stack([logits(b"<all>", b"<e>") for _ in chosen])

    def logits(*liked: bytes) -> npt.NDArray[np.float32]:
        row = np.zeros(len(TOKENS), np.float32)
        for place, token in enumerate(liked):
            row[TOKENS.index(token)] = 9 - place
        return row

    found = best(Sure(), logits(b"<count>", b"<all>"), rules(), 2, 10, lambda: True)
    assert [each.text for each in found] == ["<count><all><e>", "<all><e>"]
    assert found[0].score > found[1].score


def test_it_can_be_ended_early() -> None:
    dice = Dice(1)
    assert all(
        each.text in ("<none><e>",) for each in best(dice, dice.advance([(0, 0)])[0], rules(), 2, 40, lambda: False)
    )
