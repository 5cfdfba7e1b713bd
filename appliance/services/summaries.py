"""Summaries: what a role sees of a time, read and said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec

from appliance.llm.form_words import form_words, window_words
from appliance.llm.forms import Summary
from appliance.llm.plan import Query
from appliance.llm.summing import SUMMARY_FIELDS, parts, say_part, say_summary
from appliance.types import Answer, Catalog, Question

__all__ = ["Digest", "Read", "digest"]

Read = Callable[[Query], Awaitable[list[dict[str, Any]]]]
"""Reads the rows of a query as the role that asked."""
Digest = Callable[[Question, Summary, Catalog, Read, date], Awaitable[Answer]]
"""Answers a summary that fits the catalog; the day lets it say "today"."""


async def digest(question: Question, plan: Summary, catalog: Catalog, read: Read, today: date) -> Answer:
    """Counts, totals and the largest group of each collection that the summary is about.

    Raises:
        ApplianceError: the rows cannot be read.
    """
    told: list[str] = []
    rows: list[dict[str, Any]] = []
    for part in parts(plan, catalog):
        totals = await read(part.totals)
        if plan.collection is None and not (totals and totals[0].get("count")):
            continue  # of everything, what did not happen is not told
        sentence, more = say_part(part, totals[0] if totals else {}, await read(part.groups) if part.groups else [])
        told.append(sentence)
        rows += more
    collection = catalog.collection(plan.collection) if plan.collection else None
    return Answer(
        question.id,
        question.text,
        "answered",
        form_words(plan, collection, today),
        msgspec.to_builtins(plan),
        tuple(rows),
        say_summary(told, window_words(plan, today)),
        view={"kind": "table" if rows else "text", "fields": SUMMARY_FIELDS},
    )
