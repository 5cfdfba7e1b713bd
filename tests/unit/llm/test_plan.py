"""The Plan: what fits a catalog, and the request and the words it becomes."""

import math
import re
from datetime import date
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.plan import (
    Aggregate,
    Condition,
    Order,
    Query,
    Select,
    paired,
    read_query,
    to_rest,
    to_words,
    validate,
)
from appliance.types import Catalog, Collection, Field

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
CATALOG = Catalog("1", (VISITS,))
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
        query(Condition("paid", "neq", True)),
        query(Condition("starts_on", "eq", "2028-02-29")),
        query(Condition("seen_at", "lt", "2026-11-23T09:00:00+01:00")),
        query(Condition("doctor", "like", "smith")),
        query(Condition("doctor", "null", True)),
        query(Condition("notes", "null", False)),
        query(limit=1000),
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
    "two columns of one name": query(select=(Select("price", "sum"), Select("minutes", "sum"))),
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


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda each: st.lists(each, max_size=3)
)
ANY_NAME = st.sampled_from(["*", "id", "nope", *(field.name for field in VISITS.fields)])
ANY_OPERATOR = st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"])
ANY_AGGREGATE: st.SearchStrategy[Aggregate | None] = st.sampled_from([None, "count", "sum", "avg", "min", "max"])
ANY_PLAN = st.builds(
    Query,
    st.sampled_from(["visits", "nope"]),
    st.lists(st.builds(Select, ANY_NAME, ANY_AGGREGATE), max_size=3).map(tuple),
    st.lists(st.builds(Condition, ANY_NAME, ANY_OPERATOR, ANY_VALUE), max_size=3).map(tuple),
    st.lists(ANY_NAME, max_size=2).map(tuple),
    st.lists(st.builds(Order, ANY_NAME, st.booleans()), max_size=2).map(tuple),
    st.integers(-10, 2000),
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


# The request


def unlisted(text: str) -> list[str]:
    """The items of a PostgREST list of quoted values."""
    items: list[str] = []
    while text:
        found = re.match(r'"((?:[^"\\]|\\.)*)"(?:,(?=")|$)', text, re.DOTALL)
        assert found is not None, text
        items.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL))
        text = text[found.end() :]
    return items


def unpattern(text: str) -> str:
    """The text that a LIKE pattern looks for, `_` standing for any one character."""
    assert text[:1] == text[-1:] == "%"
    assert "*" not in text  # PostgREST would read it as %
    plain, rest = "", text[1:-1]
    while rest:
        assert rest[0] != "%", "a wildcard that was not asked for"
        taken = 2 if rest[0] == "\\" else 1
        plain, rest = plain + ("*" if rest[0] == "_" else rest[taken - 1]), rest[taken:]
    return plain


def conditions_of(rest: str) -> list[tuple[str, str, Any]]:
    """The tests of a request as PostgREST would read them: (field, operator, text or texts)."""
    address = urlsplit(rest)
    assert (address.scheme, address.netloc, address.path, address.fragment) == ("", "", "/visits", "")
    found: list[tuple[str, str, Any]] = []
    for name, value in (unquoted(part) for part in address.query.split("&")):
        if name in ("select", "order", "limit"):
            continue
        op, _, text = value.partition(".")
        if value in ("is.null", "not.is.null"):
            found.append((name, "null", value == "is.null"))
        elif op == "in":
            assert text[0] == "(" and text[-1] == ")"
            found.append((name, op, unlisted(text[1:-1])))
        elif op == "ilike":
            found.append((name, "like", unpattern(text)))
        else:
            found.append((name, op, text))
    return found


def unquoted(part: str) -> tuple[str, str]:
    """A name and a value of a query; a `+` must not stand there, as some readers take it for a space."""
    name, equals, value = part.partition("=")
    assert equals and "+" not in part and "=" not in value and "#" not in part
    return unquote(name, errors="strict"), unquote(value, errors="strict")


HOSTILE = st.text(alphabet="\"'\\,.()[]{}%&=?#*+_-: ;\n\r\t\u00e4\u4e2d\U0001f6cf|!<>~@$/aZ0", max_size=40) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40
)


@given(
    HOSTILE,
    st.lists(HOSTILE, min_size=1, max_size=5),
    HOSTILE,
    st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte"]),
)
def test_hostile_values_stay_values(one: str, many: list[str], part: str, op: Any) -> None:
    plan = query(
        Condition("doctor", op, one),
        Condition("status", "in", many),
        Condition("doctor", "like", part),
        Condition("status", "null", False),
    )
    validate(plan, CATALOG)
    rest = to_rest(plan)
    assert rest.isascii() and rest.isprintable()
    assert conditions_of(rest) == [
        ("doctor", op, one), ("status", "in", many), ("doctor", "like", part), ("status", "null", False)
    ]  # fmt: skip


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.floats(-1e15, 1e15), st.booleans())
def test_numbers_and_booleans_keep_their_value(whole: int, part: float, truth: bool) -> None:
    plan = query(Condition("minutes", "eq", whole), Condition("price", "eq", part), Condition("paid", "eq", truth))
    validate(plan, CATALOG)
    told = {name: value for name, _, value in conditions_of(to_rest(plan))}
    assert int(told["minutes"]) == whole
    assert float(told["price"]) == part
    assert told["paid"] == ("true" if truth else "false")


