"""Keeps a recorder running for each stream and role that the settings name, and the folder within its limits.

recorders = Recorders(streams, folder, Wanted(("main",), ("wall", "staff"), days=7, bytes=2_147_483_648), "Box")
await recorders.run()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge.recorder import Recorder, now_ms
from appliance.bridge.recordings import Recordings
from appliance.bridge.stream import Stream, Streams
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.types import ROLES, Role

LOOK_S: Final = 1.0
TIDY_S: Final = 60.0

_log = logger("bridge")


class Wanted(msgspec.Struct, frozen=True):
    """What to record, and how much of it to keep: days, and bytes of all together; 0 is no limit.

    In the name of a stream ``*`` stands for anything: ``room/*`` are all rooms.
    """

    streams: tuple[str, ...]
    roles: tuple[Role, ...]
    days: int
    bytes: int

    @classmethod
    def read(cls, streams: str, roles: str, days: int, limit: int) -> Wanted:
        """From the settings as they are written: names told apart by commas, or ``none``."""
        named = tuple(dict.fromkeys(name.strip() for name in streams.split(",") if name.strip() not in ("", "none")))
        said = {role.strip() for role in roles.split(",")}
        return cls(named, tuple(role for role in ROLES if role in said), days, limit)

    def picks(self, names: Iterable[str]) -> list[str]:
        """Those of these streams that are to be recorded."""
        return [name for name in names if any(fnmatchcase(name, wanted) for wanted in self.streams)]


class Recorders:
    """All recorders of a bridge.

    Args:
        streams: the live streams; one is recorded from when it is there.
        folder: where recordings are.
        wanted: what to record.
        box: the box's name, told in each recording.
        zone: the facility's; the machine's when not given.

    Attributes:
        past: what there is.
    """

    def __init__(self, streams: Streams, folder: Path, wanted: Wanted, box: str, zone: tzinfo | None = None) -> None:
        self.past = Recordings(folder, self._writing, zone)
        self._streams, self._wanted, self._box = streams, wanted, box
        self._running: dict[tuple[str, Role], tuple[Recorder, asyncio.Task[None]]] = {}
        self._bytes = self._oldest = 0

    async def run(self) -> None:
        """Record until cancelled; then every segment is finished."""
        tidying = asyncio.create_task(self._keep_tidy())
        try:
            while not tidying.done():
                await self._look()
                await asyncio.wait({tidying}, timeout=LOOK_S)
            tidying.result()
        finally:
            tidying.cancel()
            await asyncio.gather(tidying, return_exceptions=True)
            await asyncio.gather(*(self._stop(key) for key in list(self._running)))

    def told(self) -> dict[str, Any]:
        """What the health page shows of it."""
        problems = sorted({recorder.problem for recorder, _ in self._running.values() if recorder.problem})
        return {
            "on": bool(self._wanted.streams and self._wanted.roles),
            "recorders": len(self._running),
            "problem": problems[0] if problems else None,
            "frames": sum(recorder.frames for recorder, _ in self._running.values()),
            "bytes": self._bytes,
            "oldest": self._oldest or None,
        }

    async def _look(self) -> None:
        """Begin with streams that came, end with those that went, begin anew where a recorder fell."""
        for (name, role), (recorder, task) in list(self._running.items()):
            if recorder.stream is not self._streams.find(name) or task.done():
                await self._stop((name, role))
        for name in self._wanted.picks(self._streams.names()):
            stream = self._streams.find(name)
            for role in self._wanted.roles:
                if stream is not None and (name, role) not in self._running:
                    self._start(stream, role)

    def _start(self, stream: Stream, role: Role) -> None:
        with contextlib.suppress(ApplianceError):  # a name that cannot be a folder's is not recorded
            folder = self.past.place(stream.name, role)
            meta = {"stream": stream.name, "role": role, "box": self._box}
            recorder = Recorder(stream, role, folder, meta)
            self._running[stream.name, role] = recorder, asyncio.create_task(recorder.run())

    async def _stop(self, key: tuple[str, Role]) -> None:
        _, task = self._running.pop(key)
        task.cancel()
        [error] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(error, Exception):
            _log.error("a recorder fell, begins anew", stream=key[0], role=key[1], error=repr(error))

    def _writing(self) -> set[Path]:
        return {recorder.path for recorder, _ in list(self._running.values()) if recorder.path is not None}

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._tidy)
            except (ApplianceError, OSError) as error:
                _log.warn("recordings could not be tidied", reason=error)
            await asyncio.sleep(TIDY_S)

    def _tidy(self) -> None:
        self.past.tidy()
        gone = self.past.prune(now_ms(), self._wanted.days, self._wanted.bytes)
        if gone:
            _log.info("old recordings were removed", segments=gone)
        kept = self.past.overview("admin")
        self._bytes = sum(each.bytes for each in kept)
        self._oldest = min((each.first for each in kept), default=0)
