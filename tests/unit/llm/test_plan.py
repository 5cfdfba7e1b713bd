"""The Plan: what fits a catalog, and the JSON it travels as."""

import math
import re
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.plan import Aggregate, Condition, Having, Order, Query, Select, keys, read_query, validate
from appliance.llm.render import to_rest, to_words
from appliance.types import Catalog, Collection, Field, Relation

TODAY = date(2026, 11, 23)
VISITS = Collection(
    "visits",
    "visits",
    (
        Field("doctor", "doctor", "text"),
        Field("status", "status", "text", values=("booked", "cancelled")),
        Field("minutes", "minutes", "integer"),
        Field("price", "price", "numeric"),
        Field("paid", "paid", "boolean"),
        Field("starts_on", "starts_on", "date"),
        Field("seen_at", "seen_at", "timestamptz"),
        Field("notes", "notes", "jsonb"),
    ),
)
PATIENTS = Collection(
    "patients",
    "patients",
    (
        Field("name", "name", "text"),
        Field("ward_id", "Ward ID", "integer"),
        Field("admitted_on", "admitted on", "date"),
    ),
)
WARDS = Collection("wards", "wards", (Field("name", "name", "text"), Field("beds", "beds", "integer")))
CATALOG = Catalog("1", (VISITS, PATIENTS, WARDS), (Relation("patients", "ward_id", "wards", "id"),))
COUNT = (Select("*", "count"),)


def query(*where: Condition, **parts: Any) -> Query:
    return Query("visits", parts.pop("select", COUNT), where, **parts)


# What fits


@pytest.mark.parametrize(
    "plan",
    [
        query(),
        query(select=(Select("doctor"), Select("id"))),
        query(select=(Select("price", "sum"),)),
        query(select=(Select("doctor", "max"),)),
        query(select=(Select("seen_at", "min"),)),
        query(select=(Select("price", "sum"), Select("minutes", "avg"))),
        query(select=(Select("doctor"), Select("*", "count")), group=("doctor",), order=(Order("doctor"),)),
        query(select=(Select("doctor"),), order=(Order("seen_at", True),), limit=1),
        query(Condition("id", "eq", 7)),
        query(Condition("minutes", "gte", 30.0)),
        query(Condition("minutes", "in", [1, 2])),
        query(Condition("price", "lt", 9.5)),
        query(Condition("price", "lt", other="minutes")),
        query(Condition("paid", "neq", True)),
        query(Condition("starts_on", "eq", "2028-02-29")),
        query(Condition("seen_at", "lt", "2026-11-23T09:00:00+01:00")),
        query(Condition("doctor", "like", "smith")),
        query(Condition("doctor", "null", True)),
        query(Condition("notes", "null", False)),
        query(limit=1000),
        query(select=(Select("price", "sum"), Select("minutes", "sum"))),
        query(select=(Select("seen_at", bucket="hour"), *COUNT), group=("seen_at",), timezone="Europe/Berlin"),
        query(select=(Select("doctor"), *COUNT), group=("doctor",), order=(Order("*", True, "count"),)),
        query(select=(Select("doctor"), *COUNT), group=("doctor",), having=(Having("price", "sum", "gt", 9.5),)),
    ],
)
def test_a_plan_that_fits_gives_its_collection(plan: Query) -> None:
    assert validate(plan, CATALOG) is VISITS


