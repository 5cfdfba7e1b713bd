"""Without: where a question asks for rows that no row of another collection leads to.

"Patients without an appointment", "customers who never ordered", "plants nobody has bought": the other rows are named,
or a verb is theirs, and something denies that there are any.

    >>> from appliance.llm.words import words
    >>> leads = (Lead("appointments", "patient", "patients", "appointments"),)
    >>> [(each.related, each.at) for each in without(words("patients without any appointment"), "patients", leads)]
    [(Related(collection='appointments', field='patient', there=False), (1, 4))]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from appliance.llm.plan import Related
from appliance.llm.words import COLLECTION_WORDS, NEGATIONS, Word, label_words, stem


class Lead(msgspec.Struct, frozen=True):
    """A field of a collection that leads to another one: `label` is what the rows with the field are called."""

    collection: str
    field: str
    target: str
    label: str


class Without(msgspec.Struct, frozen=True):
    """Rows that are denied, and the words that do it (first, past the last)."""

    related: Related
    at: tuple[int, int]


_NONE: Final = NEGATIONS | {"no", "nobody", "no-one", "noone", "none", "zero"}
_BETWEEN: Final = frozenset(
    """
    a an any the single one of our their its his her own had have has having been ever yet even actually made make
    placed place received receive got get gotten given give booked had with done do taken take logged recorded on to by
    """.split()
)
_VERBS: Final[dict[str, frozenset[str]]] = {
    verb: frozenset(map(stem, nouns.split()))
    for verbs, nouns in {
        "bought sold buy sell purchased": "sale order purchase", "ordered order": "order", "lent borrowed": "loan",
        "booked reserved": "booking reservation", "visited seen attended": "visit appointment session",
        "delivered shipped": "delivery shipment", "paid": "payment", "treated": "treatment appointment visit",
        "donated gave given": "donation gift", "rented hired chartered": "rental booking charter hire", "used": "usage",
        "claimed": "claim", "repaired serviced": "repair job service", "taught": "lesson", "watched": "screening",
        "called": "call", "complained": "complaint", "inspected": "inspection", "tested": "test",
    }.items()
    for verb in verbs.split()
}  # fmt: skip
"""Verbs, and the stems of what rows are called that tell of what was done."""
_LIKE: Final = frozenset("on with for from to".split())


def without(asked: tuple[Word, ...], name: str, leads: Iterable[Lead]) -> list[Without]:
    """Where a question denies rows that lead to those of a collection; no word twice.

    Args:
        asked: the words of the question.
        name: the collection whose rows are asked for.
        leads: the fields of the catalog that lead somewhere.
    """
    found: list[Without] = []
    for lead in leads:
        if lead.target == name and lead.collection != name:
            for first, last in _denied(asked, lead):
                if not any(first < each.at[1] and each.at[0] < last for each in found):
                    found.append(Without(Related(lead.collection, lead.field), (first, last)))
    return found


def _denied(asked: tuple[Word, ...], lead: Lead) -> Iterator[tuple[int, int]]:
    """Where the rows of a lead, or what they tell of, are named behind a word that denies them."""
    if not label_words(lead.label):
        return
    *first, noun = label_words(lead.label)
    nouns = {noun}
    nouns |= COLLECTION_WORDS.get(noun, frozenset())
    for at, word in enumerate(asked):
        if not at or not (word.stem in nouns or nouns & _VERBS.get(word.folded, frozenset())):
            continue
        before = at - 1
        while before and (asked[before].folded in _BETWEEN or asked[before].stem in first):
            before -= 1
        if asked[before].folded in _NONE:
            tail = at + 1 < len(asked) and asked[at + 1].folded in _LIKE and at + 2 == len(asked)
            yield before, at + 1 + tail
