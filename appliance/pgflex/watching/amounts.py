"""Which fields a digest sums up and by which it groups: those whose numbers can be added, those that sort rows.

Adding is right for amounts of money, pieces and hours, and wrong for temperatures, ages and room numbers. What a
field means is known from its name and unit alone, so only names and units that say "amount" are summed.

    >>> is_amount(Field("total_eur", "total (eur)", "numeric", unit="€")), is_amount(Field("room", "room", "integer"))
    (True, False)
"""

from __future__ import annotations

import re
from typing import Final

from appliance.types import Catalog, Collection, Field

__all__ = ["amounts", "grouping", "is_amount"]

SUMS: Final = 2
"""Fields that are summed, at most."""
_ADDED: Final = frozenset(
    "amount amounts balance charge charges cost costs count donation fee fees gross hours income minutes net paid "
    "pieces price proceeds qty quantity revenue sales spent sum tax total turnover units value".split()
)
_MONEY: Final = frozenset({"€", "$", "£", "CHF", "h", "min"})
_NOT_ADDED: Final = frozenset("average avg per rate share level limit max min unit percent id no number code".split())
_TELLING: Final = (
    "ward", "department", "area", "practice", "unit", "team", "category", "kind", "type", "location", "place", "status",
)  # fmt: skip
"""What people sort by, the most telling first."""


def is_amount(field: Field) -> bool:
    """Whether the numbers of a field can be added up."""
    if field.type not in ("integer", "numeric") or field.masked:
        return False
    said = set(_words(field.label)) | set(_words(field.name))
    # A value is an amount only with a unit of money: "value" is also what a laboratory measures.
    added = said & (_ADDED - {"value"}) or field.unit in _MONEY
    return bool(added) and not said & _NOT_ADDED


def amounts(collection: Collection, catalog: Catalog) -> list[Field]:
    """The fields a digest sums up, those with decimals first."""
    found = [
        field for field in collection.fields if is_amount(field) and not catalog.relation(collection.name, field.name)
    ]
    return sorted(found, key=lambda field: field.type != "numeric")[:SUMS]


def grouping(collection: Collection) -> Field | None:
    """The field by which a digest groups: a text of few values that come again.

    One with a telling name comes first, else the one with the fewest values.
    """
    fit = [field for field in collection.fields if 1 < len(field.values) <= field.count / 2 and not field.masked]
    return min(fit, key=lambda field: (_telling(field), len(field.values)), default=None)


def _telling(field: Field) -> int:
    said = _words(field.label)
    return next((place for place, word in enumerate(_TELLING) if word in said), len(_TELLING))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.casefold())
