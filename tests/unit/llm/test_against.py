"""Fields of a row that a question holds against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.against import against
from appliance.llm.plan import comparable
from appliance.llm.words import words
from appliance.types import Collection, Field, FieldType


def made(name: str, **kinds: FieldType) -> Collection:
    return Collection(name, name, (Field("name", "name", "text"), *(Field(f, f, kind) for f, kind in kinds.items())))


PARTS = made("parts", stock="integer", minStock="integer", unitPrice="numeric", cost="numeric")
SITES = made(
    "sites", budget="integer", spent="numeric", floors="integer", startedOn="date", dueOn="date", finishedOn="date"
)
ITEMS = made("items", quantity="numeric", reorder_level="numeric")
COURSES = made("courses", capacity="integer", enrolled="integer", seats="integer")
SALES = made("sales", actual="integer", target="integer")


@pytest.mark.parametrize(
    ("collection", "text", "found"),
    [
        (PARTS, "parts below minimum stock", "stock lt minStock"),
        (PARTS, "what is below its minimum?", "stock lt minStock"),
        (PARTS, "which parts do we need to reorder", "stock lt minStock"),
        (PARTS, "parts running low", "stock lt minStock"),
        (PARTS, "where is the unit price under the cost", "unitPrice lt cost"),
        (SITES, "sites over budget", "spent gt budget"),
        (SITES, "sites that are not over budget", "spent lte budget"),
        (SITES, "which sites exceeded their budget", "spent gt budget"),
        (SITES, "sites that spent more than their budget", "spent gt budget"),
        (SITES, "overspent sites", "spent gt budget"),
        (SITES, "is everything within budget", "spent lte budget"),
        (SITES, "sites finished late", "finishedOn gt dueOn"),
        (SITES, "what was finished on time", "finishedOn lte dueOn"),
        (SITES, "sites finished after they were due", "finishedOn gt dueOn"),
        (ITEMS, "items at or below the reorder level", "quantity lte reorder_level"),
        (ITEMS, "anything we should reorder?", "quantity lte reorder_level"),
        (COURSES, "courses over capacity", "enrolled gt capacity"),
        (COURSES, "overbooked courses", "enrolled gt capacity"),
        (SALES, "who is below target", "actual lt target"),
    ],
)
def test_what_is_held_against_what(collection: Collection, text: str, found: str) -> None:
    assert [f"{each.field} {each.op} {each.other}" for each in against(words(text), collection)] == [found]


@pytest.mark.parametrize(
    ("collection", "text"),
    [
        (PARTS, "what is the minimum stock of the oil filter"),
        (PARTS, "parts below 5"),
        (PARTS, "the reorder list"),
        (SITES, "sites with a budget over 1000"),
        (SITES, "total budget"),
        (SITES, "late sites"),  # that is overdue
        (SITES, "floors over Graz"),
        (ITEMS, "what is the reorder level of gloves"),
        (COURSES, "courses with a capacity over 20"),
    ],
)
def test_what_is_not(collection: Collection, text: str) -> None:
    assert against(words(text), collection) == []


def test_a_stored_low_says_it_itself() -> None:
    status = Field("status", "status", "text", values=("low", "ok"))
    told = Collection("items", "items", (*ITEMS.fields, status))
    assert against(words("what is running low"), told) == []
    assert [each.op for each in against(words("what do we need to reorder"), told)] == ["lte"]


PIECES = st.sampled_from(
    "over below budget minimum stock late finished on time not than more after due their reorder to spent 5 x".split()
)


@given(st.lists(PIECES, max_size=9).map(" ".join), st.sampled_from([PARTS, SITES, ITEMS, COURSES]))
def test_what_is_found_can_be_run_and_stands_in_the_text(text: str, collection: Collection) -> None:
    asked = words(text)
    for each in against(asked, collection):
        fields = [next(field for field in collection.fields if field.name == name) for name in (each.field, each.other)]
        assert comparable(*fields)
        assert 0 <= each.at[0] < each.at[1] <= len(asked)
