"""From one view of a stream to all who read it: a step is made into bytes once, and written to each without a task.

A :class:`Parcel` is a frame before it has a number: all of it is the same for all receivers at the same version,
but the two bytes of `seq`, which count the frames of one connection. A :class:`Fanout` offers every step to its
readers, some at a time, so that what comes in meanwhile is heard. A reader whose road is free takes it at once.
Another is told, comes for it when its road is free again, and finds everything since as one.

    >>> parcel = Parcel(FrameType.SIGNAL_DIFF, b'{"beds.free":7}', 0, 41)
    >>> parcel.frame(7) == encode(Frame(FrameType.SIGNAL_DIFF, b'{"beds.free":7}', seq=7, timestamp=41))
    True
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from appliance.bridge.frame import KEYFRAME, Frame, FrameType, encode
from appliance.bridge.signals import View

WHOLE: Final = 16_384
"""Up to so many bytes a frame is copied for each receiver, so that it goes out in one piece; a larger one is shared."""
SLICE: Final = 1000
"""Readers that are served before the event loop goes on."""


class Parcel:
    """A frame for many connections.

    Args:
        kind, payload, flags, timestamp: as in :class:`~appliance.bridge.frame.Frame`.

    Attributes:
        size: bytes of the whole frame.
        before: what the transport puts before a frame of this size, kept here so that it is made once.
    """

    __slots__ = ("_begin", "_rest", "before", "size")

    def __init__(self, kind: int, payload: bytes, flags: int, timestamp: int) -> None:
        raw = encode(Frame(kind, payload, flags, timestamp=timestamp))
        self._begin, self._rest = raw[:2], raw[4:]
        self.size = len(raw)
        self.before: bytes | None = None

    def frame(self, seq: int) -> bytes:
        """The frame with this number."""
        return b"".join((self._begin, seq.to_bytes(2, "little"), self._rest))

    def pieces(self, seq: int) -> tuple[bytes, ...]:
        """What to write, one after the other, for the frame with this number, and before it `before`."""
        head = (self.before or b"") + self._begin + seq.to_bytes(2, "little")
        return (head + self._rest,) if self.size <= WHOLE else (head, self._rest)


class Fanout:
    """Offers each step of a view to all who read it.

    Args:
        view: what they read.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._readers: dict[asyncio.Event, Callable[[Fanout], bool]] = {}
        self._parcels: dict[int, Parcel] = {}
        self._made_for = -1  # the version that the parcels lead to
        self._left: deque[asyncio.Event] = deque()
        self._running = False

    def __len__(self) -> int:
        return len(self._readers)

    @contextmanager
    def reader(self, take: Callable[[Fanout], bool]) -> Iterator[asyncio.Event]:
        """Be offered every step from now on; gives the event that is set when there is something to come for.

        Args:
            take: called with this fan-out at each step. Sends the newest if that needs no waiting, and returns
                whether it did; where it did not, the event is set.
        """
        behind = asyncio.Event()
        self._readers[behind] = take
        try:
            yield behind
        finally:
            del self._readers[behind]

    def changed(self) -> None:
        """The view has a new version: offer it to all, once the event loop has done what it is at."""
        if not self._readers:
            return
        self._left = deque(self._readers)  # who was not served yet gets both steps as one
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._serve)

    def parcel(self, version: int | None) -> Parcel:
        """What brings a reader at `version` up to date; made once for all who are there."""
        if self._made_for != self.view.version:
            self._made_for = self.view.version
            self._parcels.clear()
        key = -1 if version is None else version
        if key not in self._parcels:
            payload, is_sync = self.view.payload(version)
            kind = FrameType.SIGNAL_SYNC if is_sync else FrameType.SIGNAL_DIFF
            self._parcels[key] = Parcel(kind, payload, KEYFRAME if is_sync else 0, self.view.timestamp())
        return self._parcels[key]

    def _serve(self) -> None:
        for _ in range(min(SLICE, len(self._left))):
            behind = self._left.popleft()
            take = self._readers.get(behind)
            if take is not None and not take(self):
                behind.set()
        if self._left:
            asyncio.get_running_loop().call_soon(self._serve)
        else:
            self._running = False
