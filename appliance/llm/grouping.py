"""Grouping: by what a question counts: "per ward and floor", "by week", "which month had the most".

>>> from appliance.llm.words import words
>>> busy(words("busiest day")), bucketed(words("visits per week"), set())
(BucketMention(bucket='day', at=(1, 2)), BucketMention(bucket='week', at=(1, 3)))
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

import msgspec

from appliance.llm.deeds import passive
from appliance.llm.fields import KINDS, FieldMention
from appliance.llm.plan import Bucket
from appliance.llm.words import BUSIEST, Word


class BucketMention(msgspec.Struct, frozen=True):
    """A time to count by, at the words `at`: "per week"."""

    bucket: Bucket
    at: tuple[int, int]


def groups(
    asked: tuple[Word, ...], fields: Iterable[FieldMention], own: Set[int] = frozenset()
) -> tuple[tuple[str, ...], set[int]]:
    """The fields behind "per" or "by", and those that "and" joins to them: "per ward and floor", "per type of room".

    Args:
        asked: the words of the question.
        fields: the fields that it names.
        own: the indices of words that name the rows: of rooms "per room type" is by *type*.

    Returns:
        the fields, and the indices of the words before them that say so.
    """
    names: list[str] = []
    used, end = set[int](), -1
    for mention in sorted(fields, key=lambda mention: mention.at):
        at = mention.at[0] - 1
        if at > 0 and at in own:
            at -= 1
        kind = at > 1 and asked[at].folded == "of" and asked[at - 1].folded in KINDS
        if kind:
            at -= 2
        before = asked[at].folded if at >= 0 else ""
        grouped = before in ("per", "by", "each", "every") and (kind or not passive(asked, at))
        if grouped or (before == "and" and at == end):
            names.append(mention.field)
            used, end = used | {at}, mention.at[1]
    return tuple(dict.fromkeys(names)), used


_BUCKETS: Final[dict[str, Bucket]] = {
    "hour": "hour", "day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year",
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year",
}  # fmt: skip


def bucketed(asked: tuple[Word, ...], taken: set[int]) -> BucketMention | None:
    """The time behind "per" or "by": "admissions per week", "monthly revenue"."""
    for index, word in enumerate(asked):
        bucket = _BUCKETS.get(word.folded)
        before = index > 0 and asked[index - 1].folded in ("per", "by", "each", "every")
        if bucket is None or index in taken or not (before or word.folded.endswith("ly")):
            continue
        return BucketMention(bucket, (index - before, index + 1))
    return None


def busy(asked: tuple[Word, ...]) -> BucketMention | None:
    """The time of which the busiest is asked for: "busiest day", "which month had the most visits"."""
    found = BUSIEST.search(" ".join(word.folded for word in asked))
    said = (found["busy"] or found["which"]) if found else ""
    at = next((at for at, word in enumerate(asked) if at and word.folded == said), None)
    return BucketMention(_BUCKETS[said], (at, at + 1)) if at is not None else None
