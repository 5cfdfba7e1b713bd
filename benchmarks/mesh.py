"""What signing costs, and how the mesh does on two networks.

Frames of 200 bytes, 1 KB and 50 KB are signed and checked, beside a SHA-512 of the same bytes. Then the networks of
``tests/integration/mesh`` are made, of namespaces of this machine: a box and six screens, with one link cut, one
lossy (5 %, 50 ms each way), one screen asleep for a minute, the box killed and restarted, and addresses that change.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.mesh import seal
from appliance.bridge.mesh.seal import Place
from benchmarks.report import Measure, Ratio, Result

ROOT = Path(__file__).resolve().parents[1]
SIZES = (200, 1000, 50_000)
REPEATS = 20
ASLEEP_S = 60
WALL = Place("main", "wall")


async def run(count: int) -> Result:
    """Sign and check `count` batches of frames of each size; run the networks once."""
    with tempfile.TemporaryDirectory() as folder:
        box = await asyncio.to_thread(load_or_create, Path(folder) / "iroh.key")
        measures = [measure for size in SIZES for measure in _sizes(box, size, count)]
        steps = await networks(Path(folder), ASLEEP_S)
    waits = [step for step in steps if "converged_s" in step]
    measures += [Measure(f"{step['step']}: all six alike", (step["converged_s"],), "s") for step in waits]
    ratios = tuple(Ratio(measures[at], measures[at + 2]) for at in range(0, 3 * len(SIZES), 3))
    return Result(
        "mesh", "signed frames, and screens behind screens", tuple(measures), ratios, notes=tuple(_notes(steps))
    )


def _sizes(box: Identity, size: int, count: int) -> list[Measure]:
    frame = Frame(FrameType.SIGNAL_DIFF, secrets.token_bytes(size))
    given = seal.seal(box, WALL, frame, 1, 1)
    return [
        Measure(f"sign {size} bytes", _timed(lambda: seal.seal(box, WALL, frame, 1, 1), count), "µs"),
        Measure(f"check {size} bytes", _timed(lambda: seal.check(box.endpoint_id, WALL, frame, given), count), "µs"),
        Measure(f"SHA-512 of {size} bytes", _timed(lambda: hashlib.sha512(frame.payload).digest(), count), "µs"),
    ]


def _timed(work: Callable[[], Any], count: int) -> tuple[float, ...]:
    found = []
    for _ in range(count):
        began = time.perf_counter()
        for _ in range(REPEATS):
            work()
        found.append((time.perf_counter() - began) / REPEATS * 1e6)
    return tuple(found)


async def networks(folder: Path, asleep_s: float) -> list[dict[str, Any]]:
    """What was seen on the two networks, step by step.

    Raises:
        RuntimeError: namespaces cannot be made here, or the screens did not come together.
    """
    who = "-nmpf" if os.geteuid() == 0 else "-rnmpf"
    command = [
        who,
        "--mount-proc",
        "--kill-child",
        sys.executable,
        "-m",
        "tests.integration.mesh.scenario",
        str(folder / "mesh"),
        str(asleep_s),
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec("unshare", *command, cwd=ROOT, env=environ, stdout=pipe, stderr=pipe)
    out, err = await running.communicate()
    if running.returncode != 0:
        raise RuntimeError(err.decode()[-2000:])
    return [json.loads(line) for line in out.decode().splitlines()]


def _notes(steps: list[dict[str, Any]]) -> list[str]:
    found = {step["step"]: step for step in steps}
    rates = found["ten writes a second: bytes/s received, sent"]
    away, cut = found["box away"], found["cut and asleep"]
    return [
        f"Ten writes a second: the box sends {rates['box-lan'][1]:,} bytes/s for six screens, a plain screen receives "
        f"{rates['near-lan'][0]:,}, one behind a relay {rates['sleeper-ward'][0]:,}.",
        f"Asleep and cut off for {cut['seconds']:.0f} s. The box's death was noticed in {away['noticed_s']} s; a "
        f"screen that came meanwhile had the room's picture in {away['newcomer_s']} s.",
    ]
