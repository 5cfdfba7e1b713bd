"""Frames and fan-out, in one process and without a network.

A change of about 1 KB is made into a frame and read again, beside plain JSON text of the same values. Then one
stream feeds 100 screens over in-memory roads, beside 100 bare queues that get the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from appliance.bridge import Frame, FrameType, Member, Session, Stream, Streams, control, decode, encode
from appliance.bridge.transports.memory import MemoryConnection, pair
from appliance.types import Signal
from benchmarks.report import Measure, Ratio, Result

RECEIVERS = 100
REPEATS = 200
Values = dict[str, Any]


async def run(count: int) -> Result:
    """Measure `count` times: a batch of frames each, a change to all receivers each."""
    values = sample()
    framed = Measure("a frame of 1 KB, made and read", tuple(timed(lambda: frame_trip(values), count)), "µs")
    text = Measure("the same values as JSON text (json)", tuple(timed(lambda: json_trip(values), count)), "µs")
    spread = Measure(f"one change to {RECEIVERS} screens in memory", tuple(await fan_out(count)))
    queued = Measure(f"the same bytes through {RECEIVERS} bare queues", tuple(await bare_queues(count)))
    a_second = RECEIVERS / spread.p(50) * 1000
    size = len(msgspec.json.encode(values))
    return Result(
        "frames",
        "frames and fan-out, in memory",
        (framed, text, spread, queued),
        (Ratio(framed, text), Ratio(spread, queued)),
        notes=(
            f"The change is {size} bytes of JSON. To {RECEIVERS} screens it makes {a_second:,.0f} frames a second.",
        ),
    )


def sample() -> Values:
    """The signals of an answer that was read anew: about 1 KB of JSON."""
    rows = [{"id": row, "bed": f"C-{row:02}", "ward": "Cardiology", "status": "free", "floor": 2} for row in range(12)]
    return {
        "answer.a1b2c3d4.rows": rows, "answer.a1b2c3d4.row_count": len(rows),
        "answer.a1b2c3d4.sentence": "12 beds are free in Cardiology.",
        "answer.a1b2c3d4.view": {"kind": "number", "value": len(rows), "label": "beds"},
        "$": {"e": "9f3c1a2b", "b": 41, "v": 42},
    }  # fmt: skip


def frame_trip(values: Values) -> Values:
    """Values to bytes to values, as the bridge and a screen do it."""
    return decode(encode(Frame(FrameType.SIGNAL_DIFF, msgspec.json.encode(values), timestamp=1))).json()


def json_trip(values: Values) -> Values:
    """The same with the standard library's JSON and no frame."""
    read: Values = json.loads(json.dumps(values).encode())
    return read


def timed(trip: Callable[[], object], count: int) -> list[float]:
    """Microseconds of one trip, the mean of a batch, `count` times."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        for _ in range(REPEATS):
            trip()
        found.append((time.perf_counter() - began) / REPEATS * 1e6)
    return found


async def fan_out(count: int) -> list[float]:
    """Milliseconds from a change of the stream until all receivers have read its frame."""
    found, values = [], sample()
    del values["$"]
    async with receivers() as (stream, screens):
        for step in range(count):
            signals = [Signal(name, value) for name, value in (values | {"step": step}).items()]
            began = time.perf_counter()
            stream.write("bench", signals)
            await asyncio.gather(*(screen.receive() for screen in screens))
            found.append((time.perf_counter() - began) * 1000)
    return found


@asynccontextmanager
async def receivers() -> AsyncIterator[tuple[Stream, list[MemoryConnection]]]:
    """A stream and the far ends of the sessions that it feeds, all subscribed."""
    streams = Streams()
    stream = streams.open("main")
    roads = [pair() for _ in range(RECEIVERS)]
    member = Member("bench", "staff")
    sessions = [
        asyncio.create_task(Session(box, streams, "bench", lambda _, __: None, member).run()) for box, _ in roads
    ]
    screens = [screen for _, screen in roads]
    try:
        await asyncio.gather(*(_subscribe(screen) for screen in screens))
        yield stream, screens
    finally:
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


async def _subscribe(screen: MemoryConnection) -> None:
    await screen.send(encode(control("subscribe", stream="main")))
    while True:
        frame = await screen.receive()
        if frame.type == FrameType.CONTROL and frame.json().get("type") == "subscribed":
            return


async def bare_queues(count: int) -> list[float]:
    """Milliseconds until the same bytes have gone through as many queues, each read by a waiting task."""
    raw = encode(Frame(FrameType.SIGNAL_DIFF, msgspec.json.encode(sample())))
    queues: list[asyncio.Queue[bytes]] = [asyncio.Queue() for _ in range(RECEIVERS)]
    found = []
    for _ in range(count):
        began = time.perf_counter()
        readers = [asyncio.create_task(queue.get()) for queue in queues]
        await asyncio.sleep(0)
        for queue in queues:
            queue.put_nowait(raw)
        await asyncio.gather(*readers)
        found.append((time.perf_counter() - began) * 1000)
    return found
