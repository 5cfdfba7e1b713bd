"""Texts that fit a width."""

from __future__ import annotations

import pytest

from appliance.screen.pictures.ink import cut, font, largest, rise, wide, wrap

LETTERS = font("Regular", 20)
TEXT = "17 inventory items are low: Nitrile gloves L, Isolation gown, Face shield and 14 more."


@pytest.mark.parametrize("room", [0, 5, 40, 100, 333, 2000])
def test_a_cut_text_fits_and_is_the_longest_that_does(room: int) -> None:
    short = cut(TEXT, LETTERS, room)
    assert wide(short, LETTERS) <= room or short == ""
    if short.endswith("…"):
        longer = TEXT[: len(short) + 1].rstrip() + "…"
        assert wide(longer, LETTERS) > room


@pytest.mark.parametrize("most", [1, 2, 9])
def test_lines_fit_and_what_is_left_over_is_told(most: int) -> None:
    lines = wrap(TEXT, LETTERS, 240, most)
    assert len(lines) <= most
    assert all(wide(line, LETTERS) <= 240 for line in lines)
    assert (" ".join(lines) == TEXT) == (most == 9)
    assert lines[-1].endswith("…") == (most < 9)


def test_the_largest_letters_fit_their_box() -> None:
    letters = largest("1,234", "Bold", 300, 100, 400)
    assert wide("1,234", letters) <= 300
    assert rise(letters) <= 100
    bigger = font("Bold", int(letters.size) + 4)
    assert wide("1,234", bigger) > 300 or rise(bigger) > 100
