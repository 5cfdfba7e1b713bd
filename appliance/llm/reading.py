"""Reading: the model's query and the links of the question become one plan, or a question back.

The model says what is wanted (which field, which aggregate, which tests). The links say what is certain:
a stored value, a day, an amount. Where both speak, what the database holds wins. A literal of the model
that is no stored value is looked up; what nobody can explain is asked back, never dropped in silence.

    words -> lookup (what to look for) -> conditions (which rows) -> wanted (what of them) -> Reading
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from appliance.llm.bounds import moment
from appliance.llm.conditions import Conditions, Place, conditions
from appliance.llm.linking import Links
from appliance.llm.lookup import Found, Lookup, holds, lookups
from appliance.llm.plan import Condition, Query
from appliance.llm.wanted import Wanted, wanted

__all__ = ["Found", "Lookup", "Reading", "holds", "lookups", "read"]


class Reading(msgspec.Struct, frozen=True):
    """How a question is understood.

    Attributes:
        plan: the query, without what was not understood.
        missed: the words that were not understood; empty means everything was.
        corrected: literals as asked and as stored, where they differ.
    """

    plan: Query
    missed: tuple[str, ...]
    corrected: tuple[tuple[str, str], ...] = ()


def read(query: Query, links: Links, found: list[Found], now: datetime) -> Reading:
    """Put the model's query and the links together.

    Args:
        query: what the model wrote; its collection is that of the links.
        links: what the question says for certain.
        found: what the lookups of :func:`lookups` found.
        now: the present in the facility's timezone.
    """
    tests = conditions(query, links, found, now)
    about = _asked_of_one(tests)
    shown = wanted(tests, about)
    where = (*tests.where, *_until_now(tests, shown, now))
    zone = getattr(now.tzinfo, "key", "") if any(select.bucket for select in shown.select) else ""
    plan = Query(
        links.collection.name,
        shown.select,
        where,
        shown.group,
        shown.order,
        shown.limit,
        timezone=zone,
        related=links.related,
    )
    missed = _missed(links, tests.explained | shown.explained, [*tests.dropped, *shown.dropped])
    return Reading(plan, missed, tuple(tests.corrected))


def _asked_of_one(tests: Conditions) -> tuple[str, ...]:
    """The fields that a question about one row asks: "is bed C-04 free?" shows the row, whatever its status."""
    title = next((field.name for field in tests.collection.fields if field.name != "id"), "id")
    named = any(condition.field == title and condition.op == "eq" for condition in tests.where)
    asks = tests.links.words[0].folded in ("is", "are", "was", "were", "does", "has", "have")
    others = [c for c in tests.where if c.field != title and c.op in ("eq", "neq") and isinstance(c.value, str)]
    if not (asks and named):
        return ()
    tests.where = [condition for condition in tests.where if condition not in others]
    return tuple(condition.field for condition in others)


def _until_now(tests: Conditions, shown: Wanted, now: datetime) -> list[Condition]:
    """The next one has not been yet; the last one has."""
    if shown.coming is None or not shown.order:
        return []
    field = shown.order[0].field
    if not shown.coming and any(condition.field == field for condition in tests.where):
        return []  # the last one of a time that is named, which may lie ahead
    return [Condition(field, "gte" if shown.coming else "lte", moment(tests.collection.field(field), now, now))]


def _missed(links: Links, explained: set[int], dropped: list[Place]) -> tuple[str, ...]:
    """What was not understood, in the order of the question; words of one dropped phrase stay together."""
    loose = {word.start for word in links.unexplained(explained)}
    places = dict(sorted(dropped))
    missed = []
    for index, word in enumerate(links.words):
        if index in places:
            missed.append(" ".join(each.text for each in links.words[index : places[index]]))
        elif word.start in loose and not any(first <= index < last for first, last in places.items()):
            missed.append(word.text)
    return tuple(missed)
