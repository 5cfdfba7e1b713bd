"""The recorder: a receiver of a stream that keeps on disk what one role saw.

It takes what every receiver takes (a SYNC, then DIFFs, merged while it is busy) and hands it to a thread that appends
it to a segment: a quarter of a second later at most, made durable at most once a second. So a process that is killed
loses less than a second, a machine that loses power about one, and the event loop never waits for the disk. Where the
disk is full, recording pauses, says so once, and goes on by itself.

    recorder = Recorder(stream, "staff", folder, {"stream": "main", "role": "staff"})
    await recorder.run()
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import Any, Final

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.bridge.segment_writer import RESERVE, SegmentWriter, Step
from appliance.bridge.stream import Stream
from appliance.observation import logger
from appliance.types import Role

GATHER_S: Final = 0.005
WRITE_S: Final = 0.25
DURABLE_S: Final = 1.0
RETRY_S: Final = 5.0
STEADY: Final = 5
"""So many retries later it has recovered: a disk that takes a little now and then tells nothing twice."""
PENDING_BYTES: Final = 4 * 1024 * 1024
KEYFRAME_MS: Final = 60_000
KEYFRAME_BYTES: Final = 65_536
SEGMENT_BYTES: Final = 16 * 1024 * 1024
SEGMENT_MS: Final = 3_600_000
BACKWARDS_MS: Final = 2_000

_log = logger("bridge")


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Recorder:
    """Records one stream as one role sees it.

    Args:
        stream: what to record.
        role: whose view.
        folder: where its segments are.
        meta: what each segment says it is a recording of.
        segment_bytes: a segment is finished at about so many bytes, or when the hour is over.
        reserve: bytes of the disk that must stay free.
        retry_s: seconds until recording is tried again after the disk refused it.

    Attributes:
        stream, role: as given.
        frames: how many it has taken.
    """

    def __init__(
        self,
        stream: Stream,
        role: Role,
        folder: Path,
        meta: dict[str, Any],
        *,
        segment_bytes: int = SEGMENT_BYTES,
        reserve: int = RESERVE,
        retry_s: float = RETRY_S,
    ) -> None:
        self.stream, self.role = stream, role
        self.frames = 0
        self._problem: str | None = None
        self._well = True
        self._writer = SegmentWriter(folder, meta, reserve)
        self._disk = threading.Lock()  # a write that was cancelled goes on in its thread
        self._segment_bytes, self._retry_s = segment_bytes, retry_s
        self._pending: list[Step] = []
        self._pending_bytes = 0
        self._handed: list[Step] = []  # to the thread that writes, which may be cancelled before it begins
        self._more, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._paused = 0.0
        self._opens = True
        self._version: int | None = None
        self._began = self._last = self._key_at = 0
        self._since_key = self._key_bytes = self._asked = 0

    @property
    def path(self) -> Path | None:
        """The segment it writes, or None."""
        return self._writer.path

    @property
    def problem(self) -> str | None:
        """Why it pauses, or paused a moment ago; else None."""
        recovered = self._well and time.monotonic() - self._paused >= STEADY * self._retry_s
        return None if recovered else self._problem

    async def run(self) -> None:
        """Record until cancelled; then the segment is finished."""
        try:
            while True:
                try:
                    await self._record()
                except OSError as error:
                    self._tell(error.strerror or str(error))
                self._drain()
                await asyncio.sleep(self._retry_s)
        finally:
            try:
                if self._well and self.stream.view(self.role).version != self._version:
                    self._take(self._version)
            finally:
                await asyncio.to_thread(self._end)

    async def _record(self) -> None:
        """Collect and write until one of them fails."""
        tasks = {asyncio.create_task(self._collect()), asyncio.create_task(self._write_always())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _collect(self) -> None:
        """Take what changes, beginning with the whole state in a new segment."""
        self._version, self._opens, self._asked = None, True, self._writer.opened
        while True:
            await self.stream.wait(self.role, self._version)
            await self._room.wait()
            self._take(self._version)
            await asyncio.sleep(GATHER_S)

    def _take(self, version: int | None) -> None:
        """Take all that changed since a version."""
        view, at = self.stream.view(self.role), self._now()
        opens = self._opens or self._is_over(at)
        whole = opens or version is None or self._wants_keyframe(at)
        payload, is_sync = view.payload(None if whole else version)
        kind, flags = (FrameType.SIGNAL_SYNC, KEYFRAME) if is_sync else (FrameType.SIGNAL_DIFF, 0)
        self._keep(Step(at, Frame(kind, payload, flags, timestamp=view.timestamp()), opens))
        self._version = view.version

    def _now(self) -> int:
        """The time: always after the last one, unless the clock was set back; then a new segment begins."""
        at = now_ms()
        if at < self._last - BACKWARDS_MS:
            self._opens = True
            return at
        return max(at, self._last + 1)

    def _is_over(self, at: int) -> bool:
        full = self._writer.size >= self._segment_bytes and self._writer.opened == self._asked
        return full or at // SEGMENT_MS != self._began // SEGMENT_MS

    def _wants_keyframe(self, at: int) -> bool:
        """A keyframe for every minute with changes, sooner where the diffs amount to four of it."""
        many = self._since_key >= max(KEYFRAME_BYTES, 4 * self._key_bytes)
        return many or at - self._key_at >= KEYFRAME_MS

    def _keep(self, step: Step) -> None:
        size = len(step.frame.payload)
        if step.frame.flags & KEYFRAME:
            self._key_at, self._key_bytes, self._since_key = step.at, size, 0
        self._since_key += size
        if step.opens:
            self._began, self._asked = step.at, self._asked + 1
        self._last, self._opens = step.at, False
        self._pending.append(step)
        self._pending_bytes += size
        self.frames += 1
        self._more.set()
        if self._pending_bytes >= PENDING_BYTES:
            self._room.clear()

    def _drain(self) -> list[Step]:
        steps, self._pending, self._pending_bytes = self._pending, [], 0
        self._more.clear()
        self._room.set()
        return steps

    async def _write_always(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), DURABLE_S if self._writer.unsure else None)
            await asyncio.sleep(WRITE_S)
            self._handed = self._drain()
            await asyncio.to_thread(self._write)

    def _write(self) -> None:
        with self._disk:
            steps, self._handed = self._handed, []
            if steps:
                self._writer.write(steps)
                self._succeeded()
            else:
                self._writer.make_durable()

    def _succeeded(self) -> None:
        self._well = True
        if self._problem is not None and self.problem is None:
            self._problem = None
            _log.info("recording goes on", stream=self.stream.name, role=self.role)

    def _tell(self, problem: str) -> None:
        if self.problem is None:
            _log.warn("recording pauses", stream=self.stream.name, role=self.role, reason=problem)
        self._problem, self._well, self._paused = problem, False, time.monotonic()

    def _end(self) -> None:
        with self._disk, contextlib.suppress(OSError):
            left = self._handed + self._drain()
            if left and self._well:
                self._writer.write(left)
            self._writer.finish(max(now_ms(), self._last))
