"""The answer: one sentence whose numbers come from the rows, and how to show them."""

import re
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.answer import arrange, fields, say, view, with_level
from appliance.llm.plan import Bucket, Condition, Order, Query, Select, validate
from appliance.types import Catalog, Collection, Field

TODAY = date(2026, 11, 23)
Rows = tuple[dict[str, Any], ...]

BEDS = Collection(
    "beds",
    "beds",
    (
        Field("bed", "bed", "text"),
        Field("ward", "ward", "text"),
        Field("floor", "floor", "integer"),
        Field("status", "status", "text"),
        Field("patient", "patient", "text"),
        Field("daily_price", "daily_price", "numeric"),
        Field("total_price", "total_price", "numeric"),
        Field("window", "window", "boolean"),
        Field("admitted_on", "admitted_on", "date"),
        Field("expires_on", "expires_on", "date"),
        Field("cleaned_at", "cleaned_at", "timestamptz"),
    ),
)
CATALOG = Catalog("1", (BEDS,))
COUNT = Select("*", "count")
LEAST = Select("daily_price", "min")
FREE = Condition("status", "eq", "free")
CARDIOLOGY = Condition("ward", "eq", "Cardiology")


def query(*where: Condition, **parts: Any) -> Query:
    plan = Query("beds", parts.pop("select", (COUNT,)), where, **parts)
    validate(plan, CATALOG)
    return plan


def per(*group: str, measure: Select = COUNT, where: tuple[Condition, ...] = ()) -> Query:
    return query(*where, select=(*map(Select, group), measure), group=group, limit=1000)


def shown(*names: str) -> tuple[Select, ...]:
    return tuple(Select(name) for name in ("id", *names))


TODAY_BOUNDS = (Condition("admitted_on", "gte", "2026-11-23"), Condition("admitted_on", "lt", "2026-11-24"))