MISFITS = {
    "no such collection": Query("salaries", COUNT),
    "nothing selected": query(select=()),
    "limit of nothing": query(limit=0),
    "limit below nothing": query(limit=-1),
    "limit without end": query(limit=1001),
    "no such field shown": query(select=(Select("salary"),)),
    "no such field tested": query(Condition("salary", "eq", 1)),
    "no such field to compare with": query(Condition("price", "gt", other="salary")),
    "a number against a text": query(Condition("price", "gt", other="doctor")),
    "a text against a text": query(Condition("doctor", "eq", other="status")),
    "a day against a moment": query(Condition("starts_on", "eq", other="seen_at")),
    "a field against itself": query(Condition("price", "eq", other="price")),
    "a value and a field": query(Condition("price", "gt", 5, other="minutes")),
    "a field that is like another": query(Condition("price", "like", other="minutes")),
    "no such field grouped": query(select=(Select("*", "count"),), group=("salary",)),
    "no such field ordered": query(select=(Select("doctor"),), order=(Order("salary"),)),
    "a field that is a request": query(select=(Select("doctor,salaries(*)"),)),
    "sum of rows": query(select=(Select("*", "sum"),)),
    "sum of a text": query(select=(Select("doctor", "sum"),)),
    "average of days": query(select=(Select("starts_on", "avg"),)),
    "lowest yes or no": query(select=(Select("paid", "min"),)),
    "highest document": query(select=(Select("notes", "max"),)),
    "aggregate beside an ungrouped field": query(select=(Select("doctor"), Select("*", "count"))),
    "group without aggregate": query(select=(Select("doctor"),), group=("doctor",)),
    "order of a total": query(order=(Order("doctor"),)),
    "order by what is not grouped": query(
        select=(Select("doctor"), Select("*", "count")), group=("doctor",), order=(Order("price"),)
    ),
    "the same total twice": query(select=(Select("price", "sum"), Select("price", "sum"))),
    "rows in time buckets": query(select=(Select("*", bucket="day"),)),
    "texts in time buckets": query(select=(Select("doctor", bucket="day"),)),
    "hours of a day": query(select=(Select("starts_on", bucket="hour"),)),
    "bucket of an aggregate": query(select=(Select("seen_at", "max", "day"),)),
    "order of rows": query(select=(Select("doctor"),), order=(Order("*"),)),
    "rows in the order of a count": query(select=(Select("doctor"),), order=(Order("*", aggregate="count"),)),
    "order of a sum of texts": query(order=(Order("doctor", aggregate="sum"),)),
    "test of a sum of texts": query(having=(Having("doctor", "sum", "gt", 1),)),
    "test of a count with a word": query(having=(Having("*", "count", "gt", "many"),)),
    "test of a day with a number": query(having=(Having("starts_on", "max", "gt", 5),)),
    "no relation": query(select=(Select("doctor.name"),)),
    "no field at the end": Query("patients", (Select("ward_id.salary"),)),
    "a path without an end": Query("patients", (Select("ward_id."),)),
    "a path through an end": Query("patients", (Select("ward_id.name.id"),)),
    "no such timezone": query(timezone="Mars/Olympus"),
    "a timezone that is a file": query(timezone="../etc/passwd"),
    "tests without end": query(*[Condition("paid", "eq", True)] * 101),
    "orders without end": query(select=(Select("doctor"),), order=(Order("doctor"),) * 11),
    "an offset beyond the database": query(Condition("seen_at", "lt", "2026-11-23T00:00:00+16:00")),
    "an hour without minutes": query(Condition("seen_at", "lt", "2026-11-23 10")),
    "text for a number": query(Condition("minutes", "eq", "30")),
    "part for a whole number": query(Condition("minutes", "eq", 1.5)),
    "yes for a number": query(Condition("price", "eq", True)),
    "number beyond the column": query(Condition("minutes", "eq", 2**63)),
    "number beyond all machines": query(Condition("minutes", "eq", 10**5000)),
    "no number": query(Condition("price", "eq", math.nan)),
    "infinity": query(Condition("price", "lt", math.inf)),
    "number for a text": query(Condition("doctor", "eq", 5)),
    "nothing for a text": query(Condition("doctor", "eq", None)),
    "zero byte": query(Condition("doctor", "eq", "a\0b")),
    "zero byte in a part": query(Condition("doctor", "like", "a\0b")),
    "half a character": query(Condition("doctor", "eq", "\ud800")),
    "half a character in a list": query(Condition("doctor", "in", ["a", "\udfff"])),
    "long text": query(Condition("doctor", "eq", "x" * 1001)),
    "long part": query(Condition("doctor", "like", "x" * 1001)),
    "word for yes": query(Condition("paid", "eq", "true")),
    "one for yes": query(Condition("paid", "eq", 1)),
    "no such day": query(Condition("starts_on", "eq", "2026-02-29")),
    "word for a day": query(Condition("starts_on", "gte", "today")),
    "number for a day": query(Condition("starts_on", "gte", 20261123)),
    "week for a day": query(Condition("starts_on", "eq", "2026-W47-1")),
    "any sign before the hour": query(Condition("seen_at", "eq", "2026-11-23\x0010:00")),
    "no such hour": query(Condition("seen_at", "lt", "2026-11-23T25:00:00+00:00")),
    "list for one": query(Condition("doctor", "eq", ["Smith"])),
    "one for a list": query(Condition("doctor", "in", "Smith")),
    "empty list": query(Condition("doctor", "in", [])),
    "long list": query(Condition("minutes", "in", list(range(101)))),
    "misfit in a list": query(Condition("minutes", "in", [1, "2"])),
    "document in a list": query(Condition("notes", "in", ["free"])),
    "list in a list": query(Condition("doctor", "in", [["Smith"]])),
    "part of a number": query(Condition("minutes", "like", "3")),
    "number as a part": query(Condition("doctor", "like", 3)),
    "word for empty": query(Condition("doctor", "null", "null")),
    "one for empty": query(Condition("doctor", "null", 1)),
    "test of a document": query(Condition("notes", "eq", "{}")),
}


