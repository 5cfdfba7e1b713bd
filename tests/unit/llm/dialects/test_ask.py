"""The dialect of the shipped model: what it is shown, what may come back, and what that means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.dialects.ask import Ask
from appliance.llm.grammar import literal
from appliance.llm.model import Model
from appliance.llm.plan import Condition, Query, Select
from appliance.llm.prompt import Piece, Task
from appliance.services.llm import SHIPPED
from appliance.types import Field

MODEL = Path(__file__).resolve().parents[4] / "models" / SHIPPED
FIELDS = (Field("ward", "Ward", "text"), Field("status", "Status", "text"), Field("floor_no", "Floor", "integer"))
TASK = Task("How many beds are FREE\n in  cardiology?", "beds", "Beds", FIELDS)
ODD = (
    Field("quoted", 'The "best" \\ of', "text"),
    Field("angled", "a <and> b <eq> c <e>", "text"),
    Field("kanji", "日本語 🛏", "integer"),
    Field("accents", "Größe (m²) ÑÉ", "numeric"),
    Field("lines", "two\nlines\ttab", "text"),
    Field("only_marks", "<>", "text"),
    Field("grammar", "[^x]{1,2} | ::= # root", "text"),
)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    yield Model.load(MODEL, 1, 512)


def written(model: Model, task: Task) -> str:
    ask = Ask()
    return "".join(model.write(ask.pieces(task, ""), ask.grammar(task), ask.token_limit))


def test_the_prompt_is_the_models_own_form() -> None:
    pieces = Ask().pieces(TASK, "a template it has no use for")
    assert "".join(piece.text for piece in pieces) == (
        "<s> ward<s> status<n> floor<q> how many beds are free in cardiology?<a>"
    )
    assert [piece.text for piece in pieces if piece.control] == ["<s>", "<s>", "<n>", "<q>", "<a>"]


def test_a_long_question_is_cut() -> None:
    question = Ask().pieces(Task("free " * 1000, "beds", "Beds", FIELDS), "")[-2]
    assert len(question.text) == 401 and not question.control


def test_a_plain_question_is_understood(model: Model) -> None:
    task = Task("What is the highest floor?", "beds", "Beds", FIELDS)
    assert Ask().parse(written(model, task), task) == Query("beds", (Select("floor_no", "max"),))
    task = Task("How many beds are in cardiology?", "beds", "Beds", FIELDS)
    counted = Ask().parse(written(model, task), task)
    assert counted.select == (Select("*", "count"),)
    assert "cardiology" in [condition.value for condition in counted.where]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (" ward", Query("beds", (Select("ward"),))),
        (" ward<e>", Query("beds", (Select("ward"),))),
        ("<max> floor", Query("beds", (Select("floor_no", "max"),))),
        ("<count> ward", Query("beds", (Select("*", "count"),))),
        (" ward<and> floor<gt> 2", Query("beds", (Select("ward"),), (Condition("floor_no", "gt", "2"),))),
        (
            "<avg> floor<and> ward<eq> icu, east<and> status<lt> x",
            Query(
                "beds",
                (Select("floor_no", "avg"),),
                (Condition("ward", "eq", "icu, east"), Condition("status", "lt", "x")),
            ),
        ),
    ],
)
def test_what_the_model_writes_is_read(text: str, query: Query) -> None:
    assert Ask().parse(text, TASK) == query


@pytest.mark.parametrize("cut", ["<and>", "<and> flo", "<and> floor", "<and> floor<gt>", "<and> floor<gt> "])
def test_a_test_that_the_token_limit_cut_off_is_left_out(cut: str) -> None:
    text = " ward<and> status<eq> free"
    assert Ask().parse(text + cut, TASK) == Ask().parse(text, TASK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ward",
        "<e>",
        "<median> floor",
        "<count>",
        " altitude",
        "<max> altitude",
        " ward<and> altitude<eq> 3",
        " ward<eq> icu",
        " ward<and> status<eq> free<or> floor<eq> 2",
        " ward<e><e>",
        '{"form":"query"}',
        "drop table beds",
    ],
)
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(ApplianceError, match="LLM206"):
        Ask().parse(text, TASK)


@given(
    st.lists(st.sampled_from([*"<> abe", "<and>", "<eq>", "<count>", " ward", " floor", " 3"]), max_size=12).map(
        "".join
    )
)
def test_any_text_is_a_query_over_the_fields_or_refused(text: str) -> None:
    try:
        query = Ask().parse(text, TASK)
    except ApplianceError as error:
        assert error.code == "LLM206"
        return
    names = {field.name for field in FIELDS}
    assert {select.field for select in query.select} <= names | {"*"}
    assert {condition.field for condition in query.where} <= names


QUESTIONS = [
    "how many beds are free?",
    "the highest floor of ward icu",
    "<and> status<eq> free<e>",
    'which "best" is a and b = 3 and c > 7 and d < 2 and e = f and g = h',
    "日本語 🛏?",
    "x" * 300,
    ";',--\\\"}{",
    "",
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("fields", [FIELDS, ODD], ids=["plain", "odd"])
def test_whatever_is_asked_the_model_writes_a_query(model: Model, question: str, fields: tuple[Field, ...]) -> None:
    task = Task(question, "beds", "Beds", fields)
    query = Ask().parse(written(model, task), task)
    assert {select.field for select in query.select} <= {field.name for field in fields} | {"*"}


@pytest.mark.parametrize("field", ODD, ids=lambda field: field.name)
def test_an_odd_label_comes_back_as_its_field(model: Model, field: Field) -> None:
    task = Task("?", "beds", "Beds", (field,))
    text = written(model, task)
    query = Ask().parse(text, task)
    assert query.select[0].field in (field.name, "*")
    assert all(condition.field == field.name for condition in query.where)


def test_sixty_fields(model: Model) -> None:
    fields = tuple(Field(f"f{n}", f"field {n}", "integer") for n in range(60))
    task = Task("the highest field 59 where field 7 is 3", "wide", "Wide", fields)
    assert Ask().parse(written(model, task), task).collection == "wide"


@pytest.mark.parametrize("text", ["<drop> ward", " altitude", " ward<and> status<ne> free"])
def test_the_grammar_lets_nothing_else_through(model: Model, text: str) -> None:
    """Whatever the prompt pushes for: here the very text that is not allowed stands before it, many times."""
    pushing = [Piece("<q>", control=True), Piece(text * 8)]
    assert "".join(model.write(pushing, f"root ::= {literal(text)}", 32)) == text
    Ask().parse("".join(model.write(pushing, Ask().grammar(TASK), 64)), TASK)
