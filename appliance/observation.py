"""What the box tells about itself: one log line per event, and counters for ``/metrics``.

>>> log = logger("bridge")
>>> log.info("receiver joined", screen="lobby", receivers=3)  # doctest: +SKIP
14:03:22 bridge    receiver joined  screen=lobby receivers=3
"""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

_LEVELS = {"info": "", "warn": "warning: ", "error": "error: "}


class Logger:
    """Writes one line per event to a text stream; the values of an event follow as ``name=value``."""

    def __init__(self, part: str, out: TextIO | None = None) -> None:
        self.part = part
        self._out = out

    def info(self, event: str, **values: Any) -> None:
        """An event of normal life."""
        self._write("info", event, values)

    def warn(self, event: str, **values: Any) -> None:
        """Something the box mends by itself."""
        self._write("warn", event, values)

    def error(self, event: str, **values: Any) -> None:
        """Something a person should look at."""
        self._write("error", event, values)

    def _write(self, level: str, event: str, values: dict[str, Any]) -> None:
        told = " ".join(f"{name}={_short(value)}" for name, value in values.items())
        line = f"{time.strftime('%H:%M:%S')} {self.part:<9} {_LEVELS[level]}{event}"
        print(f"{line}  {told}" if told else line, file=self._out or sys.stderr, flush=True)


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 200 else text[:199] + "…"


def logger(part: str) -> Logger:
    """The logger of a part of the box."""
    return Logger(part)
