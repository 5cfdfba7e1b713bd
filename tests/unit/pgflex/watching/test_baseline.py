"""What is usual: told far from it, not told when only chance is at work, over near it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.pgflex.watching.baseline import OVER, TELL, Side, is_past, percent, side_of, usual

COUNTS = st.lists(st.integers(0, 100_000), min_size=1, max_size=14)


@given(COUNTS)
def test_what_happened_before_is_not_unusual(samples: list[int]) -> None:
    known = usual(samples)
    assert known.least <= known.value <= known.most
    assert known.spread >= (known.value + 1) ** 0.5
    assert all(side_of(each, known) is None for each in samples)


@given(COUNTS, st.integers(0, 1_000_000))
def test_what_is_told_is_not_over_at_once(samples: list[int], value: int) -> None:
    known = usual(samples)
    side = side_of(value, known)
    if side is not None:
        assert is_past(value, known, side, TELL) and is_past(value, known, side, OVER)
        assert side == ("above" if value > known.value else "below")


@given(COUNTS, st.integers(0, 1_000_000), st.integers(0, 1_000_000))
def test_the_farther_the_more_unusual(samples: list[int], value: int, more: int) -> None:
    known = usual(samples)
    if side_of(value, known) == "above":
        assert side_of(value + more, known) == "above"


@given(COUNTS, st.permutations(range(14)))
def test_the_order_of_days_does_not_matter(samples: list[int], order: list[int]) -> None:
    shuffled = [samples[place] for place in order if place < len(samples)]
    assert usual(shuffled) == usual(samples)


def test_one_strange_day_among_the_earlier_ones_hides_nothing() -> None:
    calm, once = usual([100, 104, 97, 101, 99, 102, 98, 100]), usual([100, 104, 97, 101, 99, 102, 98, 400])
    assert side_of(200, calm) == "above"
    assert side_of(200, once) is None, "it is not more than on any of those days"
    assert side_of(500, once) == "above"
    assert side_of(20, once) == "below"


def test_few_rows_and_small_shares_are_not_told() -> None:
    assert side_of(7, usual([0] * 8)) is None
    assert side_of(12, usual([0] * 8)) == "above"
    assert side_of(0, usual([6] * 8)) is None, "six that did not come may come later"
    many = usual([1_000_000] * 8)
    assert side_of(1_200_000, many) is None, "many spreads away, yet near"
    assert side_of(1_420_000, many) == "above"


def test_unlike_days_are_all_usual() -> None:
    week = [200, 202, 198, 201, 199, 40, 38] * 2
    assert side_of(30, usual(week)) is None
    assert side_of(800, usual(week)) == "above"


@pytest.mark.parametrize(("value", "told"), [(34, 42), (24, 0), (12, -50)])
def test_percent(value: int, told: int) -> None:
    assert percent(value, 24) == told


def test_of_nothing_there_is_no_percentage() -> None:
    assert percent(5, 0) is None
    assert percent(5, 0.5) is None


def test_a_number_that_wavers_is_told_once() -> None:
    known = usual([100] * 8)
    line = next(value for value in range(100, 300) if side_of(value, known))
    side: Side = "above"
    assert all(is_past(value, known, side, OVER) for value in (line, line - 1, line - 5, line + 3))
    assert not is_past(105, known, side, OVER)


def test_of_chance_alone_next_to_nothing_is_told() -> None:
    """A year of days with 60 rows by chance, each beside eight others: far fewer than one in a hundred is told."""
    rng = random.Random(1)
    days = [sum(rng.random() < 0.01 for _ in range(6000)) for _ in range(120)]
    told = sum(side_of(days[n], usual(days[n - 8 : n])) is not None for n in range(8, len(days)))
    assert told == 0
    assert side_of(120, usual(days[-8:])) == "above"
