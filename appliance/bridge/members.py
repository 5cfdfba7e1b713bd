"""Who is at the other end of a connection, and what is asked about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from appliance.bridge.stream import Stream
from appliance.types import Role


class Member(msgspec.Struct, frozen=True):
    """Who is at the other end.

    Attributes:
        screen: what the box calls it.
        role: what it acts as.
        room: the room it shows; empty is the whole house.
        name: what people call it.
        own: the stream it gets where it names none.
    """

    screen: str
    role: Role
    room: str = ""
    name: str = ""
    own: str = "main"


class Waiting(Protocol):
    """A screen that has to wait for the admin's word."""

    @property
    def code(self) -> str:
        """What the screen shows."""
        ...

    @property
    def expires_s(self) -> float:
        """Seconds until another code is shown."""
        ...

    async def decided(self) -> Member | Waiting:
        """Return once the admin has let it in, or another wait where the code ran out.

        Raises:
            ApplianceError: BRG445, it was refused.
        """
        ...


Admit = Callable[[dict[str, Any]], Member | Waiting]
"""Turns the screen's hello into a member or a wait, or raises BRG401, BRG441, BRG444 or BRG445."""
May = Callable[[Member, str], bool]
"""Whether a member may read the stream of this name."""
Hear = Callable[[Member, dict[str, Any]], None]
"""Takes what a screen sent up; raises ApplianceError where it makes no sense."""
Write = Callable[[Member, Stream, dict[str, Any], int | None], list[str]]
"""Takes the signals that a screen sets (:meth:`~appliance.bridge.sources.screens.Screens.set`)."""
