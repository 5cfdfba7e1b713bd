"""Dates: every way of naming days, ends of months and years, and places in the text."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.llm.dates import Span, hours_of, spans
from tests.unit.llm.facility import NOW


def read(text: str, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(str(span.start or ""), str(span.end or "")) for span in spans(text, now)]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-11-23", "2026-11-24"),
        ("who works tomorrow?", "2026-11-24", "2026-11-25"),
        ("yesterday's results", "2026-11-22", "2026-11-23"),
        ("the day after tomorrow", "2026-11-25", "2026-11-26"),
        ("day before yesterday", "2026-11-21", "2026-11-22"),
        ("this week", "2026-11-23", "2026-11-30"),
        ("Next Week", "2026-11-30", "2026-12-07"),
        ("last week", "2026-11-16", "2026-11-23"),
        ("this month", "2026-11-01", "2026-12-01"),
        ("next month", "2026-12-01", "2027-01-01"),
        ("last quarter", "2026-07-01", "2026-10-01"),
        ("next quarter", "2027-01-01", "2027-04-01"),
        ("previous year", "2025-01-01", "2026-01-01"),
        ("this weekend", "2026-11-28", "2026-11-30"),
        ("over the weekend", "2026-11-28", "2026-11-30"),
        ("in the last 3 days", "2026-11-20", "2026-11-24"),
        ("next two weeks", "2026-11-23", "2026-12-08"),
        ("within 30 days", "2026-11-23", "2026-12-24"),
        ("in a week", "2026-11-23", "2026-12-01"),
        ("on 2026-12-31", "2026-12-31", "2027-01-01"),
        ("the 5th of december", "2026-12-05", "2026-12-06"),
        ("december 5, 2025", "2025-12-05", "2025-12-06"),
        ("5 sept", "2026-09-05", "2026-09-06"),
        ("monday", "2026-11-23", "2026-11-24"),
        ("on sunday", "2026-11-29", "2026-11-30"),
        ("last monday", "2026-11-16", "2026-11-17"),
        ("next monday", "2026-11-30", "2026-12-01"),
        ("in november", "2026-11-01", "2026-12-01"),
        ("november 2025", "2025-11-01", "2025-12-01"),
        ("last november", "2025-11-01", "2025-12-01"),
        ("next november", "2027-11-01", "2027-12-01"),
        ("in 2025", "2025-01-01", "2026-01-01"),
        ("since yesterday", "2026-11-22", ""),
        ("since march 3", "2026-03-03", ""),
        ("after friday", "2026-11-28", ""),
        ("after next week", "2026-12-07", ""),
        ("before 1950", "", "1950-01-01"),
        ("before today", "", "2026-11-23"),
        ("by friday", "", "2026-11-28"),
        ("until 2026-11-30", "", "2026-12-01"),
        ("by the end of the month", "", "2026-12-01"),
        ("before the end of next week", "", "2026-12-07"),
        ("from monday to friday", "2026-11-23", "2026-11-28"),
        ("from next week", "2026-11-30", "2026-12-07"),
        ("from last month", "2026-10-01", "2026-11-01"),
        ("from last week to this week", "2026-11-16", "2026-11-30"),
        ("from friday to monday", "2026-11-27", "2026-12-01"),
        ("between monday and wednesday", "2026-11-23", "2026-11-26"),
        ("from monday until friday", "2026-11-23", "2026-11-28"),
        ("after monday and before friday", "2026-11-24", "2026-11-27"),
        ("from 1 november to 5 november", "2026-11-01", "2026-11-06"),
    ],
)
def test_one_span(text: str, start: str, end: str) -> None:
    assert read(text) == [(start, end)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "may I see the beds",
        "march madness",
        "2026-02-30",
        "31 february",
        "the last 9999 years",
        "weekly",
        "C-today-1",
    ],
)
def test_no_span(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("now", "text", "start", "end"),
    [
        ("2026-12-31", "tomorrow", "2027-01-01", "2027-01-02"),
        ("2026-12-31", "next month", "2027-01-01", "2027-02-01"),
        ("2026-12-31", "this week", "2026-12-28", "2027-01-04"),
        ("2026-12-31", "january 5", "2027-01-05", "2027-01-06"),
        ("2027-01-01", "yesterday", "2026-12-31", "2027-01-01"),
        ("2027-01-01", "last month", "2026-12-01", "2027-01-01"),
        ("2027-01-02", "december 30", "2026-12-30", "2026-12-31"),
        ("2027-01-02", "in december", "2026-12-01", "2027-01-01"),
        ("2028-02-28", "tomorrow", "2028-02-29", "2028-03-01"),
        ("2027-06-01", "29 february", "2028-02-29", "2028-03-01"),
        ("2026-03-31", "last month", "2026-02-01", "2026-03-01"),
    ],
)
def test_ends_of_months_and_years(now: str, text: str, start: str, end: str) -> None:
    assert read(text, datetime.fromisoformat(now).replace(tzinfo=UTC)) == [(start, end)]


def test_february_29_of_a_year_without_one_is_no_day() -> None:
    assert spans("29 february 2027", NOW) == []  # nor is it the month, which nobody asked for
    assert read("february 29", datetime(2026, 6, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("this morning", "morning"),
        ("tonight", "night"),
        ("tomorrow afternoon", "afternoon"),
        ("monday in the evening", "evening"),
        ("today", ""),
    ],
)
def test_parts_of_a_day(text: str, part: str) -> None:
    assert [span.part for span in spans(text, NOW)] == [part]


def test_today_is_that_of_the_facility() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert read("today", datetime(2026, 10, 24, 23, 30, tzinfo=UTC).astimezone(zone)) == [("2026-10-25", "2026-10-26")]
    # The hour that happens twice belongs to the same day both times.
    for fold in (0, 1):
        assert read("tomorrow", datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=zone)) == [("2026-10-26", "2026-10-27")]


def test_two_days_that_are_not_one_span_stay_apart() -> None:
    assert read("today and tomorrow") == [("2026-11-23", "2026-11-24"), ("2026-11-24", "2026-11-25")]


def test_the_longest_reading_wins_where_two_overlap() -> None:
    found = spans("the day after tomorrow and since 2026-11-01", NOW)
    assert [span.words for span in found] == ["the day after tomorrow", "since 2026-11-01"]


_SAID = st.sampled_from(
    "today tomorrow monday friday last next this week weekend month year in the 3 days since by before after until "
    "from to and between 2026-02-28 5th of may november 2025 morning end a İ ß".split()
)


@given(st.lists(_SAID, max_size=9).map(" ".join), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
@example("İ since today", date(2026, 1, 1))
def test_spans_are_in_order_in_the_text_and_not_empty(text: str, today: date) -> None:
    found = spans(text, datetime(today.year, today.month, today.day, tzinfo=UTC))
    assert all(0 <= span.at[0] < span.at[1] <= len(text) for span in found)
    assert all(one.at[1] <= other.at[0] for one, other in pairwise(found))
    assert all(span.start or span.end for span in found)
    assert all(span.start < span.end for span in found if span.start and span.end)


@given(st.text(), st.datetimes(datetime(1, 2, 1), datetime(9998, 1, 1)))
def test_any_text_can_be_read(text: str, now: datetime) -> None:
    assert all(isinstance(span, Span) for span in spans(text, now.replace(tzinfo=UTC)))


@given(st.sampled_from(["today", "tomorrow", "this week", "next month", "last year"]), st.integers(-4000, 4000))
def test_a_relative_time_moves_with_the_day(text: str, days: int) -> None:
    now = NOW + timedelta(days=days)
    [span] = spans(text, now)
    assert span.start is not None
    assert abs((span.start - now.date()).days) <= 731


@pytest.mark.parametrize(
    ("text", "day", "part", "clock"),
    [
        ("appointments after 2pm today", "2026-11-23", "", (840, 1440)),
        ("morning appointments in cardiology tomorrow", "2026-11-24", "morning", None),
        ("visits on wendesday afternoon", "2026-11-25", "afternoon", None),
        ("meetings after 14:30", "2026-11-23", "", (870, 1440)),
        ("between 9 and 11am on friday", "2026-11-27", "", (540, 660)),
    ],
)
def test_a_part_of_a_day_is_said_anywhere(text: str, day: str, part: str, clock: tuple[int, int] | None) -> None:
    [span] = spans(text, NOW)
    assert (str(span.start), span.part, span.clock) == (day, part, clock)
    for place in (span.at, span.apart):
        assert place is None or 0 <= place[0] < place[1] <= len(text)


def test_the_hours_of_a_day() -> None:
    [span] = spans("visits after 2pm tomorrow", NOW)
    assert hours_of(span, NOW) == ("2026-11-24T14:00:00+00:00", "2026-11-25T00:00:00+00:00")


def test_what_is_still_to_come() -> None:
    [span] = spans("hearings coming up", NOW)
    assert (span.start, span.end) == (NOW.date(), None)


@pytest.mark.parametrize("text", ["whats due tomorow", "whats due tommorrow"])
def test_a_slip_in_a_day_is_read_and_stands_where_it_was(text: str) -> None:
    [span] = spans(text, NOW)
    assert str(span.start) == "2026-11-24" and text[slice(*span.at)].endswith(text.split()[-1])


@pytest.mark.parametrize("text", ["flights to augusta", "sundry items", "the mondays"])
def test_what_is_another_word_is_no_slip(text: str) -> None:
    assert [span for span in spans(text, NOW) if span.words not in ("monday",)] == []


def test_from_a_week_on_has_no_end() -> None:
    [span] = spans("bookings from next week on", NOW)
    assert (str(span.start), span.end) == ("2026-11-30", None)
