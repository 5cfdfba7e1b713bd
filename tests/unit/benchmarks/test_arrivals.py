"""Arrivals at many receivers, and the slope of a soak."""

import pytest

from benchmarks.arrivals import Arrivals, Told, delays_ms, slope
from benchmarks.throng import Run


def test_a_step_is_complete_when_the_last_receiver_has_it() -> None:
    arrivals = Arrivals(2)
    arrivals.got(0, 1, 10)
    assert not arrivals.all_have(1)
    arrivals.got(1, 1, 30)
    assert arrivals.all_have(1)
    assert arrivals.complete() == {1: 30}
    assert delays_ms({1: 10, 2: 20}, arrivals.complete()) == [20 / 1e6]


def test_a_later_step_stands_for_those_it_replaced() -> None:
    arrivals = Arrivals(2)
    for step in (1, 2, 3):
        arrivals.got(0, step, step)
    arrivals.got(1, 1, 1)
    arrivals.got(1, 3, 9)
    assert arrivals.complete() == {1: 1, 2: 9, 3: 9}
    assert (arrivals.units, arrivals.skipped) == (5, 1)


def test_what_comes_twice_or_late_changes_nothing() -> None:
    arrivals = Arrivals(1)
    arrivals.got(0, 2, 5)
    arrivals.got(0, 1, 7)
    arrivals.got(0, 2, 8)
    assert arrivals.complete() == {1: 5, 2: 5}
    assert (arrivals.lacking(2), arrivals.lacking(3)) == (0, 1)


def test_a_run_that_lost_the_last_step_has_no_percentile() -> None:
    def run(missing: int) -> Run:
        return Run(10, 2, (1.0, 3.0), 2, Told({}, 40, 0, missing, 0.0), 0, 0)

    assert run(0).p(50) == 2
    assert run(0).deliveries == 20
    assert run(1).p(50) == float("inf")


@pytest.mark.parametrize(
    ("points", "wanted"), [([], 0), ([(1, 5)], 0), ([(0, 1), (1, 3), (2, 5)], 2), ([(1, 1), (1, 9)], 0)]
)
def test_the_slope_of_points(points: list[tuple[float, float]], wanted: float) -> None:
    assert slope(points) == pytest.approx(wanted)
