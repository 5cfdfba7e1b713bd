"""Mentions: which stored values are negated, and over which words."""

import pytest

from appliance.llm.mentions import negation
from appliance.llm.words import words
from tests.unit.llm.facility import linked


@pytest.mark.parametrize(
    ("question", "negated"),
    [
        ("beds not free", [True]),
        ("beds that are not in cardiology", [True]),
        ("free beds except in surgery", [False, True]),
        ("all appointments but the cancelled ones", [True]),
        ("beds other than reserved", [True]),
        ("beds that aren't free", [True]),
        ("beds neither free nor occupied", [True, True]),
        ("beds not free or reserved", [True, True]),
        ("patients admitted but not discharged", [False, True]),
        ("isn't cardiology free", [False, False]),
        ("free beds but only in surgery", [False, False]),
    ],
)
def test_negation(question: str, negated: list[bool]) -> None:
    assert [value.negated for value in linked(question).values] == negated


def test_negation_reaches_over_small_words_only() -> None:
    assert negation(words("not yet in the surgery"), 4) == [0]
    assert negation(words("not beds in surgery"), 3) == []
    assert negation(words("surgery"), 0) == []
