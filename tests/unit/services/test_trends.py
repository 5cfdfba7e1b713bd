"""What a number was earlier: a point for each change, of a day, at most so many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.services.trends import POINTS, Point, noted, number_of, trend

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


def after(values: list[float], step: timedelta = timedelta(minutes=1)) -> tuple[Point, ...]:
    points: tuple[Point, ...] = ()
    for n, value in enumerate(values):
        points = noted(points, NOW + n * step, value)
    return points


def test_a_number_that_stays_has_no_trend() -> None:
    assert len(after([4, 4, 4])) == 1
    assert trend(after([4, 4, 4])) is None
    assert trend(()) is None


def test_what_it_was_and_since_when() -> None:
    told = trend(after([4, 4, 6, 5]))
    assert told is not None
    assert (told["was"], told["since"]) == (4, "2026-11-28T09:00:00+00:00")
    assert [value for _, value in told["points"]] == [4, 6, 5]


def test_what_held_when_the_day_began_is_kept_and_what_was_before_is_not() -> None:
    told = trend(after([1, 2, 3, 4], timedelta(hours=20)))
    assert told is not None
    assert [value for _, value in told["points"]] == [2, 3, 4]


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=400))
def test_the_first_and_the_last_stay_however_many_there_are(values: list[float]) -> None:
    points = after(values, timedelta(seconds=1))
    assert len(points) <= POINTS
    assert points[0][1] == values[0]
    assert points[-1][1] == values[-1]
    assert [at for at, _ in points] == sorted({at for at, _ in points})


def test_only_a_number_has_one() -> None:
    assert number_of({"kind": "number", "value": 3}) == 3
    assert number_of({"kind": "number", "value": None}) is None
    assert number_of({"kind": "number", "value": True}) is None
    assert number_of({"kind": "bars", "value": "count"}) is None
