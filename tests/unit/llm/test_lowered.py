"""A plan as a less trusted role may have it: masks shown, hidden columns left out, nothing told by a test."""

from __future__ import annotations

import pytest

from appliance.llm.lowered import lowered
from appliance.llm.plan import Condition, Order, Query, Select
from appliance.types import Catalog, Collection, Field

NAME, WARD, SEX = Field("name", "Name", "text"), Field("ward", "Ward", "text"), Field("sex", "Sex", "text")
OWN = Catalog("1", (Collection("patients", "patients", (NAME, WARD, SEX)), Collection("notes", "notes", (NAME,))))
MASKED = Field("name__initials", "Name", "text", masked=True)
OTHER = Catalog("2", (Collection("patients", "patients", (MASKED, WARD)),))


def names(plan: Query) -> list[str] | None:
    found = lowered(plan, OWN, OTHER)
    return None if found is None else [select.field for select in found.select]


def test_masks_stand_in_and_hidden_columns_are_left_out() -> None:
    rows = (Select("id"), Select("name"), Select("ward"), Select("sex"))
    assert names(Query("patients", rows, (Condition("ward", "eq", "ICU"),), order=(Order("id"),))) == [
        "id",
        "name__initials",
        "ward",
    ]


def test_a_count_stays_as_it_is() -> None:
    plan = Query("patients", (Select("*", "count"),), (Condition("ward", "eq", "ICU"),))
    assert lowered(plan, OWN, OTHER) == plan


@pytest.mark.parametrize(
    "plan",
    [
        Query("notes", (Select("name"),)),  # another role's collection
        Query("patients", (Select("id"), Select("sex"))),  # nothing is left
        Query("patients", (Select("ward"),), (Condition("sex", "eq", "f"),)),  # the rows would tell
        Query("patients", (Select("ward"),), (Condition("name", "eq", "Ana"),)),  # masked, and yet told
        Query("patients", (Select("ward"),), order=(Order("name"),)),
        Query("patients", (Select("sex"), Select("*", "count")), group=("sex",)),
        Query("patients", (Select("name", "max"),)),
    ],
)
def test_what_would_tell_what_is_hidden_is_not_shown_at_all(plan: Query) -> None:
    assert lowered(plan, OWN, OTHER) is None
