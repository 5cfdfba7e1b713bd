"""Against: where a question holds a field of a row against another one of the same row.

"Over budget" is *spent* over *budget*, "below minimum" is *stock* under *min stock*, "returned late" is *returned on*
after *due on*. Some labels say that they are a limit (*budget*, *reorder level*, *capacity*); what they limit has the
rest of their name, or a word that goes with them.

>>> parts = Collection("parts", "parts", (Field("stock", "stock", "integer"), Field("min", "min stock", "integer")))
>>> [(each.field, each.op, each.other) for each in against(words("parts below their minimum"), parts)]
[('stock', 'lt', 'min')]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

from appliance.llm.amounts import stocked, tells_amount
from appliance.llm.fields import own_times
from appliance.llm.plan import Comparison, Condition, comparable
from appliance.llm.words import DONE, IN_FULL, NEGATIONS, STOCK, Word, label_words, stem
from appliance.types import Collection, Field


class Against(msgspec.Struct, frozen=True):
    """A field that is compared with another one, and the words that say so (first, past the last)."""

    field: str
    op: Comparison
    other: str
    at: tuple[int, int]

    @property
    def condition(self) -> Condition:
        """The test of rows that it is."""
        return Condition(self.field, self.op, other=self.other)


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


_FLOORS: Final = _stems("minimum min reorder threshold par")
_LIMITED: Final = tuple(
    (_stems(limit), _stems(held))
    for limit, held in (
        ("budget", "spent spend cost costs spending actual expense expenses used billed paid"),
        ("minimum min reorder threshold par maximum max", ""),
        ("target quota goal", "actual sold sales revenue achieved reached done result"),
        (
            "capacity",
            "guests enrolled occupied taken booked visitors attendees passengers members registered load used",
        ),
        ("limit", "balance outstanding owed debt due used spent"),
        ("planned estimated estimate allowed", "actual spent worked taken used needed"),
    )
)
"""Stems of labels that say a limit, and of those of what it may limit; what is in stock has limits of its own."""
_LIMITS: Final = frozenset[str]().union(*(limit for limit, _ in _LIMITED))
_LEVELS: Final = _stems("level point mark line quantity amount value")
"""What may stand behind a limit, in a label and in a question."""
_TAILS: Final = _stems("on at date day time")
_OWN: Final = frozenset("the their they it its his her our a an own is was were are be has have had than".split())
_COMPARED: Final[dict[tuple[str, ...], Comparison]] = {
    **{tuple(said.split()): "gt" for said in (
        "over", "above", "beyond", "past", "exceed", "exceeds", "exceeded", "exceeding", "more than", "higher than",
        "greater than", "larger than", "bigger than", "longer than",
    )},
    **{tuple(said.split()): "lt" for said in (
        "below", "under", "beneath", "less than", "lower than", "fewer than", "smaller than", "short of",
        "shorter than",
    )},
    **{tuple(said.split()): "lte" for said in (
        "within", "at or below", "at or under", "no more than", "not more than",
    )},
    **{tuple(said.split()): "gte" for said in ("at or above", "at or over", "at least", "no less than")},
}  # fmt: skip
_TIMED: Final[dict[tuple[str, ...], Comparison]] = {
    ("after",): "gt", ("later", "than"): "gt", ("before",): "lt", ("earlier", "than"): "lt",
}  # fmt: skip
_OTHER_WAY: Final[dict[Comparison, Comparison]] = {"gt": "lte", "lt": "gte", "gte": "lt", "lte": "gt"}
_LONGEST: Final = 3
_OVERSPENT: Final = frozenset({"overspent", "over-budget", "overbudget"})
_OVERFULL: Final = frozenset({"overbooked", "overfull", "overcrowded"})
_LOW: Final = tuple(
    tuple(said.split())
    for said in ("running low", "run low", "runs low", "low on stock", "low in stock", "low stock", "understocked")
)
_AGAIN: Final = frozenset("reorder reordered re-order re-ordered restock restocked restocking reordering".split())
_MUST: Final = frozenset("to be must should need needs".split())
_DUE: Final = _stems("due deadline promised expected planned scheduled")
_IN_TIME: Final[dict[tuple[str, ...], Comparison]] = {("late",): "gt", ("too", "late"): "gt", ("on", "time"): "lte"}


def against(asked: tuple[Word, ...], collection: Collection) -> list[Against]:
    """Where a question compares fields of a row with each other; no word twice."""
    found: list[Against] = []
    limits = list(_limits(collection))
    low = _low(asked, collection, limits)
    for each in chain(_named(asked, collection), _over_limits(asked, limits), low, _in_time(asked, collection)):
        if not any(each.at[0] < other.at[1] and other.at[0] < each.at[1] for other in found):
            found.append(each)
    return found


def _numbers(collection: Collection) -> list[Field]:
    return [field for field in collection.fields if tells_amount(field) and "." not in field.name]


# Both are named -----------------------------------------------------------------------------------------


def _named(asked: tuple[Word, ...], collection: Collection) -> Iterator[Against]:
    """As in "where the price is below the cost": a field, a comparison, another field."""
    fields = [(field, label_words(field.label)) for field in _numbers(collection)]
    fields += [(field, _untailed(label_words(field.label))) for field in own_times(collection)]
    labels = {field.name: label for field, label in fields}
    stems = tuple(word.stem for word in asked)
    for at, size, op in _comparisons(asked, _COMPARED | _TIMED):
        first, last = at, at + size
        while first and asked[first - 1].folded in _OWN:
            first -= 1
        while last < len(asked) and asked[last].folded in _OWN:
            last += 1
        before = _longest(each for each in fields if each[1] and stems[:first][-len(each[1]) :] == each[1])
        behind = _longest(each for each in fields if each[1] and stems[last:][: len(each[1])] == each[1])
        if before and behind and comparable(before, behind):
            yield Against(
                before.name, op, behind.name, (first - len(labels[before.name]), last + len(labels[behind.name]))
            )


def _untailed(label: tuple[str, ...]) -> tuple[str, ...]:
    """A label without the words that nobody says: *due* of "due on"."""
    return label[:-1] if len(label) > 1 and label[-1] in _TAILS else label


def _longest(said: Iterable[tuple[Field, tuple[str, ...]]]) -> Field | None:
    return max(said, key=lambda each: len(each[1]), default=(None, ()))[0]


def _comparisons(
    asked: tuple[Word, ...], ways: dict[tuple[str, ...], Comparison]
) -> Iterator[tuple[int, int, Comparison]]:
    """Where words compare, how many they are, and which way; the longest first."""
    said, taken = [word.folded for word in asked], set[int]()
    for size in range(_LONGEST, 0, -1):
        for at in range(len(said) - size + 1):
            op = ways.get(tuple(said[at : at + size]))
            if op is not None and not taken & set(range(at, at + size)):
                taken |= set(range(at, at + size))
                yield at, size, op


# Limits -------------------------------------------------------------------------------------------------

_Limit = tuple[Field, frozenset[str], Field]


def _limits(collection: Collection) -> Iterator[_Limit]:
    """The fields that say a limit, what they are called by, and what each limits."""
    numbers = _numbers(collection)
    for field in numbers:
        label = frozenset(label_words(field.label))
        label |= {whole for short, whole in IN_FULL.items() if short in label}
        held = _limited(field, label, numbers, collection) if label & _LIMITS else None
        if held is not None:
            yield field, label, held


def _limited(limit: Field, label: frozenset[str], numbers: Iterable[Field], collection: Collection) -> Field | None:
    """What a field is the limit of: what has the rest of its name, or what goes with such a limit."""
    rest = label - _LIMITS - _LEVELS
    others = [field for field in numbers if field is not limit and not set(label_words(field.label)) & _LIMITS]
    called = [field for field in others if rest and rest <= set(label_words(field.label))]
    if called:
        return min(called, key=lambda field: len(label_words(field.label)))
    stock = stocked(collection)
    if label & (_FLOORS | _stems("maximum max")) and not rest and stock in others:
        return stock
    partners = next(held for kind, held in _LIMITED if kind & label)
    fitting = [field for field in others if set(label_words(field.label)) & partners]
    return fitting[0] if len(fitting) == 1 else None


def _over_limits(asked: tuple[Word, ...], limits: list[_Limit]) -> Iterator[Against]:
    """As in "over budget", "below their minimum stock", "overspent", and the other way, "not over budget"."""
    if not limits:
        return
    for at, size, op in _comparisons(asked, _COMPARED):
        first = at + size
        while first < len(asked) and asked[first].folded in _OWN:
            first += 1
        for limit, label, held in limits:
            last = first
            while last < len(asked) and asked[last].stem in label | _LEVELS | (STOCK if label & _FLOORS else set()):
                last += 1
            if {word.stem for word in asked[first:last]} & label & _LIMITS:
                denied = bool(at) and asked[at - 1].folded in NEGATIONS
                yield Against(held.name, _OTHER_WAY[op] if denied else op, limit.name, (at - denied, last))
    for at, word in enumerate(asked):
        for limit, label, held in limits:
            spent = word.folded in _OVERSPENT and stem("budget") in label
            if spent or (word.folded in _OVERFULL and stem("capacity") in label):
                yield Against(held.name, "gt", limit.name, (at, at + 1))


def _low(asked: tuple[Word, ...], collection: Collection, limits: list[_Limit]) -> Iterator[Against]:
    """As in "running low" and "to reorder": what is in stock, at its reorder level or under its minimum."""
    floors = [(limit, label, held) for limit, label, held in limits if label & _FLOORS]
    if len(floors) != 1 or floors[0][2] != stocked(collection):
        return
    low = () if _holds(collection, "low") else _LOW  # a stored *low* says it itself
    limit, label, held = floors[0]
    op: Comparison = "lte" if stem("reorder") in label else "lt"
    said = [word.folded for word in asked]
    for at, word in enumerate(said):
        size = next((len(phrase) for phrase in low if tuple(said[at : at + len(phrase)]) == phrase), 0)
        if size:
            yield Against(held.name, op, limit.name, (at, at + size))
        elif word in _AGAIN and at and said[at - 1] in _MUST | {"we"}:
            first = at - 1
            while first and said[first - 1] in _MUST:
                first -= 1
            yield Against(held.name, op, limit.name, (first, at + 1))


def _holds(collection: Collection, value: str) -> bool:
    return any(value == str(held).lower() for field in collection.fields for held in field.values)


# Times --------------------------------------------------------------------------------------------------


def _in_time(asked: tuple[Word, ...], collection: Collection) -> Iterator[Against]:
    """As in "returned late" and "delivered on time": when it was done, against when it was due."""
    times = [(field, set(label_words(field.label))) for field in own_times(collection)]
    due = [field for field, label in times if label & _DUE]
    done = [(field, label) for field, label in times if label & DONE and not label & _DUE]
    if len(due) != 1:
        return
    for at, size, op in _comparisons(asked, _IN_TIME):
        for place in (at - 1, at + size):
            stems = {word.stem for word in asked[max(0, place) : place + 1]}
            field = next((field for field, label in done if stems & label), None)
            if field is not None and comparable(field, due[0]):
                yield Against(field.name, op, due[0].name, (min(at, place), max(at + size, place + 1)))