SENTENCES: list[tuple[Query, Rows, str]] = [
    # counts
    (query(), ({"count": 1200},), "There are 1,200 beds."),
    (query(), ({"count": 1},), "There is 1 bed."),
    (query(), ({"count": 0},), "There are no beds."),
    (query(), (), "There are no beds."),
    (query(FREE), ({"count": 7},), "7 beds are free."),
    (query(FREE), ({"count": 1},), "1 bed is free."),
    (query(FREE, CARDIOLOGY), ({"count": 7},), "7 beds are free in Cardiology."),
    (query(FREE, CARDIOLOGY), ({"count": 0},), "No beds are free in Cardiology."),
    (query(Condition("status", "neq", "free")), ({"count": 7},), "7 beds are not free."),
    (query(Condition("status", "in", ["Free", "Cleaning"])), ({"count": 7},), "7 beds are free or cleaning."),
    (query(Condition("floor", "eq", 3)), ({"count": 2},), "There are 2 beds on floor 3."),
    (query(Condition("patient", "eq", "Ana Smith")), ({"count": 1},), "There is 1 bed of Ana Smith."),
    (query(Condition("patient", "null", True)), ({"count": 4},), "There are 4 beds with no patient."),
    (query(Condition("patient", "null", False)), ({"count": 4},), "There are 4 beds with a patient."),
    (query(Condition("window", "eq", True)), ({"count": 4},), "There are 4 beds with window."),
    (query(Condition("window", "neq", True)), ({"count": 4},), "There are 4 beds without window."),
    (query(Condition("daily_price", "gt", 90.5)), ({"count": 4},), "There are 4 beds with daily price over 90.5."),
    (
        query(Condition("daily_price", "gte", 10), Condition("daily_price", "lte", 90)),
        ({"count": 4},),
        "There are 4 beds with daily price at least 10 and daily price at most 90.",
    ),
    (query(Condition("bed", "like", "C-")), ({"count": 4},), "There are 4 beds with bed like C-."),
    (
        query(Condition("bed", "in", ["A", "B", "C", "D"])),
        ({"count": 4},),
        "There are 4 beds with bed A, B or 2 others.",
    ),
    (query(*TODAY_BOUNDS), ({"count": 4},), "There are 4 beds admitted today."),
    (
        query(Condition("expires_on", "lt", "2026-11-23")),
        ({"count": 4},),
        "There are 4 beds expiring before 23 November 2026.",
    ),
    # one number
    (query(select=(Select("daily_price", "sum"),)), ({"sum": 1234.5},), "The total daily price is 1,234.5."),
    (query(select=(Select("total_price", "sum"),)), ({"sum": 9},), "The total price is 9."),
    (
        query(CARDIOLOGY, select=(Select("daily_price", "avg"),)),
        ({"avg": 99.999},),
        "The average daily price in Cardiology is 100.",
    ),
    (
        query(FREE, select=(Select("daily_price", "max"),)),
        ({"max": 80},),
        "The highest daily price of free beds is 80.",
    ),
    (query(select=(Select("daily_price", "min"),)), ({"min": 0},), "The lowest daily price is 0."),
    (
        query(select=(Select("admitted_on", "max"),)),
        ({"max": "2026-11-20"},),
        "The latest admitted on is 20 November 2026.",
    ),
    (
        query(FREE, select=(Select("daily_price", "avg"),)),
        ({"avg": None},),
        "There is no average daily price of free beds.",
    ),
    (query(select=(Select("daily_price", "avg"),)), (), "There is no average daily price."),
    # rows
    (query(select=shown("bed")), (), "There are no beds."),
    (query(FREE, select=shown("bed")), (), "No beds are free."),
    (query(FREE, select=shown("bed")), ({"bed": "A"}, {"bed": "B"}), "2 beds are free: A and B."),
    (
        query(FREE, select=shown("bed")),
        tuple({"bed": name} for name in "ABCDEF"),
        "6 beds are free: A, B, C, D and 2 more.",
    ),
    (
        query(FREE, select=shown("patient")),
        tuple({"patient": name} for name in "ABCDEEEE"),
        "8 beds are free: A, B, C, D and others.",
    ),
    (query(FREE, select=shown("status", "bed")), ({"bed": "A"}, {"bed": "B"}), "2 beds are free: A and B."),
    (query(FREE, select=shown("patient")), ({"patient": None}, {"patient": None}), "2 beds are free."),
    (query(select=shown("bed"), limit=2), ({"bed": "A"}, {"bed": "B"}), "2 or more beds match: A and B."),
    (
        query(Condition("bed", "eq", "C-04"), select=shown("bed", "status")),
        ({"id": 4, "bed": "C-04", "status": "free"},),
        "The status of C-04 is free.",
    ),
    (
        query(FREE, select=shown("bed", "floor", "daily_price")),
        ({"id": 4, "bed": "C-04", "floor": 3, "daily_price": 1200.0},),
        "C-04: floor 3, daily price 1,200.",
    ),
    (query(FREE, select=shown("bed")), ({"id": 4, "bed": "C-04"},), "Bed C-04."),
    # the first ones
    (
        query(select=shown("bed", "daily_price"), order=(Order("daily_price", True),), limit=1),
        ({"bed": "C-04", "daily_price": 90},),
        "C-04 has the highest daily price: 90.",
    ),
    (
        query(FREE, select=shown("bed", "daily_price"), order=(Order("daily_price"),), limit=2),
        ({"bed": "A", "daily_price": 1}, {"bed": "B", "daily_price": 2}),
        "The 2 with the lowest daily price free: A and B.",
    ),
    (
        query(CARDIOLOGY, select=shown("bed", "admitted_on"), order=(Order("admitted_on", True),), limit=1),
        ({"bed": "A", "admitted_on": "2026-11-20"},),
        "A: admitted on 20 November 2026, in Cardiology.",
    ),
    (query(select=shown("bed", "admitted_on"), order=(Order("admitted_on"),), limit=3), (), "There are no beds."),
    # groups
    (per("ward"), (), "There are no beds."),
    (per("ward"), ({"ward": "A", "count": 5},), "Beds per ward: A 5."),
    (
        per("ward", where=(FREE,)),
        ({"ward": "A", "count": 5}, {"ward": "B", "count": 2}, {"ward": None, "count": 1}),
        "Beds per ward, free: most A (5), fewest none (1).",
    ),
    (
        per("ward", "floor", measure=Select("daily_price", "sum")),
        ({"ward": "A", "floor": 3, "sum": 1500.5}, {"ward": "B", "floor": 1, "sum": 2}),
        "Total daily price per ward and floor: most A / 3 (1,500.5), fewest B / 1 (2).",
    ),
    (
        per("ward", measure=Select("admitted_on", "max")),
        ({"ward": "A", "max": "2026-11-20"}, {"ward": "B", "max": None}),
        "Latest admitted on per ward: A 20 November 2026.",
    ),
    (
        per("ward", measure=Select("admitted_on", "min")),
        tuple({"ward": name, "min": "2026-11-20"} for name in "ABCDE"),
        "Earliest admitted on per ward: " + ", ".join(f"{name} 20 November 2026" for name in "ABCD") + " and others.",
    ),
    (
        per("ward", measure=Select("daily_price", "avg")),
        ({"ward": "A", "avg": None},),
        "Average daily price per ward: none is known.",
    ),
    (
        per("bed"),
        tuple({"bed": str(name), "count": 1} for name in range(1000)),
        "Beds per bed: there are too many to say which has the most; 1,000 were read.",
    ),
]


