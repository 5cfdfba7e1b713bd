"""An answer is recognised by its question and by not having been there before."""

from benchmarks.ask import _new

QUESTION = "How many beds are free?"


def test_a_new_answer_to_the_question_is_found() -> None:
    values = {"answers.order": ["a2", "a1"], "answer.a2.question": QUESTION, "answer.a2.stage": "queued"}
    assert _new(QUESTION, values, {"answer.a1.question"}) == "a2"


def test_an_answer_that_was_there_before_is_not_new() -> None:
    assert _new(QUESTION, {"answer.a1.question": QUESTION}, {"answer.a1.question"}) is None


def test_another_question_is_not_ours() -> None:
    assert _new(QUESTION, {"answer.a2.question": "Which beds are in cleaning?"}, set()) is None
