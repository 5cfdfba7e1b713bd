"""What a stream may hold: so many signals, so many bytes each, so many in all.

A stream's whole state goes to receivers as one frame, and they refuse one over their own limit. So what a stream holds
is weighed as the bytes it takes there.

>>> meter = Meter(Limits(signal_bytes=20))
>>> meter.sift([Signal("a", 1), Signal("b", "x" * 50)])
([Signal(name='a', value=1, audience='wall'), Signal(name='b', value=None, audience='wall')], ['b'])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from appliance.errors import ApplianceError
from appliance.observation import Logger
from appliance.types import Signal


class Limits(msgspec.Struct, frozen=True):
    """How much a stream may hold.

    Attributes:
        signals: how many signals.
        signal_bytes: of one signal, its name and value as JSON.
        stream_bytes: of all signals together; must leave room for a frame's own.
    """

    signals: int = 20_000
    signal_bytes: int = 1_048_576
    stream_bytes: int = 4_000_000


class Meter:
    """Keeps count of what one stream holds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sizes: dict[str, int] = {}
        self._bytes = 0

    def sift(self, signals: Iterable[Signal]) -> tuple[list[Signal], list[str]]:
        """What may be written, and the names of what may not.

        A signal that may not becomes its own removal: what a screen shows is true or absent, never left behind.
        """
        fitting, refused = [], []
        for signal in signals:
            size = weight(signal)
            if size and not self._fits(signal.name, size):
                refused.append(signal.name)
                signal, size = Signal(signal.name, None, signal.audience), 0
            self._take(signal.name, size)
            fitting.append(signal)
        return fitting, refused

    def _fits(self, name: str, size: int) -> bool:
        before, limits = self._sizes.get(name, 0), self._limits
        return (
            size <= limits.signal_bytes
            and self._bytes - before + size <= limits.stream_bytes
            and (before > 0 or len(self._sizes) < limits.signals)
        )

    def _take(self, name: str, size: int) -> None:
        self._bytes += size - self._sizes.pop(name, 0)
        if size:
            self._sizes[name] = size


def weight(signal: Signal) -> int:
    """The bytes that a signal takes in a frame; 0 for one that is removed."""
    if signal.value is None:
        return 0
    return len(msgspec.json.encode(signal.name)) + len(msgspec.json.encode(signal.value)) + 2


def over_limit(stream: str, names: list[str]) -> ApplianceError:
    """SIG309 for signals that a stream has no room for."""
    return ApplianceError(
        "SIG309",
        "A stream has no room for these signals.",
        {"stream": stream, "signals": names[:20], "count": len(names)},
        "Send less, or raise stream_signals_limit, signal_bytes_limit or stream_bytes_limit.",
    )


@contextmanager
def telling(log: Logger) -> Iterator[None]:
    """For the box's own sources: signals that a stream has no room for are told in the log, and it goes on."""
    try:
        yield
    except ApplianceError as error:
        if error.code != "SIG309":
            raise
        log.warn("a stream has no room for some signals", **error.details)