@pytest.mark.parametrize(("plan", "rows", "sentence"), SENTENCES, ids=[sentence[:60] for *_, sentence in SENTENCES])
def test_a_sentence_for_every_form(plan: Query, rows: Rows, sentence: str) -> None:
    assert say(plan, BEDS, rows, TODAY) == sentence


# Laws

TEXTS = st.from_regex(r"[A-Z][a-z]{0,6}", fullmatch=True).filter(lambda text: text != "None")
PRICES = st.integers(0, 10**9) | st.decimals(0, 10**9, places=2).map(float)
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(str)
CONDITIONS = st.one_of(
    TEXTS.map(lambda text: Condition("status", "eq", text)),
    st.lists(TEXTS, min_size=1, max_size=3).map(lambda texts: Condition("status", "in", texts)),
    TEXTS.map(lambda text: Condition("ward", "eq", text)),
    TEXTS.map(lambda text: Condition("patient", "like", text)),
    st.booleans().map(lambda value: Condition("patient", "null", value)),
    st.booleans().map(lambda value: Condition("window", "eq", value)),
    st.integers(0, 50).map(lambda value: Condition("floor", "eq", value)),
    st.builds(Condition, st.just("floor"), st.sampled_from(["gt", "gte", "lt", "lte", "neq"]), st.integers(0, 50)),
    st.builds(
        Condition, st.just("admitted_on"), st.sampled_from(["gt", "gte", "lt", "lte", "eq", "neq"]), DAYS
    ),
)  # fmt: skip
WHERE = st.lists(CONDITIONS, max_size=3).map(tuple)
ROW = st.fixed_dictionaries(
    {
        "id": st.integers(1, 10**6),
        "bed": TEXTS | st.none(),
        "ward": TEXTS | st.none(),
        "floor": st.integers(0, 50) | st.none(),
        "daily_price": PRICES | st.none(),
        "admitted_on": DAYS | st.none(),
        "window": st.booleans() | st.none(),
    }
)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Query, list[dict[str, Any]]]:
    """A plan of any form and rows as the database would give them for it."""
    where = draw(WHERE)
    form = draw(st.sampled_from(["count", "number", "rows", "extreme", "groups"]))
    names = draw(st.permutations(["bed", "ward", "floor", "daily_price", "admitted_on", "window"]))
    if form in ("rows", "extreme"):
        order = (Order(names[-1], draw(st.booleans())),) if form == "extreme" else ()
        limit = draw(st.integers(1, 5)) if form == "extreme" else 200
        rows = draw(st.lists(ROW, max_size=min(limit, 12)))
        return query(*where, select=shown(*names), order=order, limit=limit), rows
    measure = draw(
        st.sampled_from([COUNT, *(Select("daily_price", each) for each in ("sum", "avg", "min", "max"))])
        if form != "count"
        else st.just(COUNT)
    )
    key = measure.aggregate or ""
    value = st.integers(0, 10**6) if measure == COUNT else PRICES | st.none()
    if form != "groups":
        return query(*where, select=(measure,)), [{key: draw(value)}]
    rows = draw(st.lists(st.fixed_dictionaries({"ward": TEXTS | st.none(), key: value}), max_size=8))
    plan = per("ward", measure=measure, where=where)
    return plan, arrange(plan, rows)


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def known(value: Any) -> set[float]:
    """The numbers that a value of a row or of a plan holds, and those of its day."""
    if isinstance(value, list | tuple):
        return set().union(*map(known, value))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return {float(part) for part in value.split("-")}
    return {round(float(value), 2)} if isinstance(value, int | float) and not isinstance(value, bool) else set()


