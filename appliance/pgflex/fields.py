"""Field types: what a value tells about its field, how two tellings join, and how a value is written.

The lattice (a type can hold what the types below it hold; nothing is lost on the way up)::

    boolean < integer < numeric ─┐
                date < timestamptz ─┴─ text < jsonb

A null tells nothing. ``"007"`` is text, for a number would lose the zeros; an integer beyond 64 bits is
numeric; only ISO 8601 dates, and times with an offset, are dates and times.

    >>> infer(7), infer("007"), infer("2026-11-23"), infer([1])
    ('integer', 'text', 'date', 'jsonb')
    >>> join("integer", "numeric"), join("integer", "date")
    ('numeric', 'text')
    >>> column_name("Größe (cm)")
    'grosse_cm'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
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
    "select order limit offset and or not columns on_conflict id ctid xmin xmax cmin cmax tableoid".split()
)

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
        return value if isinstance(value, str) else _json.encode(value).decode()
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


def read_json(body: bytes) -> Any:
    """JSON with its numbers kept exact.

    Raises:
        ApplianceError: PGF103, it is not JSON.
    """
    try:
        return _exact.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation) as error:
        raise ApplianceError(
            "PGF103", "The body is not JSON.", str(error), "Send a JSON object or a list of them."
        ) from None


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
