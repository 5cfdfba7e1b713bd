"""The bar of a day: its spans, gaps and counts, whatever the zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.bridge.recordings import Recordings, Span
from appliance.bridge.segments import INDEX, load_index, save_index
from appliance.bridge.timeline import Day, days, timeline
from tests.unit.bridge.past import T0, counted

HOUR = 3_600_000
VIENNA = ZoneInfo("Europe/Vienna")


def at(text: str, zone: ZoneInfo = VIENNA) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_a_recording_over_midnight_is_on_both_days() -> None:
    first, midnight, last = at("2026-11-27T23:00"), at("2026-11-28T00:00"), at("2026-11-28T06:00")
    assert days([Span(first, last)], VIENNA) == [
        Day("2026-11-27", first, midnight - 1),
        Day("2026-11-28", midnight, last),
    ]
    assert [day.day for day in days([Span(first, last)], UTC)] == ["2026-11-27", "2026-11-28"]
    assert [day.day for day in days([Span(first, midnight + HOUR - 1)], UTC)] == ["2026-11-27"]
    assert days([], VIENNA) == []


def test_days_of_23_and_25_hours() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        noon_before, noon_after = at(f"{day}T00:00") - 12 * HOUR, at(f"{day}T00:00") + 40 * HOUR
        found = {each.day: each for each in days([Span(noon_before, noon_after)], VIENNA)}[day]
        assert found.last + 1 - found.first == hours * HOUR


def test_what_was_not_recorded_is_a_gap_and_a_new_segment_is_none() -> None:
    spans = [Span(0, 100_000), Span(100_003, 200_000), Span(900_000, 950_000)]
    assert timeline(spans, 0, 950_000, 10).spans == [(0, 200_000), (900_000, 950_000)]
    assert timeline(spans, 150_000, 920_000, 10).spans == [(150_000, 200_000), (900_000, 920_000)]


def test_a_short_bar_is_a_minute() -> None:
    bar = timeline([Span(T0, T0 + 500)], T0, T0 + 500, 4)
    assert (bar.first, bar.last, bar.spans) == (T0 - 59_500, T0 + 500, [(T0, T0 + 500)])


def test_every_change_is_counted_once_where_it_happened(tmp_path: Path) -> None:
    counted(tmp_path / "main" / "staff", 1000)
    [span] = Recordings(tmp_path).spans("main", "staff")
    assert (span.first, span.last) == (T0, T0 + 100_000)
    for parts in (1, 7, 100, 1000):
        assert sum(timeline([span], span.first, span.last, parts).parts) == 999, "what it begins with is no change"
    assert timeline([span], span.first, span.last, 10).parts == [99, *[100] * 9]


def test_an_index_without_counts_is_made_anew(tmp_path: Path) -> None:
    path = counted(tmp_path, 30)
    index = load_index(path)
    counts = dict(index.marks)
    index.marks.clear()
    save_index(path, index)
    assert load_index(path).marks == counts
    assert sum(counts.values()) == 29
    path.with_suffix(INDEX).unlink()
    assert load_index(path).marks == counts
