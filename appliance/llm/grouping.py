"""Grouping: by what a question counts: "per ward and floor", "by week", "which month had the most".

>>> from appliance.llm.words import words
>>> busy(words("busiest day")), bucketed(words("visits per week"), set())
(BucketMention(bucket='day', at=(1, 2)), BucketMention(bucket='week', at=(1, 3)))
"""

from __future__ import annotations

from collections.abc import Iterable
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


def groups(asked: tuple[Word, ...], fields: Iterable[FieldMention]) -> tuple[tuple[str, ...], set[int]]:
    """The fields behind "per" or "by", and those that "and" joins to them: "per ward and floor"."""
    names: list[str] = []
    used, end = set[int](), -1
    for mention in sorted(fields, key=lambda mention: mention.at):
        before = asked[mention.at[0] - 1].folded if mention.at[0] else ""
        kind = before == "of" and mention.at[0] > 2 and asked[mention.at[0] - 2].folded in KINDS
        if kind:  # "per type of treatment"
            before = asked[mention.at[0] - 3].folded
        joined = before == "and" and mention.at[0] - 1 == end
        if (before in ("per", "by", "each", "every") and (kind or not passive(asked, mention.at[0] - 1))) or joined:
            names.append(mention.field)
            used, end = used | ({mention.at[0] - 3} if kind else {mention.at[0] - 1}), mention.at[1]
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
