"""Field types: what a value tells about its field, how two tellings join, and how a value is written.

The lattice (a type can hold what the types below it hold; nothing is lost on the way up)::

    boolean < integer < numeric ─┐
                date < timestamptz ─┴─ text < jsonb

A null tells nothing. ``"007"`` is text, for a number would lose the zeros; an integer beyond 64 bits is
numeric; only ISO 8601 dates, and times with an offset, are dates and times. Where numbers meet text they become
text of the same characters (5 becomes ``"5"``, 1.50 ``"1.50"``); true among numbers is 1.

    >>> infer(7), infer("007"), infer("2026-11-23"), infer([1])
    ('integer', 'text', 'date', 'jsonb')
    >>> join("integer", "numeric"), join("integer", "date")
    ('numeric', 'text')
    >>> column_name("Größe (cm)")
    'grosse_cm'
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.types import FieldType

SQL_TYPES: Final[dict[FieldType, str]] = {
    "boolean": "boolean",
    "integer": "bigint",
    "numeric": "numeric",
    "date": "date",
    "timestamptz": "timestamptz",
    "text": "text",
    "jsonb": "jsonb",
}

SAMPLES: Final[dict[FieldType, Any]] = {
    "boolean": True,
    "integer": 1,
    "numeric": Decimal("0.5"),
    "date": "2000-01-01",
    "timestamptz": "2000-01-01T00:00:00Z",
    "text": "x",
    "jsonb": {},
}
"""A value of each type and of no lesser one."""

_ABOVE: Final[dict[FieldType, frozenset[FieldType]]] = {
    "boolean": frozenset({"boolean", "integer", "numeric", "text", "jsonb"}),
    "integer": frozenset({"integer", "numeric", "text", "jsonb"}),
    "numeric": frozenset({"numeric", "text", "jsonb"}),
    "date": frozenset({"date", "timestamptz", "text", "jsonb"}),
    "timestamptz": frozenset({"timestamptz", "text", "jsonb"}),
    "text": frozenset({"text", "jsonb"}),
    "jsonb": frozenset({"jsonb"}),
}

_INTEGERS: Final = range(-(2**63), 2**63)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_LONGEST_NAME: Final = 63

_TAKEN: Final = frozenset(
    # What PostgREST reads from an address as something else than a column, the key, and PostgreSQL's own columns.
    # And the column of values that do not fit theirs.
    "select order limit offset and or not columns on_conflict id ctid xmin xmax cmin cmax tableoid extra".split()
)

_NONE: Final = type(None)
_PLAIN: Final[dict[FieldType, frozenset[type]]] = {
    "boolean": frozenset({bool, _NONE}),
    "integer": frozenset({int, _NONE}),
    "numeric": frozenset({int, Decimal, float, _NONE}),
    "date": frozenset({str, _NONE}),
    "timestamptz": frozenset({str, _NONE}),
    "text": frozenset({str, _NONE}),
    "jsonb": frozenset({dict, list, str, int, Decimal, float, bool, _NONE}),
}
_LONGEST_INTEGER: Final = 4300
_LONG_INTEGER: Final = re.compile(rb"\d{4300}")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

_json = msgspec.json.Encoder(decimal_format="number")
_exact = msgspec.json.Decoder(float_hook=Decimal)


def infer(value: Any) -> FieldType | None:
    """The least type that holds a JSON value without loss; None for null.

    Args:
        value: as :func:`read_json` gives it: numbers with a point or an exponent are Decimal.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if value in _INTEGERS else "numeric"
    if isinstance(value, (Decimal, float)):
        return "numeric"
    if isinstance(value, str):
        return _infer_text(value)
    return "jsonb"


def plain(values: Sequence[Any], kind: FieldType) -> bool:
    """Whether every value can be written to a column of this type just as it stands."""
    if not _PLAIN[kind].issuperset(map(type, values)):
        return False
    if kind == "integer":
        return all(value in _INTEGERS for value in values if value is not None)
    if kind in ("date", "timestamptz"):
        return all(_infer_text(value) == kind for value in values if value is not None)
    return True


def fits(value: Any, kind: FieldType) -> bool:
    """Whether a column of this type holds `value` without loss, as it stands or converted."""
    return join(infer(value), kind) == kind


def join(left: FieldType | None, right: FieldType | None) -> FieldType | None:
    """The least type that holds both; None is the bottom of the lattice."""
    if left is None or right is None:
        return left or right
    both = _ABOVE[left] & _ABOVE[right]
    return max(both, key=lambda kind: len(_ABOVE[kind]))


def infer_all(values: Iterable[Any]) -> FieldType | None:
    """The least type that holds every value; None when all are null."""
    kind: FieldType | None = None
    for value in values:
        kind = join(kind, infer(value))
        if kind == "jsonb":
            break
    return kind


def convert(value: Any, kind: FieldType) -> Any:
    """`value` as the JSON that PostgreSQL reads as `kind`, where ``join(infer(value), kind) == kind``."""
    if value is None or kind == "jsonb":
        return value
    if kind == "text":
        return value if isinstance(value, str) else _as_text(value)
    if kind in ("integer", "numeric") and isinstance(value, bool):
        return int(value)
    if kind == "timestamptz" and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    return value


