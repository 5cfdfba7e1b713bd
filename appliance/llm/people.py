"""People: the fields that hold who does something, and who it is done for.

>>> holds_people("assigned to"), holds_people("brand")
(True, False)
"""

from __future__ import annotations

from collections.abc import Collection as Several
from typing import Final

from appliance.llm.views import title_of
from appliance.llm.words import label_words, stem
from appliance.types import Collection

PEOPLE: Final = (
    "name", "patient", "person", "client", "employee", "doctor", "attorney", "lawyer", "staff", "tenant", "student",
)  # fmt: skip
ACTING: Final = frozenset(
    map(
        stem,
        (
            "person salesperson assigned assignee agent owner operator rep manager driver teacher technician mechanic"
            " trainer coach author seller cashier waiter guide host handler"
        ).split(),
    )
)
SERVED: Final = frozenset(
    map(stem, "client customer patient buyer tenant guest student borrower member user recipient".split())
)
"""Stems of labels of fields that hold people who act, and of those who are served."""
DOERS: Final = frozenset(map(stem, "author writer customer buyer client seller tenant resident".split()))
"""Stems of labels of who does what a verb says."""


def holds_people(label: str) -> bool:
    """Whether a field of a label holds people: *seller*, *client*, *assigned to*, *patient name*."""
    said = set(label_words(label))
    return bool(said & (ACTING | SERVED | set(map(stem, PEOPLE))))


def people_of(collection: Collection, tested: Several[str]) -> list[str]:
    """The fields that hold people and are not tested, those who act before those who are served.

    Where rows are of one person each, there are none: the rows are the people.
    """
    free = [field for field in collection.fields if field.type == "text" and field.name not in tested]
    usual = [field.name for field in free if field.name in PEOPLE]
    others = [f for f in free if "." not in f.name and set(label_words(f.label)[:1]) & (ACTING | SERVED)]
    act = [field.name for field in others if not set(label_words(field.label)) & SERVED]
    title = title_of(collection)
    if title is not None and title.distinct == title.count and stem("name") in label_words(title.label):
        return []
    return list(dict.fromkeys([*act, *usual, *(field.name for field in others)]))
