"""A picture that changes, as frames: PIXELS once, then what changed.

The pixels come from whoever draws; this keeps the picture of now and the few before it. A receiver that is one of
these behind gets PIXELS_DELTA, else, or where the difference would be larger than the picture, a whole picture: PIXELS,
or, for receivers that wish so and where PIXELS would be over the limit of a frame, PIXELS_DELTA with KEYFRAME, which
is the difference to a picture of zeros. Each payload is made once for all receivers.

    >>> feed = PictureFeed(2, 1)
    >>> feed.show(bytes(8)), feed.version
    (True, 1)
    >>> feed.frame(None).type == FrameType.PIXELS, feed.frame(None, packed=True).type == FrameType.PIXELS_DELTA
    (True, True)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from appliance.bridge.frame import DEFAULT_LIMIT, KEYFRAME, Frame, FrameType
from appliance.bridge.pixels import delta

KEPT: Final = 4
"""Pictures kept, the one of now included: a receiver may be so many behind and still get a difference."""


class PictureFeed:
    """The pictures of one size and role, for all their receivers.

    Attributes:
        version: 0 before the first picture; grows by one with each that differs.
        drawn: set when there is a first picture.
    """

    def __init__(self, width: int, height: int, frame_limit: int = DEFAULT_LIMIT) -> None:
        self.width, self.height = width, height
        self._fits = width * height * 4 <= frame_limit
        self.version = 0
        self.drawn = asyncio.Event()
        self._pictures: dict[int, bytes] = {}
        self._frames: dict[tuple[int, bool], Frame] = {}
        self._began = time.monotonic()
        self._changed = asyncio.Event()

    @property
    def pixels(self) -> bytes:
        """The picture of now; empty before the first."""
        return self._pictures.get(self.version, b"")

    def show(self, pixels: bytes, change: bytes = b"") -> bool:
        """Take the picture of now; whether it differs from the one before.

        Args:
            pixels: RGBA rows.
            change: what it changes in :attr:`pixels`, as a PIXELS_DELTA says it, where that is known already.
        """
        if self.pixels == pixels:
            return False
        self._frames.clear()
        if change and len(change) < len(pixels):
            frame = self._frame(FrameType.PIXELS_DELTA, change, 0)
            self._frames = dict.fromkeys([(self.version, False), (self.version, True)], frame)
        self.version += 1
        self._pictures[self.version] = pixels
        self._pictures.pop(self.version - KEPT, None)
        self.drawn.set()
        self._changed.set()
        self._changed = asyncio.Event()
        return True

    async def wait(self, version: int | None) -> None:
        """Return when there is a picture other than that of `version`."""
        while self.version in (0, version):
            await self._changed.wait()

    def frame(self, version: int | None, *, packed: bool = False) -> Frame:
        """What turns the picture of `version` into that of now; None needs nothing before it.

        Args:
            version: one that :attr:`version` has been.
            packed: a whole picture comes run-length encoded.
        """
        key = (version if version is not None and version in self._pictures else 0, packed or not self._fits)
        if key not in self._frames:
            self._frames[key] = self._make(*key)
        return self._frames[key]

    def _make(self, known: int, packed: bool) -> Frame:
        now = self._pictures[self.version]
        if known:
            change = delta(self._pictures[known], now)
            if len(change) < len(now):
                return self._frame(FrameType.PIXELS_DELTA, change, 0)
        if packed:
            return self._frame(FrameType.PIXELS_DELTA, delta(bytes(len(now)), now), KEYFRAME)
        return self._frame(FrameType.PIXELS, now, KEYFRAME)

    def _frame(self, kind: FrameType, payload: bytes, flags: int) -> Frame:
        at = int((time.monotonic() - self._began) * 1000)
        return Frame(kind, payload, flags, 0, at, self.width, self.height)


class PictureFlow:
    """A :class:`~appliance.bridge.flow.Flow` of one receiver of a feed; `leave` is called when it goes."""

    deflate = False

    def __init__(self, feed: PictureFeed, leave: Callable[[], None], *, packed: bool = False) -> None:
        self._feed, self._leave, self._packed = feed, leave, packed
        self._version: int | None = None

    @property
    def pixels(self) -> bytes:
        """The picture of now as RGBA rows."""
        return self._feed.pixels

    async def wait(self) -> None:
        """Return when there is another picture than the last that was taken."""
        await self._feed.wait(self._version)

    def take(self) -> Frame | None:
        """What brings the receiver from the last picture it was sent to that of now."""
        if self._feed.version in (0, self._version):
            return None
        frame = self._feed.frame(self._version, packed=self._packed)
        self._version = self._feed.version
        return frame

    def again(self) -> None:
        """The next is a whole picture."""
        self._version = None

    def hear(self, said: dict[str, Any]) -> bool:
        """A picture hears nothing."""
        return False

    def close(self) -> None:
        """Let the feed go."""
        self._leave()
