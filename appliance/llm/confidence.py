"""Confidence: which reading of a question is likeliest, and how likely it is that it is right.

Each candidate gets a few numbers that tell of it: what the model says, whether code reads the question the same way,
what of the question it leaves out. Weights that were fitted to questions of which the right rows are known
(``tests/ask/calibrate.py``) turn them into shares of one, of which a part is kept for "none of these".

    P(candidate) = exp(w . x) / (exp(w0 . x0) + the sum of exp(w . x) over all candidates)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from appliance.llm.candidates import Candidate
from appliance.llm.evidence import MANY, numbers, numbers_of_none
from appliance.llm.left_out import restricts, unsaid_of
from appliance.llm.plan import Query
from appliance.llm.views import named_row

UNSAID_AT_MOST: Final = 0.5
"""The confidence of a reading that leaves out a word which says what rows are meant, or which alone says of what: of
submarines it is asked back whether boats are meant."""


class Understood(msgspec.Struct, frozen=True):
    """How a question is understood.

    Attributes:
        best: the likeliest plan, or None where there is none that can be run.
        confidence: how sure the box is of it, 0 to 1.
        others: the next likeliest, for choices.
        unsaid: words that nothing explains.
    """

    best: Candidate | None
    confidence: float = 0.0
    others: tuple[Candidate, ...] = ()
    unsaid: tuple[str, ...] = ()


def decided(candidates: list[Candidate]) -> Understood:
    """The likeliest answer and how sure the box may be of it; the candidates are those of :func:`with_code`."""
    if not candidates:
        return Understood(None)
    answers: dict[object, list[tuple[float, Candidate]]] = {}
    for share, each in zip(shares(candidates), candidates, strict=True):
        answers.setdefault(_answer(each), []).append((share, each))
    ordered = sorted(answers.values(), key=lambda held: -sum(share for share, _ in held))
    firsts = [max(held, key=lambda one: one[0])[1] for held in ordered]
    best, confidence = firsts[0], sum(share for share, _ in ordered[0])
    unsaid = () if any(each.by_code for _, each in ordered[0]) else unsaid_of(best)
    linked = best.links.named or best.links.fields or best.links.values
    if unsaid and (not linked or restricts(best)):
        confidence = min(confidence, UNSAID_AT_MOST)
    return Understood(best, confidence, tuple(firsts[1:3]), unsaid)


def _answer(each: Candidate) -> object:
    """What makes candidates one answer: the same of the same rows."""
    if not isinstance(each.plan, Query):
        return type(each.plan)
    if (one := _of_one_row(each.plan, each)) is not None:
        return one
    measures = tuple(select.aggregate for select in each.plan.select if select.aggregate)
    shown = tuple(item.field for item in each.sketch.select if item.field and not item.aggregate)
    return (each.plan.collection, measures or shown, each.told) if each.told else id(each)


def _of_one_row(plan: Query, each: Candidate) -> object | None:
    """The field that is told of the one row that is named: its sum, its average and itself are the same."""
    test = named_row(plan.where, each.links.collection)
    told = [item for item in plan.select if test is not None and item.field not in ("id", test.field)]
    if test is None or plan.group or len(told) != 1 or told[0].aggregate in ("count", "distinct"):
        return None
    return plan.collection, told[0].field, test.value


def told_by(rows: Sequence[Mapping[str, Any]]) -> str:
    """What rows tell, as text: which rows they are, or their values.

    Empty where that is nothing, a nought, or of each of many things that it is there once.
    """
    once = len(rows) >= MANY and all(row.get("count") == 1 for row in rows)
    if once or not any(value for row in rows for value in row.values()):
        return ""
    return repr([row["id"] if "id" in row else sorted(map(repr, row.values())) for row in rows])


def likeliest(candidates: list[Candidate], count: int) -> list[Candidate]:
    """The likeliest queries, best first."""
    ordered = sorted(zip(shares(candidates), candidates, strict=True), key=lambda told: -told[0])
    return [each for _, each in ordered if isinstance(each.plan, Query)][:count]


def shares(candidates: list[Candidate]) -> list[float]:
    """The probability of each candidate; what is missing to one is that of "none of these"."""
    if not candidates:
        return []
    scores = [_sum(numbers(each, candidates)) for each in candidates]
    nothing = _sum(numbers_of_none(candidates))
    top = max(nothing, *scores)
    powers = [math.exp(score - top) for score in scores]
    whole = sum(powers) + math.exp(nothing - top)
    return [power / whole for power in powers]


def _sum(known: dict[str, float]) -> float:
    return sum(WEIGHTS.get(name, 0.0) * value for name, value in known.items())


WEIGHTS: Final[dict[str, float]] = {
    "advice": -1.76,
    "agrees": 2.56,
    "amount_otherwise": -1.55,
    "asked_unknown": -2.00,
    "avg_unmet": -1.72,
    "code_alone": -0.80,
    "code_exact": 0.86,
    "compared_otherwise": -2.33,
    "compared_unasked": -1.99,
    "corrected": 0.09,
    "count_of_number": -1.16,
    "count_unasked": -2.68,
    "count_unmet": -0.74,
    "dimension_met": 1.70,
    "dimension_unmet": -1.42,
    "distinct_unmet": -1.95,
    "empty": -2.33,
    "ends_unmet": -2.37,
    "fields_unmet": -0.44,
    "flag_unmet": -1.70,
    "group_unasked": -0.56,
    "group_unmet": -0.86,
    "group_unnamed": -1.29,
    "lead": 0.49,
    "measure_unnamed": -1.64,
    "missing": -2.81,
    "named_otherwise": -1.12,
    "never_summed": -1.50,
    "none": -2.64,
    "none_mass": 0.01,
    "none_unexplained": 0.20,
    "none_unlinked": 0.01,
    "numbers_listed": -1.56,
    "one_counted": -3.09,
    "price_summed": -2.64,
    "rank_otherwise": -3.30,
    "rank_unasked": -1.54,
    "rank_unmet": -1.49,
    "reached_unnamed": -2.38,
    "refuse": -1.73,
    "refuse_against_code": -0.67,
    "refuse_unsaid": -0.16,
    "roundabout": -3.39,
    "row_unmet": -1.87,
    "rows_grouped": -1.71,
    "said_once": -2.08,
    "score": 0.43,
    "sensed": -0.33,
    "sum_unmet": -1.33,
    "tells_nothing": -1.97,
    "things_counted": -1.06,
    "things_summed": -2.69,
    "time_beyond": -1.63,
    "time_otherwise": -2.00,
    "titled": 0.49,
    "unsaid": -1.58,
    "unused": -2.25,
    "varied": 0.96,
    "without_unmet": -2.72,
}
