"""Render: the request and the words that a plan becomes."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.plan import Condition, Having, Order, Query, Select, validate
from appliance.llm.render import is_plain, paired, to_rest, to_words
from tests.unit.llm.test_plan import CATALOG, COUNT, HOSTILE, TODAY, VISITS, query

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
        (
            query(select=(Select("price", "sum"), Select("minutes", "sum"))),
            "/visits?select=sum_price:price.sum(),sum_minutes:minutes.sum()",
        ),
    ],
)
def test_the_request_of_a_plan(plan: Query, rest: str) -> None:
    assert to_rest(plan) == rest


PER_DOCTOR: dict[str, Any] = {"select": (Select("doctor"), *COUNT), "group": ("doctor",)}
BEYOND = [
    query(**PER_DOCTOR, order=(Order("*", True, "count"),)),
    query(**PER_DOCTOR, having=(Having("*", "count", "gt", 1),)),
    query(select=(Select("seen_at", bucket="week"), *COUNT), group=("seen_at",), timezone="Europe/Berlin"),
    query(group=("doctor",)),
    Query("patients", (Select("ward_id.name"),)),
    query(Condition("minutes", "gt", other="price")),
]


@pytest.mark.parametrize("plan", BEYOND, ids=range(len(BEYOND)))
def test_what_postgrest_cannot_do_is_run_by_the_database(plan: Query) -> None:
    validate(plan, CATALOG)
    assert not is_plain(plan)
    path, _, told = to_rest(plan).partition("?plan=")
    assert path == "/rpc/run_plan"
    assert msgspec.json.decode(unquote(told), type=Query) == plan


@given(HOSTILE)
def test_hostile_values_stay_values_in_a_plan_too(text: str) -> None:
    plan = query(Condition("doctor", "eq", text), **PER_DOCTOR, order=(Order("*", True, "count"),))
    rest = to_rest(plan)
    assert rest.isascii() and rest.isprintable() and not set("&#+= ") & set(rest.partition("?plan=")[2])
    assert msgspec.json.decode(unquote(rest.partition("?plan=")[2]), type=Query) == plan


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
        (query(Condition("minutes", "gt", other="price")), "number of visits where minutes is over price"),
        (query(Condition("doctor", "null", True)), "number of visits where doctor is not set"),
        (query(Condition("doctor", "null", False)), "number of visits where doctor is set"),
        (query(Condition("paid", "eq", False)), "number of visits where paid is no"),
        (
            query(Condition("doctor", "in", ["Smith", "Jones"]), Condition("status", "neq", "cancelled")),
            "number of visits where doctor is Smith or Jones and status is not cancelled",
        ),
        (
            query(**PER_DOCTOR, order=(Order("price", True, "sum"),), limit=3),
            "number of visits per doctor, highest sum of price first, the first 3",
        ),
        (
            query(**PER_DOCTOR, having=(Having("*", "count", "gte", 2), Having("seen_at", "max", "lt", "2026-11-01"))),
            "number of visits per doctor with number of visits at least 2 and latest seen at before 1 November 2026",
        ),
        (
            query(select=(Select("seen_at", bucket="week"), *COUNT), group=("seen_at",), order=(Order("seen_at"),)),
            "number of visits per week of seen at, earliest seen at first",
        ),
    ],
)
def test_a_plan_in_words(plan: Query, words: str) -> None:
    assert validate(plan, CATALOG) == VISITS
    assert to_words(plan, VISITS, TODAY) == words


def test_bounds_of_one_field_are_one_span_of_days() -> None:
    doctor = Condition("doctor", "eq", "Smith")
    first, last = Condition("starts_on", "gte", "2026-11-23"), Condition("starts_on", "lt", "2026-11-30")
    assert paired((first, doctor, last)) == ([doctor], [("starts_on", datetime(2026, 11, 23), datetime(2026, 11, 30))])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T08:00:00+00:00", "2026-11-25T00:00:00+00:00"),
        ("2026-11-24", "2026-11-23"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T00:00:00+00:00", "2026-11-23T00:00:00-05:00"),
    ],
)
def test_bounds_that_are_neither_whole_days_nor_in_one_stay_apart(start: str, end: str) -> None:
    bounds = (Condition("seen_at", "gte", start), Condition("seen_at", "lt", end))
    assert paired(bounds) == (list(bounds), [])


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-24T00:00:00+01:00", "2026-11-24T12:00:00+01:00", "tomorrow before 12:00"),
        ("2026-11-23T14:00:00+00:00", "2026-11-24T00:00:00+00:00", "today from 14:00"),
        ("2026-11-23T09:00:00", "2026-11-23T11:30:00", "today from 09:00 to 11:30"),
        ("2026-12-01T14:30:00", "2026-12-01T14:31:00", "on 1 December 2026 at 14:30"),
    ],
)
def test_hours_of_a_day_are_said_with_the_day(start: str, end: str, words: str) -> None:
    plan = query(Condition("seen_at", "gte", start), Condition("seen_at", "lt", end))
    assert to_words(plan, validate(plan, CATALOG), TODAY) == f"number of visits where seen at is {words}"


def test_bounds_with_and_without_a_zone_can_be_told() -> None:
    plan = query(Condition("seen_at", "gte", "2026-11-23"), Condition("seen_at", "lt", "2026-11-24T00:00:00+00:00"))
    assert to_words(plan, validate(plan, CATALOG), TODAY) == "number of visits where seen at is today"


def test_a_path_and_a_bucket_in_words() -> None:
    plan = Query("patients", (Select("ward_id.name"), *COUNT), group=("ward_id.name",))
    assert to_words(plan, validate(plan, CATALOG), TODAY) == "number of patients per Ward name"
    plan = Query("patients", (Select("admitted_on", bucket="week"), *COUNT), group=("admitted_on",), limit=1000)
    assert to_words(plan, validate(plan, CATALOG), TODAY) == "number of patients per week"
