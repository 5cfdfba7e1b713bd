"""Letters of lamps."""

from __future__ import annotations

import string

from appliance.screen.pictures.glyphs import HEIGHT, lamps, plain, width_of
from appliance.screen.pictures.panel import cut, wrap


def test_every_letter_and_digit_is_drawn_and_no_two_alike() -> None:
    drawn = {char: str(lamps(char)) for char in string.ascii_uppercase + string.digits}
    alike = {(a, b) for a in drawn for b in drawn if a < b and drawn[a] == drawn[b]}
    assert alike <= {("5", "S"), ("0", "O")}


def test_every_row_is_as_wide_as_it_is_said_to_be() -> None:
    for char in map(chr, range(32, 127)):
        text = plain(f"A{char}B")
        rows = lamps(text)
        assert len(rows) == HEIGHT
        assert {len(row) for row in rows} == {width_of(text)}


def test_texts_come_in_letters_that_are_there() -> None:
    assert plain("Pädiatrie – Ward 3…") == "PADIATRIE - WARD 3."
    assert plain("日本") == "??"


def test_what_does_not_fit_is_cut_at_a_letter() -> None:
    assert cut("BEDS", 100) == "BEDS"
    short = cut("INTENSIVE CARE", 30)
    assert short.endswith("..")
    assert width_of(short) <= 30
    assert cut("BEDS", 2) == ""


def test_lines_fit_and_lose_no_word_that_fits() -> None:
    lines = wrap("5 BEDS ARE CLEANING: S-07, S-15", 64)
    assert " ".join(lines) == "5 BEDS ARE CLEANING: S-07, S-15"
    assert all(width_of(line) <= 64 for line in lines)
