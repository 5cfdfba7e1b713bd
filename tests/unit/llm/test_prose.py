"""Prose: what a model is shown of rows, and what of its text anybody gets to see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.dialects import pick
from appliance.llm.model import Model
from appliance.llm.prompt import Talker
from appliance.llm.prose import INSTRUCTION, Prose, Teller, checked, grammar, references, shown
from appliance.services.llm import SHIPPED
from tests.unit.llm.tiny_model import chat_model

MODEL = Path(__file__).resolve().parents[3] / "models" / SHIPPED
ROWS: tuple[dict[str, Any], ...] = (
    {"ward": "Cardiology", "bed": "C-04", "count": 1234, "since": "2026-11-23"},
    {"ward": "ICU", "bed": "I-01", "count": 7.5, "since": None},
)
COLUMNS = (("ward", "Ward"), ("bed", "Bed"), ("count", "count"), ("since", "since"))
PROSE = Prose("How many?", COLUMNS, ROWS, 40)
NOTE = "Given 40 mg at 08:15, then 2.5 mg; slept well and asked for nothing more during the whole of the night."
NOTES = Prose("Notes?", (("note", "Note"),), ({"note": NOTE},))


def test_every_value_has_a_reference() -> None:
    known = references(PROSE)
    assert known["r1.count"] == "1,234" and known["r2.count"] == "7.5" and known["rows"] == "40"
    assert known["r1.bed"] == "C-04" and known["r1.since"] == "23 November 2026"
    assert "r2.since" not in known


def test_the_numbers_of_a_note_have_references_of_their_own() -> None:
    assert {name: said for name, said in references(NOTES).items() if name != "rows"} == {
        "r1.note.n1": "40",
        "r1.note.n2": "08:15",
        "r1.note.n3": "2.5",
    }
    assert "Given {r1.note.n1} = 40 mg at {r1.note.n2} = 08:15" in shown(NOTES)


def test_columns_that_look_alike_keep_their_own_values() -> None:
    known = references(Prose("?", (("a b", "a b"), ("a_b", "a_b")), ({"a b": 1, "a_b": 2},)))
    assert sorted(known.values()) == ["1", "1", "2"] and len(known) == 3


def test_the_model_sees_each_row_on_a_line() -> None:
    text = shown(PROSE)
    assert "- Ward: {r1.ward} = Cardiology; Bed: {r1.bed} = C-04; count: {r1.count} = 1,234" in text
    assert text.count("\n- ") == 2


def test_only_the_first_rows_are_shown() -> None:
    many = Prose("?", (("n", "n"),), tuple({"n": n} for n in range(500)))
    assert "r20.n" in references(many) and "r21.n" not in references(many) and references(many)["rows"] == "500"
    long = Prose("?", (("t", "t"),), tuple({"t": "word " * 600} for _ in range(9)))
    assert len(shown(long)) < 8000


def test_braces_in_a_row_are_no_reference() -> None:
    hostile = Prose("?", (("t", "t"),), ({"t": "{r1.count} {rows}"},))
    assert "{rows}" not in shown(hostile).split("in all:")[1]


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("{r1.ward} has {r1.count} beds.", "Cardiology has 1,234 beds."),
        ("Most are in {r1.ward}.", "Most are in Cardiology."),
        ("One of the wards is busy.", "One of the wards is busy."),
        ("Someone often tends the weight.", "Someone often tends the weight."),
    ],
)
def test_a_sentence_that_the_rows_bear_out_is_told(sentence: str, told: str) -> None:
    assert checked(sentence, references(PROSE)) == told


@pytest.mark.parametrize(
    "sentence",
    [
        "There are 8 beds.",
        "There are 1,234 beds.",
        "There are eight beds.",
        "There are Twenty-one beds.",
        "Half of them are free.",
        "Twice as many.",
        "A dozen are free.",
        "There are ٣ beds.",
        "There are 七 beds.",
        "Ward Ⅳ has ½ of them.",
        "{r9.count} beds are free.",
        "{count} beds are free.",
        "{r1.count beds are free.",
        "{} beds.",
        "ninety per cent.",
        "...",
        "",
    ],
)
def test_a_sentence_with_a_number_of_its_own_is_not(sentence: str) -> None:
    assert checked(sentence, references(PROSE)) is None


def test_sentences_come_whole_and_checked() -> None:
    teller = Teller(PROSE)
    told = [teller.feed(piece) for piece in ["In {r1.wa", "rd}. There ar", "e 9. Then ", "{r2.count} more", "."]]
    assert told == ["", "In Cardiology.", "", "", ""]
    assert teller.end() == " Then 7.5 more."
    assert teller.left_out == 1


def test_the_last_sentence_is_told_when_it_is_one() -> None:
    teller = Teller(PROSE)
    assert teller.feed("In {r1.ward}. And in") == "In Cardiology."
    assert (teller.end(), teller.left_out, teller.told) == ("", 1, "In Cardiology.")


def test_what_never_ends_is_left_out() -> None:
    teller = Teller(PROSE)
    assert "".join(teller.feed("word ") for _ in range(400)) == "" and teller.left_out >= 4


@given(
    st.text(max_size=200) | st.lists(st.sampled_from(["{r1.count}", "{r1.", "}", "9", ". ", " no", "two"])).map("".join)
)
def test_no_number_comes_through_that_is_not_in_the_rows(text: str) -> None:
    teller = Teller(PROSE)
    told = "".join(teller.feed(sign) for sign in text) + teller.end()
    for value in sorted(references(PROSE).values(), key=len, reverse=True):
        told = told.replace(value, "")
    assert not any(sign.isnumeric() for sign in told)


@pytest.fixture(scope="module", params=["tiny", "shipped"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    tiny = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    yield Model.load(chat_model(tiny) if request.param == "tiny" else MODEL, 1, 2048)


def test_the_grammar_lets_no_digit_and_no_unknown_reference_through(model: Model) -> None:
    short = Prose("?", (("count", "count"),), ({"count": 12},))
    dialect = pick("chatml", "")
    assert isinstance(dialect, Talker)
    pieces = dialect.turns(INSTRUCTION[:40], shown(short), "")
    text = "".join(model.write(pieces, grammar(short), 60))
    assert not any("0" <= sign <= "9" for sign in text.replace("{r1.count}", ""))
    for part in text.split("{")[1:-1]:
        assert part.split("}")[0] in references(short)
