"""A day's recording for a box that has just been started: what its screens might have shown since this morning.

It is written by the box's own writer into its data folder, beside what the box records itself, and is made of the state
that the box shows: numbers change, at some hours often and at some seldom, and for a while the box was off.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from typing import Any

import httpx

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.moments import iso
from appliance.bridge.segment_writer import SegmentWriter, Step
from appliance.bridge.signals import View
from tests.box import Box

PASSING = ("changes.", "box.parts")
"""Signals of just now that say nothing of a whole day."""
HOUR_MS = 3_600_000
QUESTION = "How many beds are free?"
GAP = (2.5, 3.2)
"""Hours ago between which nothing was recorded."""


def plant(box: Box, hours: float = 9.0, role: str = "staff") -> dict[int, int]:
    """Put a recording of the last hours beside the box's own; returns how many beds were free when (ms since 1970)."""
    values, now = _shown(box, role), time.time_ns() // 1_000_000 - 120_000
    writer = SegmentWriter(box.data / "recordings" / "main" / role, {"stream": "main", "role": role}, reserve=0)
    told: dict[int, int] = {}
    for begin, end in ((hours, GAP[1]), (min(hours, GAP[0]), 0.0)):
        if begin <= end:
            continue
        steps = list(_steps(values, told, now - int(begin * HOUR_MS), now - int(end * HOUR_MS)))
        writer.write(steps)
        writer.finish(now - int(end * HOUR_MS))
    return told


def _shown(box: Box, role: str) -> dict[str, Any]:
    """What the box shows, once it has answered what it shows from the start."""
    for _ in range(100):
        answer = httpx.get(f"{box.url}/api/recordings/main/at", headers=box.bearer(role), trust_env=False)
        signals: dict[str, Any] = answer.json().get("signals", {})
        statuses = [value for name, value in signals.items() if name.endswith(".status")]
        if QUESTION in signals.values() and set(statuses) == {"answered"}:
            return {name: value for name, value in signals.items() if not name.startswith(PASSING)}
        time.sleep(0.1)
    raise AssertionError(f"not answered: {signals}")


def _steps(values: dict[str, Any], told: dict[int, int], start: int, end: int) -> Iterator[Step]:
    """Changes at random times, the more the later in the hour; a segment for each hour, a keyframe each minute."""
    chance, view, at, key, hour = random.Random(start), View(), start, 0, 0
    [asked] = [name for name, value in values.items() if value == QUESTION]
    answer = asked.removesuffix("question")
    while at < end:
        free = 9 + round(6 * math.sin(at / HOUR_MS * 2)) + chance.randrange(3)
        sentence = f"{free} beds are free."
        shown = {**values[f"{answer}view"], "value": free}
        read = {f"{answer}view": shown, f"{answer}sentence": sentence, f"{answer}read_at": iso(at)}
        view.write({**values, **read, "changes.beds": {"at": iso(at)}}, [])
        opens, whole = at // HOUR_MS != hour, at - key > 60_000
        payload, is_sync = view.payload(None if opens or whole else view.version - 1)
        kind = FrameType.SIGNAL_SYNC if is_sync else FrameType.SIGNAL_DIFF
        yield Step(at, Frame(kind, payload, KEYFRAME if is_sync else 0), opens)
        told[at] = free
        key, hour = (at if is_sync else key), at // HOUR_MS
        busy = 1.2 + math.sin(at / HOUR_MS * 3) + math.sin(at / HOUR_MS * 11) / 2
        at += int(chance.expovariate(1) * 40_000 / max(0.15, busy)) + 800
