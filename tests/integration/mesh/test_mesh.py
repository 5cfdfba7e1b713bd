"""The mesh on two networks of network namespaces: box and six screens, links that are cut, lossy, and asleep.

The figures are printed (``pytest -s``). ``MESH_ASLEEP_S=60`` has the screen sleep for the full minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[3]
ASLEEP_S = os.environ.get("MESH_ASLEEP_S", "8")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What was seen, by step."""
    folder = tmp_path_factory.mktemp("mesh")
    who = "-nmpf" if os.geteuid() == 0 else "-rnmpf"
    command = [
        "unshare",
        who,
        "--mount-proc",
        "--kill-child",
        sys.executable,
        "-m",
        "tests.integration.mesh.scenario",
        str(folder),
        ASLEEP_S,
    ]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environ = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400)
    print(done.stdout)
    assert done.returncode == 0, f"the networks cannot be made here, or the mesh failed:\n{done.stderr}\n{done.stdout}"
    return {told["step"]: told for told in map(json.loads, done.stdout.splitlines())}


CONVERGED = (
    "all joined",
    "after the cut and the sleep",
    "after the box came back",
    "after the box's address changed",
    "after a screen's address changed",
    "after a relay's address changed",
)


@pytest.mark.parametrize("step", CONVERGED)
def test_all_six_come_to_the_same_picture(found: dict[str, dict[str, Any]], step: str) -> None:
    assert found[step]["pictures"] == 1
    assert found[step]["v"] > 0
    assert found[step]["converged_s"] < 60


def test_the_ward_hangs_on_the_box_over_screens(found: dict[str, dict[str, Any]]) -> None:
    via = found["all joined"]["via"]
    assert (via["door"], via["near"], via["lossy"], via["inner"]) == ("box", "box", "box", "door")
    assert via["sleeper"] == "inner"
    assert via["finder"] in ("door", "inner")


def test_the_box_sends_a_frame_once_for_the_whole_ward(found: dict[str, dict[str, Any]]) -> None:
    rates = found["ten writes a second: bytes/s received, sent"]
    ward = sum(rates[f"{name}-ward"][0] for name in ("inner", "sleeper", "finder"))
    assert rates["door-lan"][0] < 0.75 * ward, "what three screens see comes over one line"
    assert rates["box-lan"][1] < 1.5 * sum(rates[f"{name}-lan"][0] for name in ("door", "near", "lossy"))


def test_a_room_keeps_its_picture_while_the_box_is_away(found: dict[str, dict[str, Any]]) -> None:
    kept = found["box away"]["kept"]
    assert {name: told[:2] for name, told in kept.items()} == {name: ["away", True] for name in kept}
    assert all(1 < age < 60 for _, _, age in kept.values())
    assert found["after the box came back"]["e"] != found["all joined"]["e"]


def test_a_question_comes_from_the_innermost_screen(found: dict[str, dict[str, Any]]) -> None:
    assert found["asked over two relays"]["took_s"] < 5
