"""The dialect of the box's own small model: one table, one selected field, tests with =, > and <.

    prompt: <s> ward<s> status<n> floor<q> how many beds are free in cardiology?<a>
    output: <count> ward<and> status<eq> free<and> ward<eq> cardiology<e>

``<s>`` opens a text field, ``<n>`` a number; everything is lower-case and each piece of text begins with a
space (models/README.md).
"""

from __future__ import annotations

import re
from typing import Any, Final

from appliance.errors import ApplianceError
from appliance.llm.grammar import choice, literal
from appliance.llm.plan import ID, NUMBERS, Aggregate, Condition, Operator, Query, Select
from appliance.llm.prompt import Piece, Task
from appliance.types import Field

_AGGREGATES: Final[tuple[Aggregate, ...]] = ("max", "min", "count", "sum", "avg")
_OPERATORS: Final[dict[str, Operator]] = {"<eq>": "eq", "<gt>": "gt", "<lt>": "lt"}
_OUTPUT: Final = re.compile(r"(?:<(?P<aggregate>max|min|count|sum|avg)>)? (?P<field>[^<]+)(?P<rest>.*)", re.DOTALL)
_TEST: Final = re.compile(r"<and> (?P<field>[^<]+)(?P<op><eq>|<gt>|<lt>) (?P<value>[^<]+)")
_TESTS: Final = re.compile(r"(?:<and> [^<]+(?:<eq>|<gt>|<lt>) [^<]+)*(?:<and>[^<]*(?:(?:<eq>|<gt>|<lt>) ?)?)?")
"""Whole tests, and perhaps one that the token limit cut off."""
_QUESTION_LIMIT: Final = 400


class Ask:
    """Speaks to ``ask-*`` models."""

    name = "ask"
    token_limit = 64

    def pieces(self, task: Task, template: str) -> list[Piece]:
        """Fields first, so that the schema's part stays in the cache between questions."""
        prompt = []
        for field in _fields(task):
            prompt += [Piece("<n>" if field.type in NUMBERS else "<s>", control=True), Piece(" " + _label(field))]
        question = " ".join(task.question.lower().split())[:_QUESTION_LIMIT]
        return [*prompt, Piece("<q>", control=True), Piece(" " + question), Piece("<a>", control=True)]

    def grammar(self, task: Task) -> str:
        """An aggregate or none, a field, and any number of tests, all with the fields' own labels."""
        fields = choice(" " + _label(field) for field in _fields(task))
        aggregates = choice(f"<{name}>" for name in _AGGREGATES)
        return "\n".join(
            (
                "root ::= aggregate? field test? test? test? test?",
                f"aggregate ::= {aggregates}",
                f"field ::= {fields}",
                f"test ::= {literal('<and>')} field op value",
                f"op ::= {choice(_OPERATORS)}",
                r'value ::= " " [^<>\n]{1,60}',
            )
        )

    def parse(self, text: str, task: Task) -> Query:
        """Tokens back into a query; labels are matched to fields."""
        found = _OUTPUT.fullmatch(text.removesuffix("<e>"))
        if found is None or not _TESTS.fullmatch(found["rest"]):
            raise ApplianceError("LLM206", "The model wrote no plan.", text[:200])
        names = {_label(field): field.name for field in _fields(task)}
        tests = tuple(_condition(test, names) for test in _TEST.finditer(found["rest"]))
        field = _field(found["field"], names)
        aggregate: Any = found["aggregate"]
        select = Select("*", "count") if aggregate == "count" else Select(field, aggregate)
        return Query(task.collection, (select,), tests)


def _fields(task: Task) -> tuple[Field, ...]:
    return task.fields or (ID,)


def _label(field: Field) -> str:
    return " ".join(re.sub(r"[<>_\n]", " ", field.label).lower().split()) or field.name


def _field(label: str, names: dict[str, str]) -> str:
    name = names.get(label.strip())
    if name is None:
        raise ApplianceError("LLM206", "The model named a field that is not there.", label[:100])
    return name


def _condition(found: re.Match[str], names: dict[str, str]) -> Condition:
    return Condition(_field(found["field"], names), _OPERATORS[found["op"]], found["value"].strip())
