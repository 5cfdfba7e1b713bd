"""What the operators and functions of a formula are in SQL, and which types they take.

Every function here turns typed parts into one; what does not go together raises :class:`Refused`. Only immutable
operators are used: what PostgreSQL would read by the session's timezone, language or date style is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec
from psycopg import sql

from appliance.pgflex.fields import SQL_TYPES

__all__ = ["FUNCTIONS", "Kind", "Part", "Refused", "compare", "field", "join_logic", "literal", "reckon"]

Kind = Literal["boolean", "integer", "numeric", "date", "timestamptz", "text"]

_NUMBERS: Final = ("integer", "numeric")
_ROUND_DIGITS: Final = range(13)
_ARTICLES: Final = {
    "boolean": "true or false",
    "integer": "a number",
    "numeric": "a number",
    "date": "a date",
    "timestamptz": "a time",
    "text": "a text",
    None: "null",
}
_NOT_IMMUTABLE: Final = (
    "PostgreSQL would read it by the timezone or date style of whoever writes, so it is not immutable "
    "and cannot be stored."
)


class Part(msgspec.Struct, frozen=True):
    """A typed part of a formula.

    Attributes:
        kind: its type; None for null.
        sql: its SQL, safe to stand anywhere (in parentheses where needed).
        word: what was written, where it is a text or a number in the formula itself.
    """

    kind: Kind | None
    sql: sql.Composable
    word: str | None = None


class Refused(Exception):
    """Parts do not go together. `part` is the place of the part that is wrong, None where it is the whole."""

    def __init__(self, message: str, hint: str | None = None, part: int | None = None) -> None:
        self.message, self.hint, self.part = message, hint, part
        super().__init__(message)


def field(name: str, kind: Kind) -> Part:
    """A column. The null beside it holds it to its type: a column that became text is refused, not read as text."""
    made = sql.SQL("coalesce({}, null::{})").format(sql.Identifier(name), sql.SQL(SQL_TYPES[kind]))
    return Part(kind, made)


def literal(kind: str, word: str) -> Part:
    """A value written in the formula: ``number``, ``text``, or the words true, false, null."""
    if kind == "number":
        whole = word.isdigit() and int(word) < 2**63
        made = sql.Literal(Decimal(word)) if not whole else sql.SQL("{}::bigint").format(sql.Literal(int(word)))
        return Part("integer" if whole else "numeric", sql.SQL("({})").format(made), word)
    if kind == "text":
        return Part("text", sql.SQL("{}::text").format(sql.Literal(word)), word)
    if word == "null":
        return Part(None, sql.SQL("null"))
    return Part("boolean", sql.SQL(word))


def reckon(sign: str, left: Part, right: Part) -> Part:
    """``+ - * / %`` of two numbers, always as numeric: no sum is too large, and 1 / 2 is a half."""
    for place, part in enumerate((left, right)):
        if part.kind in ("date", "timestamptz"):
            raise Refused(f"{_told(part)} cannot be reckoned with.", "days_between(from, to) gives days.", place)
        if part.kind == "text":
            raise Refused("A text cannot be reckoned with.", "concat(a, b) joins texts; length(a) is a number.", place)
        if part.kind == "boolean":
            raise Refused("True or false cannot be reckoned with.", "if(condition, 1, 0) makes a number.", place)
    second = _call("nullif", [_numeric(right), sql.SQL("0::numeric")]) if sign in "/%" else _numeric(right)
    made = sql.SQL("({} {} {})").format(_numeric(left), sql.SQL(sign), second)
    return Part("numeric", made)


def compare(sign: str, left: Part, right: Part) -> Part:
    """Two values of the same type; a text written in the formula is a date beside a date."""
    left, right = _dated(left, right, 0), _dated(right, left, 1)
    if left.kind is None or right.kind is None:
        raise Refused("Nothing is equal to null, or more or less than it.", "coalesce(field, value) takes its place.")
    if {left.kind, right.kind} == {"date", "timestamptz"}:
        raise Refused("A date and a time cannot be compared.", _NOT_IMMUTABLE)
    kind = _shared([left, right])
    made = [_numeric(part) if kind in _NUMBERS else part.sql for part in (left, right)]
    joined = sql.SQL("({} {} {})").format(made[0], sql.SQL(sign), made[1])
    return Part("boolean", joined)


def join_logic(word: str, parts: Sequence[Part]) -> Part:
    """``and``, ``or`` and ``not`` of conditions."""
    for place in range(len(parts)):
        _need(parts, place, "boolean")
    if word == "not":
        return Part("boolean", sql.SQL("(not {})").format(parts[0].sql))
    joined = sql.SQL(" and " if word == "and" else " or ").join(part.sql for part in parts)
    return Part("boolean", sql.SQL("({})").format(joined))


def _told(part: Part) -> str:
    told = _ARTICLES[part.kind]
    return told[0].upper() + told[1:]


def _numeric(part: Part) -> sql.Composable:
    if part.kind == "numeric":
        return part.sql
    return sql.SQL("{}::numeric").format(part.sql)


def _call(name: str, arguments: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL("{}({})").format(sql.SQL(name), sql.SQL(", ").join(arguments))


def _dated(part: Part, other: Part, place: int) -> Part:
    """A text beside a date or a time, as one."""
    if part.kind != "text" or part.word is None or other.kind not in ("date", "timestamptz"):
        return part
    try:
        value = date.fromisoformat(part.word) if other.kind == "date" else datetime.fromisoformat(part.word)
    except ValueError:
        value = None
    if value is None or (isinstance(value, datetime) and value.tzinfo is None):
        form = "'2026-11-30'" if other.kind == "date" else "'2026-11-30T08:00:00+00:00'"
        raise Refused(f"This text is not {_ARTICLES[other.kind]}.", f"Write it as {form}.", place)
    return Part(other.kind, sql.Literal(value))


def _shared(parts: Sequence[Part]) -> Kind | None:
    """The one type of all parts, numeric where numbers differ.

    Raises:
        Refused: they have not one type.
    """
    kind: Kind | None = None
    for place, part in enumerate(parts):
        if part.kind in _NUMBERS and kind in _NUMBERS and part.kind != kind:
            kind = "numeric"
        elif kind is None or part.kind is None or part.kind == kind:
            kind = kind or part.kind
        else:
            known = _ARTICLES[kind]
            raise Refused(f"{_told(part)} and {known} do not go together.", "Use values of one type.", place)
    return kind


def _need(parts: Sequence[Part], place: int, *kinds: Kind) -> None:
    part = parts[place]
    if part.kind not in kinds:
        raise Refused(f"This has to be {_ARTICLES[kinds[0]]}; it is {_ARTICLES[part.kind]}.", None, place)


def _count(parts: Sequence[Part], name: str, least: int, most: int = 20) -> None:
    if not least <= len(parts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise Refused(f"{name} takes {wanted} values; here it has {len(parts)}.")


def _alike(name: str) -> Callable[[Sequence[Part]], Part]:
    """coalesce, least, greatest: several values of one type."""

    def made(parts: Sequence[Part]) -> Part:
        _count(parts, name, 1)
        first = next((part for part in parts if part.kind in ("date", "timestamptz")), None)
        if first is not None:
            parts = [_dated(part, first, place) for place, part in enumerate(parts)]
        kind = _shared(parts)
        values = [_numeric(part) if kind == "numeric" and part.kind else part.sql for part in parts]
        return Part(kind, _call(name, values))

    return made


def _choose(parts: Sequence[Part]) -> Part:
    _count(parts, "if", 3, 3)
    _need(parts, 0, "boolean")
    try:
        kind = _shared(parts[1:])
    except Refused as refused:
        raise Refused(refused.message, refused.hint, 1 + (refused.part or 0)) from None
    yes, no = (_numeric(part) if kind == "numeric" and part.kind else part.sql for part in parts[1:])
    return Part(kind, sql.SQL("(case when {} then {} else {} end)").format(parts[0].sql, yes, no))


def _number(name: str) -> Callable[[Sequence[Part]], Part]:
    """abs, floor, ceil: a number of a number."""

    def made(parts: Sequence[Part]) -> Part:
        _count(parts, name, 1, 1)
        _need(parts, 0, *_NUMBERS)
        return Part("numeric", _call(name, [_numeric(parts[0])]))

    return made


def _round(parts: Sequence[Part]) -> Part:
    _count(parts, "round", 1, 2)
    _need(parts, 0, *_NUMBERS)
    word = parts[1].word if len(parts) == 2 else "0"
    if word is None or not word.isdigit() or int(word) not in _ROUND_DIGITS:
        raise Refused("The digits to round to are a number from 0 to 12.", "round(price, 2)", 1)
    return Part("numeric", _call("round", [_numeric(parts[0]), sql.Literal(int(word))]))


def _cased(name: str) -> Callable[[Sequence[Part]], Part]:
    """lower, upper: a text of a text."""

    def made(parts: Sequence[Part]) -> Part:
        _count(parts, name, 1, 1)
        _need(parts, 0, "text")
        return Part("text", _call(name, [parts[0].sql]))

    return made


def _length(parts: Sequence[Part]) -> Part:
    _count(parts, "length", 1, 1)
    _need(parts, 0, "text")
    return Part("integer", sql.SQL("length({})::bigint").format(parts[0].sql))


def _concat(parts: Sequence[Part]) -> Part:
    _count(parts, "concat", 1)
    for place, part in enumerate(parts):
        if part.kind in ("date", "timestamptz"):
            raise Refused(f"{_told(part)} cannot be joined to a text.", _NOT_IMMUTABLE, place)
    joined = sql.SQL(" || ").join(sql.SQL("coalesce({}::text, '')").format(part.sql) for part in parts)
    return Part("text", sql.SQL("({})").format(joined))


def _days_between(parts: Sequence[Part]) -> Part:
    _count(parts, "days_between", 2, 2)
    for place, part in enumerate(parts):
        if part.kind == "timestamptz":
            raise Refused("A time falls on another day in another timezone.", _NOT_IMMUTABLE, place)
    first, last = _dated(parts[0], parts[1], 0), _dated(parts[1], parts[0], 1)
    for place in range(2):
        _need([first, last], place, "date")
    made = sql.SQL("(case when isfinite({0}) and isfinite({1}) then ({1} - {0})::bigint end)")
    return Part("integer", made.format(first.sql, last.sql))


def _year(parts: Sequence[Part]) -> Part:
    _count(parts, "year", 1, 1)
    if parts[0].kind == "timestamptz":
        raise Refused("A time falls in another year in another timezone.", _NOT_IMMUTABLE, 0)
    _need(parts, 0, "date")
    made = sql.SQL("(case when isfinite({0}) then extract(year from {0})::bigint end)")
    return Part("integer", made.format(parts[0].sql))


def _initials(parts: Sequence[Part]) -> Part:
    _count(parts, "initials", 1, 1)
    _need(parts, 0, "text")
    made = sql.SQL("upper(regexp_replace(btrim({}), {}, {}, 'g'))")
    words, first = sql.Literal(r"([^[:space:]])[^[:space:]]*[[:space:]]*"), sql.Literal(r"\1.")
    return Part("text", made.format(parts[0].sql, words, first))


FUNCTIONS: Final[dict[str, Callable[[Sequence[Part]], Part]]] = {
    **{name: _alike(name) for name in ("coalesce", "least", "greatest")},
    **{name: _number(name) for name in ("abs", "floor", "ceil")},
    **{name: _cased(name) for name in ("lower", "upper")},
    "round": _round,
    "length": _length,
    "concat": _concat,
    "if": _choose,
    "days_between": _days_between,
    "initials": _initials,
    "year": _year,
}
"""The functions of the language by name."""
