"""Documents before they are written: what is refused, and where each value goes.

A value that fits its column goes there; one that does not, while the column waits to become wider, goes to the
overflow column of its row, under the name of its own. Rows that are given back have it at its place again.

    rows = placed(needed, [{"Bed No": 7}, {"Bed No": "C-01"}])   # bed_no is an integer, yet
    # [{"bed_no": 7}, {"extra": {"bed_no": "C-01"}}]
    whole({"id": 2, "bed_no": None, "extra": {"bed_no": "C-01"}}, layout)
    # {"id": 2, "bed_no": "C-01"}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.fields import convert, fits, write_json
from appliance.pgflex.writes.layout import OVERFLOW, Document, Layout, Needed

__all__ = ["Limits", "body", "check", "placed", "whole"]

Row = dict[str, Any]


class Limits(msgspec.Struct, frozen=True):
    """What a write may hold.

    Attributes:
        fields: fields of a collection.
        documents: documents at once.
        depth: how deep lists and objects may be nested within a document.
        key: characters of a field's name.
        widen_rows: rows of a collection up to which a column is made wider at once, while writers wait.
    """

    fields: int = 1200
    documents: int = 10_000
    depth: int = 32
    key: int = 500
    widen_rows: int = 50_000


def check(documents: Sequence[Any], limits: Limits) -> None:
    """Refuse what is no document, or is over the limits.

    Raises:
        ApplianceError: PGF103 (not an object, too deep, a number that is none), PGF109 (too many).
    """
    if len(documents) > limits.documents:
        raise ApplianceError(
            "PGF109",
            f"A request may have {limits.documents} documents; this one has {len(documents)}.",
            None,
            "Send fewer documents per request, or import them as a file.",
        )
    for place, document in enumerate(documents):
        if not isinstance(document, dict):
            raise ApplianceError(
                "PGF103",
                "A document has to be a JSON object.",
                {"place": place, "type": type(document).__name__},
                'Send objects such as {"bed": "C-01", "free": true}.',
            )
        for label, value in document.items():
            if isinstance(value, dict | list | float | Decimal):
                _check_value(label, value, limits.depth)


def _check_value(label: str, value: Any, deeper: int) -> None:
    if isinstance(value, float | Decimal):
        if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
            raise _refused(label, "holds a number that is none", str(value), "Send null, or the word as a text.")
    elif isinstance(value, dict | list):
        if deeper == 0:
            raise _refused(label, "is nested too deep", None, "Nest less, or send the value as a text.")
        for item in value.values() if isinstance(value, dict) else value:
            _check_value(label, item, deeper - 1)


def placed(needed: Needed, documents: Sequence[Document]) -> Sequence[Row]:
    """Documents by column name, their values as PostgreSQL reads them."""
    if needed.spilled or needed.converted:
        return [_placed(needed, document) for document in documents]
    names = needed.names
    if all(label == name for label, name in names.items()):
        return documents
    return [{names[label]: value for label, value in document.items() if label in names} for document in documents]


def _placed(needed: Needed, document: Document) -> Row:
    row: Row = {}
    beside: Row = {}
    for label, value in document.items():
        name = needed.names.get(label)
        if name is None:
            continue
        if name in needed.spilled and not fits(value, needed.types[name]):
            beside[name] = value
        else:
            row[name] = convert(value, needed.types[name]) if name in needed.converted else value
    return {**row, OVERFLOW: beside} if beside else row


def body(rows: Any, documents: Iterable[Document]) -> str:
    """Rows as the JSON that PostgreSQL reads.

    Raises:
        ApplianceError: PGF103, a text has a character that PostgreSQL cannot hold.
    """
    try:
        written = write_json(rows)
    except UnicodeEncodeError as error:
        raise ApplianceError(
            "PGF103", "A text holds half a character.", str(error), "Send whole Unicode characters."
        ) from None
    if "\\u0000" in written:
        for document in documents:
            for label, value in document.items():
                if _has_nul(value):
                    raise _refused(label, "holds a NUL character", None, "Leave it out; no text can hold it.")
    return written


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def whole(row: Row, layout: Layout) -> Row:
    """A row with the values of its overflow column at their places, and without columns that are no fields."""
    for name in layout.beside:
        row.pop(name, None)
    for name, value in (row.pop(OVERFLOW, None) or {}).items():
        # A column that has a value by now was written later than its overflow.
        if name in row and row[name] is None:
            row[name] = value
    return row


def _refused(label: str, what: str, seen: str | None, hint: str) -> ApplianceError:
    told = {"field": label[:200]} | ({"seen": seen} if seen else {})
    return ApplianceError("PGF103", f"The field {label[:200]} {what}.", told, hint)
