"""The notation that the box's own model reads and writes: a schema, a question with its links, and a sketch.

    schema     <t> beds<s> bed<s> ward<s> status<n> floor
    question   <q> how many<m> beds are<[> free<v> status<]> in<[> cardiology<v> ward<]><a>
    sketch     <count><all><and> status<eq> free<and> ward<eq> cardiology<e>

Everything is lower case and each piece of plain text begins with a space. ``<s> <n> <d> <b>`` open a text, a
number, a time, a yes-or-no. In the question code marks what it knows: ``<m>`` before words that name a field,
``<[> words<v> field<]>`` around a stored value, ``<w1>`` before the first span of time. The sketch is what the
model may write: a :class:`Sketch`, held by :mod:`~appliance.llm.decoding`. The same code makes the training data.

    >>> write(Sketch(select=(Item(None, "count"),), where=(Test("ward", "eq", ("icu",)),)))
    '<count><all><and> ward<eq> icu<e>'
    >>> read('<count><all><and> ward<eq> icu<e>').where[0].values
    ('icu',)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.prompt import Piece
from appliance.llm.words import fold, label_words, stem

Kind = Literal["text", "number", "time", "flag"]
Intent = Literal["query", "alert", "cancel", "add", "summary", "none"]

KINDS: Final[dict[Kind, str]] = {"text": "<s>", "number": "<n>", "time": "<d>", "flag": "<b>"}
AGGREGATES: Final = ("max", "min", "count", "sum", "avg")
BUCKETS: Final = ("hour", "day", "week", "month", "quarter", "year")
COMPARISONS: Final = ("eq", "neq", "gt", "gte", "lt", "lte")
VALUED: Final = (*COMPARISONS, "like")
BARE: Final = ("null", "some", "yes", "no")
"""Tests without an operand: is empty, is not empty, is true, is false."""
FORMULAS: Final = ("plus", "minus", "times", "over")
SPANS: Final = ("w1", "w2")
INTENTS: Final[dict[str, Intent]] = {"alert": "alert", "cancel": "cancel", "summary": "summary"}
FIRST_TOKENS: Final = (
    "<pad>", "<q>", "<a>", "<e>", "<t>", "<d>", "<b>", "<m>", "<[>", "<v>", "<]>", "<w1>", "<w2>", "<p>", "<all>",
    "<by>", "<top>", "<low>", "<having>", "<neq>", "<n>", "<s>", "<max>", "<min>", "<count>", "<sum>", "<avg>", "<eq>",
    "<gt>", "<lt>", "<and>",
)  # fmt: skip
"""The control tokens that come first in the vocabulary, in its order."""
LAST_TOKENS: Final = (
    "<gte>", "<lte>", "<or>", "<null>", "<some>", "<yes>", "<no>", "<like>", "<when>", "<none>", "<alert>", "<cancel>",
    "<add>", "<is>", "<plus>", "<minus>", "<times>", "<over>", "<summary>", "<hour>", "<day>", "<week>", "<month>",
    "<quarter>", "<year>", "<lim>", "<,>",
)  # fmt: skip
"""The control tokens that come last in the vocabulary, in its order."""
QUESTION_LIMIT: Final = 400


class Column(msgspec.Struct, frozen=True):
    """A field as the model sees it: how it is called, and what it holds."""

    label: str
    kind: Kind = "text"


class Item(msgspec.Struct, frozen=True):
    """A field to show or to aggregate; None stands for the rows themselves."""

    field: str | None
    aggregate: str | None = None


class Test(msgspec.Struct, frozen=True):
    """A test of rows: the operands as the question says them; a span of time is ``w1`` or ``w2`` under ``when``."""

    field: str
    op: str
    values: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """A field to group by, a time by its bucket."""

    field: str
    bucket: str | None = None


class Rank(msgspec.Struct, frozen=True):
    """An order: falling or rising, by a field or (None) by the aggregate, and how many come first."""

    falling: bool
    field: str | None = None
    limit: str | None = None


class Sketch(msgspec.Struct, frozen=True):
    """What the model understood, in the words of the question and the labels of the schema.

    Attributes:
        new: the name of the field to add.
        formula: how it is computed: a label, one of :data:`FORMULAS`, a label.
    """

    intent: Intent = "query"
    select: tuple[Item, ...] = (Item(None),)
    where: tuple[Test, ...] = ()
    group: tuple[Group, ...] = ()
    having: tuple[str, str] | None = None
    rank: Rank | None = None
    new: str = ""
    formula: tuple[str, str, str] | None = None


NONE: Final = Sketch("none", ())


def plain(text: str) -> str:
    """Text as the model sees it: lower case, single spaces, no angle brackets."""
    return " ".join(re.sub(r"[<>_\n]", " ", text).lower().split())


def schema(label: str, columns: Iterable[Column]) -> list[Piece]:
    """The part of the prompt that stays the same between questions; an empty label is left out."""
    pieces = [Piece("<t>", control=True), Piece(" " + plain(label))] if label else []
    for column in columns:
        pieces += [Piece(KINDS[column.kind], control=True), Piece(" " + plain(column.label))]
    return pieces


class Mark(msgspec.Struct, frozen=True):
    """What code knows of the question's characters from `start` to `end`.

    Attributes:
        kind: ``field`` (they name a field; where `fields` holds its label, that is shown in their place), ``value`` (a
            stored value of `fields`), a span, ``w1`` or ``w2``, or ``idle`` (they say nothing, and are not shown).
    """

    kind: Literal["field", "value", "w1", "w2", "idle"]
    start: int
    end: int
    fields: tuple[str, ...] = ()


def question(text: str, marks: Sequence[Mark], before: Sketch | None = None) -> list[Piece]:
    """The part of the prompt that is new with each question.

    Args:
        text: the question.
        marks: what code knows of it; marks that overlap an earlier one are left out.
        before: what was asked before, if this may follow it up.
    """
    pieces = [Piece("<p>", control=True), *sketch_pieces(before)] if before else []
    pieces.append(Piece("<q>", control=True))
    at = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        if mark.start >= at:
            pieces += [*_plain_piece(text[at : mark.start]), *_marked(text[mark.start : mark.end], mark)]
            at = mark.end
    pieces += _plain_piece(text[at:])
    return [*pieces, Piece("<a>", control=True)]


def _plain_piece(text: str) -> list[Piece]:
    said = plain(text)
    return [Piece(" " + said)] if said else []


def _marked(text: str, mark: Mark) -> list[Piece]:
    said = _plain_piece(text)
    if mark.kind == "idle":
        return []
    if mark.kind == "field":
        return [Piece("<m>", control=True), *(_plain_piece(mark.fields[0]) if mark.fields else said)]
    if mark.kind != "value":
        return [Piece(f"<{mark.kind}>", control=True), *said]
    held = [piece for name in mark.fields for piece in (Piece("<v>", control=True), Piece(" " + plain(name)))]
    return [Piece("<[>", control=True), *said, *held, Piece("<]>", control=True)]


def marks_of(text: str, columns: Iterable[Column], known: Sequence[Mark]) -> tuple[Mark, ...]:
    """Everything code knows of a question: what is known already, and the fields that are named elsewhere in it."""
    free = [
        mark
        for mark in field_marks(text, columns)
        if not any(mark.start < other.end and other.start < mark.end for other in known)
    ]
    return tuple(sorted([*known, *free], key=lambda mark: mark.start))


_WORD: Final = re.compile(r"[^\W_]+(?:[-'’./:][^\W_]+)*", re.UNICODE)


def field_marks(text: str, columns: Iterable[Column]) -> list[Mark]:
    """Marks of the words of a question that are the whole label of a field, in any number or tense; longest first."""
    found = [(each.start(), each.end(), stem(fold(each.group()))) for each in _WORD.finditer(text)]
    stems = [each[2] for each in found]
    taken: set[int] = set()
    marks = []
    for label in sorted({label_words(column.label) for column in columns}, key=len, reverse=True):
        for first in range(len(stems) - len(label) + 1):
            here = set(range(first, first + len(label)))
            if label and tuple(stems[first : first + len(label)]) == label and not here & taken:
                taken |= here
                marks.append(Mark("field", found[first][0], found[first + len(label) - 1][1]))
    return marks


def write(sketch: Sketch) -> str:
    """A sketch as one text, with the token that ends it."""
    return "".join(piece.text for piece in sketch_pieces(sketch)) + "<e>"


def sketch_pieces(sketch: Sketch) -> list[Piece]:
    """A sketch as pieces, without the token that ends it."""
    if sketch.intent == "none":
        return [_token("none")]
    if sketch.intent == "add":
        return [_token("add"), _text(sketch.new), *_formula_pieces(sketch.formula)]
    pieces = [_token(sketch.intent)] if sketch.intent != "query" else []
    for place, item in enumerate(sketch.select):
        pieces += [_token(",")] if place else []
        pieces += [_token(item.aggregate)] if item.aggregate else []
        pieces.append(_token("all") if item.field is None else _text(item.field))
    for test in sketch.where:
        pieces += [_token("and"), _text(test.field), _token(test.op), *_operands(test)]
    for group in sketch.group:
        pieces += [_token("by"), *([_token(group.bucket)] if group.bucket else []), _text(group.field)]
    if sketch.having:
        pieces += [_token("having"), _token(sketch.having[0]), _text(sketch.having[1])]
    return [*pieces, *_rank_pieces(sketch.rank)]


def later(sketch: Sketch) -> Sketch:
    """A sketch as it is shown before another question: its span of time is the second one then."""
    tests = tuple(msgspec.structs.replace(test, values=("w2",)) if test.op == "when" else test for test in sketch.where)
    return msgspec.structs.replace(sketch, where=tests)


def _operands(test: Test) -> list[Piece]:
    if test.op == "when":
        return [_token(test.values[0])]
    return [
        piece
        for place, value in enumerate(test.values)
        for piece in ([_token("or"), _text(value)] if place else [_text(value)])
    ]


def _rank_pieces(rank: Rank | None) -> list[Piece]:
    if rank is None:
        return []
    by = [_text(rank.field)] if rank.field is not None else []
    return [_token("top" if rank.falling else "low"), *by, *([_token("lim"), _text(rank.limit)] if rank.limit else [])]


def _formula_pieces(formula: tuple[str, str, str] | None) -> list[Piece]:
    if formula is None:
        return []
    first, sign, last = formula
    return [_token("is"), _text(first), _token(sign), _text(last)]


def _token(name: str) -> Piece:
    return Piece(f"<{name}>", control=True)


def _text(text: str) -> Piece:
    return Piece(" " + plain(text))


_TOKEN: Final = re.compile(r"<([a-z0-9,]+)>|([^<>]+)")
_OPS: Final = frozenset({*VALUED, *BARE, "when"})


def read(text: str) -> Sketch:
    """The sketch that a text holds.

    Raises:
        ApplianceError: LLM206, it holds none.
    """
    reader = _Reader([(found[1], (found[2] or "").strip()) for found in _TOKEN.finditer(text.removesuffix("<e>"))])
    sketch = reader.sketch()
    if reader.tokens:
        raise _unread(text)
    return sketch


def _unread(text: str) -> ApplianceError:
    return ApplianceError("LLM206", "The model wrote no plan.", text[:200])


class _Reader:
    """Reads a sketch from the front of a list of (control token's name or None, text)."""

    def __init__(self, tokens: list[tuple[str | None, str]]) -> None:
        self.tokens = tokens

    def sketch(self) -> Sketch:
        if self._take("none"):
            return NONE
        if self._take("add"):
            return self._addition()
        intent = INTENTS.get(self._take(*INTENTS) or "", "query")
        select = [self._item()]
        while self._take(","):
            select.append(self._item())
        where = []
        while self._take("and"):
            where.append(self._test())
        group = []
        while self._take("by"):
            group.append(Group(bucket=self._take(*BUCKETS), field=self._text()))
        having = (self._must(*COMPARISONS), self._text()) if self._take("having") else None
        return Sketch(intent, tuple(select), tuple(where), tuple(group), having, self._rank())

    def _addition(self) -> Sketch:
        new, formula = self._text(), None
        if self._take("is"):
            formula = (self._text(), self._must(*FORMULAS), self._text())
        return Sketch("add", (), new=new, formula=formula)

    def _item(self) -> Item:
        aggregate = self._take(*AGGREGATES)
        return Item(None if self._take("all") else self._text(), aggregate)

    def _test(self) -> Test:
        field, op = self._text(), self._must(*_OPS)
        if op in BARE:
            return Test(field, op)
        if op == "when":
            return Test(field, op, (self._must(*SPANS),))
        values = [self._text()]
        while self._take("or"):
            values.append(self._text())
        return Test(field, op, tuple(values))

    def _rank(self) -> Rank | None:
        way = self._take("top", "low")
        if way is None:
            return None
        field = self._text() if self.tokens and self.tokens[0][0] is None else None
        return Rank(way == "top", field, self._text() if self._take("lim") else None)

    def _take(self, *names: str) -> str | None:
        if self.tokens and self.tokens[0][0] in names:
            return self.tokens.pop(0)[0]
        return None

    def _must(self, *names: str) -> str:
        found = self._take(*names)
        if found is None:
            raise _unread(repr(self.tokens[:5]))
        return found

    def _text(self) -> str:
        if not self.tokens or self.tokens[0][0] is not None or not self.tokens[0][1]:
            raise _unread(repr(self.tokens[:5]))
        return self.tokens.pop(0)[1]
