"""When steps arrived at many receivers, and what follows from that.

A receiver that gets step 9 after step 6 has the states of 7 and 8 too: steps are signals, and the newest counts.
So each step is counted once for each receiver, when that step or a later one arrived.

    >>> arrivals = Arrivals(2)
    >>> arrivals.got(0, 1, 100); arrivals.got(1, 2, 150)
    >>> arrivals.complete()
    {1: 150}
    >>> arrivals.got(0, 2, 180); arrivals.complete()
    {1: 150, 2: 180}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class Arrivals:
    """What a crowd of receivers has; steps count from 1, times are nanoseconds of one clock.

    Attributes:
        units: news that arrived, at all receivers together.
        skipped: steps that receivers never saw, because a later one came instead.
    """

    def __init__(self, receivers: int) -> None:
        self.units = 0
        self.skipped = 0
        self._newest = [0] * receivers
        self._have: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def got(self, receiver: int, step: int, at: int) -> None:
        """A receiver got this step."""
        self.units += 1
        before = self._newest[receiver]
        if step <= before:
            return
        self._newest[receiver] = step
        self.skipped += step - before - 1 if before else 0
        have, last = self._have, self._last
        for each in range(before + 1, step + 1):
            have[each] = have.get(each, 0) + 1
            last[each] = at

    def complete(self) -> dict[int, int]:
        """For each step that all receivers have: when the last one had it."""
        everybody = len(self._newest)
        return {step: self._last[step] for step, have in sorted(self._have.items()) if have == everybody}

    def lacking(self, step: int) -> int:
        """How many receivers do not have this step."""
        return sum(newest < step for newest in self._newest)

    def all_have(self, step: int) -> bool:
        """Whether every receiver has this step."""
        return step < 1 or self._have.get(step, 0) == len(self._newest)


class Told(msgspec.Struct, frozen=True):
    """What a crowd reports.

    Attributes:
        last: for each step that all have, when the last receiver had it, in nanoseconds.
        units, skipped: as :class:`Arrivals` counts them.
        missing: receivers that do not have the last step.
        busy_s: seconds of processor the crowd took.
    """

    last: dict[int, int]
    units: int
    skipped: int
    missing: int
    busy_s: float


def delays_ms(sent: Mapping[int, int], last: Mapping[int, int]) -> list[float]:
    """Milliseconds from each step's writing to its arrival at the last receiver; a step that never did is left out."""
    return [(last[step] - at) / 1e6 for step, at in sent.items() if step in last]


def slope(points: Iterable[tuple[float, float]]) -> float:
    """The slope of the straight line that fits the points best; 0 for fewer than two."""
    found = list(points)
    if len(found) < 2:
        return 0.0
    middle_x = sum(x for x, _ in found) / len(found)
    middle_y = sum(y for _, y in found) / len(found)
    spread = sum((x - middle_x) ** 2 for x, _ in found)
    return sum((x - middle_x) * (y - middle_y) for x, y in found) / spread if spread else 0.0
