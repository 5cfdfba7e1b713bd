"""The bridge for many minutes among receivers that behave and receivers that do not.

A source writes all the time. Some receivers stay; others join and leave; some never read; some send garbage, announce
frames of gigabytes, or stop in the middle; once there is a flood of connections up to the limit. At the end every
receiver that stayed must have the source's last state, value for value, and the bridge's memory must not have grown.

    python -m benchmarks --only soak --minutes 20
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from appliance.bridge import Frame, FrameType, encode
from benchmarks.arrivals import slope
from benchmarks.crowd import open_road
from benchmarks.peers import Server, running
from benchmarks.report import Measure, Result
from benchmarks.stayer import Stayer
from benchmarks.throng import Source, source
from benchmarks.wires import Bitstream, masked

STAYING: Final = 40
LEAVING: Final = 10
DEAF: Final = 10
RATE: Final = 10.0
NAMES: Final = 50
PIECE_S: Final = 5.0
FLOOD_TO: Final = 2000
"""The bridge's setting ``receivers_limit``, unless told otherwise."""
SETTLE_S: Final = 15.0
KIB: Final = 1024.0
Deed = Callable[[Server], None]


class Lost(Exception):
    """A receiver that behaved ends without the final state."""


async def run(count: int, minutes: float = 1.0, flood_to: int = FLOOD_TO) -> Result:
    """Soak the bridge for so many minutes; `count` is not used.

    Raises:
        Lost: a receiver that stayed has not the source's last state.
    """
    del count
    async with running("bridge") as server, source(server) as writer:
        await asyncio.to_thread(writer.drive, 5, 1, 0, state_of)
        stayers = [Stayer(server) for _ in range(STAYING)]
        staying = [asyncio.create_task(each.run()) for each in stayers]
        done: Counter[str] = Counter()
        others = [asyncio.create_task(work) for work in _others(server, done, flood_to)]
        rss: list[tuple[float, float]] = []
        others.append(asyncio.create_task(_watch(server, rss)))
        last = await _write(writer, minutes)
        await _stop(others)
        wrong = await _wrong(stayers, last)
        await _stop(staying)
    if wrong:
        raise Lost(f"{wrong} of {STAYING} receivers that stayed are without the final state.")
    return _result(minutes, rss, done, sum(each.syncs for each in stayers))


def state_of(step: int, _: int = 0) -> bytes:
    """A step that changes one of many signals, so that the whole state has to be kept to be right."""
    return msgspec.json.encode({"n": step, f"signal.{step % NAMES}": f"value {step}"})


def final_state(step: int) -> dict[str, Any]:
    """What a receiver must have after this step."""
    begin = max(1, step - NAMES + 1)
    return {"n": step} | {f"signal.{each % NAMES}": f"value {each}" for each in range(begin, step + 1)}


async def _write(writer: Source, minutes: float) -> int:
    until, last = time.monotonic() + minutes * 60, 0
    while time.monotonic() < until:
        seconds = min(PIECE_S, max(1 / RATE, until - time.monotonic()))
        last = max(await asyncio.to_thread(writer.drive, RATE, seconds, 0, state_of))
    return last


async def _wrong(stayers: list[Stayer], last: int) -> int:
    wanted = final_state(last)
    for _ in range(round(SETTLE_S * 10)):
        if all(each.values == wanted for each in stayers):
            return 0
        await asyncio.sleep(0.1)
    return sum(each.values != wanted for each in stayers)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def _others(server: Server, done: Counter[str], flood_to: int) -> list[Coroutine[Any, Any, None]]:
    return [
        *(_leaves(server, done) for _ in range(LEAVING)),
        *(_again(server, done, deed, 1.0) for deed in (garbage, huge, half, big_message)),
        *(_again(server, done, deaf, 0.5) for _ in range(DEAF)),
        _flood(server, done, flood_to),
    ]


async def _leaves(server: Server, done: Counter[str]) -> None:
    """Join, stay a moment, and leave: mostly without a word."""
    while True:
        stayer = Stayer(server)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.2, 4)):
                await stayer.run()
        done["joined and left"] += 1


async def _again(server: Server, done: Counter[str], deed: Deed, pause_s: float) -> None:
    while True:
        with contextlib.suppress(OSError):  # the bridge may close first, and should
            await asyncio.to_thread(deed, server)
        done[deed.__name__.replace("_", " ")] += 1
        await asyncio.sleep(pause_s)


async def _flood(server: Server, done: Counter[str], most: int) -> None:
    """Once, in the beginning: as many connections as the bridge takes, and some more."""
    roads = []
    try:
        for _ in range(most + 20):
            roads.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            roads[-1].sendall(Bitstream().greeting("127.0.0.1", server.token, source=False)[0][0])
            done["flooded"] += 1
            await asyncio.sleep(0)
        await asyncio.sleep(3)
    finally:
        for road in roads:
            road.close()


def garbage(server: Server) -> None:
    """Bytes that are no frames."""
    road, _ = open_road(Bitstream(), server.port, server.token)
    with road:
        road.sendall(masked(random.randbytes(random.randint(1, 4000))))
        _until_closed(road)


def huge(server: Server) -> None:
    """A frame that says it has two gigabytes."""
    road, _ = open_road(Bitstream(), server.port, server.token)
    with road:
        road.sendall(masked(encode(Frame(FrameType.CONTROL))[:12] + (2**31 - 1).to_bytes(4, "little")))
        _until_closed(road)


def half(server: Server) -> None:
    """Half a frame, and then nothing."""
    road, _ = open_road(Bitstream(), server.port, server.token)
    with road:
        road.sendall(masked(encode(Frame(FrameType.CONTROL, b'{"type":"ping"}'))[:20]))
        time.sleep(2)


def big_message(server: Server) -> None:
    """The beginning of a WebSocket message of a terabyte."""
    road, _ = open_road(Bitstream(), server.port, server.token)
    with road:
        road.sendall(b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4) + random.randbytes(1000))
        _until_closed(road)


def deaf(server: Server) -> None:
    """A receiver that shows it is there and never reads."""
    wire = Bitstream()
    road, _ = open_road(wire, server.port, server.token)
    with road:
        for _ in range(random.randint(2, 12)):
            time.sleep(1)
            road.sendall(wire.alive())


def _until_closed(road: socket.socket) -> None:
    road.settimeout(1)
    while road.recv(65_536):
        pass


async def _watch(server: Server, rss: list[tuple[float, float]]) -> None:
    began = time.monotonic()
    while True:
        rss.append(((time.monotonic() - began) / 60, server.rss() / KIB))
        await asyncio.sleep(1)


def _result(minutes: float, rss: list[tuple[float, float]], done: Counter[str], syncs: int) -> Result:
    later = rss[len(rss) // 2 :]
    return Result(
        "soak",
        f"{minutes:g} minutes among receivers that behave and that do not",
        (
            Measure("memory of the bridge, second half", tuple(size for _, size in later), "KiB"),
            Measure("its slope, second half", (slope(later),), "KiB/min"),
        ),
        (),
        notes=(
            f"{STAYING} receivers stayed; all have the source's final state, after {syncs} whole states.",
            ", ".join(f"{what}: {times}" for what, times in sorted(done.items())) + ".",
        ),
    )
