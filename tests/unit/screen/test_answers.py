from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.screen.answers import ago, answers, faults, say
from tests.unit.screen.small_box import an_answer


def test_answers_come_newest_first_and_pinned_ones_after() -> None:
    signals = {"answers.order": ["b", "a"], "answers.pinned": ["a", "p"]}
    for name in ("a", "b", "p"):
        signals |= an_answer(name, question=f"{name}?", status="answered", sentence="Yes.")
    shown = answers(signals)
    assert [(answer.id, answer.pinned) for answer in shown] == [("b", False), ("a", True), ("p", True)]


def test_an_answer_that_has_not_arrived_yet_is_left_out() -> None:
    assert answers({"answers.order": ["a"]}) == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"status": "answered", "sentence": "7 beds are free."}, "7 beds are free."),
        ({"status": "refused", "error": {"message": "That would change data."}}, "That would change data."),
        ({"status": "failed"}, "failed"),
        ({"stage": "queued"}, "Waiting for the model"),
        ({"stage": "queued", "position": 3}, "Waiting, place 3 in the queue"),
        ({"stage": "reading"}, "Reading the question"),
        ({"stage": "looking"}, "Looking in the data"),
        ({}, "Waiting for the model"),
    ],
)
def test_an_answer_says_one_thing(values: dict[str, Any], told: str) -> None:
    assert answers({"answers.order": ["a"], **an_answer("a", question="?", **values)})[0].told == told


def test_columns_are_the_fields_or_else_the_keys_of_the_rows() -> None:
    rows = [{"id": 1, "bed": "C-01", "free": True}]
    named = {"fields": [{"name": "bed", "label": "Bed", "type": "text"}], "rows": rows}
    told, guessed = (
        answers({"answers.order": ["a"], **an_answer("a", question="?", **values)})[0]
        for values in (named, {"rows": rows})
    )
    assert [(column.name, column.label, column.type) for column in told.columns] == [("bed", "Bed", "text")]
    assert [column.name for column in guessed.columns] == ["bed", "free"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (False, "no"),
        (1234567, "1,234,567"),
        (0.5, "0.5"),
        (1234.0, "1,234"),
        (2.456, "2.46"),
        ("C-01", "C-01"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T14:05:00", "2026-11-23 14:05"),
        ("2026-99-23T14:05:00", "2026-99-23T14:05:00"),
        ([1, {"a": 2}], '[1,{"a":2}]'),
    ],
)
def test_values_read_as_people_write_them(value: Any, text: str) -> None:
    assert say(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (90_000, "25 h ago"),
        (172_800, "2 days ago"),
    ],
)
def test_ages_read_as_people_say_them(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_parts_that_are_not_well_are_told() -> None:
    parts = [
        {"name": "llm", "state": "down", "sentence": "The model is away."},
        {"name": "postgrest", "state": "ok", "sentence": "Fine."},
        {"name": "pgflex", "state": "down"},
    ]
    assert faults({"box.parts": parts}) == ["The model is away.", "pgflex is away."]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "answers.order",
        "answers.pinned",
        "box.parts",
        *an_answer(
            "a", question=0, status=0, stage=0, position=0, reading=0, sentence=0, rows=0, row_count=0, fields=0,
            view=0, choices=0, error=0, read_at=0, took_ms=0,
        ),
    ]
)  # fmt: skip


@given(st.dictionaries(names, json_values))
def test_no_value_of_a_signal_makes_it_fall_over(signals: dict[str, Any]) -> None:
    for answer in answers({"answers.order": ["a"], "answer.a.question": "?", **signals}):
        assert isinstance(answer.told, str)
        assert isinstance(answer.hint, str)
        assert all(isinstance(row, dict) for row in answer.rows)
        assert all(isinstance(say(value), str) for row in answer.rows for value in row.values())
    assert all(isinstance(fault, str) for fault in faults(signals))
