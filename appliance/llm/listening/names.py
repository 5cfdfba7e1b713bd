"""What a facility calls its things, as hints for who listens: names of collections and fields, and values of fields.

>>> from appliance.types import Collection, Field
>>> ward = Field("ward", "ward", "text", values=("Cardiology", "ICU"))
>>> names_in(Catalog("1", (Collection("lab_results", "lab results", (ward,)),)))
['lab results', 'lab', 'results', 'ward', 'Cardiology', 'ICU']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from appliance.types import Catalog, Field

LONGEST: Final = 40
"""Characters of a value that may be a name; longer ones are prose."""
LIMIT: Final = 500
ASKED: Final = tuple(
    " ".join(word.split())
    for word in """
    how many, how much, how long, how often, which, what, who, when, where, show, list, count, total, average, sum,
    per, by, each, today, tomorrow, yesterday, tonight, this week, last week, next week, this month, last month,
    next month, this year, last year, this morning, this afternoon, right now, at the moment, currently, since,
    until, before, after, between, more than, less than, at least, highest, lowest, most, least, oldest, newest,
    latest, longest, shortest, first, last, open, free, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday,
    Sunday, January, February, March, April, May, June, July, August, September, October, November, December, alert
    me, tell me, compare, hours, minutes, days, percent
    """.split(",")
)
"""Words that questions are made of, whatever they are about."""
_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*[^\W_]")
_COMMON: Final = frozenset("a an and are at by for from in is of on or the to with no yes true false".split())


def names_in(catalog: Catalog) -> list[str]:
    """The names of a catalog, each once, at most :data:`LIMIT`: of things first, then of what they may be."""
    labels = [each.label for each in catalog.collections]
    labels += [field.label for each in catalog.collections for field in each.fields]
    values = [value for each in catalog.collections for field in each.fields for value in _values(field)]
    return list(dict.fromkeys(name for told in (labels, values) for text in told for name in _names(text)))[:LIMIT]


def _values(field: Field) -> Iterator[str]:
    if field.type == "text" and not field.masked:
        yield from (value for value in (*field.values, *field.examples) if len(value) <= LONGEST)


def _names(text: str) -> Iterator[str]:
    """The whole of it, and its words."""
    words = [word for word in _WORD.findall(text) if word.lower() not in _COMMON]
    if len(words) > 1:
        yield " ".join(_WORD.findall(text))
    yield from words
