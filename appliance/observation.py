"""What the box tells about itself: one log line per event, and counters for ``/metrics``.

>>> log = logger("bridge")
>>> log.info("receiver joined", screen="lobby", receivers=3)  # doctest: +SKIP
14:03:22 bridge    receiver joined  screen=lobby receivers=3
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from appliance.errors import printable

KEPT_IN: Final = "DREAMSTACK_LOGS"
"""The environment variable that names a folder in which every part also keeps its lines."""
LIMIT: Final = 8 * 1024 * 1024
"""Bytes after which a file of lines is set aside."""
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
        if self._out is None and (folder := os.environ.get(KEPT_IN)):
            with suppress(OSError):  # a full disk must not stop what is being told
                _keep(Path(folder), self.part, printable(f"{_LEVELS[level]}{event}" + (f"  {told}" if told else "")))


def _keep(folder: Path, part: str, text: str) -> None:
    """Add a line to the part's file; one that has grown too long is set aside. Blocks on the disk."""
    file = folder / f"{part}.log"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        os.write(descriptor, f"{at} {part} {text}\n".encode(errors="replace"))
        if os.fstat(descriptor).st_size > LIMIT:
            file.replace(folder / f"{part}.old.log")
    finally:
        os.close(descriptor)


def _short(value: Any) -> str:
    text = printable(str(value))
    return text if len(text) <= 200 else text[:199] + "…"


def logger(part: str) -> Logger:
    """The logger of a part of the box."""
    return Logger(part)
