"""The worker: questions wait in a fair queue, one at a time goes through the model, events tell how it is.

{"event": "queued", "position": 2} -> {"event": "started"} -> {"event": "token", "text": ...} ... ->
{"event": "plan", "plan": {...}, "model_ms": 14.2}   or   {"event": "error", "error": {...}}
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.model import Model
from appliance.llm.prompt import Dialect, Task

Event = dict[str, Any]
_LAST: Final = ("plan", "error")


class Job:
    """A task in the queue, of one screen, with the events that its asker reads."""

    def __init__(self, task: Task, screen: str, deadline_s: float) -> None:
        self.task = task
        self.screen = screen
        self.deadline = time.monotonic() + deadline_s
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.cancelled = threading.Event()

    def wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return not self.cancelled.is_set() and time.monotonic() < self.deadline


class FairQueue:
    """Screens take turns: each screen's own questions stay in order, no screen can hold up the others."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Job]] = {}

    def put(self, job: Job) -> None:
        """Queue a job behind its screen's others."""
        self._lines.setdefault(job.screen, deque()).append(job)

    def take(self) -> Job | None:
        """The next job; its screen then goes to the end of the round."""
        if not self._lines:
            return None
        screen = next(iter(self._lines))
        line = self._lines.pop(screen)
        job = line.popleft()
        if line:
            self._lines[screen] = line
        return job

    def remove(self, job: Job) -> bool:
        """Forget a job that is not wanted any more; whether it was waiting."""
        line = self._lines.get(job.screen)
        if not line or job not in line:
            return False
        line.remove(job)
        if not line:
            del self._lines[job.screen]
        return True

    def order(self) -> list[Job]:
        """The jobs in the order they will be taken."""
        lines = [list(line) for line in self._lines.values()]
        rounds = max((len(line) for line in lines), default=0)
        return [line[turn] for turn in range(rounds) for line in lines if turn < len(line)]

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())


class Worker:
    """Runs jobs through a model.

    Args:
        load: loads the model; called in a thread by :meth:`run`.
        dialect: makes the dialect once the model's name is known.
        queue_limit: jobs that may wait.
    """

    def __init__(self, load: Callable[[], Model], dialect: Callable[[str], Dialect], queue_limit: int) -> None:
        self._load, self._make_dialect, self._limit = load, dialect, queue_limit
        self._queue = FairQueue()
        self._more = asyncio.Event()
        self._watchers: set[asyncio.Queue[Event]] = set()
        self._busy = False
        self.model: Model | None = None
        self.dialect: Dialect | None = None
        self.fault: ApplianceError | None = None
        self.done = 0
        self.tokens_per_s = 0.0

    async def run(self) -> None:
        """Load the model and work until cancelled."""
        try:
            self.model = await asyncio.to_thread(self._load)
            self.dialect = self._make_dialect(self.model.name)
        except Exception as error:
            self._give_up(error)
            return
        self._tell()
        while True:
            job = self._queue.take()
            if job is None:
                self._more.clear()
                await self._more.wait()
                continue
            await self._work(job)

    def _give_up(self, error: Exception) -> None:
        """There will be no model: everybody who waits hears why."""
        self.fault = _fault(error, "LLM208", "The model cannot be used.")
        while (job := self._queue.take()) is not None:
            job.events.put_nowait({"event": "error", "error": self.fault.shape()})
        self._tell()

    async def plan(self, task: Task, screen: str, deadline_s: float) -> AsyncIterator[Event]:
        """The events of one task, from queued to plan or error.

        Raises:
            ApplianceError: LLM208, there is no model; LLM209, too many are waiting.
            TimeoutError: there was no plan a second after the deadline.
        """
        if self.fault is not None:
            raise self.fault
        if len(self._queue) >= self._limit:
            raise ApplianceError(
                "LLM209", "Too many questions are waiting.", {"waiting": len(self._queue)}, "Try again in a moment."
            )
        job = Job(task, screen, deadline_s)
        self._queue.put(job)
        self._positions()
        self._more.set()
        try:
            async for event in _until_last(job, deadline_s):
                yield event
        finally:
            job.cancelled.set()
            if self._queue.remove(job):
                self._positions()

    async def watch(self) -> AsyncIterator[Event]:
        """What the worker as a whole is doing, now and whenever it changes."""
        events: asyncio.Queue[Event] = asyncio.Queue(maxsize=100)
        self._watchers.add(events)
        try:
            yield self.told()
            while True:
                yield await events.get()
        finally:
            self._watchers.discard(events)

    def told(self) -> Event:
        """State, queue, model and speed."""
        state = "failed" if self.fault else "loading" if self.model is None else "busy" if self._busy else "ready"
        name = self.model.name if self.model else ""
        return {"state": state, "queue": len(self._queue), "name": name, "tokens_per_s": round(self.tokens_per_s, 1)}

    async def _work(self, job: Job) -> None:
        self._busy = True
        job.events.put_nowait({"event": "started"})
        self._positions()
        loop = asyncio.get_running_loop()
        try:
            last = await asyncio.to_thread(
                self._write, job, lambda event: loop.call_soon_threadsafe(job.events.put_nowait, event)
            )
        except Exception as error:  # whatever one question does to the model, the next one is answered
            fault = _fault(error, "LLM200", "The model failed in a way nobody foresaw.")
            last = {"event": "error", "error": fault.shape()}
        self._busy = False
        self.done += 1
        job.events.put_nowait(last)
        self._tell()

    def _write(self, job: Job, tell: Callable[[Event], object]) -> Event:
        """In a thread: the model writes the plan."""
        if self.model is None or self.dialect is None:
            raise ApplianceError("LLM203", "The model is not loaded.")
        if not job.wanted():
            raise ApplianceError("LLM210", "The question waited too long.", None, "Ask again.")
        began, text, count = time.perf_counter(), "", 0
        prompt = self.dialect.pieces(job.task, self.model.template)
        for piece in self.model.write(prompt, self.dialect.grammar(job.task), self.dialect.token_limit, job.wanted):
            text, count = text + piece, count + 1
            tell({"event": "token", "text": piece})
        seconds = time.perf_counter() - began
        self.tokens_per_s = count / seconds if seconds else 0.0
        if not job.wanted():
            raise ApplianceError("LLM210", "The question took too long.", None, "Ask again.")
        query = self.dialect.parse(text, job.task)
        return {
            "event": "plan",
            "plan": msgspec.to_builtins(query),
            "written": text,
            "model_ms": round(seconds * 1000, 2),
        }

    def _positions(self) -> None:
        for position, job in enumerate(self._queue.order(), 1):
            job.events.put_nowait({"event": "queued", "position": position})
        self._tell()

    def _tell(self) -> None:
        told = self.told()
        for events in self._watchers:
            if events.full():
                events.get_nowait()
            events.put_nowait(told)


def _fault(error: Exception, code: str, message: str) -> ApplianceError:
    return error if isinstance(error, ApplianceError) else ApplianceError(code, message, repr(error)[:300])


async def _until_last(job: Job, deadline_s: float) -> AsyncIterator[Event]:
    async with asyncio.timeout(deadline_s + 1):
        while True:
            event = await job.events.get()
            yield event
            if event["event"] in _LAST:
                return
