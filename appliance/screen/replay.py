"""Replays a recording in a terminal: at the recorded pace, faster, or one change at a time.

In a terminal it draws in place what a screen showed; into a file or a pipe it writes a line for each answer that is new
or has changed, with the time it was so.

    replay(unpack(pieces), Pace(speed=10), Console())
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from appliance.bridge.frame import FrameType
from appliance.bridge.segments import Record, apply_record
from appliance.bridge.signals import Copy
from appliance.screen.answers import answers
from appliance.screen.text import clean, draw_past, line_of

REDRAW_S: Final = 0.1


class Pace(msgspec.Struct, frozen=True):
    """How fast: recorded seconds per second (infinity waits for nothing), or one change for each line of `steps`."""

    speed: float = 1.0
    steps: TextIO | None = None


def replay(records: Iterator[Record], pace: Pace, console: Console, sleep: Callable[[float], None] = time.sleep) -> int:
    """Show records from the first to the last; returns how many changes were shown.

    Args:
        records: a SYNC first, as ``/api/recordings/{stream}/frames`` sends them.
        pace: how fast.
        console: where to.
        sleep: waits so many seconds.

    Raises:
        ApplianceError: SIG3xx and BRG461, the recording cannot be read.
    """
    if not console.is_terminal:
        return _play(records, pace, _Lines(console), 0.0, sleep)
    with Live(console=console, auto_refresh=False, screen=pace.steps is None) as live:

        def show(values: dict[str, Any], at: int) -> None:
            live.update(draw_past(values, when(at)), refresh=True)

        return _play(records, pace, show, REDRAW_S, sleep)


def when(at: int) -> str:
    """Milliseconds since 1970 as a date and time of this machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000)) + f".{at % 1000 // 100}"


Show = Callable[[dict[str, Any], int], None]


def _play(records: Iterator[Record], pace: Pace, show: Show, redraw_s: float, sleep: Callable[[float], None]) -> int:
    copy, clock, count, shown_at = Copy(), 0, 0, -math.inf
    for record in records:
        if _begins(record) or not clock:
            clock = max(clock, record.at)  # the box was off meanwhile
        if pace.steps is None and record.at > clock:
            if (wait := (record.at - clock) / 1000 / pace.speed) > 0:
                show(copy.values, clock)
                sleep(wait)
            clock = record.at
        if not apply_record(copy, record):
            continue
        count += 1
        if pace.steps is not None or time.monotonic() - shown_at >= redraw_s:
            show(copy.values, record.at)
            shown_at = time.monotonic()
        if pace.steps is not None and not pace.steps.readline():
            return count
    show(copy.values, clock)
    return count


def _begins(record: Record) -> bool:
    return record.type == FrameType.CONTROL and record.frame().json().get("type") == "recording"


class _Lines:
    """Writes a line for each answer that is new or has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, str] = {}

    def __call__(self, values: dict[str, Any], at: int) -> None:
        for answer in reversed(answers(values)):
            line = line_of(answer)
            if answer.status and self._told.get(answer.id) != line:
                self._told[answer.id] = line
                self._console.print(Text(f"{when(at)} {clean(line)}"), soft_wrap=True)


def print_state(told: dict[str, Any], console: Console) -> None:
    """Print a moment as ``/api/recordings/{stream}/at`` tells it."""
    known = "" if told.get("known") else " (nothing was recorded just then; this is the last before)"
    console.print(draw_past(told["signals"], f"{when(int(told['t']))}{known}"))
    others = {n: v for n, v in told["signals"].items() if not n.startswith(("answer.", "answers.", "box.", "alert"))}
    for name, value in sorted(others.items())[:40]:
        console.print(Text(f" {clean(name)}  {clean(str(value))[:100]}", style="dim"))


def terminal(out: TextIO | None = None) -> Console:
    """The console of this terminal."""
    return Console(file=out or sys.stdout, highlight=False)
