"""A timeline: when a stream was recorded and how much happened, for a bar to scrub on.

A bar shows one day of the facility, from the first of its records to the last. What was not recorded is a gap between
spans; changes are counted in as many parts as the bar has room for.

    >>> spans = [Span(0, 60_000, [(0, 2), (5, 4)]), Span(90_000, 120_000, [(9, 1)])]
    >>> timeline(spans, 0, 120_000, 4)
    Timeline(first=0, last=120000, spans=[(0, 60000), (90000, 120000)], parts=[2, 4, 0, 1])
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo

import msgspec

from appliance.bridge.recordings import Span
from appliance.bridge.segments import MARK_MS

PARTS_LIMIT = 1000
SHORTEST_MS = 60_000
SAME_MS = 5_000
"""A recording that goes on within this time in another segment has no gap."""


class Timeline(msgspec.Struct, frozen=True):
    """A bar.

    Attributes:
        first, last: where it begins and ends, milliseconds since 1970.
        spans: from when to when there is a recording.
        parts: changes in each of as many equal parts.
    """

    first: int
    last: int
    spans: list[tuple[int, int]]
    parts: list[int]


class Day(msgspec.Struct, frozen=True):
    """A day of the facility that something was recorded on: ``2026-11-28``, and its first and last record."""

    day: str
    first: int
    last: int


def days(spans: list[Span], zone: tzinfo | None) -> list[Day]:
    """The days that something was recorded on, the earliest first."""
    found: dict[date, tuple[int, int]] = {}
    for span in spans:
        for day, first, last in _by_day(span, zone):
            before = found.get(day, (first, last))
            found[day] = min(first, before[0]), max(last, before[1])
    return [Day(day.isoformat(), *found[day]) for day in sorted(found)]


def _by_day(span: Span, zone: tzinfo | None) -> Iterator[tuple[date, int, int]]:
    first = span.first
    while first <= span.last:
        midnight = _next_midnight(first, zone)
        yield _local(first, zone).date(), first, min(span.last, midnight - 1)
        first = midnight


def _next_midnight(at: int, zone: tzinfo | None) -> int:
    following = _local(at, zone).date() + timedelta(days=1)
    midnight = datetime.combine(following, datetime.min.time())
    return int((midnight.replace(tzinfo=zone) if zone else midnight.astimezone()).timestamp() * 1000)


def _local(at: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at / 1000, zone)


def timeline(spans: list[Span], first: int, last: int, parts: int) -> Timeline:
    """The bar from one moment to another; it has at least a minute."""
    first = min(first, last - SHORTEST_MS)
    counts, width = [0] * parts, max(1, last - first)
    for mark, count in (mark for span in spans for mark in span.marks):
        at = mark * MARK_MS
        if first - MARK_MS < at <= last:
            counts[min(max(0, at - first) * parts // width, parts - 1)] += count
    return Timeline(first, last, _joined(spans, first, last), counts)


def _joined(spans: list[Span], first: int, last: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for span in spans:
        begins, ends = max(span.first, first), min(span.last, last)
        if begins > ends:
            continue
        if joined and begins - joined[-1][1] < SAME_MS:
            begins, ends = joined[-1][0], max(ends, joined.pop()[1])
        joined.append((begins, ends))
    return joined
