"""Ranks: which end of an order a question asks for: "the youngest" have the lowest age, or the latest birth."""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from appliance.llm.amounts import holds_years
from appliance.llm.linking import Links
from appliance.llm.notation import Item, Rank, Sketch
from appliance.llm.plan import ORDERED, TIMES, Query
from appliance.llm.superlatives import EARLY, HIGH, LATE, LOW, MEASURED
from appliance.llm.words import SENIOR, singular
from appliance.types import Field

_OF: Final = frozenset("in of for at on by among per with".split())
_BETWEEN: Final = 2
"""So many words may stand between an end and the row: "the last *newly hired* employee"."""
_SORTS: Final = re.compile(
    r"\b(sort|sorted|order|ordered|arrange|arranged|rank|ranked) by\b|\b(sort|order|arrange|rank)\b.* by\b"
)
_FALLS: Final = re.compile(
    r"\b(desc\w*|falling|decreasing|high to|"
    r"(highest|largest|biggest|most|latest|newest|longest|oldest)( \w+)? (first|to))\b"
)
_RISES: Final = re.compile(
    r"\b(asc\w*|rising|increasing|low to|"
    r"(lowest|smallest|least|earliest|oldest|shortest|youngest|cheapest)( \w+)? (first|to))\b"
)


def descending(links: Links, timed: bool) -> bool | None:
    """Which end of the values of a field, of times or of numbers, is asked for; None where nothing says so, or both."""
    said = {word.folded for word in links.words}
    highs = (LATE | {"youngest"} if timed else HIGH | {"oldest"}) & said
    lows = (EARLY | {"oldest"} if timed else LOW | {"youngest"}) & said
    return None if bool(highs) == bool(lows) else bool(highs)


def otherwise(plan: Query, links: Links) -> bool:
    """Whether a plan ranks from the other end than the question says."""
    if plan.order:
        first = plan.order[0]
        field = links.collection.field(first.field) if first.field != "id" else None
        if _is_timed(field) and not first.aggregate and (MEASURED & {word.folded for word in links.words}):
            return True  # "the largest order" is not the latest
        ranked = first.aggregate or (field is not None and field.type in ORDERED)
        wanted = descending(links, not first.aggregate and _is_timed(field)) if ranked else None
        return wanted not in (None, first.descending)
    ends = {item.aggregate: item.field for item in plan.select if item.aggregate in ("min", "max")}
    field = links.collection.field(next(iter(ends.values()))) if len(ends) == 1 else None
    return field is not None and descending(links, _is_timed(field)) not in (None, "max" in ends)


def _is_timed(field: Field | None) -> bool:
    return field is not None and (field.type in TIMES or holds_years(field))


def as_sorted(sketch: Sketch, links: Links) -> Sketch:
    """A sketch whose order rises, where rows are only to be sorted: "sort patients by age"."""
    rank = sketch.rank
    if rank is None or rank.limit or not sorts(links.text):
        return sketch
    return replace(sketch, rank=Rank(falls(links.text), rank.field, rank.limit))


def sorts(text: str) -> bool:
    """Whether a folded text asks for rows in an order, and not for the first of them."""
    return bool(_SORTS.search(text))


def falls(text: str) -> bool:
    """Whether the order that a folded text asks for falls; where it says nothing of it, it rises."""
    return bool(_FALLS.search(text)) and not _RISES.search(text)


def asks_row(links: Links) -> bool:
    """Whether the first one of the rows is asked for, and not a number of it: "the last hired employee"."""
    ends = [cue.at[1] for cue in links.cues if cue.aggregate in ("min", "max")]
    last = len(links.words) - 1
    kinds = [last for value in links.values if value.at[1] - 1 == last]  # "lowest calorie dessert"
    rows = [*links.named, *kinds]
    named = [at for at in rows if singular(links.words[at].folded) == links.words[at].folded]
    between = [links.words[end:at] for at in named[-1:] for end in ends if 0 <= at - end <= _BETWEEN]
    return any(not _OF & {word.folded for word in words} for words in between)


def by_tenure(sketch: Sketch, links: Links, label: str | None) -> list[Sketch]:
    """Ranked by the day they began, where who has been there longest is asked for.

    Args:
        sketch: what the model wrote.
        links: the question's links.
        label: the field that says since when, as the model sees it.
    """
    return _by_day(sketch, label, falling=False) if any(cue.phrase in SENIOR for cue in links.cues) else []


def by_birth(sketch: Sketch, links: Links, label: str | None) -> list[Sketch]:
    """Ranked by birth, where the youngest or the oldest are asked for and people have one.

    Args:
        sketch: what the model wrote.
        links: the question's links.
        label: the field that holds births, as the model sees it.
    """
    said = {word.folded for word in links.words} & {"oldest", "youngest"}
    return _by_day(sketch, label, falling="youngest" in said) if len(said) == 1 else []


def _by_day(sketch: Sketch, label: str | None, falling: bool) -> list[Sketch]:
    """The first rows by a day, as many as the model wrote, or one."""
    if label is None or sketch.intent != "query" or sketch.group:
        return []
    limit = sketch.rank.limit if sketch.rank and sketch.rank.limit else "1"
    return [replace(sketch, select=(Item(None),), rank=Rank(falling, label, limit))]


def of_row(sketch: Sketch, links: Links) -> list[Sketch]:
    """The row in the place of its highest or lowest number, where the row is asked for."""
    item = sketch.select[0] if len(sketch.select) == 1 else Item(None)
    if item.aggregate not in ("min", "max") or item.field is None or sketch.group or not asks_row(links):
        return []
    return [replace(sketch, select=(Item(None),), rank=Rank(item.aggregate == "max", item.field, "1"))]