def widen_sql(column: str, held: FieldType, wanted: FieldType) -> str:
    """The SQL expression that turns the quoted `column` from one type into a type above it."""
    if wanted == "jsonb":
        return f"to_jsonb({column})"
    if wanted == "text":
        return f"to_jsonb({column}) #>> '{{}}'"
    if held == "boolean":
        return f"{column}::int::{SQL_TYPES[wanted]}"
    if held == "date":
        return f"{column}::timestamp at time zone 'UTC'"
    return f"{column}::{SQL_TYPES[wanted]}"


def spilled_sql(value: str, wanted: FieldType) -> str:
    """The SQL expression that turns `value`, the SQL of a jsonb that is not null, into a type that can hold it."""
    return value if wanted == "jsonb" else f"({value} #>> '{{}}')::{SQL_TYPES[wanted]}"


def read_json(body: bytes) -> Any:
    """JSON with its numbers kept exact.

    Raises:
        ApplianceError: PGF103, it is not JSON, or an object names a key twice.
    """
    try:
        value = _decoded(body)
        if body.count(b":") != (count := _keys(value)) and _STRING.sub(b"", body).count(b":") != count:
            json.loads(body, object_pairs_hook=_refuse_twice, parse_int=str)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise ApplianceError(
            "PGF103", "The body is not JSON.", str(error), "Send a JSON object or a list of them."
        ) from None
    return value


def read_rows(rows: Iterable[str]) -> list[dict[str, Any]]:
    """Rows that the database gave as JSON texts, their numbers kept exact."""
    made: list[dict[str, Any]] = _decoded(f"[{','.join(rows)}]".encode())
    return made


def _decoded(body: bytes) -> Any:
    try:
        return _exact.decode(body)
    except msgspec.DecodeError:
        # Python reads a whole number of more than 4300 digits only as a decimal; msgspec does not read it at all.
        if not _LONG_INTEGER.search(body):
            raise
        return json.loads(body.decode(), parse_float=Decimal, parse_int=_integer, parse_constant=_refuse_constant)


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _LONGEST_INTEGER else Decimal(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _keys(value: Any) -> int:
    """How many keys the objects within a value have."""
    if isinstance(value, dict):
        return len(value) + sum(_keys(item) for item in value.values() if isinstance(item, (dict, list)))
    if isinstance(value, list):
        return sum(_keys(item) for item in value if isinstance(item, (dict, list)))
    return 0


def _refuse_twice(pairs: list[tuple[str, Any]]) -> Any:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ApplianceError(
                "PGF103", "An object names a key twice.", {"key": name[:200]}, "Give every key one value."
            )
        seen.add(name)
    return None


def write_json(value: Any) -> str:
    """JSON text of a value, decimals as numbers."""
    return _json.encode(value).decode()


def collection_name(name: str) -> str:
    """`name`, when it can be a collection.

    Raises:
        ApplianceError: PGF105, it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ApplianceError(
            "PGF105",
            "This cannot be the name of a collection.",
            name[:200],
            "Use lower-case letters, digits and underscores, a letter first, at most 63.",
        )
    return name


def column_name(label: str) -> str:
    """A column name made from a label: ASCII lower case, digits, underscores, at most 63 characters.

    Different labels may give the same name; the store then numbers them, and keeps every label in ``flex.fields``.

    Raises:
        ApplianceError: PGF105, the label is empty or holds a NUL character.
    """
    if not label.strip() or "\x00" in label:
        raise ApplianceError(
            "PGF105", "A field needs a name.", label[:200] or None, "Name every field of the document."
        )
    plain = unicodedata.normalize("NFKD", label.casefold()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "field"
    if not name[0].isalpha():
        name = f"f_{name}"
    if name in _TAKEN:
        name = f"{name}_"
    return name[:_LONGEST_NAME]


def numbered(name: str, taken: Iterable[str]) -> str:
    """`name`, or when it is taken the first of ``name_2``, ``name_3``, ... that is free."""
    used = set(taken)
    free, count = name, 1
    while free in used:
        count += 1
        suffix = f"_{count}"
        free = name[: _LONGEST_NAME - len(suffix)] + suffix
    return free


def meaning(label: str) -> str:
    """What two labels share when they mean the same field: case, spaces, hyphens and underscores do not count."""
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", label).casefold()).strip()


def _as_text(value: bool | int | float | Decimal) -> str:
    """A value as PostgreSQL writes it in a text."""
    if isinstance(value, bool | int):
        return str(value).lower()
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    return format(number if number else number.copy_abs(), "f")


def _infer_text(value: str) -> FieldType:
    if _DATE.fullmatch(value):
        return "date" if _is_date(value) else "text"
    if _TIME.fullmatch(value):
        return "timestamptz" if _is_time(value) else "text"
    return "text"


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_time(value: str) -> bool:
    try:
        told = datetime.fromisoformat(value)
        told.astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    # PostgreSQL refuses offsets of 16 hours and more.
    return abs(told.utcoffset() or timedelta()) < timedelta(hours=16)
