"""Lookups: the words of a question that may be part of a stored value nobody has listed, such as a name.

The catalog lists the values of fields that have few. What a question says of the others is looked for in the
database, under the asking role; what is not found there stays unexplained.

    >>> holds("Dr. Ana Smith", "smith"), holds("Andrés Arroyo", "dr"), holds("Shota Takemura", "take")
    (True, False, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from appliance.llm.amounts import is_serial
from appliance.llm.linking import Links
from appliance.llm.plan import NUMBERS, Query
from appliance.llm.words import NEVER_STORED, Word, fold, words
from appliance.types import Field

LOOKUPS_AT_MOST: Final = 4
_PREFIX_LETTERS: Final = 5
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9,]{0,17}(?:\.[0-9]{1,9})?")


class Lookup(msgspec.Struct, frozen=True):
    """A literal to look for among the stored values: in `fields`, in this order."""

    text: str
    fields: tuple[str, ...]


class Found(msgspec.Struct, frozen=True):
    """What a lookup found: the field and its stored values (one, or several that all contain the text)."""

    text: str
    field: str
    values: tuple[str, ...]


def lookups(query: Query, links: Links) -> list[Lookup]:
    """The words to look for in the database, as no link explains them: runs of them, cut where the model cuts."""
    open_fields = [field.name for field in links.collection.fields if field.type == "text" and not field.values]
    literals = [(condition.field, _said(condition.value)) for condition in query.where]
    wanted = []
    for run in _runs(links):
        for part in _cut(run, [literal for _, literal in literals]):
            first = [name for name, literal in literals if name in open_fields and set(_folded(part)) <= set(literal)]
            wanted.append(Lookup(" ".join(part), tuple(dict.fromkeys([*first, *open_fields]))))
    return wanted[:LOOKUPS_AT_MOST]


def _said(value: object) -> list[str]:
    return [word.folded for word in words(str(value))]


def _folded(run: list[str]) -> list[str]:
    return [fold(word) for word in run]


def _cut(run: list[str], literals: list[list[str]]) -> list[list[str]]:
    """The run as it is, or in parts where the model took only a part of it for a value."""
    said = _folded(run)
    for literal in literals:
        for start in range(len(run) - len(literal) + 1):
            if literal and said[start : start + len(literal)] == literal and len(literal) < len(run):
                parts = (run[:start], run[start : start + len(literal)], run[start + len(literal) :])
                return [part for part in parts if part]
    return [run]


def _runs(links: Links) -> list[list[str]]:
    """Runs of words beside each other that nothing explains."""
    missed = {word.start for word in _lookable(links)}
    runs: list[list[str]] = [[]]
    for word in links.words:
        if word.start in missed:
            runs[-1].append(word.text)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _lookable(links: Links) -> list[Word]:
    """The unexplained words that may be part of a stored value; "top 5" and "floor 3" are amounts."""
    return [
        word
        for word in links.unexplained(labelled(links))
        if word.folded not in NEVER_STORED and not (word.folded.isdigit() and len(word.folded) < 3)
    ]


def labelled(links: Links) -> dict[int, Field]:
    """The indices of words that are a number at a number field's label, and the field.

    As in "floor 3", "4th floor", "grades 5, 6 or 7".
    """
    found = _numbered(links)
    for mention in links.fields:
        field, at = links.collection.field(mention.field), mention.at[1]
        if field is None or field.type not in NUMBERS:
            continue
        if at < len(links.words) and at not in links.explained and as_number(links.words[at].folded) is not None:
            found[at] = field
            for other in _joined(links, at):
                found[other] = field
        before = mention.at[0] - 1
        if before >= 0 and before not in links.explained and ordinal(links.words[before].folded) is not None:
            found[before] = field
    return found


def _numbered(links: Links) -> dict[int, Field]:
    """The number behind what the rows are called, where a field numbers them: "shipment 70020"."""
    own = (field for field in links.collection.fields if field.name != "id" and "." not in field.name)
    serials = [field for field in own if is_serial(field)]
    behind = (at + 1 for at in links.own if at + 1 < len(links.words) and at + 1 not in links.explained)
    return {at: serials[0] for at in behind if len(serials) == 1 and as_number(links.words[at].folded) is not None}


def _joined(links: Links, at: int) -> Iterator[int]:
    """The numbers that a list goes on with behind the one at an index."""
    while True:
        at += 2 if at + 1 < len(links.words) and links.words[at + 1].folded in ("and", "or") else 1
        if at >= len(links.words) or at in links.explained or as_number(links.words[at].folded) is None:
            return
        yield at


def holds(value: str, text: str) -> bool:
    """Whether a stored value is meant by a text: every word of the text is one of the value, or most of one."""
    stored = words(value)
    return all(any(_is_part(said, part) for part in stored) for said in words(text))


def _is_part(said: Word, part: Word) -> bool:
    if said.folded == part.folded or said.stem == part.stem:
        return True
    begins = len(said.stem) >= _PREFIX_LETTERS and part.folded.startswith(said.stem)
    return begins and 5 * len(said.stem) >= 3 * len(part.folded)


_ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NTH: Final = re.compile(r"([0-9]{1,4})(?:st|nd|rd|th)")


def ordinal(text: str) -> int | None:
    """The number that an ordinal says, or None: ``"4th"`` is 4, ``"second"`` is 2."""
    if text in _ORDINALS:
        return _ORDINALS.index(text) + 1
    found = _NTH.fullmatch(text)
    return int(found[1]) if found else None


def number_at(text: str) -> float | None:
    """The number that stands at a label, behind or before it: ``"3"``, ``"4th"``."""
    place = ordinal(text)
    return as_number(text) if place is None else float(place)


def as_number(text: str) -> float | None:
    """The number that a text is, or None: ``"1,200.50"`` is 1200.5."""
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else None
