"""The dialect of chat models: any template, any question; only JSON queries come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.llm.dialects.instruct import Instruct
from appliance.llm.model import Model
from appliance.llm.plan import Condition, Query, Select
from appliance.llm.prompt import Piece, Task
from appliance.services.llm import SHIPPED
from appliance.types import Field

MODEL = Path(__file__).resolve().parents[4] / "models" / SHIPPED
FIELDS = (
    Field("ward", "Ward", "text", values=("Cardiology", "Oncology")),
    Field("floor", "Floor", "integer", examples=("1", "2")),
)
TASK = Task("How many beds\n are free?", "beds", "Beds", FIELDS)

CHATML = """
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}
"""
LLAMA3 = """
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" + system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
    {{- message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
"""
GEMMA = """
{{- bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- set role = 'model' if message['role'] == 'assistant' else message['role'] %}
{{- '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}
"""
MISTRAL = """
{%- if messages[0].role == "system" %}
    {%- set system = messages[0].content %}{% set turns = messages[1:] %}
{%- else %}{% set turns = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in turns %}
    {%- if message.role == "user" %}
        {%- if loop.last and system is defined %}{{ "[INST] " + system + "\\n\\n" + message.content + "[/INST]" }}
        {%- else %}{{ "[INST] " + message.content + "[/INST]" }}{% endif %}
    {%- else %}{{ " " + message.content + eos_token }}{% endif %}
{%- endfor %}
"""
SYSTEM_LEFT_OUT = "{% for m in messages if m.role == 'user' %}<user>{{ m.content }}{% endfor %}<model>"
LOOP_CONTROLS = "{% for m in messages %}{% if loop.index > 9 %}{% break %}{% endif %}<u>{{ m.content }}{% endfor %}<a>"
GOOD = {
    "chatml": (
        CHATML,
        ["<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"],
    ),
    "llama3": (
        LLAMA3,
        [
            "<|start_header_id|>system<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        ],
    ),
    "gemma": (GEMMA, ["<start_of_turn>user\n", "\n\n", "<end_of_turn>\n<start_of_turn>model\n"]),
    "mistral": (MISTRAL, ["[INST] ", "\n\n", "[/INST]"]),
    "system left out": (SYSTEM_LEFT_OUT, ["<user>", "\n\n", "<model>"]),
    "loop controls": (LOOP_CONTROLS, ["<u>", "<u>", "<a>"]),
}
BAD = {
    "syntax": "{% for message in messages %}",
    "unknown name": "{{ tools.names[0].upper() }}",
    "refuses": "{{ raise_exception('never') }}",
    "arithmetic": "{{ 1 // 0 }}",
    "type": "{{ messages[0].content + 1 }}",
    "says nothing": "<|im_start|>",
    "says it twice": "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
    "climbs out": "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "changes its input": "{{ messages.append(1) }}{% for m in messages %}{{ m.content }}{% endfor %}",
}


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    yield Model.load(MODEL, 1, 512)


@pytest.mark.parametrize("name", GOOD)
def test_the_templates_own_parts_are_control_and_nothing_else_is(name: str) -> None:
    template, parts = GOOD[name]
    pieces = Instruct().pieces(TASK, template)
    assert [piece.text for piece in pieces if piece.control] == parts
    plain = [piece.text for piece in pieces if not piece.control]
    assert (
        len(plain) == 2 and "- ward (text): Cardiology, Oncology" in plain[0] and "- floor (number): 1, 2" in plain[0]
    )
    assert plain[1] == "How many beds are free?"


@pytest.mark.parametrize("name", BAD)
def test_a_template_that_cannot_be_used_is_told(name: str) -> None:
    with pytest.raises(ApplianceError, match="LLM208") as caught:
        Instruct().pieces(TASK, BAD[name])
    assert caught.value.details


def test_without_a_template_there_is_a_plain_prompt() -> None:
    text = "".join(piece.text for piece in Instruct().pieces(TASK, ""))
    assert text.endswith("\n\nQuestion: How many beds are free?\nPlan: ")


MARKS = ["\x02system\x03", "\x02user\x03", "<|im_end|>", "{{ messages }}", "{% endfor %}", "COLLECTION", "FIELDS"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("template", [CHATML, ""])
def test_what_looks_like_a_mark_of_the_box_stays_text(mark: str, template: str) -> None:
    task = Task(f"{mark} beds?", "beds", mark, (Field("ward", mark, "text", values=(mark,)),))
    pieces = Instruct().pieces(task, template)
    assert [piece.text for piece in pieces if piece.control] == [
        piece.text for piece in Instruct().pieces(TASK, template) if piece.control
    ]
    assert [mark in piece.text for piece in pieces if not piece.control] == [True, True]


def test_a_plan_is_read() -> None:
    text = (
        '{"form":"query","collection":"beds","select":[{"field":"*","aggregate":"count"}],'
        '"where":[{"field":"ward","op":"eq","value":"Cardiology"}],"group":["floor"]}'
    )
    expected = Query("beds", (Select("*", "count"),), (Condition("ward", "eq", "Cardiology"),), ("floor",))
    assert Instruct().parse(text, TASK) == expected


JUNK = [
    "",
    "I am sorry, I cannot do that.",
    "{",
    "null",
    "[]",
    "7",
    '{"form":"query"}',
    '{"form":"drop","collection":"beds","select":[{"field":"*"}]}',
    '{"form":"query","collection":"beds","select":[{"field":"*","aggregate":"median"}]}',
    '{"form":"query","collection":"beds","select":[{"field":"*"}],"where":[{"field":"ward","op":"~","value":1}]}',
    '{"form":"query","collection":"beds","select":"*"}',
    '{"form":"query","collection":"beds","select":[{"field":"*"}]} and more',
    '{"form":"query","collection":"beds","select":[{"field":"*"}]',
    "[" * 100_000,
    '"\\ud800"',
]


@pytest.mark.parametrize("text", JUNK, ids=range(len(JUNK)))
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(ApplianceError, match="LLM206"):
        Instruct().parse(text, TASK)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({"form": st.just("query"), "collection": _VALUES, "select": _VALUES}) | _VALUES)
def test_any_json_is_a_query_or_refused(value: Any) -> None:
    try:
        assert isinstance(Instruct().parse(msgspec.json.encode(value).decode(), TASK), Query)
    except ApplianceError as error:
        assert error.code == "LLM206"


ODD = (
    Field('with "quotes"', "q", "text", values=('"', "\\")),
    Field("back\\slash", "b", "text"),
    Field("<|im_end|>", "m", "integer"),
    Field("日本語🛏", "k", "text"),
    Field("FIELDS", "f", "text"),
    Field("OPERATORS", "o", "numeric"),
    Field("two\nlines", "l", "text"),
)
QUESTIONS = ["How many beds are free?", "<|im_end|> {", "日本語 🛏?", "x" * 60, "", '"}],"where":[']


def written(model: Model, task: Task, template: str) -> tuple[str, bool]:
    """What the model wrote, and whether it came to its end before the model's context was full."""
    instruct = Instruct()
    pieces = instruct.pieces(task, template)
    room = model.context - len(model._tokens(pieces))
    tokens: list[bool] = []

    def counted() -> bool:
        tokens.append(True)
        return True

    text = "".join(model.write(pieces, instruct.grammar(task), room, counted))
    return text, len(tokens) < room


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("fields", [FIELDS, ODD[:4], ODD[4:], ()], ids=["plain", "odd", "more odd", "none"])
def test_whatever_a_model_writes_is_a_query(model: Model, question: str, fields: tuple[Field, ...]) -> None:
    """The shipped model knows no JSON, so that it writes whatever the grammar lets it."""
    task = Task(question, 'be"ds', "Beds", fields)
    text, ended = written(model, task, "<q>{{ messages[0].content }} {{ messages[1].content }}<a>")
    if not ended:
        with pytest.raises(ApplianceError, match="LLM206"):
            Instruct().parse(text, task)
        return
    query = Instruct().parse(text, task)
    names = {field.name for field in fields} | {"*", "id"}
    assert query.collection == 'be"ds'
    assert {select.field for select in query.select} <= names
    assert {condition.field for condition in query.where} <= names


def test_sixty_fields(model: Model) -> None:
    fields = tuple(Field(f"field_{n}", f"Field {n}", "integer") for n in range(60))
    task = Task("the highest field 59", "wide", "Wide", fields)
    grammar = Instruct().grammar(task)
    text = "".join(model.write([Piece("<q>", control=True), Piece(" the highest field 59")], grammar, 400))
    assert Instruct().parse(text, task).collection == "wide"
