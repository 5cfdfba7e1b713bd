"""Times of day: what is one, what is none, and which minutes it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.clock import DAY, times_of_day


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("visits after 2pm", (840, DAY)),
        ("visits after 2 p.m. today", (840, DAY)),
        ("before noon", (0, 720)),
        ("until 9:30", (0, 570)),
        ("since 14:05", (845, DAY)),
        ("past midday", (720, DAY)),
        ("at 8 o'clock", (480, 481)),
        ("before 12am", (0, 0)),
        ("after 12pm", (720, DAY)),
        ("between 9 and 11am", (540, 660)),
        ("between 10 am and 1 pm", (600, 780)),
    ],
)
def test_a_time_of_day(text: str, minutes: tuple[int, int]) -> None:
    assert [found for _, found in times_of_day(text)] == [minutes]


@pytest.mark.parametrize("text", ["after 5", "more than 5 boats", "at 80%", "between 5 and 10 euros", "after 25:00"])
def test_what_is_none(text: str) -> None:
    assert list(times_of_day(text)) == []


@given(st.text("0123456789:.apm afterbwnd noo'clk"))
def test_minutes_are_of_a_day(text: str) -> None:
    for (first, last), (start, end) in times_of_day(text):
        assert 0 <= first < last <= len(text) and 0 <= start <= end <= DAY
