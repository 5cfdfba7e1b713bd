"""What recording costs, and how long a jump takes: ``python -m benchmarks.recording``.

A stream with as many signals as the demo hospital has takes 100 changes a second, without a recorder and with one for
each of two roles; processor time of the process and its threads is compared. Then moments are looked up at random.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from appliance.bridge.recorder import now_ms
from appliance.bridge.recorders import Recorders, Wanted
from appliance.bridge.recordings import Recordings
from appliance.bridge.stream import Streams
from appliance.types import Signal

SIGNALS = 80
RATE = 100
SECONDS = 30


def value(chance: random.Random) -> object:
    """A value of some 200 bytes, such as a row of an answer has."""
    return {"ward": f"Ward {chance.randrange(9)}", "text": chance.randbytes(60).hex(), "n": chance.randrange(1000)}


async def written(folder: Path, wanted: Wanted) -> tuple[float, int]:
    """Processor seconds for each change, and bytes on disk."""
    streams, chance = Streams(), random.Random(1)
    stream = streams.open("main")
    stream.write("bench", [Signal(f"signal.{n}", value(chance)) for n in range(SIGNALS)])
    recorders = Recorders(streams, folder, wanted, "Bench")
    task = asyncio.create_task(recorders.run())
    await asyncio.sleep(1)
    began, due = time.process_time(), time.monotonic()
    for _ in range(RATE * SECONDS):
        stream.write("bench", [Signal(f"signal.{chance.randrange(SIGNALS)}", value(chance))])
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    spent = time.process_time() - began
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return spent / (RATE * SECONDS), await asyncio.to_thread(recorders.past.total)


def jumps(folder: Path, first: int, last: int) -> list[float]:
    """Milliseconds of jumps to random moments, each with nothing remembered but the indexes."""
    past, chance, took = Recordings(folder), random.Random(2), []
    past.state_at("main", "staff", last)
    for _ in range(300):
        began = time.perf_counter()
        past.state_at("main", "staff", chance.randrange(first, last))
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        off = (await written(Path(name), Wanted((), (), 0, 0)))[0]
        first = now_ms() + 1_500
        on, size = await written(Path(name), Wanted(("main",), ("wall", "staff"), 0, 0))
        took = await asyncio.to_thread(jumps, Path(name), first, now_ms())
    print(f"a change without recording   {off * 1e6:7.0f} µs of processor time")
    print(f"with two recorders           {on * 1e6:7.0f} µs, {(on - off) / 2 * 1e6:.0f} µs more for each")
    print(f"on disk                      {size / (RATE * SECONDS) / 2:7.0f} bytes a change and role")
    print(
        f"a jump                       p50 {statistics.median(took):.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms"
    )


if __name__ == "__main__":
    asyncio.run(main())
