"""Windows: the facility's days, the same times by the clock, and what is known of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.pgflex.watching.seasons import Basis, Window, day_so_far, earlier, hour_of, is_known, quarter, zone_of

VIENNA, KOLKATA = ZoneInfo("Europe/Vienna"), ZoneInfo("Asia/Kolkata")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.sampled_from([VIENNA, KOLKATA, UTC]))


@given(MOMENTS)
def test_every_window_begins_and_ends_at_a_quarter_of_an_hour_of_the_counts(now: datetime) -> None:
    for window in (day_so_far(now), day_so_far(now, 1), hour_of(now), hour_of(now, -1)):
        for end in window:
            assert end.astimezone(UTC).timestamp() % 900 == 0
    assert day_so_far(now, 1).end > now or day_so_far(now, 1).end.timestamp() > now.timestamp()
    assert hour_of(now).start.timestamp() <= now.timestamp() < hour_of(now).end.timestamp()


@given(MOMENTS, st.sampled_from(["weekday", "day"]))
def test_earlier_windows_are_at_the_same_time_by_the_clock(now: datetime, basis: Basis) -> None:
    window = day_so_far(now, 1)
    found = earlier(window, basis)
    assert {(each.start.hour, each.start.minute) for each in found} == {(0, 0)}
    assert all(each.end <= window.start for each in found)
    if basis == "weekday":
        assert {each.start.weekday() for each in found} == {now.weekday()}


def test_a_day_with_a_change_of_the_clock_is_compared_by_the_clock() -> None:
    now = datetime(2026, 10, 26, 14, 10, tzinfo=VIENNA)  # the day after the clocks went back
    [day_before, *_] = earlier(day_so_far(now), "day")
    assert (day_before.end.hour, day_before.end.utcoffset()) == (14, timedelta(hours=1))
    assert day_before.end.astimezone(UTC) - day_before.start.astimezone(UTC) == timedelta(hours=15)


def test_half_hour_timezones_have_their_own_midnight() -> None:
    window = day_so_far(datetime(2026, 11, 23, 9, 50, tzinfo=KOLKATA))
    assert window.start.astimezone(UTC) == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 23, 9, 45, tzinfo=KOLKATA)


def test_a_longer_window_is_compared_with_whole_weeks() -> None:
    start = datetime(2026, 11, 2, tzinfo=UTC)
    [first, *_] = earlier(Window(start, start + timedelta(days=9)), "weekday")
    assert first.start == start - timedelta(days=14)
    assert earlier(Window(start, start + timedelta(days=2)), "day") == []


@pytest.mark.parametrize(
    ("start", "until", "known"), [(1, 3, False), (5, 6, False), (8, 9, False), (3, 4, True), (6, 7, True)]
)
def test_what_was_not_watched_is_not_known(start: int, until: int, known: bool) -> None:
    def hour(n: int) -> datetime:
        return datetime(2026, 11, 23, n, tzinfo=UTC)

    off = [(hour(4), hour(6)), (hour(8), hour(10))]
    assert is_known(Window(hour(start), hour(until)), hour(2), off) is known


def test_the_timezone_of_the_machine_has_its_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    zone_of.cache_clear()
    monkeypatch.setenv("TZ", "Europe/Vienna")
    assert zone_of("") == VIENNA
    assert zone_of("Asia/Kolkata") == KOLKATA
    monkeypatch.delenv("TZ")
    zone_of.cache_clear()
    assert datetime(2026, 1, 1, tzinfo=zone_of("")).utcoffset() is not None


def test_a_quarter() -> None:
    at = datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)
    assert quarter(at) == datetime(2026, 11, 23, 14, 45, tzinfo=UTC)
    assert quarter(at, 1) == datetime(2026, 11, 23, 15, tzinfo=UTC)
