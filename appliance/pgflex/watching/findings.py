"""Findings: the windows that end about now beside what is usual then, and what is to be told of them.

looks = await readread_looks(db, "admissions", history, now)
found("came", looks)                    # a Finding, or None: all is as usual
still_so(told, "came", looks, now)      # what was told before, as it is now, or None: it is over
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from appliance.pgflex.database import Connection
from appliance.pgflex.watching.baseline import OVER, Side, Usual, is_past, side_of
from appliance.pgflex.watching.counts import Counts, History, Known, What, compared, sums
from appliance.pgflex.watching.seasons import Window, day_so_far, hour_of

__all__ = ["Finding", "Look", "found", "read_looks", "still_so", "values"]

Scale = Literal["day", "hour"]


class Look(msgspec.Struct, frozen=True):
    """A window: what was counted in it, and what is usual then. `sides` are those it can tell of."""

    scale: Scale
    window: Window
    counted: Counts
    known: Known
    sides: tuple[Side, ...]


class Finding(msgspec.Struct, frozen=True):
    """A number beside what is usual."""

    what: What
    side: Side
    look: Look

    @property
    def value(self) -> int:
        """The number."""
        return self.look.counted.of(self.what)

    @property
    def usual(self) -> Usual:
        """What is usual."""
        return self.look.known.usual[self.what]


async def read_looks(db: Connection, collection: str, history: History, now: datetime) -> list[Look]:
    """The windows that end about now, where they and enough earlier ones are known."""
    both: tuple[Side, ...] = ("above", "below")
    asked: list[tuple[Scale, Window, tuple[Side, ...]]] = [
        ("day", day_so_far(now, 1), ("above",)),
        ("day", day_so_far(now), ("below",)),
        ("hour", hour_of(now), ("above",)),
        ("hour", hour_of(now, -1), both),
    ]
    looks = []
    for scale, window, sides in asked:
        # A window that is still running is known so far.
        if window.start.date() != now.date() or not history.knows(Window(window.start, min(window.end, now))):
            continue
        if window.start < window.end and (known := await compared(db, collection, window, history)):
            [counted] = await sums(db, collection, [window])
            looks.append(Look(scale, window, counted, known, sides))
    return looks


def still_so(told: dict[str, Any], what: What, looks: list[Look], now: datetime) -> Finding | None:
    """What is active as it is now; None when it is over: another day, or near the usual again."""
    if told["day"] != now.date():
        return None
    for look in looks:
        finding = Finding(what, told["side"], look)
        fits = look.scale == told["scale"] and told["side"] in look.sides
        if fits and is_past(finding.value, finding.usual, finding.side, OVER):
            return finding
    return None


def found(what: What, looks: list[Look]) -> Finding | None:
    """What is to be told of a kind of change, the day before the hour."""
    for look in looks:
        side = side_of(look.counted.of(what), look.known.usual[what])
        if side is not None and side in look.sides:
            return Finding(what, side, look)
    return None


def values(collection: str, finding: Finding, now: datetime) -> dict[str, Any]:
    """A finding as columns of ``flex.unusual``."""
    look = finding.look
    return {
        "collection": collection,
        "what": finding.what,
        "side": finding.side,
        "scale": look.scale,
        "day": now.date(),
        "start": look.window.start,
        "until": min(look.window.end, now + timedelta(seconds=1)),
        "value": finding.value,
        "usual": finding.usual.value,
        "basis": look.known.basis,
        "days": finding.usual.days,
        "now": now,
    }
