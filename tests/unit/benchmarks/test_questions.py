"""Two runs ask the same questions, and never one twice in a row: a page could not tell it from the one before."""

from itertools import pairwise

from benchmarks.questions import mixed


def test_two_runs_ask_the_same() -> None:
    assert mixed(200) == mixed(200)
    assert len(mixed(200)) == 200


def test_no_question_is_its_own_neighbour() -> None:
    assert all(one != other for one, other in pairwise(mixed(200)))
