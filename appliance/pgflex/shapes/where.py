r"""The filter of a shape: a small part of SQL, read into a typed tree and written out again for PostgreSQL.

What cannot be said in it is refused at the character where it stands; what it says is rendered anew from the
tree, so that nothing of the text reaches the database as SQL.

    >>> where = parse("ward = $1 and beds > 3", {"ward": "text", "beds": "integer"}, {1: "Surgery"})
    >>> where.text()
    '(("ward" = \'Surgery\') AND ("beds" > 3))'
    >>> sorted(where.columns)
    ['beds', 'ward']

The language: ``AND OR NOT``, ``= <> != < <= > >=``, ``IS [NOT] NULL | TRUE | FALSE``, ``[NOT] IN (...)``,
``[NOT] BETWEEN .. AND ..``, ``[NOT] LIKE | ILIKE``, parentheses, columns, literals, ``$1`` and casts ``::type``.
Text and parameters take the type of what they are compared with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal, NoReturn

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.shapes.where_tree import (
    Among,
    Cast,
    Column,
    Compare,
    Condition,
    Joined,
    Like,
    Not,
    Operand,
    Test,
    Value,
    Where,
)
from appliance.types import FieldType

__all__ = ["Where", "parse", "read_names"]

LENGTH_LIMIT: Final = 10_000
DEPTH_LIMIT: Final = 50
PARTS_LIMIT: Final = 1000

Kind = Literal["name", "quoted", "text", "number", "parameter", "mark", "end"]

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?![A-Za-z_]))
    | (?P<parameter>\$[1-9]\d{0,3}(?!\d))
    | (?P<mark>::|<>|!=|<=|>=|[=<>(),-])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.ASCII,
)
_WORDS: Final = frozenset("and or not is null true false in between like ilike".split())
_COMPARED: Final = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CASTS: Final[dict[str, FieldType]] = {
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("bigint", "integer", "int", "int2", "int4", "int8", "smallint"), "integer"),
    **dict.fromkeys(("numeric", "decimal", "real", "float4", "float8"), "numeric"),
    **dict.fromkeys(("text", "varchar"), "text"),
    **dict.fromkeys(("jsonb", "json"), "jsonb"),
    "date": "date",
    "timestamptz": "timestamptz",
}
_FAMILIES: Final[dict[FieldType, str]] = {
    "boolean": "a truth value",
    "integer": "a number",
    "numeric": "a number",
    "date": "a time",
    "timestamptz": "a time",
    "text": "text",
    "jsonb": "JSON",
}


def parse(text: str, columns: Mapping[str, FieldType], parameters: Mapping[int, str] | None = None) -> Where:
    """Read a filter.

    Args:
        text: as it was sent.
        columns: the columns the reader may read, with their types.
        parameters: what ``$1``, ``$2``, ... stand for.

    Raises:
        ApplianceError: PGF119, it is not in the language, or names a column the reader does not have.
    """
    if len(text) > LENGTH_LIMIT or "\x00" in text or any("\x00" in value for value in (parameters or {}).values()):
        raise _refused(text, 0, f"A filter has at most {LENGTH_LIMIT} characters, none of them NUL")
    reader = _Reader(text, columns, parameters or {})
    return Where(reader.whole(), frozenset(reader.read))


def read_names(text: str) -> list[str]:
    """Column names between commas, quoted or not.

    Raises:
        ApplianceError: PGF119, it is no such list.
    """
    tokens = [token for token in _tokens(text) if token.kind != "end"]
    for place, token in enumerate(tokens):
        if (token.kind not in ("name", "quoted")) if place % 2 == 0 else (token.text != ","):
            raise _refused(text, token.at, "Here a column's name or a comma was expected")
    if len(tokens) % 2 == 0:
        raise _refused(text, len(text), "Here a column's name was expected")
    return [_name(token) for token in tokens[::2]]


class _Token(msgspec.Struct, frozen=True):
    kind: Kind
    text: str
    at: int

    @property
    def word(self) -> str:
        """The keyword or mark; empty for anything else."""
        return self.text.lower() if self.kind in ("name", "mark") else ""


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise _refused(text, start, "This cannot be read")
        kind: Kind = found.lastgroup  # type: ignore[assignment]
        yield _Token(kind, found[kind], found.start(kind))
        if kind == "end":
            return
        at = found.end()


class _Reader:
    """Reads one filter from left to right, a rule of the grammar per method."""

    def __init__(self, text: str, columns: Mapping[str, FieldType], parameters: Mapping[int, str]) -> None:
        self.read: set[str] = set()
        self._text = text
        self._columns = columns
        self._parameters = parameters
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._here.kind != "end":
            self._fail("Here the filter should go on with AND or OR, or end")
        return condition

    @property
    def _here(self) -> _Token:
        return self._tokens[self._place]

    def _take(self, *words: str) -> bool:
        """Go past these words if they come next."""
        coming = [token.word for token in self._tokens[self._place : self._place + len(words)]]
        if coming != list(words):
            return False
        self._place += len(words)
        return True

    def _need(self, word: str) -> None:
        if not self._take(word):
            self._fail(f"Here {word.upper()} was expected")

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        raise _refused(self._text, self._here.at if at is None else at, message)

    def _any(self) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            self._fail(f"A filter may be {DEPTH_LIMIT} levels deep")
        condition = self._joined("or", lambda: self._joined("and", self._opposite))
        self._depth -= 1
        return condition

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        at = self._here.at
        parts = [part()]
        while self._take(word):
            if len(parts) == 1:
                self._truth(parts[0], at)
            at = self._here.at
            parts.append(self._truth(part(), at))
        return parts[0] if len(parts) == 1 else Joined(word.upper(), tuple(parts))

    def _opposite(self) -> Condition:
        turned = False
        while self._take("not"):
            turned = not turned
        at = self._here.at
        condition = self._predicate()
        if turned or self._here.word != ")":  # alone in parentheses it may be an operand of what follows them
            self._truth(condition, at)
        return Not(condition) if turned else condition

    def _truth(self, condition: Condition, at: int) -> Condition:
        if isinstance(condition, Column | Value | Cast) and condition.type != "boolean":
            self._fail("This is no condition: compare it with something", at)
        return condition

    def _predicate(self) -> Condition:
        at = self._here.at
        left = self._primary()
        if not isinstance(left, Column | Value | Cast):
            return left
        if self._here.text in _COMPARED and self._here.kind == "mark":
            return self._compared(left)
        if self._take("is"):
            return self._tested(left, at)
        turned = self._take("not")
        condition = self._listed(left, at)
        if condition is None:
            if turned:
                self._fail("Here IN, LIKE, ILIKE or BETWEEN was expected")
            return left
        return Not(condition) if turned else condition

    def _compared(self, left: Operand) -> Compare:
        token = self._here
        self._place += 1
        left, right = self._alike(token.at, left, self._operand())
        return Compare(left, _COMPARED[token.text], right)

    def _tested(self, of: Operand, at: int) -> Test:
        turned = " NOT" if self._take("not") else ""
        word = self._here.word
        if word not in ("null", "true", "false"):
            self._fail("Here NULL, TRUE or FALSE was expected")
        if word != "null":
            self._truth(of, at)
        self._place += 1
        return Test(self._alike(at, of)[0], f"IS{turned} {word.upper()}")

    def _listed(self, of: Operand, at: int) -> Condition | None:
        if self._take("in"):
            return self._among(of, at)
        if self._take("between"):
            low = self._operand()
            self._need("and")
            of, low, high = self._alike(at, of, low, self._operand())
            return Joined("AND", (Compare(of, ">=", low), Compare(of, "<=", high)))
        for word in ("like", "ilike"):
            if self._take(word):
                return self._like(of, word, at)
        return None

    def _among(self, of: Operand, at: int) -> Among:
        self._need("(")
        values = [self._operand()]
        while self._take(","):
            values.append(self._operand())
        self._need(")")
        if len(values) > PARTS_LIMIT:
            self._fail(f"A list may have {PARTS_LIMIT} values", at)
        of, *alike = self._alike(at, of, *values)
        return Among(of, tuple(alike))

    def _like(self, of: Operand, word: str, at: int) -> Like:
        place = self._here.at
        of, pattern = self._alike(at, of, self._operand())
        if of.type != "text":
            self._fail("LIKE is for text", at)
        if not isinstance(pattern, Value):
            self._fail("A pattern is a text or a parameter", place)
        found = re.search(r"\\+\Z", str(pattern.value))
        if found and len(found[0]) % 2:
            self._fail("A pattern may not end in a single backslash", place)
        return Like(of, word.upper(), pattern)

    def _primary(self) -> Condition:
        if not self._take("("):
            return self._operand()
        inner = self._any()
        self._need(")")
        return inner

    def _operand(self) -> Operand:
        at = self._here.at
        operand = self._inside() if self._take("(") else self._simple()
        while self._take("::"):
            operand = self._cast(operand, at)
        return operand

    def _inside(self) -> Operand:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            self._fail(f"A filter may be {DEPTH_LIMIT} levels deep")
        operand = self._operand()
        self._need(")")
        self._depth -= 1
        return operand

    def _simple(self) -> Operand:
        token = self._here
        self._place += 1
        if token.kind == "text":
            return Value(token.text[1:-1].replace("''", "'"), None)
        if token.kind == "number":
            return _number(token.text)
        if token.text == "-" and self._here.kind == "number":
            self._place += 1
            return _number("-" + self._tokens[self._place - 1].text)
        if token.kind == "parameter":
            return self._parameter(token)
        if token.word in ("true", "false"):
            return Value(token.word == "true", "boolean")
        if token.kind not in ("name", "quoted") or token.word in _WORDS:
            told = "Use IS NULL" if token.word == "null" else "Here a column, a value or a parameter was expected"
            self._fail(told, token.at)
        return self._column(token)

    def _parameter(self, token: _Token) -> Value:
        value = self._parameters.get(int(token.text[1:]))
        if value is None:
            self._fail(f"No value was sent for {token.text}", token.at)
        return Value(value, None)

    def _column(self, token: _Token) -> Column:
        name = _name(token)
        kind = self._columns.get(name)
        if kind is None:
            self._fail("There is no such column, or not for this role", token.at)
        self.read.add(name)
        return Column(name, kind)

    def _cast(self, of: Operand, at: int) -> Operand:
        token = self._here
        kind = _CASTS.get(token.text.lower()) if token.kind == "name" else None
        if kind is None:
            self._fail(f"Here a type was expected: {', '.join(sorted(_CASTS))}")
        self._place += 1
        if isinstance(of, Value):
            return Value(of.value, kind) if isinstance(of.value, str) else self._same(of, kind, at)
        if isinstance(of, Cast) or (kind != "text" and _FAMILIES[kind] != _FAMILIES[of.type]):
            self._fail("A column may be read as text, as another kind of number or of time", at)
        if (of.type, kind) == ("numeric", "integer"):
            self._fail("A numeric column may not fit an integer", at)
        return Cast(of, kind)

    def _same(self, of: Value, kind: FieldType, at: int) -> Value:
        if of.type is None or _FAMILIES[of.type] != _FAMILIES[kind]:
            self._fail("This value is not of that type", at)
        return of

    def _alike(self, at: int, *operands: Operand) -> tuple[Operand, ...]:
        """The operands of a comparison: those without a type take the others'."""
        kinds = [operand.type for operand in operands if operand.type is not None]
        families = {_FAMILIES[kind] for kind in kinds}
        if len(families) > 1:
            self._fail(f"{' and '.join(sorted(families))} cannot be compared".capitalize(), at)
        # Among numbers the widest: a text beside a column of integers and a 1.5 is read as numeric.
        kind = next((kind for kind in kinds if kind in ("numeric", "timestamptz")), kinds[0] if kinds else "text")
        return tuple(Value(o.value, kind) if isinstance(o, Value) and o.type is None else o for o in operands)


def _name(token: _Token) -> str:
    """The column a token names: as SQL has it, what is not quoted is lower case."""
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text.lower()


def _number(text: str) -> Value:
    value = Decimal(text)
    whole = re.fullmatch(r"-?\d{1,18}", text) is not None
    return Value(int(text), "integer") if whole else Value(value, "numeric")


def _refused(text: str, at: int, message: str) -> ApplianceError:
    return ApplianceError(
        "PGF119",
        f"{message} (character {at + 1}).",
        {"character": at + 1, "near": text[at : at + 40]},
        "See what a shape's filter may say: docs/reference/shapes.md",
    )
