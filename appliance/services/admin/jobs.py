"""Long work that goes on while nobody waits for it: how far it is, what came of it, and how to stop it.

job = jobs.start("backup", "maria", work)       # work(report) -> what came of it
async for job in jobs.news(): ...
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen import cache

__all__ = ["Job", "Jobs", "Kind", "Report"]

Kind = Literal["backup", "drill", "restore", "import", "model", "update"]
KEPT: Final = 50
log = logger("gateway")


class Job(msgspec.Struct, kw_only=True):
    """Long work. Times are ISO 8601; `progress` is 0 to 1, or None where nobody can say."""

    id: str
    kind: Kind
    by: str
    state: Literal["running", "done", "failed", "cancelled"] = "running"
    progress: float | None = None
    said: str = ""
    started_at: str
    ended_at: str | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Report:
    """How work tells how far it is."""

    def __init__(self, job: Job, tell: Callable[[Job], None]) -> None:
        self._job, self._tell = job, tell

    @property
    def job(self) -> str:
        """The job's id."""
        return self._job.id

    def tell(self, said: str, progress: float | None = None) -> None:
        """What is being done, in words, and how much of it is done."""
        self._job.said, self._job.progress = said, progress
        self._tell(self._job)


Work = Callable[[Report], Awaitable[dict[str, Any] | None]]


class Jobs:
    """The long work of one gateway.

    Args:
        path: where what has ended is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._listeners: set[asyncio.Queue[Job | None]] = set()
        self._closed = False
        self._keeping = asyncio.Lock()

    def load(self) -> None:
        """Take up what was there when the gateway ended; what went on then was cut off. Blocks on the disk."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            for job in msgspec.json.decode(self._path.read_bytes(), type=list[Job]):
                if job.state == "running":
                    cut = ApplianceError("BRG406", "The box was started anew meanwhile.", None, "Start it again.")
                    job.state, job.error, job.ended_at = "failed", cut.shape(), _now()
                self._all[job.id] = job

    def all(self) -> list[Job]:
        """All of them, the newest first."""
        return list(reversed(self._all.values()))

    def get(self, id_: str) -> Job:
        """The job of this id.

        Raises:
            ApplianceError: BRG487, there is none.
        """
        job = self._all.get(id_)
        if job is None:
            raise ApplianceError("BRG487", "There is no such job.", id_[:40], "GET /api/admin/jobs lists them.")
        return job

    def start(self, kind: Kind, by: str, said: str, work: Work) -> Job:
        """Begin; one of a kind at a time.

        Raises:
            ApplianceError: BRG488, another one of this kind goes on.
        """
        self.check_free(kind)
        job = Job(id=f"j{secrets.token_hex(5)}", kind=kind, by=by, said=said, started_at=_now())
        self._all[job.id] = job
        self._tidy()
        self._tasks[job.id] = asyncio.create_task(self._run(job, work))
        self._tell(job)
        return job

    def check_free(self, kind: Kind) -> None:
        """Raise while one of a kind goes on.

        Raises:
            ApplianceError: BRG488.
        """
        for other in self._all.values():
            if other.kind == kind and other.state == "running":
                raise ApplianceError("BRG488", "Another one goes on.", {"job": other.id}, "Wait for it, or cancel it.")

    async def _run(self, job: Job, work: Work) -> None:
        try:
            job.result = await work(Report(job, self._tell))
            job.state, job.progress = "done", 1.0
        except asyncio.CancelledError:
            job.state = "cancelled"
        except ApplianceError as error:
            job.state, job.error = "failed", error.shape()
        except Exception as error:
            log.error("a job failed in a way nobody foresaw", kind=job.kind, error=repr(error))
            fault = ApplianceError("BRG400", "Something failed that nobody foresaw.", repr(error)[:300], None)
            job.state, job.error = "failed", fault.shape()
        job.ended_at = _now()
        self._tasks.pop(job.id, None)
        self._tell(job)
        await self.keep()

    async def cancel(self, id_: str) -> Job:
        """Stop it and wait until it has stopped; what has ended stays as it is.

        Raises:
            ApplianceError: BRG487, there is none.
        """
        job = self.get(id_)
        if (task := self._tasks.get(id_)) is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=10)
        return job

    async def news(self) -> AsyncIterator[Job]:
        """Every change from now on, until the gateway stops."""
        if self._closed:
            return
        queue: asyncio.Queue[Job | None] = asyncio.Queue(1000)
        self._listeners.add(queue)
        try:
            while (job := await queue.get()) is not None:
                yield job
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Let everybody go who listens."""
        self._closed = True
        for queue in self._listeners:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(None)

    async def stop(self) -> None:
        """End what goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def keep(self) -> None:
        """Write them down."""
        async with self._keeping:
            body = msgspec.json.encode(list(self._all.values()))
            try:
                await asyncio.to_thread(cache.write, self._path, body)
            except OSError as error:
                log.warn("jobs cannot be kept", reason=error)

    def _tell(self, job: Job) -> None:
        for queue in self._listeners:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(msgspec.structs.replace(job))

    def _tidy(self) -> None:
        ended = [id_ for id_, job in self._all.items() if job.state != "running"]
        for id_ in ended[: max(0, len(ended) - KEPT)]:
            del self._all[id_]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
