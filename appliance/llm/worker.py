"""The worker: questions wait in a fair queue, one at a time goes through the model, events tell how it is.

{"event": "queued", "position": 2} -> {"event": "started"} -> {"event": "token", "text": ...} ... ->
{"event": "plan", "plan": {...}, "model_ms": 14.2}   or   {"event": "error", "error": {...}}

An outline's last event is {"event": "sketches", "sketches": [[{"text": ..., "score": ...}]]}.
Prose goes the same way: {"event": "text", "text": ...} ... -> {"event": "told", "text": "the whole of it"}.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.llm import prose
from appliance.llm.model import Model
from appliance.llm.outline import Outline, sketch
from appliance.llm.prompt import Dialect, Talker, Task
from appliance.llm.prose import Prose, Teller

Event = dict[str, Any]
_LAST: Final = ("plan", "sketches", "told", "error")


class Measured(msgspec.Struct, frozen=True):
    """What one job took. `outcome` is the kind of its last event, or the code of its error."""

    kind: str
    outcome: str
    tokens: int = 0
    seconds: float = 0.0
    first_token_s: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """How fast it was written, 0 where nothing was."""
        return self.tokens / self.seconds if self.seconds else 0.0


class Job:
    """A task in the queue, of one screen, with the events that its asker reads."""

    def __init__(self, task: Task | Prose | Outline, screen: str, deadline_s: float) -> None:
        self.task = task
        self.screen = screen
        self.deadline = time.monotonic() + deadline_s
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.cancelled = threading.Event()
        self.took = Measured("", "")

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


class Watchers:
    """Who hears of changes: one that does not read misses the older ones."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event]] = set()

    def tell(self, event: Event) -> None:
        """Tell all of them."""
        for events in self._queues:
            if events.full():
                events.get_nowait()
            events.put_nowait(event)

    async def watch(self, first: Callable[[], Event]) -> AsyncIterator[Event]:
        """`first`, then what is told."""
        events: asyncio.Queue[Event] = asyncio.Queue(maxsize=100)
        self._queues.add(events)
        try:
            yield first()
            while True:
                yield await events.get()
        finally:
            self._queues.discard(events)


