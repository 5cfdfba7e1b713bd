from __future__ import annotations

import pytest

from appliance.screen.digits import HEIGHT, large


@pytest.mark.parametrize("text", ["0123456789", "1,234.50", "-12", "98%", "14:30"])
def test_every_character_of_a_number_can_be_drawn(text: str) -> None:
    drawn = large(text)
    assert drawn is not None
    assert len(drawn.split("\n")) == HEIGHT


def test_each_digit_looks_different() -> None:
    assert len({large(digit) for digit in "0123456789"}) == 10


@pytest.mark.parametrize("text", ["", "–", "seven", "3 beds"])
def test_what_is_no_number_is_not_drawn(text: str) -> None:
    assert large(text) is None
