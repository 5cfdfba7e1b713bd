"""Conditions: what the links, the lookups and the model test for, and what no condition can say."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.llm.amounts import plain_number, usual_amount
from appliance.llm.bounds import bounds, moment, one_of, union
from appliance.llm.conditions import Conditions, conditions
from appliance.llm.dates import spans
from appliance.llm.linking import Links, link
from appliance.llm.lookup import Found
from appliance.llm.plan import Condition, Query, Select
from appliance.llm.views import widened
from appliance.types import Catalog, Collection, Field
from tests.unit.llm.facility import APPOINTMENTS, BEDS, INVENTORY, NOW, PATIENTS, SHIFTS, linked, linked_to, of_sales


def of(links: Links, *where: Condition, found: tuple[Found, ...] = (), now: datetime = NOW) -> Conditions:
    return conditions(Query(links.collection.name, (Select("*"),), where), links, found, now)


def told(tests: Conditions) -> list[tuple[str, str, object]]:
    return [(condition.field, condition.op, condition.value) for condition in tests.where]


def dropped(tests: Conditions) -> list[str]:
    return [" ".join(word.text for word in tests.links.words[slice(*at)]) for at in sorted(tests.dropped)]


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ("unassigned sales", [("assignedto", "null", True)]),
        ("unpaid sales", [("paid", "eq", False)]),
        ("sales of grade 5 or 6", [("gradeno", "in", (5, 6))]),
        ("sales of grades 2, 5 and 6", [("gradeno", "in", (2, 5, 6))]),
        ("sale 20012", [("saleno", "eq", 20012)]),
        ("sales over 500", [("amount", "gt", 500)]),
        ("sales over $500", [("amount", "gt", 500)]),
        ("sales between 20 and 50 euros", [("amount", "gte", 20), ("amount", "lte", 50)]),
        ("sales with sale no over 20100", [("saleno", "gt", 20100)]),
        ("sales overdue for review", [("next_review", "lt", "2026-11-23")]),
        ("offline sales", [("online", "eq", False)]),
    ],
)
def test_data_of_another_program(question: str, where: list[tuple[str, str, object]]) -> None:
    tests = of(of_sales(question))
    assert told(tests) == where
    assert dropped(tests) == [] and tests.links.unexplained(tests.explained) == []


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ("free beds", [("status", "eq", "free")]),
        ("free and reserved beds", [("status", "in", ("free", "reserved"))]),
        ("beds not free", [("status", "neq", "free")]),
        ("beds neither free nor occupied", [("status", "neq", "free"), ("status", "neq", "occupied")]),
        ("patients admitted but not discharged", [("status", "eq", "admitted"), ("status", "neq", "discharged")]),
        ("sterile items", [("sterile", "eq", True)]),
        ("items that are not sterile", [("sterile", "eq", False)]),
        ("beds without a patient", [("patient", "null", True)]),
        ("beds with a patient", [("patient", "null", False)]),
        ("patients without diagnosis", [("diagnosis", "null", True)]),
        ("beds on floor 3", [("floor", "eq", 3)]),
        ("appointments over 20 minutes", [("minutes", "gt", 20)]),
        ("appointments longer than 1.5 hours", [("minutes", "gt", 90)]),
        ("items with less than 10 left", [("quantity", "lt", 10)]),
        ("expired items", [("expires_on", "lt", "2026-11-23")]),
        ("patients admitted today", [("admitted_on", "gte", "2026-11-23"), ("admitted_on", "lt", "2026-11-24")]),
        ("patients born before 1950", [("birth_date", "lt", "1950-01-01")]),
        ("discharges since yesterday", [("discharged_on", "gte", "2026-11-22")]),
        (
            "discharged patients that were admitted this month",
            [("status", "eq", "discharged"), ("admitted_on", "gte", "2026-11-01"), ("admitted_on", "lt", "2026-12-01")],
        ),
    ],
)
def test_conditions(question: str, where: list[tuple[str, str, object]]) -> None:
    tests = of(linked(question))
    assert told(tests) == where
    assert dropped(tests) == []
    assert tests.links.unexplained(tests.explained) == []


def test_times_of_day_are_hours_of_the_facility() -> None:
    now = datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    links = linked("appointments tomorrow")
    assert told(of(links)) == [
        ("starts_at", "gte", "2026-11-24T00:00:00+00:00"),
        ("starts_at", "lt", "2026-11-25T00:00:00+00:00"),
    ]
    # A day of 25 hours: midnight is at +2 before the clocks go back, at +1 after.
    day = spans("tomorrow", now)[0]
    field = APPOINTMENTS.field("starts_at")
    assert day.start is not None
    assert day.end is not None
    assert moment(field, day.start, now) == "2026-10-25T00:00:00+02:00"
    assert moment(field, day.end, now) == "2026-10-26T00:00:00+01:00"


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("appointments this morning", "2026-11-23T00:00:00+00:00", "2026-11-23T12:00:00+00:00"),
        ("appointments tomorrow afternoon", "2026-11-24T12:00:00+00:00", "2026-11-24T18:00:00+00:00"),
        ("appointments tonight", "2026-11-23T18:00:00+00:00", "2026-11-24T00:00:00+00:00"),
    ],
)
def test_parts_of_a_day(question: str, first: str, last: str) -> None:
    assert told(of(linked(question))) == [("starts_at", "gte", first), ("starts_at", "lt", last)]


def test_a_part_of_a_day_may_be_a_stored_value() -> None:
    tests = of(linked("nurses tonight"))
    assert ("shift", "eq", "night") in told(tests)
    assert dropped(tests) == []


def test_a_part_of_a_day_that_days_cannot_tell_is_dropped() -> None:
    assert dropped(of(linked("patients admitted this morning"))) == ["this morning"]


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("wards with more than 2 free beds", ["more than 2"]),
        ("beds over 5", ["over 5"]),
        ("beds free or in surgery", ["or"]),
        ("occupied beds in surgery and free beds in cardiology", ["free", "cardiology"]),
        ("who supplies the gloves", ["gloves"]),
        ("appointments today and on friday", ["on friday"]),
        ("patients not admitted this week", ["admitted"]),
    ],
)
def test_what_no_condition_can_say_is_dropped(question: str, left: list[str]) -> None:
    assert dropped(of(linked(question))) == left


@pytest.mark.parametrize(
    "question",
    ["beds free or reserved", "appointments today or tomorrow in cardiology", "beds in cardiology or in surgery"],
)
def test_or_within_one_field_is_fine(question: str) -> None:
    assert dropped(of(linked(question))) == []


def test_days_that_follow_each_other_are_one_span() -> None:
    assert told(of(linked("patients admitted yesterday and today"))) == [
        ("admitted_on", "gte", "2026-11-22"),
        ("admitted_on", "lt", "2026-11-24"),
    ]


def test_lookups_become_conditions() -> None:
    links = linked("appointments of warrier")
    tests = of(links, found=(Found("warrier", "patient", ("Anil Warrier",)),))
    assert told(tests) == [("patient", "eq", "Anil Warrier")]
    assert tests.corrected == [("warrier", "Anil Warrier")]
    assert links.unexplained(tests.explained) == []


def test_lookups_may_be_negated() -> None:
    links = linked("appointments not of warrier")
    tests = of(links, found=(Found("warrier", "patient", ("Anil Warrier", "Asha Warrier")),))
    assert told(tests) == [("patient", "neq", "Anil Warrier"), ("patient", "neq", "Asha Warrier")]
    assert links.unexplained(tests.explained) == []


def test_two_lookups_of_one_field_must_agree() -> None:
    links = linked_to("stock nitrile gloves m", INVENTORY)
    gloves = tuple(f"Nitrile gloves {size}" for size in "LMS")
    tests = of(links, found=(Found("nitrile", "item", gloves), Found("m", "item", ("Gown M", "Nitrile gloves M"))))
    assert ("item", "eq", "Nitrile gloves M") in told(tests)
    apart = of(links, found=(Found("nitrile", "item", gloves), Found("m", "item", ("Gown M",))))
    assert [word.text for word in links.unexplained(apart.explained)] == ["m"]


def test_a_lookup_in_a_field_that_is_tested_already_explains_nothing() -> None:
    links = linked("bed C-04 or warrier")
    tests = of(links, found=(Found("warrier", "bed", ("Warrier bed",)),))
    assert told(tests) == [("bed", "eq", "C-04")]
    assert [word.text for word in links.unexplained(tests.explained)] == ["warrier"]


@pytest.mark.parametrize(
    ("question", "condition", "where"),
    [
        ("appointments of 30 minutes", Condition("minutes", "eq", "30"), [("minutes", "eq", 30)]),
        ("appointments of 30 minutes", Condition("minutes", "gt", "30"), []),
        ("top 5 appointments", Condition("minutes", "eq", "5"), []),
        ("beds on floor 3", Condition("room", "eq", "3"), [("floor", "eq", 3)]),
        ("free beds", Condition("floor", "eq", "3"), [("status", "eq", "free")]),
        ("free beds", Condition("kind", "eq", "cot"), [("status", "eq", "free")]),
        ("beds 3", Condition("floor", "eq", "nan"), []),
    ],
)
def test_the_model_adds_only_numbers_that_are_said(
    question: str, condition: Condition, where: list[tuple[str, str, object]]
) -> None:
    assert told(of(linked(question), condition)) == where


def test_the_model_says_which_field_an_amount_is_about() -> None:
    tests = of(linked("beds over 5"), Condition("floor", "gt", "5"))
    assert told(tests) == [("floor", "gt", 5)]


def test_the_next_or_the_last_of_two_days() -> None:
    served = Collection(
        "d",
        "devices",
        (Field("last_service_on", "last service on", "date"), Field("next_service_on", "next service on", "date")),
    )
    catalog = Catalog("served", (served,))
    assert of(link("devices with service next week", catalog, NOW)[0]).time_field == "next_service_on"
    assert of(link("devices with service last week", catalog, NOW)[0]).time_field == "last_service_on"


def test_one_of() -> None:
    assert one_of("f", ["a"], False) == [Condition("f", "eq", "a")]
    assert one_of("f", ["a", "b", "a"], False) == [Condition("f", "in", ("a", "b"))]
    assert one_of("f", ["a", "b"], True) == [Condition("f", "neq", "a"), Condition("f", "neq", "b")]


def test_union_and_bounds() -> None:
    start, end, left = union(tuple(spans("today, tomorrow and on friday", NOW)))
    assert (str(start), str(end), [span.words for span in left]) == ("2026-11-23", "2026-11-25", ["on friday"])
    assert bounds("f", None, "x") == [Condition("f", "lt", "x")]
    assert bounds("f", "x", None) == [Condition("f", "gte", "x")]


def test_the_usual_amount() -> None:
    assert usual_amount([]) is None
    floor, total, fees = (
        Field("floor", "floor", "integer"),
        Field("total", "total", "numeric"),
        Field("fees", "fees", "numeric"),
    )
    assert usual_amount([floor]) == floor
    assert usual_amount([floor, fees, total]) == total
    assert usual_amount([floor, Field("room", "room", "integer")]) is None


def test_plain_numbers() -> None:
    assert (plain_number(5.0), plain_number(0.5)) == (5, 0.5)
    assert isinstance(plain_number(5.0), int)


def test_every_collection_can_be_asked_about_times_and_amounts() -> None:
    for collection in (BEDS, APPOINTMENTS, INVENTORY, SHIFTS, PATIENTS):
        links = linked_to(f"{collection.label} tomorrow over 5", collection)
        tests = of(links)
        said = {*dropped(tests), *(word.text for word in links.unexplained(tests.explained))}
        for name, words in (("time", {"tomorrow"}), ("amount", {"over 5", "over", "5"})):
            expressed = any((field in tests.time_fields()) == (name == "time") for field, _, _ in told(tests))
            assert expressed or said & words


def test_what_is_paid_per_month_groups_nothing() -> None:
    fields = (Field("name", "fullName", "text", ("Milo Hart",)), Field("fee", "monthlyFee", "numeric"))
    members = Catalog("members", (Collection("members", "members", fields, 10),))
    links = link("what does milo hart pay per month", widened(members), NOW, always="*")[0]
    assert (links.group, links.bucket) == ((), None)
