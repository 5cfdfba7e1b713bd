"""What a receiver costs the bridge in memory: one that only waits, and one that never reads.

Of each the difference of the process's resident memory over many. A receiver that never reads says that it is there,
and the source writes much more than the roads can hold; what the kernel keeps for it is counted beside. The same is
done to Mosquitto and NATS.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.fanout import ORDER
from benchmarks.peers import Server, program, running
from benchmarks.report import Measure, Ratio, Result
from benchmarks.throng import source, throng

IDLE: Final = 1000
DEAF: Final = 200
SIZE: Final = 32_768
RATE: Final = 40
SECONDS: Final = 12.0
KIB: Final = 1024.0


class Cost(msgspec.Struct, frozen=True):
    """KiB a receiver: idle, deaf, and what the kernel keeps for a deaf one."""

    idle: float
    deaf: float
    kernel: float


async def run(count: int) -> Result:
    """Measure once for each server; `count` is not used.

    Raises:
        PeerFault: Mosquitto or NATS is not installed.
    """
    del count
    for wire in ORDER[1:]:
        program(wire)
    found = {wire: await _measure(wire) for wire in ORDER}
    lines: dict[str, dict[str, Measure]] = {
        what: {wire: Measure(f"{wire}: {words}", (getattr(cost, what),), "KiB") for wire, cost in found.items()}
        for what, words in (("idle", f"each of {IDLE} that wait"), ("deaf", f"each of {DEAF} that never read"),
                            ("kernel", "the kernel, for each of those"))
    }  # fmt: skip
    total = SIZE * RATE * SECONDS / 1e6
    return Result(
        "footprint",
        "memory of the server for each receiver",
        tuple(measure for line in lines.values() for measure in line.values()),
        tuple(Ratio(line["bridge"], line[peer]) for line in (lines["idle"],) for peer in ORDER[1:]),
        notes=(
            f"Those that never read were sent {total:.0f} MB each, in steps of {SIZE // 1024} KiB, {RATE} a second.",
            "The bridge keeps one frame for each at most, in 256 KiB of the kernel and the rest of it in the process.",
        ),
    )


async def _measure(wire: str) -> Cost:
    async with running(wire) as server, source(server) as writer:
        await asyncio.to_thread(writer.drive, 20, 1, SIZE)
        idle = await _grown(server, IDLE)
        before, kernel = server.rss(), kernel_bytes()
        async with throng(server, DEAF, deaf=True):
            await asyncio.to_thread(writer.drive, RATE, SECONDS, SIZE)
            return Cost(idle, (server.rss() - before) / DEAF / KIB, max(0, kernel_bytes() - kernel) / DEAF / KIB)


async def _grown(server: Server, count: int) -> float:
    before = server.rss()
    async with throng(server, count):
        await asyncio.sleep(3)
        return (server.rss() - before) / count / KIB


def kernel_bytes(told: str | None = None) -> int:
    """Bytes that the kernel holds for all TCP sockets of this machine, both ends."""
    lines = (told or Path("/proc/net/sockstat").read_text()).splitlines()
    words = next(line for line in lines if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