@pytest.mark.parametrize("plan", MISFITS.values(), ids=MISFITS.keys())
def test_a_misfit_is_told_with_what_does_not_fit(plan: Query) -> None:
    with pytest.raises(ApplianceError) as raised:
        validate(plan, CATALOG)
    assert raised.value.code == "LLM206"
    assert raised.value.status == 422
    assert re.fullmatch(r"[A-Z].*\.", raised.value.message, re.IGNORECASE)
    assert raised.value.details is not None
    assert raised.value.hint


def test_a_misfit_names_the_test_that_does_not_fit() -> None:
    with pytest.raises(ApplianceError) as raised:
        validate(query(Condition("doctor", "eq", "Smith"), Condition("minutes", "gt", "long")), CATALOG)
    assert raised.value.details == {"field": "minutes", "op": "gt", "value": "long"}


def test_what_a_role_may_not_see_does_not_exist() -> None:
    part = msgspec.structs.replace(VISITS, fields=VISITS.fields[1:])
    plan = query(Condition("doctor", "eq", "Smith"))
    assert validate(plan, CATALOG) == VISITS
    with pytest.raises(ApplianceError, match="LLM206"):
        validate(plan, Catalog("1", (part,)))
    with pytest.raises(ApplianceError, match="LLM206"):
        validate(plan, Catalog("1", ()))


def test_a_field_along_a_relation_is_one_of_the_collection() -> None:
    plan = Query("patients", (Select("ward_id.name"), *COUNT), group=("ward_id.name",))
    found = validate(plan, CATALOG)
    assert found.fields == (*PATIENTS.fields, Field("ward_id.name", "Ward name", "text"))


def test_a_relation_to_what_a_role_may_not_see_does_not_exist() -> None:
    plan = Query("patients", (Select("ward_id.name"),))
    with pytest.raises(ApplianceError, match="LLM206"):
        validate(plan, msgspec.structs.replace(CATALOG, collections=(PATIENTS,)))


def test_columns_have_short_names_where_that_is_enough() -> None:
    assert keys(query(select=(Select("price", "sum"), Select("minutes", "avg"), *COUNT))) == ("sum", "avg", "count")
    both = (Select("price", "sum"), Select("minutes", "sum"), Select("seen_at"), Select("seen_at", bucket="day"))
    assert keys(query(select=both)) == ("sum_price", "sum_minutes", "seen_at", "seen_at_day")
    assert keys(query(select=(Select("doctor", "count"), *COUNT))) == ("count_doctor", "count_rows")


def test_a_plan_of_an_older_box_still_reads() -> None:
    old = {"form": "query", "collection": "visits", "select": [{"field": "doctor", "aggregate": None}],
           "order": [{"field": "doctor", "descending": True}]}  # fmt: skip
    assert read_query(old) == query(select=(Select("doctor"),), order=(Order("doctor", True),))


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda each: st.lists(each, max_size=3)
)
ANY_NAME = st.sampled_from(["*", "id", "nope", *(field.name for field in VISITS.fields)])
ANY_OPERATOR = st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"])
ANY_COMPARISON = st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte"])
ANY_BUCKET = st.sampled_from([None, "hour", "day", "week", "month", "quarter", "year"])
ANY_AGGREGATE: st.SearchStrategy[Aggregate | None] = st.sampled_from([None, "count", "sum", "avg", "min", "max"])
ANY_PLAN = st.builds(
    Query,
    st.sampled_from(["visits", "nope"]),
    st.lists(st.builds(Select, ANY_NAME, ANY_AGGREGATE, ANY_BUCKET), max_size=3).map(tuple),
    st.lists(st.builds(Condition, ANY_NAME, ANY_OPERATOR, ANY_VALUE), max_size=3).map(tuple),
    st.lists(ANY_NAME, max_size=2).map(tuple),
    st.lists(st.builds(Order, ANY_NAME, st.booleans(), ANY_AGGREGATE), max_size=2).map(tuple),
    st.integers(-10, 2000),
    st.lists(st.builds(Having, ANY_NAME, ANY_AGGREGATE.filter(bool), ANY_COMPARISON, ANY_VALUE), max_size=1).map(tuple),
)


