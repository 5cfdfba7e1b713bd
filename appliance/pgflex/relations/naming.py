"""Naming: what the words of a label say of where its field leads: by an id, or by what rows of a collection are called.

Words only propose; a relation is one where the values agree too.
"""

from __future__ import annotations

import re
from typing import Final

from appliance.pgflex.fields import meaning

_TAIL: Final = re.compile(r"(.*[^\s_-])(?:[\s_-]+(?:id|ID|Id)|(?<=[a-z0-9])I[dD])", re.DOTALL)
_CALLED: Final = re.compile(r"(.*\S) (?:name|title|code|no|nr|number|ref|key)")
_NAMES: Final = frozenset("name title label code tag number no nr ref key sku plate callsign".split())
"""Last words of labels of what rows are called."""
_NUMBERS: Final = frozenset("no nr number code ref key id".split())
"""Last words of labels of what rows are numbered by."""
_DONE_BY: Final = re.compile(r"\w+(?:ed|en|ld|nt|ght|de|ne) by")
_USUAL: Final = frozenset(
    "name title label type kind category status state date time day note notes description comment city country region"
    " color colour size priority role gender language currency unit amount year month".split()
)
"""Last words of labels that many collections have and that lead nowhere."""


_PARTS: Final = frozenset(
    "borrower customer client patient owner member employee assignee manager supervisor driver teacher student guest"
    " tenant author doctor nurse seller buyer salesperson technician trainer coach instructor guide host operator"
    " volunteer participant user person lead agent reporter lender organizer carer caregiver worker adjuster skipper"
    " captain lawyer attorney handler analyst inspector engineer foreman clerk chef cashier pilot donor learner"
    " supervisor contact chair speaker midwife therapist dispatcher courier".split()
) | {"assigned to"}
"""Labels of people in a part that they play."""
_PEOPLE: Final = frozenset(
    "members people employees staff patients customers clients students users guests residents tenants volunteers"
    " persons contacts drivers teachers doctors nurses participants attendees players workers colleagues crew carers"
    " therapists technicians operators instructors trainers lawyers attorneys adjusters skippers donors learners"
    " mechanics engineers analysts speakers organizers".split()
)
"""Names of collections of people."""


def names_target(label: str, target: str) -> bool:
    """Whether a field of this label may lead to a collection of this name, by the words alone.

    >>> names_target("Ward ID", "wards"), names_target("categoryId", "categories"), names_target("paid", "pas")
    (True, True, False)
    """
    found = _TAIL.fullmatch(label)
    if found is None:
        return False
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", found[1])
    return meaning(target) in _forms(meaning(words))


def _forms(noun: str) -> set[str]:
    """A noun and its English plural or singular: ``ward`` and ``wards``, ``category`` and ``categories``."""
    forms = {noun, f"{noun}s"}
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        forms.add(f"{noun}es")
    if re.search(r"[^aeiou]y$", noun):
        forms.add(f"{noun[:-1]}ies")
    irregular = {"person": "people", "child": "children", "man": "men", "woman": "women", "staff": "staff"}
    *before, last = noun.split(" ")
    if last in irregular:
        forms.add(" ".join([*before, irregular[last]]))
    if noun.endswith("ies"):
        forms.add(f"{noun[:-3]}y")
    if noun.endswith("s") and not noun.endswith("ss"):
        forms |= {noun[:-1], noun[:-2]} if noun.endswith("es") else {noun[:-1]}
    return forms


def calls_target(label: str, target: str) -> bool:
    """Whether a field of this label may hold what rows of a collection are called.

    >>> calls_target("cow", "cows"), calls_target("Assigned doctor", "doctors"), calls_target("clubName", "clubs")
    (True, True, True)
    """
    said = _apart(label)
    named = _CALLED.fullmatch(said)
    said = named[1] if named else said
    return bool({said, said.split(" ")[-1]} & _forms_of(meaning(target)))


def plays_part(label: str, target: str) -> bool:
    """Whether a field of this label may hold people of a collection: a *borrower*, of members.

    >>> plays_part("borrower", "members"), plays_part("assigned to", "staff"), plays_part("borrower", "books")
    (True, True, False)
    >>> plays_part("sold_by", "staff"), plays_part("near by", "staff"), plays_part("sold_by", "towns")
    (True, False, False)
    """
    said = _apart(label).removesuffix(" name")
    acts = bool(_PARTS & {said, said.split(" ")[-1]}) or bool(_DONE_BY.fullmatch(said))
    return acts and meaning(target).split(" ")[-1] in _PEOPLE


def ends_as(label: str, name: str) -> bool:
    """Whether a longer label ends as the rows of a collection say what they are called.

    >>> ends_as("playTitle", "title"), ends_as("title", "title"), ends_as("town", "town")
    (True, False, False)
    """
    *before, last = _apart(label).split(" ")
    return bool(before) and last in ("title", "name") and _apart(name) == last


def is_number(label: str) -> bool:
    """Whether a label says that it numbers rows.

    >>> is_number("matter_no"), is_number("orderNumber"), is_number("weight"), is_number("no")
    (True, True, False, False)
    """
    *before, last = _apart(label).split(" ")
    return bool(before) and last in _NUMBERS


def is_name(label: str, target: str) -> bool:
    """Whether a field of this label may hold what the rows of its collection are called: *name*, *full name*, *cow*."""
    said = _apart(label)
    return said.split(" ")[-1] in _NAMES or said in _forms_of(meaning(target))


def is_usual(label: str) -> bool:
    """Whether a label is one that collections have which have nothing to do with each other."""
    return _apart(label).split(" ")[-1] in _USUAL


def _apart(label: str) -> str:
    return meaning(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label))


def _forms_of(target: str) -> set[str]:
    """What one row, or all, of a collection of this name may be called."""
    return _forms(target) | {target}
