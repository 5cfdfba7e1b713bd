"""Mentions: the stored values that a question speaks of, where they stand, and which of them are negated.

>>> [(each.field, each.values) for each in mentioned(words("free beds"), beds, Index(beds), closed)]  # doctest: +SKIP
[('status', ('free',))]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from appliance.llm.fields import LONGEST_PHRASE, phrases
from appliance.llm.values import Hit, Index
from appliance.llm.words import NEGATIONS, STATES, STOP, Word, fold, label_words, stem
from appliance.types import Collection

_BETWEEN: Final = frozenset("a an the any in on at of for been being yet currently ones those with".split())
_EVERYTHING: Final = frozenset({"all", "every", "everything", "everyone", "everybody", "anything", "any"})
_STATES: Final = frozenset(map(stem, ("status", "state", "flag", "condition", "kind", "type")))


class ValueMention(msgspec.Struct, frozen=True):
    """What stands in the question for a stored value, or for a few that share a name.

    `fields` lists every field that holds it, best first. `exact` is False where a typo or a part was matched,
    `opposite` is True where the word itself denies the values: "open" of what is not *done*.
    """

    fields: tuple[str, ...]
    values: tuple[str, ...]
    at: tuple[int, int]
    negated: bool = False
    exact: bool = True
    opposite: bool = False

    @property
    def field(self) -> str:
        """The likeliest field."""
        return self.fields[0]


class Closed(msgspec.Struct, frozen=True):
    """What may not become a value: words of times and amounts, the collection's name, cues, names, labels."""

    taken: set[int]
    named: set[int]
    cued: set[int]
    names: frozenset[str]
    labels: frozenset[str]


def mentioned(
    asked: tuple[Word, ...], collection: Collection, index: Index, closed: Closed
) -> tuple[ValueMention, ...]:
    """The stored values that a question speaks of, in order.

    Args:
        asked: the words of the question.
        collection: what it is asked of.
        index: the stored values of the collection.
        closed: what may not become a value.
    """
    found = tuple(_agreed(list(_found(asked, collection, index, closed))))
    return _alike_negated(asked, (*found, *_not_closed(asked, collection, found, closed)))


def _agreed(found: list[ValueMention]) -> Iterator[ValueMention]:
    """The values without parts beside each other that are of different ones: "driving test" is no *mock test*."""
    for each in found:
        beside = (
            other for other in found if not other.exact and 0 in (other.at[0] - each.at[1], each.at[0] - other.at[1])
        )
        torn = any(other.field == each.field and not {*other.values} & {*each.values} for other in beside)
        if each.exact or not torn:
            yield each


_STAGES: Final = frozenset(map(stem, ("status", "state", "stage", "phase", "progress")))
_OPEN: Final = frozenset({"open", "unfinished", "ongoing", "unresolved", "incomplete"})
_CLOSED: Final = frozenset(
    map(stem, "closed done completed complete finished resolved settled cancelled canceled rejected archived".split())
)


def _not_closed(
    asked: tuple[Word, ...], collection: Collection, found: Iterable[ValueMention], closed: Closed
) -> Iterator[ValueMention]:
    """What is open, where no stored value says so: all that is not done, by the one state that rows have."""
    taken = closed.taken | {at for each in found for at in range(*each.at)}
    own = [field for field in collection.fields if "." not in field.name]
    states = [field for field in own if field.values and label_words(field.label)[-1] in _STAGES]
    ended = tuple(value for field in states for value in field.values if stem(fold(str(value))) in _CLOSED)
    for at, word in enumerate(asked):
        if word.folded in _OPEN and at not in taken and len(states) == 1 and 0 < len(ended) < len(states[0].values):
            yield ValueMention((states[0].name,), ended, (at, at + 1), negated=True, opposite=True)


def negation(asked: tuple[Word, ...], start: int) -> list[int]:
    """The indices of words that negate what stands at `start`: "not in surgery", "all but the cancelled ones"."""
    at = start - 1
    while at >= 0 and asked[at].folded in _BETWEEN:
        at -= 1
    if at >= 0 and asked[at].folded in NEGATIONS:
        asks = at == 0 and asked[at].folded.endswith(("n't", "nt"))  # "isn't surgery full?" negates nothing
        return [] if asks else [at]
    spared = at >= 0 and asked[at].folded == "but" and any(word.folded in _EVERYTHING for word in asked[:at])
    other = at >= 1 and (asked[at - 1].folded, asked[at].folded) in (("other", "than"), ("apart", "from"))
    return [at] if spared else [at - 1, at] if other else []


