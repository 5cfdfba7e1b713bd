"""How values are said: labels, numbers, days and lists."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.saying import join, number, say_collection, say_day, say_days, say_label, say_value, span
from appliance.types import Collection, Field

TODAY = date(2026, 11, 23)


def labelled(label: str) -> Collection:
    return Collection("c", label, (Field("reorder_level", "reorder_level", "integer"), Field("ward", "Ward", "text")))


def test_a_label_is_said_with_spaces() -> None:
    assert [say_label(labelled("beds"), name) for name in ("reorder_level", "ward")] == ["reorder level", "Ward"]


def test_a_field_that_is_not_there_is_said_by_its_name() -> None:
    assert say_label(labelled("beds"), "no_such_field") == "no such field"


@pytest.mark.parametrize(
    ("label", "one", "many"),
    [
        ("beds", "bed", "beds"),
        ("batteries", "battery", "batteries"),
        ("boxes", "box", "boxes"),
        ("staff_shifts", "staff shift", "staff shifts"),
        ("inventory", "inventory item", "inventory items"),
        ("people", "people item", "people items"),
        ("", "row item", "row items"),
    ],
)
def test_a_collection_for_one_and_for_many(label: str, one: str, many: str) -> None:
    collection = labelled(label)
    assert (say_collection(collection, 1), say_collection(collection)) == (one, many)
    assert say_collection(collection, 0) == many


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"), (7, "7"), (-7, "-7"), (1234567, "1,234,567"), (-1000, "-1,000"),
        (0.0, "0"), (-0.0, "0"), (5.0, "5"), (100.0, "100"), (1000.0, "1,000"), (1234.5, "1,234.5"),
        (0.1 + 0.2, "0.3"), (2.346, "2.35"), (10.10, "10.1"), (99.999, "100"), (-0.001, "0"), (-2.5, "-2.5"),
        (True, "yes"), ("A+", "A+"), ("2026-11-23", "23 November 2026"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(value: Any, said: str) -> None:
    assert number(value) == said


@given(st.integers())
def test_a_whole_number_loses_nothing(value: int) -> None:
    assert int(number(value).replace(",", "")) == value


@given(st.floats(-1e12, 1e12))
def test_a_number_is_within_half_a_hundredth_and_short(value: float) -> None:
    said = number(value)
    assert float(said.replace(",", "")) == pytest.approx(value, abs=0.0051)
    whole, _, part = said.partition(".")
    assert len(part) <= 2 and not part.endswith("0")
    assert all(len(group) == 3 for group in whole.split(",")[1:])
    assert said != "-0"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ("free", "free"),
        (3, "3"),
        ([1, 2], "1 or 2"),
        (("A", "B", "C"), "A or B or C"),
        ("2026-11-03", "3 November 2026"),
        ("2026-11-23T08:30:00+01:00", "23 November 2026 08:30"),
        ("2026-11-23T00:00:00+01:00", "23 November 2026"),
        ("2026-02-30", "2026-02-30"),
        ("2026-99999", "2026-99999"),
        ("555-0100-22", "555-0100-22"),
        ("", ""),
    ],
)
def test_a_value_in_a_sentence(value: Any, said: str) -> None:
    assert say_value(value) == said


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_value_can_be_said(value: Any) -> None:
    assert isinstance(say_value(value), str)
    assert isinstance(number(value), str)


@given(st.dates(date(1000, 1, 1)))
def test_a_day_can_be_read_back(day: date) -> None:
    dom, month, year = say_day(day).split()
    assert (int(dom), int(year)) == (day.day, day.year)
    assert month == day.strftime("%B")
    assert say_value(day.isoformat()) == say_day(day)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-23", "2026-11-24", "today"),
        ("2026-11-24", "2026-11-25", "tomorrow"),
        ("2026-11-22", "2026-11-23", "yesterday"),
        ("2026-11-25", "2026-11-26", "on 25 November 2026"),
        ("2026-11-23", "2026-11-30", "from 23 to 29 November 2026"),
        ("2026-11-30", "2026-12-02", "from 30 November 2026 to 1 December 2026"),
        ("2026-11-01", "2026-12-01", "from 1 to 30 November 2026"),
        ("2026-12-01", "2027-01-01", "from 1 to 31 December 2026"),
        ("2028-02-28", "2028-03-01", "from 28 to 29 February 2028"),
        ("2026-01-01", "2027-01-01", "from 1 January 2026 to 31 December 2026"),
        ("2025-11-01", "2026-11-02", "from 1 November 2025 to 1 November 2026"),
    ],
)
def test_days_as_the_end_of_a_sentence(start: str, end: str, said: str) -> None:
    assert say_days(date.fromisoformat(start), date.fromisoformat(end), TODAY) == said


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(2, 1000))
def test_the_last_day_said_is_the_one_before_the_end(start: date, count: int) -> None:
    end = start + timedelta(days=count)
    said = say_days(start, end, TODAY)
    assert said.startswith(f"from {start.day} ")
    assert said.endswith(f"to {say_day(end - timedelta(days=1))}")


@given(st.dates(), st.dates(), st.booleans())
def test_midnights_are_whole_days(start: date, end: date, zoned: bool) -> None:
    tail = "T00:00:00+02:00" if zoned else ""
    midnights = (datetime.combine(start, time()), datetime.combine(end, time()))
    assert span(f"{start}{tail}", f"{end}{tail}") == (midnights if start < end else None)


@given(st.datetimes(), st.integers(1, 3000))
def test_minutes_of_one_day_are_a_span_and_those_of_two_are_none(day: datetime, length: int) -> None:
    start = day.replace(second=0, microsecond=0, year=2026)
    end = start + timedelta(minutes=length)
    midnight = datetime.combine(start.date() + timedelta(days=1), time())
    whole = start.time() == end.time() == time()
    assert (span(start.isoformat(), end.isoformat()) is not None) == (end <= midnight or whole)


def test_the_clocks_change_within_whole_days() -> None:
    spring = span("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")
    assert spring == (datetime(2026, 3, 29), datetime(2026, 3, 30))


@pytest.mark.parametrize("other", ["today", "", None, 5, [], "2026-13-01", "2026-11-24T00:00:01+00:00"])
def test_what_is_no_midnight_is_no_day(other: Any) -> None:
    assert span("2026-11-23", other) is None
    assert span(other, "2026-11-30") is None


def test_eight_digits_are_a_number() -> None:
    assert span(20261101, 20261123) is None


def test_a_bound_without_a_zone_goes_with_one_that_has_it() -> None:
    assert span("2026-11-23", "2026-11-24T00:00:00+00:00") == (datetime(2026, 11, 23), datetime(2026, 11, 24))


@pytest.mark.parametrize(
    ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join(parts: list[str], said: str) -> None:
    assert join(parts) == said


@given(st.lists(st.from_regex(r"[A-Z]{1,4}", fullmatch=True), min_size=1))
def test_nothing_is_lost_in_a_list(parts: list[str]) -> None:
    assert join(parts).replace(" and ", ", ").split(", ") == parts
