"""Each change is counted from the moments that were noted, and no other answers are waited for."""

from benchmarks.change import Moment, _measure, _shares, about_beds

MOMENTS = [Moment(0.0, 0.002, 0.003, 0.006, 0.022), Moment(10.0, 10.004, 10.005, 10.010, 10.044)]


def test_a_measure_is_between_two_moments_in_milliseconds() -> None:
    measure = _measure("commit -> screen", MOMENTS, "committed", "shown")
    assert [round(sample, 6) for sample in measure.samples] == [20.0, 40.0]


def test_the_shares_split_the_way_from_the_commit_to_the_screen() -> None:
    fed, rest = _shares("commit -> screen", MOMENTS).stages
    assert round(fed.ms, 6) == 5.0
    assert round(rest.ms, 6) == 25.0


def test_answers_about_beds_are_those_whose_plan_reads_the_beds() -> None:
    values = {
        "answers.order": ["a1", "a2", "a3"],
        "answer.a1.plan": {"collection": "beds"},
        "answer.a2.plan": {"collection": "devices"},
        "answer.a3.plan": None,
    }
    assert about_beds(values) == ["a1"]
    assert about_beds({}) == []
