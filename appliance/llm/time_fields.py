"""Time fields: which of the days and times that rows hold a question's times are about.

>>> time_field(links, now)  # of "due for service next week"  # doctest: +SKIP
'next_service_on'
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from appliance.llm.dates import Span
from appliance.llm.fields import own_words
from appliance.llm.linking import Links
from appliance.llm.plan import TIMES
from appliance.llm.words import STOP, inside, stem
from appliance.types import Collection

COMING: Final = frozenset(map(stem, ("next", "due", "expires", "planned", "end")))
_GONE: Final = frozenset(map(stem, ("last", "previous", "done")))
_NO_EVENT: Final = frozenset(map(stem, ("birth", "expires")))
NO_TIME: Final = frozenset(map(stem, ("on", "at", "date", "time", "in")))


def time_fields(collection: Collection) -> list[str]:
    """The fields that hold days or times, apart from when the row was made."""
    return [field.name for field in collection.fields if field.type in TIMES and field.name != "created_at"]


def place_of(span: Span, links: Links) -> tuple[int, int]:
    """The words of a time: the first one's index, and that past the last."""
    at = list(inside(links.words, [span.at]))
    return at[0], at[-1] + 1


def time_field(links: Links, now: datetime) -> str | None:
    """The field that a question's times are about: one that has such days, where another is not named."""
    name, fields = _likely(links, now), time_fields(links.collection)
    if any(mention.field in fields for mention in links.fields) or _reached(name, links, now):
        return name
    return next((other for other in fields if "." not in other and _reached(other, links, now)), name)


def time_words(links: Links, name: str | None) -> set[int]:
    """The words that name the time field: "due for service next week" is about ``next_service_on``."""
    if name is None or not links.spans:
        return set()
    label = set(own_words(links.collection, name))
    label |= {"due"} if label & COMING else set()
    return {index for index, word in enumerate(links.words) if word.stem in label}


def _reached(name: str | None, links: Links, now: datetime) -> bool:
    """Whether a time that lies ahead is among those of a field."""
    field = links.collection.field(name or "")
    start = links.spans[0].start if links.spans else None
    if field is None or field.high is None or start is None or start < now.date():
        return True
    return str(field.high)[:10] >= start.isoformat()


def _likely(links: Links, now: datetime) -> str | None:
    fields = time_fields(links.collection)
    mentions = [mention for mention in links.fields if mention.field in fields]
    if mentions:
        return min(mentions, key=lambda mention: _from_span(mention.at[0], links)).field
    said: dict[str, int] = {}
    for index, word in enumerate(links.words):
        for name in fields:
            if word.folded not in STOP and word.stem in set(own_words(links.collection, name)) - NO_TIME:
                said[name] = min(said.get(name, 99), _from_span(index, links))
    if said:
        near = [name for name in said if said[name] == min(said.values())]
        return _by_tense(near, links, now)
    usual = [name for name in fields if not set(own_words(links.collection, name)) & _NO_EVENT]
    return next(iter(usual or fields), None)


def _from_span(index: int, links: Links) -> int:
    """How many words a word is away from the question's first time."""
    return min((abs(index - place_of(span, links)[0]) for span in links.spans[:1]), default=0)


def _by_tense(names: list[str], links: Links, now: datetime) -> str:
    """Of "last service" and "next service" the one that fits the time that is asked for."""
    starts = links.spans[0].start if links.spans else None
    wanted = _GONE if starts is not None and starts < now.date() else COMING
    return next((name for name in names if set(own_words(links.collection, name)) & wanted), names[0])