class Worker:
    """Runs jobs through a model.

    Args:
        load: loads the model, or returns None where there is none to load; called in a thread by :meth:`run`.
        dialect: makes the dialect for the model that was loaded.
        queue_limit: jobs that may wait.
        around: what is entered around the writing.
        measure: hears what each job took; of those that went well in the thread that did them.
    """

    def __init__(
        self,
        load: Callable[[], Model | None],
        dialect: Callable[[Model], Dialect],
        queue_limit: int,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        measure: Callable[[Measured], None] = lambda _: None,
    ) -> None:
        self._load, self._make_dialect, self._limit = load, dialect, queue_limit
        self._around, self._measure = around, measure
        self._queue = FairQueue()
        self._more = asyncio.Event()
        self._loading = asyncio.Lock()
        self.watchers = Watchers()
        self._busy = False
        self._loaded = False
        self.model: Model | None = None
        self.dialect: Dialect | None = None
        self.fault: ApplianceError | None = None
        self.done = 0
        self.last = Measured("", "")
        self.changed: Callable[[], None] = lambda: None

    @property
    def tokens_per_s(self) -> float:
        """How fast the last job was written."""
        return self.last.tokens_per_s

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    async def run(self) -> None:
        """Load the model and work until cancelled."""
        try:
            await self.reload()
        except ApplianceError as error:
            self._give_up(error)
        while True:
            job = self._queue.take()
            if job is None:
                self._more.clear()
                await self._more.wait()
                continue
            await self._work(job)

    async def reload(self) -> None:
        """Load the model anew. Who waits goes on waiting, and the model of before works until the new one is there.

        Raises:
            ApplianceError: LLM208, it cannot be loaded; the one of before goes on.
        """
        async with self._loading:
            try:
                model = await asyncio.to_thread(self._load)
                dialect = self._make_dialect(model) if model else None
            except Exception as error:
                raise _fault(error, "LLM208", "The model cannot be used.") from None
            self.model, self.dialect, self.fault, self._loaded = model, dialect, None, True
        self._more.set()
        self._tell()

    def _give_up(self, error: ApplianceError) -> None:
        """There is no model: everybody who waits hears why."""
        self.fault = error
        while (job := self._queue.take()) is not None:
            job.events.put_nowait({"event": "error", "error": self.fault.shape()})
        self._tell()

    async def plan(self, task: Task | Prose | Outline, screen: str, deadline_s: float) -> AsyncIterator[Event]:
        """The events of one task, from queued to plan, told or error.

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

    def watch(self) -> AsyncIterator[Event]:
        """What the worker as a whole is doing, now and whenever it changes."""
        return self.watchers.watch(self.told)

    def told(self) -> Event:
        """State, queue, model and speed."""
        return {
            "state": self._state(),
            "queue": len(self._queue),
            "name": self.model.name if self.model else "",
            "tokens_per_s": round(self.last.tokens_per_s, 1),
            "first_token_ms": round(self.last.first_token_s * 1000, 1),
        }

    def _state(self) -> str:
        if self.fault:
            return "failed"
        if self.model is None:
            return "none" if self._loaded else "loading"
        return "busy" if self._busy else "ready"

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
        if last["event"] == "error":
            self._measure(msgspec.structs.replace(job.took, kind=_kind(job), outcome=last["error"]["code"]))
        job.events.put_nowait(last)
        self._tell()

    def _write(self, job: Job, tell: Callable[[Event], object]) -> Event:
        """In a thread: the model writes what the job asks for."""
        model, dialect = self.model, self.dialect  # a reload may change them while this job goes on
        if model is None or dialect is None:
            raise ApplianceError("LLM203", "The model is not loaded.")
        if not job.wanted():
            raise ApplianceError("LLM210", "The question waited too long.", None, "Ask again.")
        with self._around():
            if isinstance(job.task, Prose):
                last = self._write_text(job, job.task, model, dialect, tell)
            elif isinstance(job.task, Outline):
                last = self._write_sketches(job, job.task, model)
            else:
                last = self._write_plan(job, job.task, model, dialect, tell)
        self._measure(self.last)
        return last

    def _write_plan(
        self, job: Job, task: Task, model: Model, dialect: Dialect, tell: Callable[[Event], object]
    ) -> Event:
        began, first, count, text = time.perf_counter(), 0.0, 0, ""
        prompt = dialect.pieces(task, model.template)
        for piece in model.write(prompt, dialect.grammar(task), dialect.token_limit, job.wanted):
            first = first or time.perf_counter() - began
            text, count = text + piece, count + 1
            tell({"event": "token", "text": piece})
        seconds = self._took(job, "plan", began, first, count)
        query = dialect.parse(text, task)
        return {
            "event": "plan",
            "plan": msgspec.to_builtins(query),
            "written": text,
            "model": model.name,
            "model_ms": round(seconds * 1000, 2),
        }

    def _write_sketches(self, job: Job, outline: Outline, model: Model) -> Event:
        began = time.perf_counter()
        found = sketch(model, outline, job.wanted)
        count = sum(each[0].text.count("<") for each in found if each)
        seconds = self._took(job, "sketches", began, 0.0, count)
        return {
            "event": "sketches",
            "sketches": msgspec.to_builtins(found),
            "model": model.name,
            "model_ms": round(seconds * 1000, 2),
        }

    def _write_text(
        self, job: Job, task: Prose, model: Model, dialect: Dialect, tell: Callable[[Event], object]
    ) -> Event:
        if not isinstance(dialect, Talker):
            raise ApplianceError("LLM222", "This model writes no text.", model.name, _LARGER)
        began, first, count, teller = time.perf_counter(), 0.0, 0, Teller(task)
        prompt = dialect.turns(prose.INSTRUCTION, prose.shown(task), model.template)
        for piece in model.write(prompt, prose.grammar(task), prose.TOKENS_AT_MOST, job.wanted):
            first, count = first or time.perf_counter() - began, count + 1
            if text := teller.feed(piece):
                tell({"event": "text", "text": text})
        if text := teller.end():
            tell({"event": "text", "text": text})
        seconds = self._took(job, "told", began, first, count)
        if not teller.told:
            raise ApplianceError(
                "LLM223", "The model wrote nothing that the rows bear out.", {"left_out": teller.left_out}, "Ask again."
            )
        told = {"event": "told", "text": teller.told, "left_out": teller.left_out}
        return told | {"model": model.name, "model_ms": round(seconds * 1000, 2)}

    def _took(self, job: Job, kind: str, began: float, first: float, count: int) -> float:
        """Note what a job took; one that nobody waits for any more ends here."""
        seconds = time.perf_counter() - began
        self.last = job.took = Measured(_kind(job), kind, count, seconds, first)
        if not job.wanted():
            raise ApplianceError("LLM210", "The question took too long.", None, "Ask again.")
        return seconds

    def _positions(self) -> None:
        for position, job in enumerate(self._queue.order(), 1):
            job.events.put_nowait({"event": "queued", "position": position})
        self._tell()

    def _tell(self) -> None:
        self.watchers.tell(self.told())
        self.changed()


_LARGER: Final = "Add a larger one: appliance model add FILE, then appliance model use NAME."


def _kind(job: Job) -> str:
    return "prose" if isinstance(job.task, Prose) else "sketch" if isinstance(job.task, Outline) else "plan"


def _fault(error: Exception, code: str, message: str) -> ApplianceError:
    return error if isinstance(error, ApplianceError) else ApplianceError(code, message, repr(error)[:300])


async def _until_last(job: Job, deadline_s: float) -> AsyncIterator[Event]:
    async with asyncio.timeout(deadline_s + 1):
        while True:
            event = await job.events.get()
            yield event
            if event["event"] in _LAST:
                return
