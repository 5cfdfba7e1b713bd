"""Writes segments: appends records, makes them durable, finishes one and begins the next. Blocks on the disk.

writer = SegmentWriter(folder, {"stream": "main", "role": "staff"})
writer.write([Step(now_ms(), Frame(FrameType.SIGNAL_SYNC, payload, KEYFRAME), opens=True)])
writer.finish(now_ms())
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge.archive import seal
from appliance.bridge.frame import Frame, control, encode
from appliance.bridge.segments import SEGMENT, Index, Record, pack, save_index

DURABLE_S: Final = 1.0
RESERVE: Final = 256 * 1024 * 1024
"""Bytes of the disk that recording leaves to the database."""


class Step(msgspec.Struct, frozen=True):
    """A frame taken from a stream at a time, milliseconds since 1970; `opens` begins a new segment with it."""

    at: int
    frame: Frame
    opens: bool = False


class SegmentWriter:
    """Appends to the segments of one stream and role; one thread at a time.

    Args:
        folder: where the segments are.
        meta: what each says it is a recording of.
        reserve: bytes of the disk that must stay free.

    Attributes:
        path: the segment that is open, or None.
        size: its bytes.
        opened: how many segments were begun.
        unsure: whether something was written that a loss of power would take.
    """

    def __init__(self, folder: Path, meta: dict[str, Any], reserve: int = RESERVE) -> None:
        self.path: Path | None = None
        self.size = self.opened = 0
        self.unsure = False
        self._folder, self._meta, self._reserve = folder, meta, reserve
        self._file: FileIO | None = None
        self._index = Index()
        self._waiting: list[bytes] = []
        self._durable_at = 0.0

    def write(self, steps: list[Step]) -> None:
        """Append; durable at most once a second.

        Raises:
            OSError: the disk is full or broken. The segment is closed as it was after the last whole write.
        """
        try:
            self._check_room()
            for step in steps:
                if step.opens or self._file is None:
                    self.finish(step.at)
                    self._open(step.at)
                self._append(step.at, step.frame)
            self._flush()
            if time.monotonic() - self._durable_at >= DURABLE_S:
                self.make_durable()
        except OSError:
            self._abandon()
            raise

    def make_durable(self) -> None:
        """Have the disk keep what was written."""
        if self._file is not None and self.unsure:
            os.fsync(self._file.fileno())
            self.unsure, self._durable_at = False, time.monotonic()

    def finish(self, at: int) -> None:
        """End the segment: nothing more happened until `at`. Its index and its hash are kept beside it.

        Raises:
            OSError: as :meth:`write`.
        """
        if self._file is None or self.path is None:
            return
        self._append(max(at, self._index.last), control("end"))
        self._flush()
        self.make_durable()
        self._file.close()
        save_index(self.path, self._index)
        seal(self.path)
        self._file = self.path = None

    def _open(self, at: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = at
        while (path := self._folder / f"{name}{SEGMENT}").exists():
            name += 1
        # Unbuffered: after a failed write nothing is left behind that closing would try again.
        self.path = path  # before it is there: nobody may take it for one that was left
        self._file = FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        self._index, self._waiting, self.size = Index(), [], 0
        self.opened += 1
        self._append(at, control("recording", version=1, began=at, **self._meta))
        _keep_names(self._folder)

    def _append(self, at: int, frame: Frame) -> None:
        """Have a record wait for the next :meth:`_flush`, and add it to the index."""
        raw = encode(frame, deflate=True)
        packed = pack(at, raw)
        offset = max(self._index.covers, self.size)
        self._index.take(Record(offset, offset + len(packed), at, raw))
        self._waiting.append(packed)

    def _flush(self) -> None:
        assert self._file is not None
        raw, self._waiting = b"".join(self._waiting), []
        rest = memoryview(raw)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        self.size += len(raw)
        self.unsure = True

    def _check_room(self) -> None:
        there = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        free = shutil.disk_usage(there).free
        if free < self._reserve:
            raise OSError(errno.ENOSPC, f"only {free // 1_048_576:,} MB of the disk are free")

    def _abandon(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), self.size)
            with contextlib.suppress(OSError):
                file.close()
        self.path = None


def _keep_names(folder: Path) -> None:
    """Have the disk keep which files are in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
