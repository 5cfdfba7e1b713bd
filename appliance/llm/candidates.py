"""Candidates: the plans that a question may mean, those of one plan made one, and the reading of code among them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from appliance.errors import ApplianceError
from appliance.llm import reading
from appliance.llm.forms import Plan
from appliance.llm.linking import Links
from appliance.llm.lookup import Found
from appliance.llm.notation import Sketch
from appliance.llm.plan import Query, Select


class Scores(msgspec.Struct, frozen=True):
    """How likely a sketch is.

    Attributes:
        model: the logarithm of how likely the model finds it.
        lead: how much worse the question links to its collection than to the best one, at most 0.
        varied: whether it is a step away from what the model wrote.
        follows: whether it changes an earlier question, of which the words are not there.
    """

    model: float
    lead: float = 0.0
    varied: bool = False
    follows: bool = False


class Candidate(msgspec.Struct, frozen=True):
    """A plan that a question may mean.

    Attributes:
        corrected: literals as asked and as stored.
        missing: literals that stand for nothing.
        by_code: whether code alone reads it so.
        by_model: whether the model wrote it.
        told: what its rows tell, where it was run: candidates that tell the same are one answer.
    """

    plan: Plan
    links: Links
    sketch: Sketch
    scores: Scores
    corrected: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    by_code: bool = False
    by_model: bool = True
    told: str | None = None


def with_code(
    candidates: Iterable[Candidate], found: Mapping[str, list[Found]] | None, now: datetime
) -> list[Candidate]:
    """The candidates, likeliest to the model first, those of one plan made one, and the reading of code.

    Args:
        candidates: what the sketches of the model mean; one plan may be there several times.
        found: what the words that no link explains are in the database, by collection; None where the question follows
            up another, which code cannot read.
        now: the present in the facility's timezone.
    """
    merged = _merged(candidates)
    if found is None:
        return merged
    firsts: dict[str, Candidate] = {}
    for each in merged:
        if isinstance(each.plan, Query):
            firsts.setdefault(each.plan.collection, each)
    for each in merged:  # what only code reads needs nothing of the model
        name = each.links.collection.name
        if each.links.without and name not in firsts:
            firsts[name] = replace(each, plan=Query(name, (Select("*"),)))
    for name, first in firsts.items():
        coded = _by_code(first, found.get(name, []), now)
        same = next((place for place, each in enumerate(merged) if coded and alike(coded.plan, each.plan)), None)
        if same is not None:
            merged[same] = replace(merged[same], by_code=True)
        elif coded is not None:
            merged.append(coded)
    return merged


def _merged(candidates: Iterable[Candidate]) -> list[Candidate]:
    merged: dict[bytes, Candidate] = {}
    for each in sorted(candidates, key=lambda one: -one.scores.model):
        key = msgspec.json.encode([type(each.plan).__name__, each.plan])
        held = merged.get(key)
        model = _added(held.scores.model, each.scores.model) if held else each.scores.model
        first = held if held and (each.missing or not held.missing) else each
        merged[key] = replace(first, scores=replace(first.scores, model=model))
    return sorted(merged.values(), key=lambda one: -(one.scores.model + one.scores.lead))


def _added(one: float, other: float) -> float:
    """The logarithm of the sum of two probabilities."""
    high, low = max(one, other), min(one, other)
    return high + math.log1p(math.exp(low - high))


def _by_code(first: Candidate, found: list[Found], now: datetime) -> Candidate | None:
    """What code reads, told only which field and number the model wants; None unless it understands every word."""
    assert isinstance(first.plan, Query)
    try:
        told = reading.read(replace(first.plan, order=(), having=()), first.links, found, now)
    except (ApplianceError, StopIteration, IndexError):
        return None
    if told.missed:
        return None
    return Candidate(
        told.plan, first.links, first.sketch, first.scores, told.corrected, (), by_code=True, by_model=False
    )


def alike(one: Plan, other: Plan) -> bool:
    """Whether two queries tell the same of the same rows; which other fields are shown beside does not matter."""
    if not (isinstance(one, Query) and isinstance(other, Query) and one.collection == other.collection):
        return False
    measures = [tuple(select for select in plan.select if select.aggregate) for plan in (one, other)]
    ordered = [
        tuple(order for order in plan.order if order.field != "id" and plan.limit < 200) for plan in (one, other)
    ]
    tests = [sorted(msgspec.json.encode(test) for test in plan.where) for plan in (one, other)]
    return (
        one.related == other.related
        and measures[0] == measures[1]
        and tests[0] == tests[1]
        and one.group == other.group
        and ordered[0] == ordered[1]
    )
