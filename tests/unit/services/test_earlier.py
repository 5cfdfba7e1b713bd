"""Earlier questions: what reads as a second question, and what only sounds like one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.llm.notation import Sketch
from appliance.llm.plan import Query, Select
from appliance.services.earlier import Before

BEFORE = Before("beds", Sketch(), Query("beds", (Select("id"),)), "staff", datetime(2026, 11, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("and in surgery?", True),
        ("which of those are free", True),
        ("what is the sum of that", True),
        ("that by ward", True),
        ("items that cost more than 50 each", False),
        ("patients that are still here", False),
        ("items that cost more than those", True),
        ("how many beds are free", False),
    ],
)
def test_a_second_question_points_back(text: str, follows: bool) -> None:
    assert BEFORE.followed_by(text) is follows
