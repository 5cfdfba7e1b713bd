"""What a relay holds of a view: the latest signed keyframe and the signed diffs around it, as they came.

A relay cannot make a merged diff, because it cannot sign one. It keeps links that join: each diff begins at the
version where the one before it ended. A peer that has one of those versions gets what follows; any other gets the
keyframe and what follows that. When much follows, :attr:`Chain.is_long` says that it is time to ask for a new one.

    keyframe v40
    diffs    38→39 39→40 40→41 41→44       a peer at 39 gets three diffs, a new one the keyframe and two
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from appliance.bridge.frame import Frame
from appliance.bridge.mesh.seal import Seal

LONG: Final = 64
"""Diffs after the keyframe from which on a new one is asked for."""
LINKS: Final = 256
BYTES: Final = 1_048_576


class Link(msgspec.Struct, frozen=True):
    """A signed signal frame: from version `base` (None: a keyframe) to `version` of `epoch`."""

    frame: Frame
    seal: Seal
    epoch: str
    base: int | None
    version: int

    @property
    def size(self) -> int:
        """Bytes of its payload."""
        return len(self.frame.payload)


class Chain:
    """The links of one view; holds at most 256 diffs of 1 MiB together, and one keyframe.

    Attributes:
        keyframe: the latest signed SYNC, or None.
        first: the number of the oldest diff held; numbers only grow.
    """

    def __init__(self) -> None:
        self.keyframe: Link | None = None
        self.first = 0
        self._diffs: deque[Link] = deque()
        self._bytes = 0
        self._after = 0  # diffs held that lead on from the keyframe

    @property
    def epoch(self) -> str | None:
        """The epoch, or None while nothing is held."""
        return self.keyframe.epoch if self.keyframe else None

    @property
    def version(self) -> int | None:
        """The version that all of it leads to."""
        if self.keyframe is None:
            return None
        return self._diffs[-1].version if self._diffs else self.keyframe.version

    @property
    def end(self) -> int:
        """One past the number of the newest diff."""
        return self.first + len(self._diffs)

    @property
    def is_long(self) -> bool:
        """Whether a newer keyframe would spare newcomers much."""
        return self._after >= LONG or self._bytes > BYTES // 2

    def add(self, link: Link) -> None:
        """Take a link; one that joins nothing held is left out, and so is a keyframe older than the one held."""
        if link.base is None:
            self._key(link)
        elif link.epoch == self.epoch and link.base == self.version:
            self._diffs.append(link)
            self._bytes += link.size
            self._after += 1
            self._trim()

    def _key(self, link: Link) -> None:
        held = self.keyframe
        if held is not None and link.epoch == held.epoch and link.version < held.version:
            return
        joints = [diff.version for diff in self._diffs] if link.epoch == self.epoch else []
        if link.version in joints:
            self._after = len(joints) - 1 - joints.index(link.version)
        elif held is None or link.epoch != held.epoch or link.version != held.version:
            self._clear()
        self.keyframe = link
        self._trim()

    def _clear(self) -> None:
        self.first = self.end + 1  # so that no number given out before leads on from here
        self._diffs.clear()
        self._bytes = self._after = 0

    def _trim(self) -> None:
        while len(self._diffs) > LINKS or self._bytes > BYTES:
            if self._after == len(self._diffs):  # the keyframe's own continuation: without it all is lost
                self._clear()
                self.keyframe = None
                return
            self._bytes -= self._diffs.popleft().size
            self.first += 1

    def where(self, epoch: str | None, version: int | None) -> int | None:
        """The number of the diff that follows `version`; None where only the keyframe helps."""
        if epoch != self.epoch or version is None:
            return None
        if version == self.version:
            return self.end
        for offset, diff in enumerate(self._diffs):
            if diff.base == version:
                return self.first + offset
        return None

    def follow(self, number: int | None) -> list[Link]:
        """What to send from a diff's number on; with None, or a number no longer held, from the keyframe on."""
        if number is not None and self.first <= number <= self.end:
            return list(self._diffs)[number - self.first :]
        if self.keyframe is None:
            return []
        return [self.keyframe, *list(self._diffs)[len(self._diffs) - self._after :]]
