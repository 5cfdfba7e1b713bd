"""What is said at a screen is heard by its box: sound goes up by the agent's road, words come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from appliance.bridge.ear import Said, frames_of
from appliance.bridge.members import Member
from appliance.errors import ApplianceError, from_shape

HEARD_S: Final = 15.0
CODES: Final = frozenset({"LLM203", "LLM209", "LLM230", "LLM231", "LLM232", "SIG308"})
"""Of errors that may be about what was said."""


class Speaking:
    """An :class:`~appliance.bridge.ear.Understanding` that the box has.

    Args:
        send: sends frames up; raises SCR502 while the box is away.
        live: set while it is not.
        lost: SCR502, with a reason.

    Attributes:
        listens: whether the box hears what is said.
    """

    def __init__(
        self, send: Callable[..., Awaitable[None]], live: asyncio.Event, lost: Callable[[str], ApplianceError]
    ) -> None:
        self.listens = False
        self._send, self._live, self._lost = send, live, lost
        self._waiting: asyncio.Future[dict[str, Any]] | None = None

    async def ready(self, member: Member) -> None:
        """The box makes ready when the first of it arrives."""

    async def hear(self, member: Member, said: Said) -> dict[str, Any]:
        """The keys of the box's ``heard``. What was said before is not waited for any more.

        Raises:
            ApplianceError: SCR502, the box is away; LLM2xx or SIG308, it hears nothing.
        """
        if self._live.is_set() and not self.listens:
            raise ApplianceError("LLM230", "This box does not listen.", None, "Type the question.")
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().create_future()
        await self._send(*frames_of(said))
        try:
            async with asyncio.timeout(HEARD_S):
                return await self._waiting
        except TimeoutError as late:
            raise self._lost(str(late)) from None

    def answered(self, said: dict[str, Any]) -> bool:
        """Whether a control frame is about what was said."""
        waiting = self._waiting
        about = said["type"] == "heard" or (str(said.get("code", "")) in CODES and "ref" not in said)
        if waiting is None or waiting.done() or not about:
            return False
        if said["type"] == "heard":
            waiting.set_result({name: value for name, value in said.items() if name != "type"})
        else:
            waiting.set_exception(from_shape(said))
        return True
