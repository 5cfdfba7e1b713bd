"""What the agent holds as a stream for pages of this machine, with one signal more: how things are with the box.

``screen.box`` is ``{"state", "seen", "kept", "problem"}``: the agent's state, when what is shown was last known to be
true (milliseconds since 1970, null while it is true), how many inputs wait for the box, and what is the matter. A page
that shows a stream with this signal knows that the box may be away while the stream is there.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from appliance.bridge.frame import Frame, control
from appliance.bridge.session import Session
from appliance.bridge.stream import Streams
from appliance.errors import ApplianceError
from appliance.screen.agent import Agent
from appliance.screen.outbox import Outbox
from appliance.types import Signal

LINK: Final = "screen.box"
OWN: Final = "screen."
"""What names of this screen's own signals begin with; a box's of such names are not shown."""
_SOURCE: Final = "agent"


class Mirror:
    """Keeps a local stream ``main`` as the agent's copy is.

    Args:
        agent: what it follows.
        outbox: whose number of inputs it tells.

    Attributes:
        streams: holds the one stream.
        refused: why the box does not let this screen in; until it is let in, or waits to be.
    """

    def __init__(self, agent: Agent, outbox: Outbox) -> None:
        self.streams = Streams()
        self.refused: ApplianceError | None = None
        self._stream = self.streams.open("main")
        self._agent, self._outbox = agent, outbox
        self._shown: dict[str, Any] = {}
        self._who = (agent.role, agent.room)
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        agent.listeners.append(self.follow)
        outbox.listeners.append(self.follow)
        outbox.given_up.append(lambda error: self.tell(control("error", **error.shape())))
        self.follow()

    @property
    def link(self) -> dict[str, Any]:
        """The value of ``screen.box``."""
        agent, problem = self._agent, self.refused or self._agent.problem
        seen = agent.seen_at if agent.state not in ("live", "catching up") else None
        return {
            "state": "refused" if self.refused else agent.state,
            "seen": None if seen is None else round(seen * 1000),
            "kept": self._outbox.waiting,
            "problem": problem.message if problem else None,
        }

    def follow(self) -> None:
        """Write what is different now."""
        if self._agent.state in ("waiting", "catching up", "live"):
            self.refused = None
        now = {name: value for name, value in self._agent.signals.items() if not name.startswith(OWN)}
        news = [Signal(name, value) for name, value in now.items() if self._shown.get(name) is not value]
        gone = [Signal(name, None) for name in self._shown if name not in now]
        self._shown = now
        self._stream.write(_SOURCE, [*gone, *news, Signal(LINK, self.link)])
        if self._agent.state == "live" and self._who != (self._agent.role, self._agent.room):
            self._who = (self._agent.role, self._agent.room)
            box, role = self._agent.box_name, self._agent.role
            self.tell(control("hello", version=1, box=box, role=role, screen="screen", listens=True))

    def joined(self, session: Session) -> None:
        """A page is there."""
        self._sessions.add(session)

    def left(self, session: Session) -> None:
        """A page is gone."""
        self._sessions.discard(session)

    @property
    def pages(self) -> int:
        """How many pages are there."""
        return len(self._sessions)

    def tell(self, frame: Frame) -> None:
        """Send a frame to every page."""
        for session in self._sessions:
            self._soon(session.tell(frame))

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
