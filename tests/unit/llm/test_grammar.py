"""GBNF helpers: whatever text goes in, llama.cpp reads back that text and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.grammar import choice, literal
from appliance.llm.model import Model
from appliance.llm.prompt import Piece
from appliance.services.llm import SHIPPED

ROOT = Path(__file__).resolve().parents[3]
ODD = [
    'say "hi"',
    "back\\slash",
    "a\nb\r\n",
    "<and> <e>",
    "[^x]{1,2} | root ::=",
    "日本語 🛏 ñ",
    "tab\there",
    "# not a comment",
]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(ROOT / "models" / SHIPPED, 1, 512)


def test_a_literal_is_quoted() -> None:
    assert literal('a "b" \\ \n\r') == '"a \\"b\\" \\\\ \\n\\r"'


def test_a_choice_keeps_the_order() -> None:
    assert choice(["b", "a"]) == '"b" | "a"'


@pytest.mark.parametrize("text", ODD)
def test_the_model_can_write_only_the_literal(model: Model, text: str) -> None:
    written = "".join(model.write([Piece("<q>", control=True), Piece(" anything")], f"root ::= {literal(text)}", 64))
    assert written == text


def test_of_several_the_model_writes_one(model: Model) -> None:
    for start in ODD:
        written = "".join(model.write([Piece(start)], f"root ::= {choice(ODD)}", 64))
        assert written in ODD


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_text_is_held_to(model: Model, text: str) -> None:
    assert "".join(model.write([Piece("<q>", control=True)], f"root ::= {literal(text)}", 200)) == text


def test_a_grammar_that_is_none_is_told(model: Model) -> None:
    with pytest.raises(ApplianceError, match="LLM200"):
        list(model.write([Piece("x")], "root ::= (", 4))
