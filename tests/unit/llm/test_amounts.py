"""Amounts: every way of comparing with a number, and units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.amounts import (
    Comparison,
    as_years,
    comparisons,
    holds_years,
    in_own_unit,
    is_plain,
    is_serial,
    tells_nothing,
)
from appliance.llm.words import words
from appliance.types import Collection, Field
from tests.unit.llm.facility import APPOINTMENTS, SHIFTS


def read(text: str) -> list[Comparison]:
    return list(comparisons(text, words(text), set()))


@pytest.mark.parametrize(
    ("text", "op", "number"),
    [
        ("more than 5", "gt", 5),
        ("over 1,500", "gt", 1500),
        ("older than 60", "gt", 60),
        ("heavier than 60", "gt", 60),
        ("lighter than 60", "lt", 60),
        ("longer than an hour", "gt", 1),
        ("under half an hour", "lt", 0.5),
        ("over two hours", "gt", 2),
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


@pytest.mark.parametrize("text", ["", "more than one", "over there", "room 5", "1=1", "over 5-6", "C-04 or more"])
def test_no_comparison(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(("text", "money"), [("over $50", True), ("under 20", False), ("at least €1,500", True)])
def test_the_sign_of_a_currency_says_that_money_is_meant(text: str, money: bool) -> None:
    [found] = read(f"invoices {text} please")
    assert found.money == money


def test_between_two_prices() -> None:
    assert [(found.op, found.number, found.money) for found in read("between £20 and £50")] == [
        ("gte", 20, True),
        ("lte", 50, True),
    ]


@pytest.mark.parametrize(
    ("field", "serial"),
    [
        (Field("n", "saleNo", "integer"), True),
        (Field("n", "shipment_number", "integer"), True),
        (Field("n", "tracking", "integer", low=5000, high=5059, distinct=60, count=60), True),
        (Field("n", "counter", "integer", low=1, high=40, distinct=40, count=40), True),
        (Field("n", "rank", "integer", low=1, high=40, distinct=40, count=40), False),
        (Field("n", "counter", "integer", low=1, high=5, distinct=5, count=5), False),
        (Field("n", "counter", "integer", low=1, high=90, distinct=40, count=40), False),
        (Field("n", "number of seats", "integer"), False),
        (Field("n", "order no", "text"), False),
    ],
)
def test_numbers_that_are_names(field: Field, serial: bool) -> None:
    assert is_serial(field) == serial == is_plain(field)


def test_years_are_written_as_they_are() -> None:
    assert is_plain(Field("n", "year", "integer", low=1999, high=2023)) and not is_plain(None)


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


@pytest.mark.parametrize(("text", "op"), [("older than 2018", "lt"), ("newer than 2018", "gt"), ("over 2018", "gt")])
def test_what_is_held_in_years_is_older_before_them(text: str, op: str) -> None:
    (found,) = read(text)
    assert as_years(found, words(text)).op == op
    (aged,) = read("older than 60")
    assert as_years(aged, words("older than 60")).op == "gt"


def test_two_ends_tell_something_together() -> None:
    total, expenses = (Field(name, name, "numeric", low=low, high=high) for name, low, high in TOTALS)
    low, high = read("between 1000 and 2000")
    assert tells_nothing(total, low) and not tells_nothing(total, low, high)
    assert tells_nothing(expenses, low, high), "none has so much"
    assert tells_nothing(total, *read("between 1000 and 20000")), "all have"


TOTALS = (("total", 1123.0, 10322.0), ("expenses", 0.0, 419.0))


def test_years_by_another_name() -> None:
    published = Field("published", "published", "integer", low=1975, high=2021)
    assert holds_years(published) and is_plain(published)
    assert not holds_years(Field("copies", "copies", "integer", low=1975, high=2021))
    assert not holds_years(Field("published", "published", "integer", low=1, high=12))


def test_over_an_hour_is_sixty_minutes() -> None:
    visits = Collection("visits", "visits", (Field("duration_min", "durationMin", "integer", low=5, high=90),), 9)
    asked = words("visits over an hour")
    [found] = [in_own_unit(each, asked, visits) for each in comparisons("visits over an hour", asked, set())]
    assert found.number * found.scale == 60
