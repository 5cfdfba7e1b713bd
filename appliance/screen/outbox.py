"""What people at a screen have sent up and the box has not said is done: kept on the disk, sent until it says so.

The box does an input of one `ref` once, however often it comes, and says when it is done. So what is kept here is done
once, also when the connection, the agent or the box goes away in between.

    >>> outbox = Outbox(agent, folder / "outbox.json")  # doctest: +SKIP
    >>> await outbox.add({"type": "ask", "ref": "r1", "question": "How many beds are free?"})  # doctest: +SKIP
    >>> outbox.waiting  # doctest: +SKIP
    1
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen.agent import Agent
from appliance.screen.cache import write

KINDS: Final = frozenset({"ask", "set"})
"""What is kept; where somebody pointed a while ago says nothing."""
REPEAT_S: Final = 15.0
"""How long after sending an input without hearing that it is done it is sent again."""
YES_S: Final = 60.0
"""How long a Yes may be on its way, so that nothing is done that was said long ago."""
LOOK_S: Final = 1.0
_log = logger("screen")


class Kept(msgspec.Struct):
    """An input on its way: its `ref`, what was said, and when (seconds since 1970)."""

    ref: str
    said: dict[str, Any]
    at: float


class Outbox:
    """The inputs of one screen on their way up.

    Args:
        agent: sends them.
        path: where they are kept.
        limit: how many may wait.
        age_s: how long one may wait; an older one is given up.

    Attributes:
        given_up: called with the reason when an input is given up.
        listeners: called when the number of those that wait changes.
    """

    def __init__(self, agent: Agent, path: Path, *, limit: int = 50, age_s: float = 3600.0) -> None:
        self.given_up: list[Callable[[ApplianceError], None]] = []
        self.listeners: list[Callable[[], None]] = []
        self._agent, self._path, self._limit, self._age_s = agent, path, limit, age_s
        self._kept: dict[str, Kept] = {}
        self._sent: dict[str, float] = {}
        self._poke = asyncio.Event()
        self._saving = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        agent.listeners.append(self._looks_again)
        agent.done.append(self._done)

    @property
    def waiting(self) -> int:
        """How many there are."""
        return len(self._kept)

    def load(self) -> None:
        """Take up what waited when the screen last ran. Blocks on the disk."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=list[Kept])
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            _log.warn("what waited to be sent cannot be read", path=self._path, reason=error)
            return
        self._kept = {each.ref: each for each in kept}

    async def add(self, said: Mapping[str, Any]) -> None:
        """Take an input; when this returns it is on the disk.

        Raises:
            ApplianceError: SCR511, too many wait; SCR507, what is done by a Yes is not kept while the box is away.
        """
        ref = str(said.get("ref") or secrets.token_hex(8))
        if ref in self._kept:
            return  # a page that came back says again what it has no answer to
        if _is_yes(said) and not self._agent.live.is_set():
            raise ApplianceError("SCR507", "The box is away: nothing was done.", None, "Say yes again when it is back.")
        if len(self._kept) >= self._limit:
            raise ApplianceError("SCR511", "Too many questions wait for the box.", self._limit, "Ask when it is back.")
        self._kept[ref] = Kept(ref, {**said, "ref": ref}, time.time())
        await self._changed()
        self._poke.set()

    async def run(self) -> None:
        """Send what waits whenever the box is there, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poke.wait(), LOOK_S)
            self._poke.clear()
            await self._give_up_old()
            with contextlib.suppress(ApplianceError):  # it went away again
                await self._send()

    async def _send(self) -> None:
        for kept in list(self._kept.values()):
            if self._agent.live.is_set() and time.monotonic() - self._sent.get(kept.ref, -REPEAT_S) >= REPEAT_S:
                await self._agent.tell({**kept.said, "ack": True})
                self._sent[kept.ref] = time.monotonic()

    async def _give_up_old(self) -> None:
        now = time.time()
        old = [kept for kept in self._kept.values() if now - kept.at > self._limit_s(kept)]
        for kept in old:
            del self._kept[kept.ref]
            self._sent.pop(kept.ref, None)
            _log.warn("given up: the box was away for too long", asked=kept.said.get("question"))
            for listener in self.given_up:
                listener(_too_old())
        if old:
            await self._changed()

    def _limit_s(self, kept: Kept) -> float:
        return min(self._age_s, YES_S) if _is_yes(kept.said) else self._age_s

    def _looks_again(self) -> None:
        if self._agent.live.is_set():
            if self._kept.keys() - self._sent.keys():
                self._poke.set()
        else:
            self._sent.clear()  # what was on its way may have been lost

    def _done(self, ref: str) -> None:
        self._sent.pop(ref, None)
        if self._kept.pop(ref, None) is not None:
            task = asyncio.get_running_loop().create_task(self._changed())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _changed(self) -> None:
        for listener in self.listeners:
            listener()
        async with self._saving:
            body = msgspec.json.encode(list(self._kept.values()))
            try:
                await asyncio.to_thread(write, self._path, body)
            except OSError as error:
                _log.warn("what waits to be sent cannot be kept", path=self._path, reason=error)


def _is_yes(said: Mapping[str, Any]) -> bool:
    plan = said.get("plan")
    return isinstance(plan, dict) and plan.get("confirmed") is True


def _too_old() -> ApplianceError:
    return ApplianceError(
        "SCR508", "The box was away for too long: what was asked is given up.", None, "Ask again when it is back."
    )
