"""Masks: what a role reads in the place of a field. Their SQL is in ``migrations/0006_access.sql``.

========== ============================ ==============================================
mask       of                           shows
========== ============================ ==============================================
initials   texts                        ``Maria Schmidt`` as ``M.S.``
year       dates, times, texts of them  ``1961-04-12`` as ``1961``
last4      texts, numbers               ``DE0012345678`` as ``…5678``
rounded    numbers                      the first digit and zeros: ``47`` as ``50``
hidden     anything                     nothing; the field is not there for the role
========== ============================ ==============================================
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.types import FieldType

__all__ = ["MASKED_TYPES", "Kind", "Mask", "check_mask"]

Kind = Literal["initials", "year", "last4", "rounded", "hidden"]

MASKED_TYPES: Final[dict[str, FieldType]] = {
    "initials": "text",
    "year": "integer",
    "last4": "text",
    "rounded": "numeric",
}
"""The type of what a mask shows."""

_TAKES: Final[dict[str, tuple[FieldType, ...]]] = {
    "initials": ("text",),
    "year": ("date", "timestamptz", "text"),
    "last4": ("text", "integer", "numeric"),
    "rounded": ("integer", "numeric"),
}


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that masks a field."""

    mask: Kind


def check_mask(kind: Kind, label: str, held: FieldType) -> None:
    """Refuse a mask that does not fit its field's type.

    Raises:
        ApplianceError: PGF151.
    """
    takes = _TAKES.get(kind)
    if takes is not None and held not in takes:
        raise ApplianceError(
            "PGF151",
            f"The mask {kind} does not fit {label}.",
            {"field": label, "type": held},
            f"{kind} takes {', '.join(takes)}; hidden takes anything.",
        )