def test_a_whole_number_field_is_never_sent_a_point() -> None:
    assert conditions_of(to_rest(query(Condition("minutes", "in", [5.0, 6])))) == [("minutes", "in", ["5", "6"])]


def test_an_offset_keeps_its_plus() -> None:
    at = "2026-11-23T09:00:00+01:00"
    assert conditions_of(to_rest(query(Condition("seen_at", "gte", at)))) == [("seen_at", "gte", at)]


@pytest.mark.parametrize(
    ("plan", "rest"),
    [
        (query(), "/visits?select=id.count()"),
        (query(select=(Select("price", "avg"),)), "/visits?select=price.avg()"),
        (query(select=(Select("*"),)), "/visits?select=*&limit=200"),
        (
            query(select=(Select("id"), Select("doctor")), order=(Order("price", True), Order("id")), limit=5),
            "/visits?select=id,doctor&order=price.desc.nullslast,id&limit=5",
        ),
        (
            query(select=(Select("doctor"), Select("*", "count")), group=("doctor",), limit=1000),
            "/visits?select=doctor,id.count()&limit=1000",
        ),
        (query(Condition("doctor", "null", True)), "/visits?select=id.count()&doctor=is.null"),
    ],
)
def test_the_request_of_a_plan(plan: Query, rest: str) -> None:
    assert to_rest(plan) == rest


# As JSON


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


# In words


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (query(), "number of visits"),
        (query(Condition("status", "eq", "booked")), "number of visits where status is booked"),
        (query(select=(Select("id"), Select("doctor"), Select("price"))), "doctor and price of visits"),
        (query(select=(Select("*"),)), "everything"),
        (query(select=(Select("price", "sum"),)), "sum of price of visits"),
        (query(select=(Select("seen_at", "max"),)), "latest seen at of visits"),
        (query(select=(Select("starts_on", "min"),)), "earliest starts on of visits"),
        (
            query(select=(Select("doctor"), Select("*", "count")), group=("doctor",), limit=1000),
            "number of visits per doctor",
        ),
        (
            query(select=(Select("doctor"),), order=(Order("price", True),), limit=1),
            "doctor of visits, highest price first, the first one",
        ),
        (
            query(select=(Select("doctor"),), order=(Order("seen_at"),), limit=5),
            "doctor of visits, earliest seen at first, the first 5",
        ),
        (
            query(Condition("starts_on", "gte", "2026-11-23"), Condition("starts_on", "lt", "2026-11-24")),
            "number of visits where starts on is today",
        ),
        (
            query(Condition("starts_on", "gte", "2026-12-24")),
            "number of visits where starts on is from 24 December 2026",
        ),
        (query(Condition("minutes", "gt", 30)), "number of visits where minutes is over 30"),
        (query(Condition("doctor", "null", True)), "number of visits where doctor is not set"),
        (query(Condition("doctor", "null", False)), "number of visits where doctor is set"),
        (query(Condition("paid", "eq", False)), "number of visits where paid is no"),
        (
            query(Condition("doctor", "in", ["Smith", "Jones"]), Condition("status", "neq", "cancelled")),
            "number of visits where doctor is Smith or Jones and status is not cancelled",
        ),
    ],
)
def test_a_plan_in_words(plan: Query, words: str) -> None:
    assert validate(plan, CATALOG) == VISITS
    assert to_words(plan, VISITS, TODAY) == words


def test_bounds_of_one_field_are_one_span_of_days() -> None:
    doctor = Condition("doctor", "eq", "Smith")
    first, last = Condition("starts_on", "gte", "2026-11-23"), Condition("starts_on", "lt", "2026-11-30")
    assert paired((first, doctor, last)) == ([doctor], [("starts_on", date(2026, 11, 23), date(2026, 11, 30))])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T08:00:00+00:00", "2026-11-24T00:00:00+00:00"),
        ("2026-11-24", "2026-11-23"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T00:00:00+00:00", "2026-11-23T00:00:00-05:00"),
    ],
)
def test_bounds_that_are_no_whole_days_stay_apart(start: str, end: str) -> None:
    bounds = (Condition("seen_at", "gte", start), Condition("seen_at", "lt", end))
    assert paired(bounds) == (list(bounds), [])


def test_bounds_with_and_without_a_zone_can_be_told() -> None:
    plan = query(Condition("seen_at", "gte", "2026-11-23"), Condition("seen_at", "lt", "2026-11-24T00:00:00+00:00"))
    assert to_words(plan, validate(plan, CATALOG), TODAY) == "number of visits where seen at is today"
