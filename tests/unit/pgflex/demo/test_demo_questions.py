"""The demos' questions: each has an answer, in words of the data, that moves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from appliance.pgflex.demo import load_demo
from appliance.pgflex.demo.moments import local
from tests.unit.pgflex.demo.demo_rows import (
    DAYS,
    MONDAY,
    NAMES,
    Rows,
    apply,
    rows_of,
    today_in,
    total,
    week,
    with_,
)

ANSWERS: dict[str, Callable[[Rows, date], Any]] = {
    "How many beds are free in cardiology?": lambda rows, today: len(
        with_(rows["beds"], status="free", ward="Cardiology")
    ),
    "How many beds are free?": lambda rows, today: len(with_(rows["beds"], status="free")),
    "Which beds are in cleaning?": lambda rows, today: with_(rows["beds"], status="cleaning"),
    "Which inventory items are low?": lambda rows, today: with_(rows["inventory"], status="low"),
    "How many appointments are scheduled today?": lambda rows, today: len(
        with_(today_in(rows["appointments"], "starts_at", today), status="scheduled")
    ),
    "Which lab results are critical?": lambda rows, today: with_(rows["lab_results"], flag="critical"),
    "How many nurses work the night shift tomorrow?": lambda rows, today: len(
        with_(today_in(rows["staff_shifts"], "date", today + timedelta(days=1)), role="nurse", shift="night")
    ),
    "What is the total quantity of gloves?": lambda rows, today: total(
        with_(rows["inventory"], category="Gloves"), "quantity"
    ),
    "How many meeting rooms are free?": lambda rows, today: len(with_(rows["meeting_rooms"], status="free")),
    "Which meeting rooms are reserved?": lambda rows, today: with_(rows["meeting_rooms"], status="reserved"),
    "How many deadlines are in progress?": lambda rows, today: len(with_(rows["deadlines"], status="in progress")),
    "Which deadlines are due this week?": lambda rows, today: today_in(rows["deadlines"], "due_on", week(today), 7),
    "Which invoices are overdue?": lambda rows, today: with_(rows["invoices"], status="overdue"),
    "What is the total amount of unbilled time entries?": lambda rows, today: total(
        with_(rows["time_entries"], status="unbilled"), "amount"
    ),
    "How many hearings are there this week?": lambda rows, today: len(
        today_in(rows["hearings"], "starts_at", week(today), 7)
    ),
    "How many matters are open in litigation?": lambda rows, today: len(
        with_(rows["matters"], status="open", practice_area="Litigation")
    ),
}
GRAMMAR = set("how many are in which what is the of there this week today tomorrow total work".split())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("today", DAYS)
def test_every_question_has_an_answer(name: str, today: date) -> None:
    demo = load_demo(name, today)
    rows = rows_of(demo)
    assert demo.questions[0] == {"hospital": "How many beds are free in cardiology?"}.get(name, demo.questions[0])
    for question in demo.questions:
        assert ANSWERS[question](rows, today), question


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_question_occur_in_the_data(name: str) -> None:
    demo = load_demo(name, MONDAY)
    known: set[str] = set()
    for item in demo.collections:
        words = [
            item.name,
            *item.rows[0],
            *{value for row in item.rows for value in row.values() if isinstance(value, str)},
        ]
        known |= {word.rstrip("s") for text in words for word in re.findall(r"[a-z]+", text.lower())}
    for question in demo.questions:
        asked = {word.rstrip("s") for word in re.findall(r"[a-z]+", question.lower()) if word not in GRAMMAR}
        assert asked and asked <= known, (question, asked - known)


@pytest.mark.parametrize("name", NAMES)
def test_walls_may_read_what_is_pinned_and_it_moves_within_minutes(name: str) -> None:
    demo = load_demo(name, MONDAY)
    rows = rows_of(demo)
    walls = {item.name for item in demo.collections if item.wall}
    rng, now = random.Random(3), local(MONDAY, 22)
    seen: dict[str, set[str]] = {question: set() for question in demo.pinned}
    for _ in range(450):  # half an hour at four seconds a tick
        now += timedelta(seconds=4)
        apply(demo.tick(rng, now, rows), rows)
        for question in demo.pinned:
            seen[question].add(str(ANSWERS[question]({held: rows[held] for held in walls}, MONDAY)))
    assert all(len(answers) > 3 for answers in seen.values()), {key: len(value) for key, value in seen.items()}
