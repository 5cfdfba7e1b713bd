"""Replaying in a terminal and into a pipe."""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from appliance.bridge.recordings import Recordings
from appliance.bridge.segment_writer import SegmentWriter
from appliance.bridge.segments import Record, unpack
from appliance.bridge.signals import View
from appliance.screen.replay import Pace, print_state, replay, when
from tests.unit.bridge.past import T0, step


def answered(n: int, **more: Any) -> dict[str, Any]:
    return {f"answer.a{n}.question": f"Question {n}?", f"answer.a{n}.status": "answered", **more}


def told(tmp_path: Path) -> list[Record]:
    """Three answers in three seconds; the box is off for an hour; a fourth one."""
    writer, view = SegmentWriter(tmp_path / "main" / "staff", {"stream": "main", "role": "staff"}, reserve=0), View()
    steps = [step(view, T0, {"box.name": "Box"}, opens=True)]
    for n in range(1, 4):
        order = {"answers.order": [f"a{k}" for k in range(n, 0, -1)], f"answer.a{n}.sentence": f"Answer {n}."}
        steps.append(step(view, T0 + n * 1000, answered(n, **order)))
    writer.write(steps)
    writer.finish(T0 + 4_000)
    view.write({"answer.a1.sentence": "Answer 1, corrected."})
    writer.write([step(view, T0 + 3_600_000, {"box.name": "Box"}, opens=True)])
    writer.finish(T0 + 3_601_000)
    return list(unpack(Recordings(tmp_path).frames("main", "staff", T0 + 500, T0 + 9_999_999)))


def run(records: list[Record], pace: Pace, *, terminal: bool = False) -> tuple[str, list[float], int]:
    out, slept = io.StringIO(), list[float]()
    console = Console(file=out, force_terminal=terminal, width=80, highlight=False)
    count = replay(iter(records), pace, console, slept.append)
    return out.getvalue(), slept, count


def test_a_pipe_gets_a_line_for_each_answer_with_its_time(tmp_path: Path) -> None:
    out, _, count = run(told(tmp_path), Pace(math.inf))
    lines = out.splitlines()
    assert lines[-2].endswith("Question 3? → Answer 3.")
    assert lines[-1].endswith("Question 1? → Answer 1, corrected.")
    assert any(line.startswith(when(T0 + 3_600_000)) for line in lines)
    assert count == 5


def test_it_waits_as_long_as_it_took_divided_by_the_speed(tmp_path: Path) -> None:
    records = told(tmp_path)
    for speed, waits in ((1.0, [0.5, 1, 1, 1, 1]), (10.0, [0.05, 0.1, 0.1, 0.1, 0.1])):
        slept = run(records, Pace(speed))[1]
        assert [round(each, 3) for each in slept[:5]] == waits, "and the hour in which the box was off is passed over"
        assert sum(slept) < 6 / speed
    began = time.monotonic()
    assert run(records, Pace(math.inf))[1] == []
    assert time.monotonic() - began < 1


def test_one_change_for_each_enter(tmp_path: Path) -> None:
    out, slept, count = run(told(tmp_path), Pace(steps=io.StringIO("\n\n")))
    assert (slept, count) == ([], 3)
    assert "Answer 2." in out and "Answer 3." not in out


def test_a_terminal_is_drawn_in_place(tmp_path: Path) -> None:
    out = run(told(tmp_path), Pace(math.inf), terminal=True)[0]
    assert "Question 3?" in out
    assert when(T0 + 3_601_000) in out


def test_a_moment_is_printed_and_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    signals = answered(1, **{"answers.order": ["a1"], "answer.a1.sentence": "Seven\x1b[2J.", "beds.free\x1b": "7\x07"})
    print_state({"t": T0, "known": False, "signals": signals}, Console(file=out, width=100, highlight=False))
    text = out.getvalue()
    assert "Seven" in text and "beds.free" in text and "nothing was recorded just then" in text
    assert "\x1b" not in text and "\x07" not in text
