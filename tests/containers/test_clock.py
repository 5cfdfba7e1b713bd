"""The machine's clock jumps a day ahead, and back, while the box runs: it stays well, answers and keeps its order.

PostgREST is a static program, which libfaketime cannot reach: its clock stays. That is harder than life: the gateway
signs its tokens for it on another day. The model's process knows no day, and is many times slower under libfaketime.
"""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.box import ROOT, environment
from tests.containers.screens import room
from tests.containers.stack import Stack

OVERLAY = Path(__file__).with_name("clock.yaml")
DAY = timedelta(days=1)
BASES = {"postgres": ("postgres:17", "999:999"), "appliance": ("dreamstack/appliance", "10001:10001")}


def build() -> None:
    """The two images that a clock can be moved in."""
    for name, (base, owner) in BASES.items():
        tag, file = f"dreamstack-test/{name}:clock", str(OVERLAY.with_suffix(".Dockerfile"))
        arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"OWNER={owner}"]
        words = ["docker", "build", "-q", "-t", tag, "-f", file, *arguments, "."]
        done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def clock_of(stack: Stack, part: str) -> datetime:
    """What a part takes the time to be."""
    words = ["python3", "-c", "import time; print(time.time())"] if part != "postgres" else ["date", "+%s.%N"]
    return datetime.fromtimestamp(float(stack.container(part).exec_run(words).output))


def shows(text: str, now: dict[str, Any]) -> bool:
    """Whether a screen is live and has this on it."""
    return now["state"] == "live" and text in json.dumps(now["signals"])


def test_a_clock_that_jumps_a_day_ahead_and_back(images: None, folder: Path) -> None:
    build()
    clock = folder / "clock"
    clock.mkdir(parents=True)
    (clock / "now").write_text("+0\n")
    with Stack(folder, OVERLAY, CLOCK_FOLDER=str(clock)) as stack:
        stack.start()
        stack.told("POST", "/flex/events", [{"what": "first"}])
        stack.settled("How many events are there?", 1)
        with room(stack) as there, there.screen("staff") as screen:
            screen.until(lambda now: now["state"] == "live")
            for number, (offset, moved) in enumerate((("+1d", DAY), ("+0", timedelta(0))), 2):
                (clock / "now").write_text(f"{offset}\n")
                for part in ("gateway", "pgflex", "postgres"):
                    away = clock_of(stack, part) - datetime.now()
                    assert abs(away - moved) < timedelta(minutes=1), f"{part}: {away}"
                time.sleep(3)  # checks, rules and signatures meet the new time
                stack.wait_well(30)
                stack.told("POST", "/flex/events", [{"what": f"number {number}"}])
                stack.settled("How many events are there?", number)
                screen.until(partial(shows, f"{number} events"))
                token = stack.told("POST", "/api/tokens", {"role": "staff", "ttl_s": 60})["token"]
                bearer = {"Authorization": f"Bearer {token}"}
                assert len(stack.told("GET", "/rest/events?select=what", **bearer)) == number
        log = stack.run("logs", "--no-color").stdout
        assert "Traceback" not in log and "unforeseen" not in log, log[-3000:]