def is_degree(asked: tuple[Word, ...], value: ValueMention) -> bool:
    """Whether a value is what is asked for, as in "how hard is it": not those that are hard."""
    before, behind = asked[max(0, value.at[0] - 1)].folded, [word.folded for word in asked[value.at[1] :][:1]]
    return before == "how" and value.at[1] - value.at[0] == 1 and behind in (["is"], ["are"], ["was"], ["were"])


def _found(asked: tuple[Word, ...], collection: Collection, index: Index, closed: Closed) -> Iterator[ValueMention]:
    used: set[int] = set()
    for find, longest in (
        (index.whole, LONGEST_PHRASE),
        (index.near, LONGEST_PHRASE),
        (index.part, 1),
        (index.begun, 1),
    ):
        for start, end in phrases(asked, closed.taken, longest):
            here = set(range(start, end))
            if (
                here & used
                or (here <= closed.named and len(here) == 1)
                or (here <= closed.cued and find != index.whole)
            ):
                continue
            phrase = " ".join(word.folded for word in asked[start:end])
            found = find(phrase, end - start)
            guessed = find != index.whole and len(here) == 1 and asked[start].stem in closed.labels
            reached = found is not None and find != index.whole and all("." in name for name in found.fields)
            if found is None or guessed or reached or _means_rows(asked, start, end, found, closed):
                continue
            if phrase in STOP and not _said_of(asked, start, found):
                continue
            used |= here
            near = _nearest_first(found.fields, asked, (start, end), collection)
            yield ValueMention(near, found.values, (start, end), bool(negation(asked, start)), find == index.whole)


def _said_of(asked: tuple[Word, ...], start: int, found: Hit) -> bool:
    """Whether a filler word is a value here: "what is out", "blood type a"; but not "ok, which gloves"."""
    before = asked[start - 1].stem if start else ""
    labelled = any(before == label_words(name)[-1] for name in found.fields)
    return labelled or (start > 0 and asked[start].folded in STATES)


def _means_rows(asked: tuple[Word, ...], start: int, end: int, found: Hit, closed: Closed) -> bool:
    """Whether no value of these rows is meant.

    "Hours per day" groups; "surgeries" are rows, not the ward "Surgery"; in "deadlines of open matters" it is
    not the deadlines that are open.
    """
    grouped = start > 0 and asked[start - 1].folded == "per"
    alone = end - start == 1 and asked[start].stem in closed.names
    others = end < len(asked) and asked[end].stem in closed.names and end not in closed.named
    state = any(label_words(name)[-1] in _STATES for name in found.fields[:1])
    return grouped or (alone and fold(found.values[0]) != asked[start].folded) or (others and state)


def _alike_negated(asked: tuple[Word, ...], found: Iterable[ValueMention]) -> tuple[ValueMention, ...]:
    """The values in order; "not free or reserved" negates both."""
    values: list[ValueMention] = []
    for value in sorted(found, key=lambda value: value.at):
        before = values[-1] if values else None
        joined = before is not None and [word.folded for word in asked[before.at[1] : value.at[0]]] == ["or"]
        if before is not None and joined and before.negated and before.field == value.field:
            value = msgspec.structs.replace(value, negated=True)
        values.append(value)
    return tuple(values)


def _nearest_first(
    names: tuple[str, ...], asked: tuple[Word, ...], at: tuple[int, int], collection: Collection
) -> tuple[str, ...]:
    """Of several fields that hold a value, the one whose label stands beside it comes first.

    What rows hold themselves is meant before what the rows hold that a field leads to, unless that is said.
    """
    around = {word.stem for word in (*asked[max(0, at[0] - 2) : at[0]], *asked[at[1] : at[1] + 2])}

    def distance(name: str) -> int:
        field = collection.field(name)
        return 0 if field and set(label_words(field.label)) & around else 1

    found = sorted(dict.fromkeys(names), key=distance)
    own = [name for name in found if "." not in name]
    kept = [n for n in found if "." not in n or not own or set(label_words(n.rpartition(".")[2])[-1:]) & around]
    beside = bool(own) and not distance(own[0])
    return tuple(sorted(kept, key=lambda name: "." in name) if beside else kept)
