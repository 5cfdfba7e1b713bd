"""Conditions of row policies, checked against the fields of their collection.

They are kept as they were declared and made into SQL in the database (``flex.condition_sql``), again whenever a
field changes its type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.fields import infer
from appliance.types import FieldType

__all__ = ["Condition", "checked"]

LIMIT: Final = 50
VALUES_LIMIT: Final = 1000

_ORDERED: Final = frozenset({"gt", "gte", "lt", "lte"})
_FITTING: Final[dict[FieldType, frozenset[FieldType | None]]] = {
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "numeric"}),
    "numeric": frozenset({"integer", "numeric"}),
    "date": frozenset({"date"}),
    "timestamptz": frozenset({"date", "timestamptz"}),
    "text": frozenset({"text", "date", "timestamptz"}),
    "jsonb": frozenset({"boolean", "integer", "numeric", "date", "timestamptz", "text", "jsonb"}),
}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has to hold of a field: ``in`` takes a list, ``null`` true or false, ``like`` a part of a text."""

    field: str
    op: Literal["eq", "neq", "gt", "gte", "lt", "lte", "in", "null", "like"]
    value: Any


class _Field(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> FieldType: ...


def checked(conditions: Sequence[Condition], named: Callable[[str], _Field]) -> list[dict[str, Any]]:
    """The conditions by column name, ready to be kept.

    Args:
        conditions: as they were sent.
        named: the field that a name or label means; raises where there is none.

    Raises:
        ApplianceError: PGF151, there are too many, or a value does not fit its field.
    """
    if len(conditions) > LIMIT:
        raise ApplianceError("PGF151", f"There may be {LIMIT} conditions.", {"conditions": len(conditions)})
    return [_checked(condition, named(condition.field)) for condition in conditions]


def _checked(condition: Condition, field: _Field) -> dict[str, Any]:
    if not _fits(condition.op, condition.value, field.type):
        raise ApplianceError(
            "PGF151",
            f"{field.label} cannot be tested like that.",
            {"field": field.name, "type": field.type, "op": condition.op, "value": condition.value},
            "The value has to be of the field's type; in takes a list, null takes true or false, like a text.",
        )
    return {"field": field.name, "op": condition.op, "value": condition.value}


def _fits(op: str, value: Any, held: FieldType) -> bool:
    if op == "null":
        return isinstance(value, bool)
    if op == "in":
        return isinstance(value, list) and 0 < len(value) <= VALUES_LIMIT and all(_is_of(held, each) for each in value)
    if op == "like":
        return held == "text" and isinstance(value, str) and _holdable(value)
    if op in _ORDERED and held in ("boolean", "jsonb"):
        return False
    return _is_of(held, value)


def _is_of(held: FieldType, value: Any) -> bool:
    return infer(value) in _FITTING[held] and (not isinstance(value, str) or _holdable(value))


def _holdable(text: str) -> bool:
    return "\x00" not in text and len(text) <= 10_000
