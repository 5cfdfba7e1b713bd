"""What a subscription carries besides signals: pictures, speech, the viewer.

A flow holds no queue. Whenever the road to the screen is free it is asked for the next frame, which stands for all that
happened since the one before; so a slow screen costs no memory here either.

    subscribe {stream, pixels: {...}, speak: true, app: true}
              │
           Offer ──► [Flow, Flow, ...] ──► frames, between those of the signals
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from appliance.bridge.frame import Frame
from appliance.bridge.members import Member
from appliance.bridge.stream import Stream


class Flow(Protocol):
    """Frames of one kind, for one receiver.

    Attributes:
        deflate: whether the receiver takes its frames deflated.
    """

    deflate: bool

    async def wait(self) -> None:
        """Return when there may be a frame to send."""
        ...

    def take(self) -> Frame | None:
        """The next frame, or None when there is nothing new."""
        ...

    def again(self) -> None:
        """The receiver lost count (``need_sync``): what is taken next must need nothing before it."""
        ...

    def hear(self, said: dict[str, Any]) -> bool:
        """What the screen sent up, an input or ``{"type": "speak", ...}``; whether it was for this flow alone."""
        ...

    def close(self) -> None:
        """The receiver is gone or wants something else."""
        ...


Offer = Callable[[Member, Stream, dict[str, Any]], Awaitable[list[Flow]]]
"""The flows that a member's ``subscribe`` or ``speak`` asks for.

Raises ApplianceError where it cannot have them: the screen is told, and the connection goes on as it was.
"""


async def offer_nothing(_member: Member, _stream: Stream, _said: dict[str, Any]) -> list[Flow]:
    """No flows, whatever is asked for."""
    return []
