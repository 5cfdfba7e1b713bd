"""Outlines: what the small model is asked, a question and how it stands in each collection it may be about.

>>> Outline("how many beds are free?", (Seen("beds", (Column("status"),)),)).seen[0].spans
0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from appliance.llm.decoding import Rules, Written
from appliance.llm.notation import Column, Mark, plain, question, read, schema
from appliance.llm.prompt import Piece

WIDTH: Final = 4
"""So many sketches of each collection are followed side by side."""
TOKENS_AT_MOST: Final = 72


class Seen(msgspec.Struct, frozen=True):
    """A question as one collection sees it.

    Attributes:
        marks: what code knows of the question.
        spans: how many spans of time it names.
        before: the sketch of an earlier question on the collection that it may follow up, as text; or empty.
    """

    label: str
    columns: tuple[Column, ...]
    marks: tuple[Mark, ...] = ()
    spans: int = 0
    before: str = ""


class Outline(msgspec.Struct, frozen=True):
    """A question, and the collections it may be about."""

    question: str
    seen: tuple[Seen, ...]


class Sketched(msgspec.Struct, frozen=True):
    """A sketch as text, and the logarithm of how likely the model finds it."""

    text: str
    score: float


class Reader(Protocol):
    """A model that reads a prompt both ways and writes several things side by side."""

    def sketches(
        self, head: list[Piece], tail: list[Piece], rules: Rules, width: int, limit: int, go_on: Callable[[], bool]
    ) -> list[Written]:
        """The likeliest things to write, best first."""
        ...


def sketch(model: Reader, outline: Outline, go_on: Callable[[], bool] = lambda: True) -> list[list[Sketched]]:
    """What the model makes of a question, a list for each collection, best first.

    Raises:
        ApplianceError: LLM202, the question is too long; LLM200, the model failed.
    """
    return [_of_one(model, outline.question, seen, go_on) for seen in outline.seen]


def _of_one(model: Reader, text: str, seen: Seen, go_on: Callable[[], bool]) -> list[Sketched]:
    before = read(seen.before) if seen.before else None
    rules = Rules(seen.columns, f"{text} {seen.before.replace('<', ' <')}", seen.spans, earlier=before is not None)
    head, tail = schema(plain(seen.label), seen.columns), question(text, seen.marks, before)
    found = model.sketches(head, tail, rules, WIDTH, TOKENS_AT_MOST, go_on)
    return [Sketched(written.text, written.score) for written in found]
