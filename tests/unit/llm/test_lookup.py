"""Lookups: which words are looked for, in which fields, and what is taken for a hit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.lookup import LOOKUPS_AT_MOST, Lookup, as_number, holds, labelled, lookups
from appliance.llm.plan import Condition, Query, Select
from tests.unit.llm.facility import APPOINTMENTS, BEDS, linked, linked_to


def query(*where: Condition) -> Query:
    return Query("appointments", (Select("*", "count"),), where)


def test_a_run_of_unknown_words_is_looked_for_in_open_fields() -> None:
    links = linked("appointments of anil warrier today")
    assert lookups(query(), links) == [Lookup("anil warrier", ("patient",))]


def test_the_models_field_comes_first_and_cuts_the_run() -> None:
    links = linked("beds of anna long ward")
    wanted = lookups(Query("beds", (Select("*"),), (Condition("patient", "eq", "Anna"),)), links)
    assert wanted == [Lookup("anna", ("patient", "bed"))]  # "long" is no name


def test_the_model_cuts_a_run_in_two() -> None:
    links = linked_to("appointments warrier potassium", APPOINTMENTS)
    wanted = lookups(query(Condition("patient", "eq", "warrier")), links)
    assert [each.text for each in wanted] == ["warrier", "potassium"]


@pytest.mark.parametrize(
    "question", ["how many beds are free", "beds on floor 3", "more beds than before", "top 5 beds"]
)
def test_nothing_to_look_for(question: str) -> None:
    assert lookups(Query("beds", (Select("*"),)), linked(question)) == []


def test_not_more_lookups_than_a_question_may_cost() -> None:
    links = linked_to("beds " + " free ".join(f"unknown{n}x" for n in range(9)), BEDS)
    assert len(lookups(Query("beds", (Select("*"),)), links)) == LOOKUPS_AT_MOST


def test_a_number_behind_a_label() -> None:
    links = linked("beds on floor 3 in room 301")
    assert {links.words[at].text: field.name for at, field in labelled(links).items()} == {"3": "floor", "301": "room"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Dr. Ana Smith", "smith"),
        ("Dr. Ana Smith", "ana smith"),
        ("FFP2 mask", "masks"),
        ("Andrés Arroyo", "andres"),
        ("Paracetamol 500 mg", "paracetam"),
        ("Nitrile gloves M", "m"),
    ],
)
def test_holds(value: str, text: str) -> None:
    assert holds(value, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Shota Takemura", "take"),
        ("Hélène Morel", "more"),
        ("Andrés Arroyo", "dr"),
        ("Ana Smith", "ana jones"),
        ("", "a"),
    ],
)
def test_does_not_hold(value: str, text: str) -> None:
    assert not holds(value, text)


@given(st.text(), st.text())
def test_any_texts_can_be_compared(value: str, text: str) -> None:
    assert isinstance(holds(value, text), bool)


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5.0), ("1,200.50", 1200.5), ("-3", -3.0), ("nan", None), ("1e5", None), ("", None), ("五", None)],
)
def test_as_number(text: str, number: float | None) -> None:
    assert as_number(text) == number
