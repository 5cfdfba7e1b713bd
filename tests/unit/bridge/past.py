"""Recordings for tests: segments with known steps, made by the box's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.segment_writer import SegmentWriter, Step
from appliance.bridge.signals import View

T0 = 1_700_000_000_000


def step(view: View, at: int, values: dict[str, Any], *, key: bool = False, opens: bool = False) -> Step:
    """One change of a view as the recorder takes it."""
    before = view.version
    view.write(
        {name: value for name, value in values.items() if value is not None}, [n for n in values if values[n] is None]
    )
    payload, is_sync = view.payload(None if key or opens else before)
    kind = FrameType.SIGNAL_SYNC if is_sync else FrameType.SIGNAL_DIFF
    return Step(at, Frame(kind, payload, KEYFRAME if is_sync else 0), opens)


def counted(folder: Path, count: int = 100, every: int = 10, role: str = "staff", stream: str = "main") -> Path:
    """A finished segment in which `n` counts up by one each 100 ms, a keyframe for each `every` of them."""
    writer, view = SegmentWriter(folder, {"stream": stream, "role": role}, reserve=0), View()
    steps = [step(view, T0 + n * 100, {"n": n, f"x{n % 7}": n}, key=n % every == 0, opens=n == 0) for n in range(count)]
    writer.write(steps)
    path = writer.path
    assert path is not None
    writer.finish(T0 + count * 100)
    return path


def at_count(n: int) -> dict[str, int]:
    """The values of :func:`counted` once `n` is reached."""
    return {"n": n} | {f"x{k % 7}": k for k in range(max(0, n - 6), n + 1)}
