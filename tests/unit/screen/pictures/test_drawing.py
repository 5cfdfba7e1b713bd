"""Pictures: the right bytes at any size, and what matters most is there to be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.screen.pictures import Moment, Shape, draw, read_look
from appliance.screen.pictures.drawing import Colors
from tests.unit.screen.pictures.hospital import alert, answer, beds, signals

Pixels = npt.NDArray[np.uint8]
PAPER = Shape(800, 480, "bw")
LAMPS = Shape(64, 32)
RED = (179, 22, 27)
AFTERNOON = Moment(clock="14:03")


def seen(values: dict[str, Any], shape: Shape, moment: Moment = AFTERNOON) -> Pixels:
    raw = draw(read_look(values, moment), shape)
    return np.frombuffer(raw, np.uint8).reshape(shape.height, shape.width, 4)


def has(picture: Pixels, color: tuple[int, int, int]) -> int:
    """How many pixels have this color."""
    return int((picture[..., :3] == color).all(-1).sum())


@pytest.mark.parametrize("colors", ["full", "gray", "bw"])
@pytest.mark.parametrize(
    "size", [(8, 8), (32, 16), (64, 32), (128, 64), (250, 122), (122, 250), (400, 300), (800, 480)]
)
@pytest.mark.parametrize("first", ["beds", "wards", "clean"])
def test_every_size_is_filled_with_opaque_pixels_of_its_colors(
    size: tuple[int, int], colors: Colors, first: str
) -> None:
    there = signals(first, "beds", "wards", "clean") | alert("a", "Few free beds in intensive care: 1")
    picture = seen(there, Shape(*size, colors))
    assert (picture[..., 3] == 255).all()
    if colors != "full":
        assert (picture[..., 0] == picture[..., 1]).all()
        assert (picture[..., 0] == picture[..., 2]).all()
    if colors == "bw":
        assert set(np.unique(picture[..., 0])) <= {0, 255}
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 1


@pytest.mark.parametrize("shape", [LAMPS, PAPER, Shape(250, 122, "bw"), Shape(480, 800), Shape(1280, 800)])
def test_another_number_is_another_picture_and_the_same_one_the_same(shape: Shape) -> None:
    assert (seen(signals(), shape) == seen(signals(), shape)).all()
    other = signals() | beds(free=25)
    assert (seen(signals(), shape) != seen(other, shape)).any()


def test_the_number_fills_a_panel() -> None:
    lit = (seen(signals("beds"), LAMPS)[..., :3] == (255, 255, 255)).all(-1)
    rows = np.flatnonzero(lit.any(1))
    assert rows[-1] - rows[0] + 1 >= 20


def test_an_alert_is_on_top_of_every_size() -> None:
    there = signals() | alert("a", "Critical: potassium 7.1 in bed C-04")
    assert has(seen(there, LAMPS)[:7], (200, 0, 10)) > 64 * 3
    assert has(seen(there, Shape(1280, 800))[:240], RED) > 20_000
    assert has(seen(signals(), Shape(1280, 800)), RED) == 0
    paper, calm = seen(there, PAPER)[60:105], seen(signals(), PAPER)[60:105]
    assert (paper[..., 0] == 0).mean() > 0.6 > 0.3 > (calm[..., 0] == 0).mean()


def test_many_alerts_leave_room_for_the_answer() -> None:
    there = signals("beds")
    for n in range(9):
        there |= alert(str(n), f"Alert {n} " + "which is long " * 9)
    for shape in (PAPER, Shape(250, 122, "bw"), LAMPS):
        assert (seen(there, shape) != seen(there | beds(free=31), shape)).any()


def test_what_is_not_kept_up_can_be_told_from_the_picture_alone() -> None:
    away = Moment(away="13:40")
    panel = seen(signals("beds"), LAMPS, away)
    assert has(panel, (255, 170, 0)) > 100
    assert has(panel, (255, 255, 255)) == 0
    assert has(seen(signals(), Shape(800, 480), away), (255, 226, 150)) > 5_000
    for shape in (PAPER, Shape(32, 16, "bw")):
        assert (seen(signals("beds"), shape, away) != seen(signals("beds"), shape, Moment())).any()


def test_the_clock_is_there_only_when_asked_for() -> None:
    assert (seen(signals(), PAPER, Moment(clock="14:04")) != seen(signals(), PAPER)).any()


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=300), st.text(max_size=60), st.integers(8, 300), st.integers(8, 300),
    st.sampled_from(["number", "bars", "line", "table", "text"]),
)  # fmt: skip
def test_no_text_and_no_size_makes_it_fail(sentence: str, name: str, width: int, height: int, kind: str) -> None:
    rows = [{"a": f"2026-11-{n + 1:02}" if kind == "line" else name, "b": n} for n in range(14)]
    view = {"kind": kind, "value": name if kind == "number" else "b", "label": "a"}
    there = signals("x", "beds") | answer("x", name, sentence, view, rows=rows) | alert("a", sentence)
    there["box.facility"] = name
    assert len(draw(read_look(there, Moment()), Shape(width, height))) == width * height * 4
