"""Playback: one screen is shown the past, at the recorded pace, faster, slower, or step by step.

A playback has a stream of its own, which only that screen reads: it begins with the state at a moment and is fed from
the recording. So the screen gets a SYNC and then DIFFs as always, merged when it is slow, and nothing else in its
session is different.

    screen                                                box
    CONTROL replay {stream, t, speed}            ──►
                                                 ◄──     SIGNAL_SYNC, CONTROL subscribed, SIGNAL_DIFF ...
                                                 ◄──     CONTROL replaying {stream, t, speed, state}   every second
    CONTROL replay {speed: 10} {step: 1} {live: true} ──►
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Literal

from appliance.bridge.frame import Frame, FrameType, control
from appliance.bridge.moments import moment
from appliance.bridge.recordings import Recordings
from appliance.bridge.segments import Record, apply_record
from appliance.bridge.signals import Copy
from appliance.bridge.stream import Stream, Streams
from appliance.bridge.transports import ConnectionLost
from appliance.errors import ApplianceError
from appliance.types import Role, Signal

PLAYBACKS_LIMIT: Final = 64
FASTEST: Final = 1000.0
TICK_S: Final = 0.02
TELL_S: Final = 1.0
REST_S: Final = 1.0
BATCH: Final = 64
BATCH_BYTES: Final = 262_144
DIFFS_KEPT: Final = 16
SOURCE: Final = "past"

State = Literal["playing", "paused", "ended", "live"]
Send = Callable[[Frame], Awaitable[None]]


class Playback:
    """What a session shows of the past; at first nothing.

    Args:
        streams: the live ones, and with them the recordings.
        send: sends a frame to the screen.

    Attributes:
        name: the stream whose past it shows.
    """

    def __init__(self, streams: Streams, send: Send) -> None:
        self._streams, self._send = streams, send
        self._tasks: list[asyncio.Task[None]] = []
        self._telling = asyncio.Lock()  # held while a frame is on its way out
        self._state: State = "live"
        self.name = "main"
        self._stream = Stream("main")
        self._copy = Copy()
        self._role: Role = "wall"
        self._pace = Pace()

    async def take(self, role: Role, said: dict[str, Any]) -> Stream | None:
        """Do what a ``replay`` frame says; returns the stream that the screen is to read from now on, if another.

        Raises:
            ApplianceError: BRG460 (nothing was recorded there), BRG465 (too many play), BRG466 and BRG410 (a time or
                a speed that cannot be), BRG408 (there is no such live stream).
        """
        if said.get("live"):
            return await self._live(str(said.get("stream", self.name)))
        speed = _speed(said["speed"]) if "speed" in said else None
        if "t" in said:
            return await self._begin(role, said, 1.0 if speed is None else speed)
        if self._state == "live":
            raise ApplianceError("BRG410", "This screen shows the present.", None, "Say from when on: t.")
        if speed is not None:
            self._pace.run(speed)
        steps = said.get("step")
        if isinstance(steps, int) and -FASTEST <= steps < 0:
            return await self._back(role, -steps)
        if steps is not None:
            self._pace.step(steps)
        if self._state != "ended":
            self._state = "playing" if self._pace.speed else "paused"
        return None

    async def tell(self) -> None:
        """Tell the screen where it is."""
        told: dict[str, Any] = {"stream": self.name, "state": self._state}
        if self._state != "live":
            told |= {"t": self._pace.now(), "speed": self._pace.speed, "role": self._role}
        await self._say(control("replaying", **told))

    async def stop(self, *, road_ends: bool = False) -> None:
        """Show the past no longer; a frame that is on its way is waited for, unless the road ends anyway."""
        tasks, self._tasks, self._state = self._tasks, [], "live"
        # Never in the middle of a frame: half of one would spoil the road.
        async with contextlib.nullcontext() if road_ends else self._telling:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks and self._streams.past is not None:
            self._streams.past.playing -= 1

    async def _say(self, frame: Frame) -> None:
        async with self._telling:
            await self._send(frame)

    async def _live(self, name: str) -> Stream:
        stream = self._streams.find(name)
        if stream is None:
            raise ApplianceError("BRG408", "There is no such stream.", name[:80])
        await self.stop()
        return stream

    async def _back(self, role: Role, steps: int) -> Stream:
        """Stand still at a change before the one that is shown."""
        assert self._streams.past is not None
        shown = self._pace.now()
        t = await asyncio.to_thread(self._streams.past.back, self.name, self._role, shown, steps)
        return await self._begin(role, {"t": t}, 0.0)

    async def _begin(self, role: Role, said: dict[str, Any], speed: float) -> Stream:
        past, name = self._streams.past, str(said.get("stream", self.name))
        if past is None:
            raise ApplianceError("BRG460", "Nothing was recorded there.", name[:80])
        if past.playing - bool(self._tasks) >= PLAYBACKS_LIMIT:
            raise ApplianceError("BRG465", "Too many screens play the past.", PLAYBACKS_LIMIT, "Try again later.")
        t = moment(said["t"], time.time_ns() // 1_000_000, past.zone)
        t = await asyncio.to_thread(past.not_before, name, role, t)
        found = await asyncio.to_thread(past.state_at, name, role, t)
        await self.stop()
        self.name, self._role, self._copy = name, found.role, found.copy()
        self._stream, self._pace = Stream(name, DIFFS_KEPT), Pace(t, speed)
        self._stream.clock = self._pace.now
        self._publish()
        self._state = "playing" if speed else "paused"
        past.playing += 1
        self._tasks = [asyncio.create_task(self._play(past, t)), asyncio.create_task(self._report())]
        return self._stream

    async def _play(self, past: Recordings, t: int) -> None:
        """Feed the stream from the recording until its end."""
        try:
            while True:
                batch = await asyncio.to_thread(_batch, records := past.after(self.name, self._role, t))
                if not batch and not await self._rests(past):
                    break
                while batch:
                    for record in batch:
                        await self._pace.wait_for(record, self._publish)
                        apply_record(self._copy, record)
                        t = record.at
                        if self._pace.arrives():
                            self._publish()
                            await self.tell()
                    self._publish()
                    batch = await asyncio.to_thread(_batch, records)
            self._state = "ended"
            await self.tell()
        except ConnectionLost:
            return
        except ApplianceError as error:
            self._state = "ended"
            with contextlib.suppress(ConnectionLost):
                await self._say(control("error", **error.shape()))

    async def _rests(self, past: Recordings) -> bool:
        """Wait for a while in which nothing happened; False where nothing more is recorded."""
        lasts = await asyncio.to_thread(past.lasts, self.name, self._role)
        return await self._pace.rest(lasts)

    def _publish(self) -> None:
        signals = [Signal(name, value, self._role) for name, value in self._copy.values.items()]
        self._stream.replace(SOURCE, self._role, signals)

    async def _report(self) -> None:
        with contextlib.suppress(ConnectionLost):
            while True:
                await asyncio.sleep(TELL_S)
                if self._state == "playing":
                    await self.tell()


class Pace:
    """When the next record is due: a clock of the past that runs at a speed, or is moved step by step.

    Args:
        at: where the clock begins, milliseconds since 1970.
        speed: recorded seconds per second; 0 stands still.
    """

    def __init__(self, at: int = 0, speed: float = 0.0) -> None:
        self.speed = speed
        self._at, self._since = float(at), time.monotonic()
        self._steps = 0
        self._arrives = False
        self._nudge = asyncio.Event()

    def now(self) -> int:
        """The clock, milliseconds since 1970."""
        return int(self._at + (time.monotonic() - self._since) * 1000 * self.speed)

    def run(self, speed: float) -> None:
        """Go on at another speed."""
        self._set(self.now())
        self.speed, self._steps = speed, 0
        self._nudge.set()

    def step(self, steps: Any) -> None:
        """Stand still, but show so many further changes.

        Raises:
            ApplianceError: BRG410, not a whole number from 1 to 1000.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= FASTEST:
            raise ApplianceError("BRG410", "So many steps cannot be made.", str(steps)[:20], "From 1 to 1000.")
        self.run(0.0)
        self._steps = steps

    async def wait_for(self, record: Record, show: Callable[[], None]) -> None:
        """Return when a record is due; `show` is called before any waiting."""
        if _begins(record):  # the box was off, or this is where the segment before ended
            self._set(max(record.at, self.now()))
            return
        while not self._is_due(record):
            show()
            due = (record.at - self.now()) / 1000 / self.speed if self.speed else None
            self._nudge.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), None if due is None else max(due, TICK_S))

    async def rest(self, lasts: int) -> bool:
        """Wait for `lasts`, another speed, or a second; False when it is then already, or a step finds nothing more."""
        left = lasts - self.now()
        if left <= 0 or self._steps:
            return False
        self._nudge.clear()
        with contextlib.suppress(TimeoutError):
            due = min(REST_S, left / 1000 / self.speed) if self.speed else None
            await asyncio.wait_for(self._nudge.wait(), due)
        return True

    def _is_due(self, record: Record) -> bool:
        if not self._steps:
            return bool(self.speed) and record.at <= self.now()
        if record.type != FrameType.CONTROL:
            self._steps -= 1
            self._arrives = not self._steps
            self._set(record.at)
        return True

    def arrives(self) -> bool:
        """Whether the last of the steps was just made; told once."""
        arrives, self._arrives = self._arrives, False
        return arrives

    def _set(self, at: int) -> None:
        self._at, self._since = float(at), time.monotonic()


def _begins(record: Record) -> bool:
    return record.type == FrameType.CONTROL and record.frame().json().get("type") == "recording"


def _batch(records: Iterator[Record]) -> list[Record]:
    """Some of the next records; none at their end. Blocks on the disk."""
    batch, size = [], 0
    for record in records:
        batch.append(record)
        size += len(record.raw)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            break
    return batch


def _speed(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= FASTEST:
        raise ApplianceError(
            "BRG410", "The past cannot be shown at this speed.", str(said)[:20], "0 stands still; up to 1000."
        )
    return float(said)