@given(answered())
def test_every_number_said_is_in_the_rows_or_the_plan(case: tuple[Query, list[dict[str, Any]]]) -> None:
    plan, rows = case
    given_numbers = {float(len(rows)), *range(len(rows))}  # how many rows, and how many are not named
    for value in (*(value for row in rows for value in row.values()), *(each.value for each in plan.where)):
        given_numbers |= known(value)
    assert [said for said in numbers(say(plan, BEDS, rows, TODAY)) if said not in given_numbers] == []


@given(answered())
def test_a_sentence_is_one_line_with_a_full_stop(case: tuple[Query, list[dict[str, Any]]]) -> None:
    said = say(case[0], BEDS, case[1], TODAY)
    assert said.endswith(".") and not said.endswith("..")
    assert "  " not in said and " ." not in said and "\n" not in said
    assert said == said.strip()
    assert "None" not in said


@given(answered())
def test_the_view_and_columns_name_what_the_rows_hold(case: tuple[Query, list[dict[str, Any]]]) -> None:
    plan, rows = case
    seen = view(plan, BEDS, rows)
    columns = [column["name"] for column in fields(plan, BEDS)]
    assert len(set(columns)) == len(columns)
    assert "id" not in columns
    assert all(name in row for row in rows for name in columns)
    if seen["kind"] == "bars":
        assert {seen["label"], seen["value"]} <= set(rows[0])
    elif seen["kind"] == "number":
        assert seen["value"] == rows[0][columns[0]]
    else:
        assert seen["kind"] == ("table" if rows else "text")


# How to show it


@pytest.mark.parametrize(
    ("plan", "rows", "expected"),
    [
        (query(), ({"count": 7},), {"kind": "number", "value": 7, "label": "beds"}),
        (query(), (), {"kind": "number", "value": None, "label": "beds"}),
        (
            query(select=(Select("daily_price", "avg"),)),
            ({"avg": 1.5},),
            {"kind": "number", "value": 1.5, "label": "average daily price"},
        ),
        (per("ward"), ({"ward": "A", "count": 5},), {"kind": "bars", "label": "ward", "value": "count"}),
        (per("ward"), (), {"kind": "text"}),
        (per("ward", "floor", measure=LEAST), ({"ward": "A", "floor": 1, "min": 5},), {"kind": "table"}),
        (query(select=shown("bed")), ({"id": 1, "bed": "A"},), {"kind": "table"}),
        (query(select=shown("bed")), (), {"kind": "text"}),
    ],
)
def test_the_view_of_every_form(plan: Query, rows: Rows, expected: dict[str, Any]) -> None:
    assert view(plan, BEDS, rows) == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (query(), [("count", "count", "numeric")]),
        (query(select=(Select("daily_price", "sum"),)), [("sum", "sum of daily price", "numeric")]),
        (query(select=(Select("admitted_on", "max"),)), [("max", "max of admitted on", "date")]),
        (
            query(select=shown("bed", "daily_price")),
            [("bed", "bed", "text"), ("daily_price", "daily price", "numeric")],
        ),
        (per("ward"), [("ward", "ward", "text"), ("count", "count", "numeric")]),
    ],
)
def test_the_columns_of_every_form(plan: Query, expected: list[tuple[str, str, str]]) -> None:
    assert [(each["name"], each["label"], each["type"]) for each in fields(plan, BEDS)] == expected


# In which order


