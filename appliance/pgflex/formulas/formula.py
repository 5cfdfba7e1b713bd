"""Formulas of computed fields: a small typed language over the fields of one collection, turned into SQL.

    formula = parse("round(price * 1.2, 2)")
    formula.fields                                  # {"price": 6}: each name used, and where
    known = {"price": Known("price", "numeric")}
    check(formula, known)                           # Typed(type="numeric", expression='round(...)', ...)

Only what PostgreSQL calls immutable comes out, so that a stored generated column takes it, and nothing that can
fail on a row: a division by zero is null, whole numbers are reckoned without a limit. A field keeps the type it
had: where it later becomes another one, the expression is refused rather than read in another sense.

    numbers 12 0.5   texts 'free'   true false null   names capacity "Bed No"
    + - * / %   = != < <= > >=   and or not   ( )
    coalesce round abs floor ceil least greatest length lower upper concat if days_between initials year

>>> check(parse("capacity - occupied"), {n: Known(n, "integer") for n in ("capacity", "occupied")}).type
'numeric'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

import msgspec
from psycopg import sql

from appliance.errors import ApplianceError
from appliance.pgflex.formulas.formula_sql import (
    FUNCTIONS,
    Kind,
    Part,
    Refused,
    compare,
    field,
    join_logic,
    literal,
    reckon,
)
from appliance.types import FieldType

__all__ = ["Formula", "Known", "Typed", "check", "parse"]

LENGTH_LIMIT: Final = 2000
DEPTH_LIMIT: Final = 40
SQL_LIMIT: Final = 20_000
PARTS_LIMIT: Final = 150

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<text>'(?:[^']|'')*')
      | (?P<label>"(?:[^"]|"")+")
      | (?P<name>[^\W\d]\w*)
      | (?P<sign><=|>=|<>|!=|==|[-+*/%=<>(),])""",
    re.VERBOSE,
)
_COMPARISONS: Final = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS: Final = frozenset({"and", "or", "not", "true", "false", "null"})


class Known(msgspec.Struct, frozen=True):
    """A field a formula may use: its column, its type, and its own formula where it is computed."""

    name: str
    type: FieldType
    formula: str | None = None


class Typed(msgspec.Struct, frozen=True):
    """A formula that fits its collection.

    Attributes:
        type: of its values.
        expression: SQL over the columns of a row.
        uses: columns it names itself.
        reads: stored columns it comes down to.
    """

    type: FieldType
    expression: str
    uses: tuple[str, ...]
    reads: tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """A part of a formula: what it does, to which parts, and at which character (from 0) it stands."""

    op: str
    at: int
    parts: tuple[Node, ...] = ()
    word: str = ""


class Formula(msgspec.Struct, frozen=True):
    """A formula that can be read; :func:`check` says whether it fits a collection."""

    text: str
    root: Node

    @property
    def fields(self) -> dict[str, int]:
        """The names of fields it uses, each with the character it first stands at."""
        found: dict[str, int] = {}
        for node in _walk(self.root):
            if node.op == "field":
                found.setdefault(node.word, node.at)
        return found


def parse(text: str) -> Formula:
    """Read a formula.

    Raises:
        ApplianceError: PGF115, it cannot be read; the details point at the character.
    """
    if len(text) > LENGTH_LIMIT:
        raise ApplianceError("PGF115", f"A formula may have {LENGTH_LIMIT} characters.", {"length": len(text)})
    if "\x00" in text:
        _fail(text, text.index("\x00"), "A formula holds no NUL character.")
    return Formula(text, _Reader(text).whole())


def check(formula: Formula, known: Mapping[str, Known], owner: str = "") -> Typed:
    """Give a formula its types and its SQL.

    Args:
        formula: as :func:`parse` gives it.
        known: the collection's fields by column name and by label.
        owner: the column the formula is for, which it may not use, not even through others.

    Raises:
        ApplianceError: PGF115, an unknown field, types that do not go together, a circle, or too long.
    """
    checker = _Checker(formula.text, known, (owner,) if owner else ())
    part = checker.of(formula.root)
    if part.kind is None:
        _fail(formula.text, formula.root.at, "This is always null.")
    uses = tuple(dict.fromkeys(known[name].name for name in formula.fields))
    return Typed(part.kind, part.sql.as_string(None), uses, tuple(dict.fromkeys(checker.reads)))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        yield from _walk(part)


