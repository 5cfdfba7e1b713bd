"""Percentiles, shares and ratios are what they say, and the printed table holds them."""

import json

import pytest

from benchmarks.report import Measure, Ratio, Result, percentile, plain, split, text

MEASURE = Measure("commit -> screen", tuple(float(number) for number in range(1, 102)))
BARE = Measure("bare", (10.2,) * 3)
RESULT = Result(
    "change",
    "a row",
    (MEASURE, BARE),
    (Ratio(MEASURE, BARE),),
    (split("commit -> screen", [10.0, 30.0], {"feed": [4.0, 6.0]}, "the rest"),),
    ("two answers",),
)


@pytest.mark.parametrize(("percent", "value"), [(0, 1.0), (50, 51.0), (95, 96.0), (100, 101.0)])
def test_a_percentile_of_one_to_hundred_and_one(percent: float, value: float) -> None:
    assert MEASURE.p(percent) == value


def test_a_percentile_lies_between_two_samples() -> None:
    assert percentile([4.0, 2.0], 25) == 2.5


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_a_ratio_is_of_the_medians() -> None:
    assert Ratio(MEASURE, BARE).value == pytest.approx(5.0)


def test_shares_add_up_to_the_whole() -> None:
    (shares,) = RESULT.shares
    assert [(share.stage, share.ms) for share in shares.stages] == [("feed", 5.0), ("the rest", 15.0)]


def test_the_table_names_counts_percentiles_shares_and_ratio() -> None:
    told = text(RESULT)
    assert "commit -> screen    101     51.000     96.000    100.000 ms" in told
    assert "the rest                              15.00 ms    75%" in told
    assert "ratio  5.00 x" in told
    assert "note   two answers" in told


def test_json_holds_the_numbers_and_not_the_samples() -> None:
    told = json.loads(json.dumps(plain(RESULT)))
    measured = {"what": "commit -> screen", "unit": "ms", "n": 101, "p50": 51.0, "p95": 96.0, "p99": 100.0}
    assert told["measures"][0] == measured
    assert told["ratios"][0]["ratio"] == pytest.approx(5.0)
    assert told["shares"][0]["stages"][1] == {"stage": "the rest", "ms": 15.0}