@given(st.lists(st.fixed_dictionaries({"ward": TEXTS, "sum": PRICES | st.none()}), max_size=20))
def test_groups_are_largest_first_and_the_unknown_last(rows: list[dict[str, Any]]) -> None:
    plan = per("ward", measure=Select("daily_price", "sum"))
    arranged = arrange(plan, rows)
    values = [row["sum"] for row in arranged]
    ranked = [value for value in values if value is not None]
    assert values == [*sorted(ranked, reverse=True), *[None] * (len(values) - len(ranked))]
    assert sorted(map(repr, arranged)) == sorted(map(repr, rows))
    assert arrange(plan, arranged) == arranged


@given(st.lists(ROW, max_size=10))
def test_rows_stay_as_the_database_ordered_them(rows: list[dict[str, Any]]) -> None:
    assert arrange(query(select=shown("bed"), order=(Order("bed"),)), rows) == rows


def test_groups_of_days_stay_in_order() -> None:
    rows: list[dict[str, Any]] = [
        {"ward": "A", "max": "2026-01-01"},
        {"ward": "B", "max": None},
        {"ward": "C", "max": "2026-11-20"},
    ]
    arranged = arrange(per("ward", measure=Select("admitted_on", "max")), rows)
    assert [row["ward"] for row in arranged] == ["A", "C", "B"]


MOST = (Order("*", True, "count"),)


@pytest.mark.parametrize(
    ("order", "rows", "said"),
    [
        (MOST, [("A", 5), ("B", 4), ("C", 4)], "Beds per ward: most A (5), then B (4) and C (4)."),
        (MOST, [("A", 5), ("B", 5), ("C", 1)], "Beds per ward: most A and B (5 each), then C (1)."),
        (MOST, [("A", 5)], "Beds per ward: most A (5)."),
        ((Order("*", False, "count"),), [("C", 0), ("A", 1)], "Beds per ward: fewest C (0), then A (1)."),
    ],
)
def test_a_ranking_names_the_first_and_who_is_level(
    order: tuple[Order, ...], rows: list[tuple[str, int]], said: str
) -> None:
    plan = msgspec.structs.replace(per("ward"), order=order, limit=3)
    assert say(plan, BEDS, [{"ward": ward, "count": count} for ward, count in rows], TODAY) == said


def test_groups_that_the_plan_orders_stay_in_order() -> None:
    rows: list[dict[str, Any]] = [{"ward": "A", "count": 1}, {"ward": "B", "count": 2}]
    assert arrange(msgspec.structs.replace(per("ward"), order=(Order("ward"),)), rows) == rows


def test_time_buckets_are_told_and_shown_as_days() -> None:
    plan = query(
        select=(Select("admitted_on", bucket="week"), COUNT), group=("admitted_on",), order=(Order("admitted_on"),)
    )
    rows = [{"admitted_on": "2026-11-16", "count": 2}, {"admitted_on": "2026-11-23", "count": 7}]
    assert say(plan, BEDS, rows, TODAY) == (
        "Beds per week: most the week of 23 November 2026 (7), fewest the week of 16 November 2026 (2)."
    )
    assert [(each["name"], each["label"], each["type"]) for each in fields(plan, BEDS)] == [
        ("admitted_on", "week", "date"),
        ("count", "count", "numeric"),
    ]
    assert view(plan, BEDS, rows) == {"kind": "line", "label": "admitted_on", "value": "count"}
    assert view(plan, BEDS, rows[:1])["kind"] == "bars"
    ranked = msgspec.structs.replace(plan, order=(Order("*", True, "count"),))
    assert view(ranked, BEDS, rows)["kind"] == "bars"


def test_time_buckets_without_an_order_follow_each_other() -> None:
    plan = query(select=(Select("admitted_on", bucket="week"), COUNT), group=("admitted_on",))
    rows = [{"admitted_on": "2026-11-23", "count": 2}, {"admitted_on": "2026-11-16", "count": 7}]
    assert arrange(plan, rows) == rows[::-1]


@pytest.mark.parametrize(
    ("bucket", "said"),
    [("day", "1 October 2026"), ("month", "October 2026"), ("quarter", "Q4 2026"), ("year", "2026")],
)
def test_a_time_bucket_is_called_what_people_call_it(bucket: Bucket, said: str) -> None:
    plan = query(select=(Select("admitted_on", bucket=bucket), COUNT), group=("admitted_on",))
    assert say(plan, BEDS, [{"admitted_on": "2026-10-01", "count": 2}], TODAY) == f"Beds per {bucket}: {said} (2)."
    assert say(plan, BEDS, [{"admitted_on": None, "count": 2}], TODAY) == f"Beds per {bucket}: none (2)."