@given(ANY_PLAN)
def test_any_plan_either_fits_and_can_be_run_and_said_or_is_told_apart(plan: Query) -> None:
    try:
        collection = validate(plan, CATALOG)
    except ApplianceError as error:
        assert error.code == "LLM206"
        return
    assert to_rest(plan).isascii()
    assert to_words(plan, collection, TODAY)


# As JSON


HOSTILE = st.text(alphabet="\"'\\,.()[]{}%&=?#*+_-: ;\n\r\t\u00e4\u4e2d\U0001f6cf|!<>~@$/aZ0", max_size=40) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40
)


@given(ANY_PLAN)
def test_a_plan_that_fits_survives_json(plan: Query) -> None:
    try:
        validate(plan, CATALOG)
    except ApplianceError:
        return
    assert read_query(msgspec.to_builtins(plan)) == plan
    assert read_query(msgspec.json.decode(msgspec.json.encode(plan))) == plan


@given(st.lists(HOSTILE, min_size=1, max_size=3), st.integers(1, 1000), st.booleans())
def test_a_hostile_plan_survives_json(texts: list[str], limit: int, descending: bool) -> None:
    tests = (Condition("doctor", "in", texts), *(Condition("status", "eq", text) for text in texts))
    plan = query(*tests, select=(Select("doctor"),), order=(Order("price", descending),), limit=limit)
    validate(plan, CATALOG)
    assert read_query(msgspec.json.decode(msgspec.json.encode(plan))) == plan


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


JUNK: list[Any] = [
    None, True, 0, "", "select * from beds", [], {}, [{}], deep(100_000), {1: 2}, {"form": "query"},
    {"form": "refuse", "code": "LLM204", "sentence": "No."},
    {"form": "clarify", "sentence": "Which?"},
    {"form": "drop", "collection": "visits", "select": []},
    {"form": "query", "collection": 5, "select": []},
    {"form": "query", "collection": "visits", "select": "doctor"},
    {"form": "query", "collection": "visits", "select": ["doctor"]},
    {"form": "query", "collection": "visits", "select": deep(100_000)},
    {"form": "query", "collection": "visits", "select": [{"field": "doctor", "aggregate": "delete"}]},
    {"form": "query", "collection": "visits", "select": [], "where": [{"field": "doctor", "op": "or", "value": 1}]},
    {"form": "query", "collection": "visits", "select": [], "where": [{"field": "doctor", "op": "eq"}]},
    {"form": "query", "collection": "visits", "select": [], "limit": "5"},
    {"form": "query", "collection": "visits", "select": [], "limit": None},
]  # fmt: skip


@pytest.mark.parametrize("value", JUNK, ids=range(len(JUNK)))
def test_junk_is_no_plan(value: object) -> None:
    with pytest.raises(ApplianceError) as raised:
        read_query(value)
    assert raised.value.code == "LLM206"


@given(st.recursive(ANY_VALUE, lambda each: st.dictionaries(st.text(max_size=10), each, max_size=4)))
def test_any_json_is_a_query_or_no_plan(value: object) -> None:
    with pytest.raises(ApplianceError, match="LLM206"):
        read_query(value)


def test_a_value_nested_deep_is_a_misfit() -> None:
    nested = {"field": "doctor", "op": "eq", "value": deep(100_000)}
    plan = read_query({"form": "query", "collection": "visits", "select": [], "where": [nested]})
    with pytest.raises(ApplianceError, match="LLM206"):
        validate(msgspec.structs.replace(plan, select=COUNT), CATALOG)
