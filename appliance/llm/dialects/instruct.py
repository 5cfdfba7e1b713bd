"""The dialect of any instruct model: its own chat template around the question, JSON held by a grammar.

The template comes from the model file. It is rendered with marks in place of the texts, and cut there, so
that only the template's own parts can become control tokens. The families that the box knows have a file each
beside this one, with the family's turns written out; everything else is the same for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import jinja2
import jinja2.sandbox
import msgspec

from appliance.errors import ApplianceError
from appliance.llm.grammar import choice, literal
from appliance.llm.plan import ID, NUMBERS, Query, read_query
from appliance.llm.prompt import Piece, Task
from appliance.types import Field

_SYSTEM_MARK: Final = "\x02system\x03"
_USER_MARK: Final = "\x02user\x03"
_PLAIN: Final = f"{_SYSTEM_MARK}\n\nQuestion: {_USER_MARK}\nPlan: "
_MARKS: Final = re.compile(f"({_SYSTEM_MARK}|{_USER_MARK})")
_AGGREGATES: Final = ("count", "sum", "avg", "min", "max")
_OPERATORS: Final = ("eq", "neq", "gt", "gte", "lt", "lte", "like")


_GRAMMAR: Final = r"""
root ::= "{\"form\":\"query\",\"collection\":" COLLECTION ",\"select\":[" select "]" where? group? order? limit? "}"
field ::= FIELDS
select ::= "{\"field\":" (rows | field aggregate?) "}"
rows ::= "\"*\"" ",\"aggregate\":\"count\""?
aggregate ::= ",\"aggregate\":" (AGGREGATES)
where ::= ",\"where\":[" test more? more? "]"
more ::= "," test
test ::= "{\"field\":" field ",\"op\":" (OPERATORS) ",\"value\":" value "}"
group ::= ",\"group\":[" field "]"
order ::= ",\"order\":[{\"field\":" (rows | field aggregate?) ",\"descending\":" ("true" | "false") "}]"
limit ::= ",\"limit\":" [1-9] [0-9]?
value ::= number | string | "true" | "false"
number ::= "-"? ("0" | [1-9] [0-9]{0,11}) ("." [0-9]{1,6})?
string ::= "\"" [^"\\\x00-\x1f]{0,40} "\""
"""


class Instruct:
    """Speaks to chat models; the answer is one JSON object, a query."""

    name = "instruct"
    token_limit = 1024
    """More than the longest query that the grammar allows for names of usual length."""

    def pieces(self, task: Task, template: str) -> list[Piece]:
        """What the model is told, in its own turns."""
        return self.turns(_instruction(task), " ".join(task.question.split()), template)

    def turns(self, told: str, said: str, template: str) -> list[Piece]:
        """What the box tells a model and what somebody says to it, in the model's own turns."""
        texts = {_SYSTEM_MARK: told, _USER_MARK: said}
        parts = _MARKS.split(self._frame(template))
        return [Piece(texts[part]) if part in texts else Piece(part, control=True) for part in parts if part]

    def _frame(self, template: str) -> str:
        return _render(template) if template else _PLAIN

    def grammar(self, task: Task) -> str:
        """A JSON query over this collection's fields."""
        parts = {
            "COLLECTION": literal(_quoted(task.collection)),
            "FIELDS": _names(field.name for field in task.fields or (ID,)),
            "AGGREGATES": _names(_AGGREGATES),
            "OPERATORS": _names(_OPERATORS),
        }
        return re.sub("|".join(parts), lambda found: parts[found.group()], _GRAMMAR)

    def parse(self, text: str, task: Task) -> Query:
        """JSON into a query."""
        try:
            value: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ApplianceError("LLM206", "The model wrote no plan.", f"{error}: {text[:200]}") from None
        return read_query(value)


class Family(Instruct):
    """A family of models whose turns are written out; a file's own template is looked at only for its options.

    Attributes:
        marks: what the chat templates of this family have in them.
        unlike: what has similar marks and other turns has this in it.
        before, between, after: the family's control text around the two texts.
    """

    marks: tuple[str, ...]
    unlike: str = "\0"
    before: str
    between: str
    after: str

    @classmethod
    def knows(cls, template: str) -> bool:
        """Whether a chat template is of this family."""
        return all(mark in template for mark in cls.marks) and cls.unlike not in template

    def _frame(self, template: str) -> str:
        return f"{self.before}{_SYSTEM_MARK}{self.between}{_USER_MARK}{self.after}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _names(names: Iterable[str]) -> str:
    return choice(_quoted(name) for name in names)


def _render(template: str) -> str:
    two = [{"role": "system", "content": _SYSTEM_MARK}, {"role": "user", "content": _USER_MARK}]
    # Some families know no system turn, and say so or leave it out: the instruction then opens the user's.
    one = [{"role": "user", "content": f"{_SYSTEM_MARK}\n\n{_USER_MARK}"}]
    problem = "it leaves out what the model is told"
    for turns in (two, one):
        try:
            frame = _fill(template, turns)
        except Exception as error:  # a template is a program of the model's maker: anything may go wrong in it
            problem = str(error) or repr(error)
            continue
        if frame.count(_SYSTEM_MARK) == frame.count(_USER_MARK) == 1:
            return frame
    raise ApplianceError("LLM208", "The model's chat template cannot be used.", problem[:300])


def _fill(template: str, turns: list[dict[str, str]]) -> str:
    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = refuse
    return environment.from_string(template).render(
        messages=turns, add_generation_prompt=True, bos_token="", eos_token=""
    )


def _instruction(task: Task) -> str:
    lines = [_describe(field) for field in task.fields]
    return (
        "Turn the question into a query. Answer with one JSON object: form, collection, select "
        "(field, and an aggregate count, sum, avg, min or max where one is asked), where (field, op, value), group, "
        "order (field, descending), limit.\n"
        f"Collection {task.collection} ({task.label}) has the fields:\n" + "\n".join(lines)
    )


def _describe(field: Field) -> str:
    kind = "number" if field.type in NUMBERS else field.type
    shown = ", ".join((field.values or field.examples)[:8])
    return f"- {field.name} ({kind}){': ' + shown if shown else ''}"
