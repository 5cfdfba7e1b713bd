"""Answers that are pinned to walls: as walls may see them, where they are wanted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.errors import ApplianceError
from appliance.llm.plan import Condition, Query, Select
from appliance.services.pins import PINS, check_may_pin, check_room, is_personal, pinned, told
from appliance.types import Catalog, Collection, Field, Question

NAME, WARD = Field("name", "Name", "text"), Field("ward", "Ward", "text")
INITIALS = Field("name__initials", "Name", "text", masked=True)
OWN = Catalog("1", (Collection("patients", "patients", (NAME, WARD)),))
WALL = Catalog("2", (Collection("patients", "patients", (INITIALS, WARD)),))
COUNT = Query("patients", (Select("*", "count"),), (Condition("ward", "eq", "Surgery"),))
NAMES = Query("patients", (Select("name"),))
OF_ONE = Query("patients", (Select("ward"),), (Condition("name", "eq", "Ana Smith"),))
ASKED = Question("a1", "Who is here?", "staff", "2026-11-28T09:00:00Z", "tablet")


def pin(plan: Query | None, room: str = "", there: tuple[Question, ...] = ()) -> Question:
    raw: Any = msgspec.to_builtins(plan) if plan else None
    return pinned(ASKED, raw, OWN, WALL, "names of patients", room, "Tablet 3", there)


def code_of(**given: Any) -> str:
    with pytest.raises(ApplianceError) as failed:
        pin(**given)
    return failed.value.code


def test_what_walls_may_see_stands_there_as_it_was_asked() -> None:
    there = pin(COUNT, "icu")
    assert (there.text, there.role, there.room, there.by) == ("Who is here?", "wall", "icu", "Tablet 3")
    assert there.pinned and there.id.startswith("p") and there.id != ASKED.id
    assert there.screen == "", "no screen's next question follows it up"
    assert told(there) == {"by": "Tablet 3", "room": "icu"}


def test_what_is_masked_for_walls_is_masked_and_told_in_the_boxs_words() -> None:
    there = pin(NAMES)
    assert there.text == "Names of patients"
    assert there.plan is not None and there.plan["select"][0]["field"] == "name__initials"


def test_what_cannot_be_pinned() -> None:
    assert code_of(plan=OF_ONE) == "LLM216", "that would tell of a patient"
    assert code_of(plan=None) == "LLM216"
    first = pin(COUNT)
    assert code_of(plan=COUNT, there=(first,)) == "LLM216"
    assert pin(COUNT, "icu", (first,)).room == "icu", "in another place it may stand too"
    many = tuple(msgspec.structs.replace(first, text=str(n)) for n in range(PINS))
    assert code_of(plan=NAMES, there=many) == "LLM216"


def test_what_the_demo_pins_is_nobodys() -> None:
    demo = msgspec.structs.replace(ASKED, pinned=True)
    assert not is_personal(demo)
    assert told(demo) is None


def test_walls_do_not_pin_and_rooms_have_to_be_there() -> None:
    with pytest.raises(ApplianceError, match="A wall does not pin"):
        check_may_pin("wall")
    check_may_pin("staff")
    check_room("", {})
    check_room("icu", {"icu": "Intensive care"})
    check_room("icu", None)
    with pytest.raises(ApplianceError, match="no such room"):
        check_room("lobby", {"icu": "Intensive care"})
