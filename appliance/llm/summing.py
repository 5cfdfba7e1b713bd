"""A summary as queries, and their rows as one sentence: how many rows, their totals, the largest group.

Every number comes from the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from appliance.llm.forms import HISTORY, Summary, main_time
from appliance.llm.plan import NUMBERS, Condition, Order, Query, Select
from appliance.llm.saying import number, say_collection, say_label, say_value
from appliance.llm.words import words
from appliance.types import Catalog, Collection, Field

COLLECTIONS_AT_MOST: Final = 6
"""Collections that a summary of everything tells of, those with the most rows."""
_TOTALS: Final = 2
_AMOUNTS: Final = frozenset(
    "amount total price cost costs fee fees paid balance revenue turnover quantity hours minutes units".split()
)
_RATES: Final = frozenset("unit per rate average level".split())
_KINDS: Final = frozenset("status state ward department category kind type location area role".split())
_GROUPS: Final = range(2, 31)


class Part(msgspec.Struct, frozen=True):
    """What is read of one collection: its count and totals, and the count of its largest group, if it has any."""

    collection: Collection
    totals: Query
    groups: Query | None


def parts(plan: Summary, catalog: Catalog) -> list[Part]:
    """What a summary reads, a collection each.

    Args:
        plan: one that fits the catalog.
        catalog: what the asking role may see.
    """
    if plan.collection is not None:
        named = catalog.collection(plan.collection)
        return [_part(plan, named)] if named else []
    timed = bool(plan.start or plan.end)
    held = [each for each in catalog.collections if each.name != HISTORY and (main_time(each) or not timed)]
    most = sorted(held, key=lambda each: -each.count)[:COLLECTIONS_AT_MOST]
    return [_part(plan, each) for each in most]


def _part(plan: Summary, collection: Collection) -> Part:
    where = _window(plan, collection)
    totals = tuple(Select(field.name, "sum") for field in _amounts(collection))
    group = _group(collection)
    grouped = None
    if group is not None:
        select, most = (Select(group.name), Select("*", "count")), Order("*", True, "count")
        grouped = Query(collection.name, select, where, (group.name,), (most,), 1)
    return Part(collection, Query(collection.name, (Select("*", "count"), *totals), where), grouped)


def _window(plan: Summary, collection: Collection) -> tuple[Condition, ...]:
    name = main_time(collection)
    field = collection.field(name) if name else None
    if field is None:
        return ()
    bounds = [("gte", plan.start), ("lt", plan.end)]
    cut = 10 if field.type == "date" else None
    return tuple(Condition(field.name, op, value[:cut]) for op, value in bounds if value)  # type: ignore[arg-type]


def _amounts(collection: Collection) -> list[Field]:
    """The numbers that make sense added up."""
    numbers = [field for field in collection.fields if field.type in NUMBERS]
    return [field for field in numbers if _said(field) & _AMOUNTS and not _said(field) & _RATES][:_TOTALS]


def _said(field: Field) -> set[str]:
    return {word.folded for word in words(field.label.replace("_", " "))}


def _group(collection: Collection) -> Field | None:
    """The field that tells kinds of rows apart, if there is one."""
    return next((field for field in collection.fields if len(field.values) in _GROUPS and _said(field) & _KINDS), None)


def say_part(part: Part, totals: dict[str, Any], groups: Sequence[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The rows of a part as words, ``12 patients, most in ward Cardiology (5)``, and as rows to show.

    Args:
        part: what was read.
        totals: the one row of its totals.
        groups: its largest group, or none.
    """
    collection, count = part.collection, int(totals.get("count") or 0)
    told = [f"{number(count) if count else 'no'} {say_collection(collection, count)}"]
    rows = [{"of": say_collection(collection), "what": "number", "value": count}]
    for key, value in totals.items():
        if key != "count" and value is not None:
            label = say_label(collection, _summed(part, key))
            total = label if label.startswith("total") else f"total {label}"
            told.append(f"{total} {number(value)}")
            rows.append({"of": say_collection(collection), "what": total, "value": value})
    for row in groups if count else ():
        name = part.groups.group[0] if part.groups else ""
        what = f"{say_label(collection, name)} {say_value(row.get(name))}"
        told.append(f"most with {what} ({number(row['count'])})")
        rows.append({"of": say_collection(collection), "what": f"most: {what}", "value": row["count"]})
    return ", ".join(told), rows


def _summed(part: Part, key: str) -> str:
    """The field of a total by its column: ``sum`` where there is one, else ``sum_<field>``."""
    fields = [select.field for select in part.totals.select if select.aggregate == "sum"]
    return fields[0] if key == "sum" else key.removeprefix("sum_")


def say_summary(told: Sequence[str], when: str) -> str:
    """The parts as one sentence."""
    if not told:
        return f"There is nothing to sum up{f' {when}' if when else ''}."
    head = f"{when[0].upper()}{when[1:]}: " if when else "In all: "
    return f"{head}{'; '.join(told)}."


SUMMARY_FIELDS: Final = [
    {"name": "of", "label": "of", "type": "text"},
    {"name": "what", "label": "what", "type": "text"},
    {"name": "value", "label": "value", "type": "numeric"},
]
"""The columns of a summary's rows."""
