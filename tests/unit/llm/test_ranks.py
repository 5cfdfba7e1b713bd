"""Ranks: which end of an order a question asks for, and whether it asks for the row or for its number."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.llm.fields import holds_births, holds_starts
from appliance.llm.linking import Links, link
from appliance.llm.notation import read, write
from appliance.llm.plan import Order, Query, Select
from appliance.llm.ranks import as_sorted, asks_row, by_birth, by_tenure, of_row, otherwise
from appliance.types import Catalog, Collection, Field

NOW = datetime(2026, 11, 29, 14, tzinfo=ZoneInfo("UTC"))
STAFF = Collection(
    "employees",
    "employees",
    (
        Field("name", "name", "text"),
        Field("age", "age", "integer", low=18, high=65),
        Field("salary", "salary", "numeric"),
        Field("born_on", "born on", "date"),
        Field("hired_on", "hired on", "date"),
        Field("degree_year", "degree year", "integer", low=1980, high=2024),
        Field("team", "team", "text", ("cook", "driver")),
    ),
    12,
)


def linked(question: str) -> Links:
    return link(question, Catalog("ranks", (STAFF,)), NOW, always="*")[0]


@pytest.mark.parametrize(
    ("question", "field", "descending", "wrong"),
    [
        ("who is the youngest employee", "age", True, True),
        ("who is the youngest employee", "age", False, False),
        ("who is the youngest employee", "born_on", False, True),
        ("the oldest employee", "born_on", False, False),
        ("the highest salary", "salary", False, True),
        ("the employee with the least holidays", "salary", True, False),
        ("shortest and longest", "salary", True, False),
        ("the latest employee", "hired_on", False, True),
        ("the oldest employee", "degree_year", True, True),
        ("the oldest employee", "degree_year", False, False),
    ],
)
def test_the_other_end(question: str, field: str, descending: bool, wrong: bool) -> None:
    plan = Query("employees", (Select("name"),), order=(Order(field, descending),), limit=1)
    assert otherwise(plan, linked(question)) is wrong


def test_the_other_end_as_a_number() -> None:
    assert otherwise(Query("employees", (Select("salary", "min"),)), linked("the highest salary"))
    assert not otherwise(Query("employees", (Select("salary", "max"),)), linked("the highest salary"))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("sort employees by age", "<all><low> age<e>"),
        ("employees sorted by age descending", "<all><top> age<e>"),
        ("employees sorted by age, youngest first", "<all><low> age<e>"),
        ("employees of high age", "<all><top> age<e>"),
    ],
)
def test_an_order_rises_where_nothing_is_said(question: str, expected: str) -> None:
    assert write(as_sorted(read("<all><top> age<e>"), linked(question))) == expected


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("last hired employee", True),
        ("highest paid employee", True),
        ("highest salary of the employees", False),
        ("the highest salary", False),
        ("when was the last employee hired", True),
        ("lowest salary cook", True),
        ("the lowest salary of a cook", False),
    ],
)
def test_the_row_or_its_number(question: str, row: bool) -> None:
    assert asks_row(linked(question)) is row
    made = [write(each) for each in of_row(read("<max> hired on<e>"), linked(question))]
    assert made == (["<all><top> hired on<lim> 1<e>"] if row else [])


@pytest.mark.parametrize(
    ("question", "sketch", "expected"),
    [
        ("the youngest employee", "<all><low> salary<lim> 1<e>", ["<all><top> born on<lim> 1<e>"]),
        ("the 3 oldest employees", "<all><top> salary<lim> 3<e>", ["<all><low> born on<lim> 3<e>"]),
        ("from the oldest to the youngest", "<all><e>", []),
        ("the longest serving employee", "<all><e>", []),
    ],
)
def test_ranked_by_birth(question: str, sketch: str, expected: list[str]) -> None:
    births = [field.label for field in STAFF.fields if holds_births(field)]
    assert births == ["born on"]
    assert [write(each) for each in by_birth(read(sketch), linked(question), births[0])] == expected
    assert by_birth(read(sketch), linked(question), None) == []


def test_who_has_been_there_longest_began_first() -> None:
    assert [field.name for field in STAFF.fields if holds_starts(field)] == ["hired_on"]
    links = linked("longest serving employee")
    assert not links.unexplained()
    found = by_tenure(read("<all><top> salary<lim> 1<e>"), links, "hired on")
    assert [write(each) for each in found] == ["<all><low> hired on<lim> 1<e>"]
    assert by_tenure(read("<all><top> salary<lim> 1<e>"), linked("best paid employee"), "hired on") == []
