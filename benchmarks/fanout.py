"""One source, a thousand receivers: the bridge beside Mosquitto and NATS, with the same payloads and counts.

Each server runs alone, one after the other, in a process of its own; the receivers are a process of their own, the same
code for all three (:mod:`benchmarks.crowd`). A step counts as arrived when the last receiver has it or a later one.
Then the rate of steps rises until the 99th percentile passes 100 ms or a receiver is without the last step.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from benchmarks import machine
from benchmarks.peers import Server, door, program, running
from benchmarks.report import Measure, Ratio, Result
from benchmarks.throng import Crowd, Run, Source, driven, source, throng

RECEIVERS: Final = 1000
AT_THE_DOOR: Final = 100
SIZE: Final = 200
"""Bytes of a step's JSON."""
ORDER: Final = ("bridge", "mosquitto", "nats")
RAMP: Final = (20, 30, 40, 60, 80, 100, 150, 200, 300)
RAMP_S: Final = 3.0
LIMIT_MS: Final = 100.0


class Found(msgspec.Struct, frozen=True):
    """What one server did: at 1 and at 10 steps a second, and at the highest rate that it sustained."""

    one: Run
    ten: Run
    highest: Run | None


async def run(count: int) -> Result:
    """Measure `count` steps at 10 a second and a tenth of that at 1 a second, then the ramp, for each server.

    Raises:
        PeerFault: Mosquitto or NATS is not installed.
    """
    for wire in ORDER[1:]:
        program(wire)  # before anything takes time
    seconds = min(30.0, max(3.0, count / 10))
    found = {wire: await _measure(wire, seconds) for wire in ORDER}
    straight, through = await _door(seconds)
    one = {wire: Measure(f"{wire}: 1 step a second -> the last of {RECEIVERS}", each.one.delays)
           for wire, each in found.items()}  # fmt: skip
    ten = {wire: Measure(f"{wire}: 10 steps a second", each.ten.delays) for wire, each in found.items()}
    top = {wire: Measure(f"{wire}: deliveries a second, p99 under 100 ms", (_deliveries(each),), "/s")
           for wire, each in found.items()}  # fmt: skip
    return Result(
        "fanout",
        f"one source to {RECEIVERS} receivers, {SIZE} bytes a step",
        (*one.values(), *ten.values(), *top.values(), straight, through),
        (
            *(Ratio(kind["bridge"], kind[peer]) for kind in (one, ten, top) for peer in ORDER[1:] if kind[peer].p(50)),
            Ratio(through, straight),
        ),
        notes=(*(_note(wire, each) for wire, each in found.items()), _machine()),
    )


async def _measure(wire: str, seconds: float) -> Found:
    async with running(wire) as server, source(server) as writer, throng(server, RECEIVERS) as crowd:
        await driven(server, crowd, writer, 5, 2, SIZE)  # warm
        one = await driven(server, crowd, writer, 1, seconds, SIZE)
        ten = await driven(server, crowd, writer, 10, seconds, SIZE)
        return Found(one, ten, await _ramp(server, crowd, writer, ten))


async def _door(seconds: float) -> tuple[Measure, Measure]:
    """The same for fewer receivers, straight from the bridge and through the gateway as browsers get it."""
    found = []
    async with running("bridge") as server, source(server) as writer, door(server) as gate:
        await asyncio.to_thread(writer.drive, 5, 1, SIZE)
        for place in (server, gate):
            async with throng(place, AT_THE_DOOR) as crowd:
                found.append((await driven(place, crowd, writer, 10, seconds, SIZE)).delays)
    return (
        Measure(f"bridge: 10 steps a second, {AT_THE_DOOR} receivers", found[0]),
        Measure("the same through the gateway", found[1]),
    )


async def _ramp(server: Server, crowd: Crowd, writer: Source, ten: Run) -> Run | None:
    best = ten if ten.p(99) < LIMIT_MS else None
    for rate in RAMP if best else ():
        tried = await driven(server, crowd, writer, rate, RAMP_S, SIZE)
        if tried.p(99) >= LIMIT_MS:
            break
        best = tried
    return best


def _deliveries(found: Found) -> float:
    return found.highest.deliveries if found.highest else 0.0


def _note(wire: str, found: Found) -> str:
    top = found.highest
    told = f"{wire}: sustained {top.rate:g} steps a second, {top.told.skipped} merged or dropped" if top else (
        f"{wire}: over {LIMIT_MS:g} ms already at 10 steps a second")  # fmt: skip
    ten = found.ten
    each_us = ten.server_busy * ten.sent / ten.rate / max(1, ten.told.units) * 1e6
    return f"{told}; at 10 a second the server takes {ten.server_busy:.2f} of a core ({each_us:.0f} µs a delivery)"


def _machine() -> str:
    here = machine.look()
    return f"Load at the end {here.load:.1f} on {here.cores} cores" + ("; provisional." if here.busy else ".")