def _fail(text: str, at: int, message: str, hint: str | None = None) -> NoReturn:
    shown = f"{text.replace(chr(10), ' ')}\n{' ' * at}^"
    raise ApplianceError("PGF115", message, {"character": at + 1, "shown": shown}, hint)


class _Token(msgspec.Struct, frozen=True):
    """A word or sign of a formula and where it stands."""

    kind: str
    word: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            _fail(text, at, _unreadable(text[at]))
        kind = str(found.lastgroup)
        if kind != "space":
            word = found[0].casefold() if kind == "name" and found[0].casefold() in _WORDS else found[0]
            yield _Token("word" if word in _WORDS else kind, word, at)
        at = found.end()
    yield _Token("end", "", len(text))


def _unreadable(mark: str) -> str:
    if mark == "'":
        return "This text does not end: a ' is missing."
    if mark == '"':
        return 'This label does not end: a " is missing.'
    return f"A formula knows no {mark}."


class _Reader:
    """Reads a formula by precedence: or, and, not, comparison, + -, * / %, sign, single values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        if len(self._tokens) > 2 * PARTS_LIMIT:
            _fail(text, self._tokens[2 * PARTS_LIMIT].at, "The formula is too long.", "Make it of several fields.")
        self._place = 0
        self._depth = 0

    def whole(self) -> Node:
        """The formula from its first to its last character."""
        root = self._either()
        if self._now.kind != "end":
            self._wrong()
        return root

    @property
    def _now(self) -> _Token:
        return self._tokens[self._place]

    def _next(self) -> _Token:
        token = self._now
        self._place += 1
        return token

    def _take(self, *words: str) -> _Token | None:
        """The next word or sign, when it is one of these."""
        if self._now.kind in ("sign", "word") and self._now.word in words:
            return self._next()
        return None

    def _wrong(self) -> NoReturn:
        token = self._now
        message = "The formula ends too early." if token.kind == "end" else f"{token.word} does not belong here."
        _fail(self._text, token.at, message)

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            ended = self._now.kind == "end"
            where = "the end" if ended else self._now.word
            _fail(self._text, self._now.at, f"There has to be a {sign} before {where}.")

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            _fail(self._text, self._now.at, f"A formula may be {DEPTH_LIMIT} levels deep.")
        left = self._both()
        while sign := self._take("or"):
            left = Node("or", sign.at, (left, self._both()))
        self._depth -= 1
        return left

    def _both(self) -> Node:
        left = self._denied()
        while sign := self._take("and"):
            left = Node("and", sign.at, (left, self._denied()))
        return left

    def _denied(self) -> Node:
        signs = []
        while sign := self._take("not"):
            signs.append(sign)
        node = self._compared()
        for sign in reversed(signs):
            node = Node("not", sign.at, (node,))
        return node

    def _compared(self) -> Node:
        left = self._sum()
        if sign := self._take(*_COMPARISONS):
            left = Node("compare", sign.at, (left, self._sum()), _COMPARISONS[sign.word])
            if self._now.word in _COMPARISONS and self._now.kind == "sign":
                _fail(self._text, self._now.at, "Two comparisons in a row are joined by and.")
        return left

    def _sum(self) -> Node:
        left = self._product()
        while sign := self._take("+", "-"):
            left = Node("reckon", sign.at, (left, self._product()), sign.word)
        return left

    def _product(self) -> Node:
        left = self._signed()
        while sign := self._take("*", "/", "%"):
            left = Node("reckon", sign.at, (left, self._signed()), sign.word)
        return left

    def _signed(self) -> Node:
        signs = []
        while sign := self._take("-", "+"):
            signs.append(sign)
        node = self._single()
        minus = [sign for sign in signs if sign.word == "-"]
        if len(minus) % 2:
            zero = Node("number", minus[0].at, word="0")
            node = Node("reckon", minus[0].at, (zero, node), "-")
        return node

    def _single(self) -> Node:
        token = self._now
        if self._take("("):
            inside = self._either()
            self._expect(")")
            return inside
        if token.kind not in ("number", "text", "label", "name") and token.word not in ("true", "false", "null"):
            self._wrong()
        self._next()
        return self._value(token)

    def _value(self, token: _Token) -> Node:
        if token.kind == "name" and self._take("("):
            return self._call(token)
        if token.kind == "name":
            return Node("field", token.at, word=token.word)
        if token.kind == "label":
            return Node("field", token.at, word=token.word[1:-1].replace('""', '"'))
        word = token.word[1:-1].replace("''", "'") if token.kind == "text" else token.word
        return Node(token.kind, token.at, word=word)

    def _call(self, token: _Token) -> Node:
        name = token.word.casefold()
        if name not in FUNCTIONS:
            _fail(
                self._text,
                token.at,
                f"A formula knows no function {token.word}.",
                f"One of {', '.join(sorted(FUNCTIONS))}.",
            )
        parts: list[Node] = []
        while not self._take(")"):
            if parts:
                self._expect(",")
            parts.append(self._either())
        return Node("call", token.at, tuple(parts), name)


class _Checker:
    """Gives each part its type and SQL; a computed field is put in by its own formula."""

    def __init__(self, text: str, known: Mapping[str, Known], above: tuple[str, ...], depth: int = 0) -> None:
        self._text, self._known, self._above, self._depth = text, known, above, depth
        self.reads: list[str] = []

    def of(self, node: Node) -> Part:
        """The typed part of a node."""
        self._depth += 1
        if self._depth > PARTS_LIMIT:
            self._too_long(node)
        part = self._field(node) if node.op == "field" else self._joined(node)
        self._depth -= 1
        text = part.sql.as_string(None)
        if len(text) > SQL_LIMIT:
            self._too_long(node)
        return Part(part.kind, sql.SQL(text), part.word)

    def _too_long(self, node: Node) -> NoReturn:
        _fail(self._text, node.at, "The formula is too long, with the formulas it uses.", "Shorten it.")

    def _joined(self, node: Node) -> Part:
        parts = [self.of(part) for part in node.parts]
        try:
            return self._made(node, parts)
        except Refused as refused:
            at = node.at if refused.part is None else node.parts[refused.part].at
            _fail(self._text, at, refused.message, refused.hint)

    def _made(self, node: Node, parts: list[Part]) -> Part:
        if node.op == "call":
            return FUNCTIONS[node.word](parts)
        if node.op == "reckon":
            return reckon(node.word, *parts)
        if node.op == "compare":
            return compare(node.word, *parts)
        if node.op in ("and", "or", "not"):
            return join_logic(node.op, parts)
        return literal(node.op, node.word)

    def _field(self, node: Node) -> Part:
        known = self._known.get(node.word)
        if known is None:
            names = sorted({item.name for item in self._known.values() if item.type != "jsonb"})[:40]
            _fail(self._text, node.at, f"There is no field {node.word}.", f"The fields: {', '.join(names)}.")
        if known.name in self._above:
            _fail(self._text, node.at, f"The field {node.word} would be computed from itself.")
        if known.type == "jsonb":
            _fail(self._text, node.at, f"The field {node.word} holds nested values; a formula cannot look into them.")
        if known.formula is not None:
            return self._inner(known, known.formula)
        self.reads.append(known.name)
        return field(known.name, _kind(known.type))

    def _inner(self, known: Known, formula: str) -> Part:
        inner = _Checker(formula, self._known, (*self._above, known.name), self._depth)
        part = inner.of(parse(formula).root)
        self.reads += inner.reads
        return part


def _kind(kind: FieldType) -> Kind:
    assert kind != "jsonb"
    return kind
