"""Last writer wins: what becomes of a name that several screens write, whatever the order their writes arrive in.

A write says which version of the stream its screen had seen. The write based on the higher version wins; of two that
saw the same, the one of the higher source id; of two by one source, its later one. A set of writes therefore has one
outcome: the maximum of each name (a last-writer-wins register: Shapiro et al., 2011, specification 8).

>>> tablet, phone = Write(41, "tablet", 1, 0.7), Write(41, "phone", 9, 0.2)
>>> merge({"set.staff.lamp": tablet}, {"set.staff.lamp": phone}) == {"set.staff.lamp": tablet}
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Write(msgspec.Struct, frozen=True):
    """One screen's write of one name.

    Attributes:
        version: the version of the stream that the screen had seen.
        source: the screen's id.
        n: counts the writes of the source, so that its own later write wins.
        value: any JSON; None removes the signal.
    """

    version: int
    source: str
    n: int
    value: Any

    def key(self) -> tuple[int, str, int, bytes]:
        """What decides. The value is last, so that even one source's two writes of the same `n` have an order."""
        return self.version, self.source, self.n, msgspec.json.encode(self.value, order="sorted")


Writes = Mapping[str, Write]


def merge(one: Writes, other: Writes) -> dict[str, Write]:
    """The writes that stand: for each name the one with the higher key.

    Associative, commutative, and the same however often a write is told.
    """
    merged = dict(one)
    for name, write in other.items():
        if name not in merged or write.key() > merged[name].key():
            merged[name] = write
    return merged
