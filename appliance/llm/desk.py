"""The desk: two workers, the box's small model and beside it perhaps a larger one.

A plan is asked of the larger model first. Where it fails, is too slow or writes what is no plan, the small one is
asked in the time that is left, and the asker hears ``{"event": "fallback", "error": {...}}`` in between. Each has its
own queue and thread, so that the small model never waits for the larger. Text is the larger one's alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, Literal

from appliance.errors import ApplianceError
from appliance.llm.plan import read_query, validate
from appliance.llm.prompt import Task
from appliance.llm.prose import Prose
from appliance.llm.worker import Event, Watchers, Worker
from appliance.types import Catalog, Collection

Which = Literal["auto", "small", "large"]
"""``large`` asks the small model in no case: its asker has another way."""
FAILURES_AT_MOST: Final = 3
PAUSE_S: Final = 120.0
"""A larger model that failed three times in a row is left alone for this long, so that nobody waits for it in vain."""


class Desk:
    """Takes tasks for both models.

    Args:
        small: the worker of the small model.
        large: the worker of the larger one; it may hold none.
        patience_s: seconds the larger model may take for a plan, waiting included.
    """

    def __init__(self, small: Worker, large: Worker, patience_s: float) -> None:
        self.small, self.large, self._patience_s = small, large, patience_s
        self.watchers = Watchers()
        self._failures, self._paused_until = 0, 0.0
        for worker in (small, large):
            worker.changed = lambda: self.watchers.tell(self.told())

    async def run(self) -> None:
        """Load both and work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.small.run())
            tasks.create_task(self.large.run())

    async def reload(self) -> None:
        """Load the larger model that is chosen now; nobody who waits is sent away.

        Raises:
            ApplianceError: LLM208, it cannot be loaded; what was in use goes on.
        """
        await self.large.reload()
        self._failures, self._paused_until = 0, 0.0

    @property
    def has_large(self) -> bool:
        """Whether a larger model is loaded."""
        return self.large.model is not None and self.large.fault is None

    @property
    def _takes(self) -> bool:
        """Whether the larger model is asked for plans now."""
        return self.has_large and time.monotonic() >= self._paused_until

    async def plan(
        self, task: Task, screen: str, deadline_s: float, which: Which = "auto"
    ) -> AsyncGenerator[Event, None]:
        """The events of a question, from queued to plan or error; see :meth:`Worker.plan`.

        Raises:
            ApplianceError: LLM208, there is no model; LLM209, too many are waiting; LLM222, there is no larger model
                and no other is to be asked.
            TimeoutError: there was no plan a second after the deadline.
        """
        until = time.monotonic() + deadline_s
        if which != "small" and self._takes:
            async with aclosing(self._try_large(task, screen, min(deadline_s, self._patience_s))) as events:
                async for event in events:
                    alone = which == "large" and event["event"] == "fallback"
                    yield event | {"event": "error"} if alone else event
                    if event["event"] == "plan" or alone:
                        return
        elif which == "large":
            raise ApplianceError("LLM222", "No larger model answers now.")
        async for event in self.small.plan(task, screen, max(0.0, until - time.monotonic())):
            yield event

    async def _try_large(self, task: Task, screen: str, patience_s: float) -> AsyncGenerator[Event, None]:
        """The larger model's events; a fallback in the place of an error."""
        try:
            async for event in self.large.plan(task, screen, patience_s):
                if event["event"] == "error":
                    yield self._failed(event["error"])
                    return
                if event["event"] == "plan":
                    _check(event, task)
                    self._failures = 0
                yield event
        except ApplianceError as error:
            yield self._failed(error.shape())
        except TimeoutError:
            late = ApplianceError("LLM210", "The larger model took too long.", {"seconds": patience_s})
            yield self._failed(late.shape())

    def _failed(self, error: dict[str, Any]) -> Event:
        if error["code"] != "LLM209":  # a full queue says nothing about the model
            self._failures += 1
        if self._failures >= FAILURES_AT_MOST:
            self._failures, self._paused_until = 0, time.monotonic() + PAUSE_S
        return {"event": "fallback", "error": error}

    async def tell(self, wanted: Prose, screen: str, deadline_s: float) -> AsyncIterator[Event]:
        """The events of prose, from queued to told or error.

        Raises:
            ApplianceError: LLM222, there is no larger model; LLM209, too many are waiting.
            TimeoutError: it was not done a second after the deadline.
        """
        writer = self.large if self.has_large else self.small
        async for event in writer.plan(wanted, screen, deadline_s):
            yield event

    def watch(self) -> AsyncIterator[Event]:
        """What both are doing, now and whenever it changes."""
        return self.watchers.watch(self.told)

    def told(self) -> Event:
        """The small model's state; `large` is the other's. The queue is that of both."""
        small, large = self.small.told(), self.large.told()
        busy = {"state": "busy"} if large["state"] == "busy" and small["state"] == "ready" else {}
        fault = self.large.fault.shape() if self.large.fault else None
        paused = time.monotonic() < self._paused_until
        queue = small["queue"] + large["queue"]
        return small | busy | {"queue": queue, "large": large | {"error": fault, "paused": paused}}


def _check(event: Event, task: Task) -> None:
    """Whether what the larger model wrote can be run at all, by the fields it was shown."""
    validate(read_query(event["plan"]), Catalog("", (Collection(task.collection, task.label, task.fields),)))
