"""Amounts: every way of comparing with a number, and units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.amounts import Comparison, comparisons, in_own_unit
from appliance.llm.words import words
from tests.unit.llm.facility import APPOINTMENTS, SHIFTS


def read(text: str) -> list[Comparison]:
    return list(comparisons(text, words(text), set()))


@pytest.mark.parametrize(
    ("text", "op", "number"),
    [
        ("more than 5", "gt", 5),
        ("over 1,500", "gt", 1500),
        ("older than 60", "gt", 60),
        ("at least 3", "gte", 3),
        ("no less than 3", "gte", 3),
        ("10 or more", "gte", 10),
        ("10+", "gte", 10),
        (">= 10", "gte", 10),
        ("less than 0.5", "lt", 0.5),
        ("fewer than 10", "lt", 10),
        ("below -2", "lt", -2),
        ("at most 7", "lte", 7),
        ("7 or fewer", "lte", 7),
        ("<=7", "lte", 7),
        ("exactly 4", "eq", 4),
        ("= 4", "eq", 4),
        ("over 50k", "gt", 50_000),
        ("under 2.5m", "lt", 2_500_000),
    ],
)
def test_one_comparison(text: str, op: str, number: float) -> None:
    [found] = read(f"invoices {text} please")
    assert (found.op, found.number) == (op, number)


@pytest.mark.parametrize("text", ["", "more than five", "over there", "room 5", "1=1", "over 5-6", "C-04 or more"])
def test_no_comparison(text: str) -> None:
    assert read(text) == []


def test_two_amounts() -> None:
    assert [(found.op, found.number) for found in read("over 1000 and under 2000")] == [("gt", 1000), ("lt", 2000)]


def test_words_of_times_are_no_amounts() -> None:
    asked = words("from 2026 on")
    assert list(comparisons("from 2026 on", asked, {0, 1})) == []


@given(st.text(alphabet="<>=+-.,0123456789km over than or more", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    asked = words(text)
    for found in comparisons(text, asked, set()):
        assert 0 <= found.at[0] < found.at[1] <= len(asked)
        assert abs(found.number) < 1e25


@pytest.mark.parametrize(
    ("text", "scale"), [("over 2 hours", 60), ("over 2 hrs", 60), ("over 2 minutes", 1), ("over 2", 1)]
)
def test_hours_of_a_collection_that_holds_minutes(text: str, scale: int) -> None:
    asked = words(text)
    [found] = [in_own_unit(each, asked, APPOINTMENTS) for each in comparisons(text, asked, set())]
    assert found.scale == scale
    assert found.at[1] == (3 if scale == 60 else 2)


def test_hours_of_a_collection_that_holds_hours() -> None:
    asked = words("over 2 hours")
    [found] = [in_own_unit(each, asked, SHIFTS) for each in comparisons("over 2 hours", asked, set())]
    assert found.scale == 1
