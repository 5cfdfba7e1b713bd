"""Who uses a stream: receivers that read it, sources that write it, and since when nobody does.

>>> usage = Usage()
>>> with usage.reading():
...     usage.idle_s() is None
True
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Usage:
    """Counts the readers and the sources of one stream."""

    def __init__(self) -> None:
        self.readers = 0
        self.sources = 0
        self._since = time.monotonic()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a receiver is subscribed."""
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1
            self._since = time.monotonic()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While a source is connected."""
        self.sources += 1
        try:
            yield
        finally:
            self.sources -= 1
            self._since = time.monotonic()

    def idle_s(self) -> float | None:
        """Seconds since somebody used the stream; None while anybody does."""
        return None if self.readers or self.sources else time.monotonic() - self._since
