"""What a picture shows, read out of signals."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.screen.pictures.look import ANSWERS, Look, Moment, read_look
from tests.unit.screen.pictures.hospital import alert, answer, signals

NOON = Moment(clock="12:00")


def look_of(values: dict[str, Any], moment: Moment = NOON) -> Look:
    return read_look(values, moment)


def test_a_number_is_told_with_what_it_counts() -> None:
    told = look_of(signals("beds")).answers[0]
    assert (told.number, told.unit, told.question) == ("24", "beds are free", "How many beds are free?")


def test_a_number_whose_sentence_says_it_elsewhere_has_its_label() -> None:
    view = {"kind": "number", "value": 1234.5, "label": "kg"}
    told = look_of(signals("w") | answer("w", "Stock?", "In stock are 1,234.5 kg.", view)).answers[0]
    assert (told.number, told.unit) == ("1,234.5", "kg")


def test_bars_have_lengths_and_those_that_have_no_place_are_counted() -> None:
    told = look_of(signals("wards")).answers[0]
    assert [bar.length for bar in told.bars] == [1, 1, 1, 0.75, 0.75, 0.75, 0.5, 0.5]
    assert (told.bars[0].name, told.bars[0].value, told.more) == ("Emergency", "4", 0)


def test_a_line_has_each_row_at_its_time() -> None:
    days = ["2026-11-01", "2026-11-02", "2026-11-05"]
    rows = [{"day": day, "n": n} for day, n in zip(days, (2, 8, 4), strict=True)]
    view = {"kind": "line", "label": "day", "value": "n"}
    line = look_of(signals("x") | answer("x", "Per day", "At most 8.", view, rows=rows)).answers[0].line
    assert line is not None
    assert list(line.points) == [(0.0, 0.25), (0.25, 1.0), (1.0, 0.5)]
    assert (line.first, line.last, line.top) == ("2026-11-01: 2", "2026-11-05: 4", "8")


def test_a_line_without_times_is_bars() -> None:
    view = {"kind": "line", "label": "day", "value": "n"}
    rows = [{"day": f"day {n}", "n": n} for n in (1, 2)]
    told = look_of(signals("x") | answer("x", "Per day", "Two.", view, rows=rows)).answers[0]
    assert (told.line, len(told.bars)) == (None, 2)


def test_a_column_that_says_nothing_is_left_out() -> None:
    told = look_of(signals("clean")).answers[0]
    assert told.table[0] == ("bed", "ward", "room")
    assert told.numeric == (False, False, True)
    assert told.more == 40 - 9


def test_alerts_nobody_has_seen_come_first_then_the_newest() -> None:
    there = signals() | alert("a", "old", "2026-11-28T08:00:00Z") | alert("b", "new", "2026-11-28T09:00:00Z")
    there |= alert("c", "seen", "2026-11-28T10:00:00Z", seen="2026-11-28T10:01:00Z")
    assert look_of(there).alerts == ("new", "old", "seen")


def test_what_is_not_well_is_told_and_when_nobody_keeps_up_since_when() -> None:
    parts = [{"name": "database", "state": "down", "sentence": "The database does not answer."}]
    there = signals(**{"box.parts": parts})
    assert look_of(there).faults == ("The database does not answer.",)
    assert look_of(there, Moment(away="13:40")).faults == ("Not kept up since 13:40.",)
    assert look_of(signals()).faults == ()


def test_the_time_of_reading_is_the_facilitys() -> None:
    zone = timezone(timedelta(hours=2))
    assert look_of(signals("beds"), Moment(zone=zone)).answers[0].read == "18:06"


def test_a_question_is_shown_once_and_answered_ones_before_others() -> None:
    there = signals("new", "odd", "beds") | answer("new", "how many BEDS are free?", "25 beds are free.", {})
    there |= answer("odd", "Dance?", "I cannot.", {"kind": "text"}, status="refused")
    assert [told.sentence for told in look_of(there).answers] == ["25 beds are free."]


def test_while_nothing_is_answered_the_newest_tells_how_far_it_is() -> None:
    there = {"answers.order": ["a"], "answer.a.question": "Free?", "answer.a.stage": "looking"}
    assert look_of(there).answers[0].sentence == "Looking in the data"
    assert look_of({}).answers == ()


def test_what_nobody_sees_changes_nothing() -> None:
    one = signals("beds")
    other = one | {"changes.beds": {"n": 7}, "model.queue": 3, "answer.beds.took_ms": 99, "answer.beds.rest": "/rest"}
    other["answer.beds.read_at"] = "2026-11-28T16:06:58+00:00"  # the same minute
    assert look_of(one) == look_of(other)
    other["answer.beds.view"] = {"kind": "number", "value": 23, "label": "beds"}
    assert look_of(one) != look_of(other)


def test_texts_are_one_line_without_control_characters_and_bounded() -> None:
    there = signals("x") | answer("x", "a\n\x1b[31mb\u202e" + "c" * 999, "s", {"kind": "text"})
    question = look_of(there).answers[0].question
    assert question.startswith("a [31mb c")
    assert len(question) <= 400


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "answers.order", "answers.pinned", "box.facility", "box.parts", "alert.x", "answer.a.question", "answer.a.status",
    "answer.a.rows", "answer.a.fields", "answer.a.view", "answer.a.sentence", "answer.a.read_at", "answer.a.error",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), junk, max_size=8))
def test_no_signal_makes_it_fail(values: dict[str, Any]) -> None:
    values.setdefault("answers.order", ["a"])
    assert len(look_of(values).answers) <= ANSWERS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, None, "many", [1]])
def test_odd_numbers_are_told_or_left_out(value: Any) -> None:
    view = {"kind": "number", "value": value, "label": "beds"}
    rows = [{"ward": "A", "n": value}, {"ward": "B", "n": 2}]
    bars = {"kind": "bars", "label": "ward", "value": "n"}
    there = signals("a", "b") | answer("a", "?", "!", view) | answer("b", "??", "!", bars, rows=rows)
    assert all(0 <= bar.length <= 1 for told in look_of(there).answers for bar in told.bars)