def test_two_groups_of_what_adds_up_are_stacked_and_time_goes_along_the_bars() -> None:
    rows = ({"ward": "A", "status": "free", "count": 3}, {"ward": "A", "status": "dirty", "count": 1})
    told = view(per("ward", "status"), BEDS, rows)
    assert told == {"kind": "stacked", "label": "ward", "part": "status", "value": "count"}
    assert view(per("ward", "status", measure=Select("daily_price", "avg")), BEDS, rows) == {"kind": "table"}
    by_month = Query(
        "beds", (Select("ward"), Select("admitted_on", bucket="month"), COUNT), group=("ward", "admitted_on")
    )
    assert view(by_month, BEDS, rows)["label"] == "admitted_on"


@pytest.mark.parametrize(
    ("question", "measure", "value", "share"),
    [
        ("What share of beds is there per ward?", COUNT, 3, True),
        ("What percentage of beds is in each ward?", COUNT, 3, True),
        ("How many beds are there per ward?", COUNT, 3, False),
        ("Share of the average price per ward", Select("daily_price", "avg"), 3, False),
        ("Share of the total price per ward", Select("total_price", "sum"), -3, False),
    ],
)
def test_parts_of_a_whole_are_told_apart(question: str, measure: Select, value: float, share: bool) -> None:
    rows = ({"ward": "A", "count": value, "avg": value, "sum": value, "daily_price": value, "total_price": value},)
    told = view(per("ward", measure=measure), BEDS, rows, question)
    assert (told["kind"], told.get("share", False)) == ("bars", share)


def test_parts_are_said_in_percent() -> None:
    rows = ({"ward": "A", "count": 3}, {"ward": "B", "count": 1})
    asked = "What share of beds is there per ward?"
    assert say(per("ward"), BEDS, rows, TODAY, asked) == "Beds per ward: A 3 (75 %), B 1 (25 %)."
    assert say(per("ward"), BEDS, rows, TODAY) == "Beds per ward: most A (3), fewest B (1)."
    many = tuple({"ward": ward, "count": 1} for ward in "ABCDEF")
    assert say(per("ward"), BEDS, many, TODAY, asked).endswith("D 1 (16.7 %) and 2 more.")
    nothing = ({"ward": "A", "count": 0},)
    assert say(per("ward"), BEDS, nothing, TODAY, asked) == "Beds per ward: A 0."


def test_only_the_first_of_a_ranking_is_told_with_those_that_are_level() -> None:
    plan = query(select=(Select("ward"), COUNT), group=("ward",), order=(Order("*", True, "count"),), limit=1)
    assert with_level(plan).limit > 1
    rows = [{"ward": "Surgery", "count": 3}, {"ward": "Oncology", "count": 3}, {"ward": "Cardiology", "count": 2}]
    assert arrange(plan, rows) == rows[:2]
    assert arrange(plan, []) == []
    assert say(plan, BEDS, rows[:2], TODAY) == "Beds per ward: most Surgery and Oncology (3 each)."
    few = msgspec.structs.replace(plan, limit=3)
    assert (with_level(few), arrange(few, rows)) == (few, rows)


@pytest.mark.parametrize(
    ("count", "said"),
    [(4, "There are 4 different wards."), (1, "There is 1 ward."), (0, "There are no different wards.")],
)
def test_different_values_are_told(count: int, said: str) -> None:
    plan = query(select=(Select("ward", "distinct"),))
    assert say(plan, BEDS, [{"distinct": count}], TODAY) == said


def test_two_numbers_at_once_are_both_told_and_shown() -> None:
    plan = query(select=(Select("daily_price", "min"), Select("daily_price", "max")))
    rows = [{"min": 40, "max": 95.5}]
    assert say(plan, BEDS, rows, TODAY) == "The lowest daily price is 40. The highest daily price is 95.5."
    assert view(plan, BEDS, rows) == {"kind": "table"}
