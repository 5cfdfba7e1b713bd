"""Lowered: a plan as a less trusted role may have it, with masked fields in the place of those it may not read.

Only what is shown may be masked or left out. A plan that tests, groups or orders by a field that the role may not read
would tell of it all the same, so there is none.

    >>> named = Collection("patients", "patients", (Field("name", "Name", "text"), Field("ward", "Ward", "text")))
    >>> masked = Collection("patients", "patients", (Field("name__initials", "Name", "text", masked=True),))
    >>> plan = Query("patients", (Select("name"),))
    >>> lowered(plan, Catalog("1", (named,)), Catalog("2", (masked,))).select[0].field
    'name__initials'
    >>> lowered(Query("patients", (Select("ward"),)), Catalog("1", (named,)), Catalog("2", (masked,))) is None
    True
"""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.llm.plan import Query, Select
from appliance.types import Catalog, Collection, Field

_ALWAYS: Final = ("*", "id")
"""What every role that sees a collection at all may name: no catalog lists it."""

__all__ = ["Collection", "Field", "Select", "lowered"]


def lowered(plan: Query, own: Catalog, other: Catalog) -> Query | None:
    """The plan for another role, or None where that role may not have its answer.

    Args:
        plan: a plan that fits `own`.
        own: what the role that asked may see.
        other: what the other role may see.
    """
    mine, theirs = own.collection(plan.collection), other.collection(plan.collection)
    if mine is None or theirs is None:
        return None
    tested = (
        {name for each in plan.where for name in (each.field, each.other) if name}
        | set(plan.group)
        | {each.field for each in plan.having}
    )
    tested |= {each.field for each in plan.order}
    if any(name not in _ALWAYS and theirs.field(name) is None for name in tested):
        return None
    for each in plan.related:
        held = other.collection(each.collection)
        if held is None or held.field(each.field) is None or other.relation(each.collection, each.field) is None:
            return None
    shown = [_shown(select, mine, theirs) for select in plan.select]
    left = tuple(select for select in shown if select is not None)
    whole = len(left) == len(shown)
    if (plan.grouped and not whole) or (not whole and all(select.field == "id" for select in left)):
        return None
    return msgspec.structs.replace(plan, select=left)


def _shown(select: Select, mine: Collection, theirs: Collection) -> Select | None:
    if select.field in _ALWAYS or theirs.field(select.field) is not None:
        return select
    field = mine.field(select.field)
    if field is None or select.aggregate is not None or select.bucket is not None:
        return None
    masked = next((each for each in theirs.fields if each.masked and each.label == field.label), None)
    return Select(masked.name) if masked else None
