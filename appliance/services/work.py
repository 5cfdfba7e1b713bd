"""Work: the questions that are being answered just now, and how one is stopped by whoever asked it.

A screen that comes back under another name still has the `ref` that it sent its question with, so that counts too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.forms import is_confirmed
from appliance.types import Answer, Question

__all__ = ["Work"]


class Work:
    """What is worked on; one question may be more than once."""

    def __init__(self) -> None:
        self._going: list[_Going] = []

    async def on(self, question: Question, answering: Coroutine[Any, Any, Answer], ref: str = "") -> Answer:
        """What comes of a question, or that it was stopped; `ref` is what its screen calls it."""
        going = _Going(question, asyncio.ensure_future(answering), ref)
        self._going.append(going)
        try:
            return await going.task
        except asyncio.CancelledError:
            if not going.stopped:
                raise
            return _stopped(question)
        finally:
            self._going.remove(going)

    def stop(self, said: dict[str, Any]) -> bool:
        """Stop work on a question, at the wish of who asked it or of the admin; whether there was any.

        Args:
            said: names the `answer`, or in `asked` the `ref` of its question; `screen` and `role` are who says so.
        """
        for going in self._going:
            # what a person said yes to is not stopped in the middle
            if going.is_meant(said) and not is_confirmed(going.question.plan):
                going.stopped = True
                going.task.cancel()
                return True
        return False


class _Going(msgspec.Struct, eq=False):
    question: Question
    task: asyncio.Task[Answer]
    ref: str
    stopped: bool = False

    def is_meant(self, said: dict[str, Any]) -> bool:
        if self.ref and self.ref == said.get("asked"):
            return True
        own = bool(self.question.screen) and self.question.screen == said.get("screen")
        return said.get("answer") == self.question.id and (own or said.get("role") == "admin")


def _stopped(question: Question) -> Answer:
    error = ApplianceError("LLM215", "This question was stopped.", None, "Ask it again whenever you like.")
    view = {"kind": "text"}
    return Answer(question.id, question.text, "failed", sentence=error.message, view=view, error=error.shape())
