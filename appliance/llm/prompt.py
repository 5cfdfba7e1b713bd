"""The prompt: pieces of text, each marked as the box's own or as somebody's words.

Only the box's own pieces may become control tokens. A question that contains ``<e>`` or a chat model's
turn marks is tokenized as the plain characters it is.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from appliance.llm.plan import Query
from appliance.types import Field


class Piece(msgspec.Struct, frozen=True):
    """Part of a prompt; `control` pieces may hold control tokens."""

    text: str
    control: bool = False


class Task(msgspec.Struct, frozen=True):
    """What a model is asked: a question about one collection, of which it is shown these fields."""

    question: str
    collection: str
    label: str
    fields: tuple[Field, ...]


class Dialect(Protocol):
    """How one family of models is spoken to."""

    name: str
    token_limit: int

    def pieces(self, task: Task, template: str) -> list[Piece]:
        """The prompt. `template` is the chat template the model file carries, or empty."""
        ...

    def grammar(self, task: Task) -> str:
        """The GBNF grammar that holds the output; its start rule is ``root``."""
        ...

    def parse(self, text: str, task: Task) -> Query:
        """The output as a query.

        Raises:
            ApplianceError: LLM206, the output is not one.
        """
        ...


@runtime_checkable
class Talker(Dialect, Protocol):
    """The dialect of a model that can also write text."""

    def turns(self, told: str, said: str, template: str) -> list[Piece]:
        """What the box tells the model and what somebody says to it, in the model's own turns."""
        ...
