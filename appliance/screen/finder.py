"""Where the box is: first where it was last known, then wherever it says it is now.

A screen that has a credential, or that has spoken with its box before, follows that EndpointId and no other:
whoever else announces a box on the network does not get the credential.
"""

from __future__ import annotations

from typing import Final

from appliance.bridge.discovery import FoundBox, find
from appliance.bridge.identity import Identity
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import dial
from appliance.errors import ApplianceError
from appliance.screen.ticket import Ticket, write

DIAL_TIMEOUT_S: Final = 1.5
LOOK_TIMEOUT_S: Final = 2.0


class Finder:
    """Connects to the box.

    Args:
        identity: the screen's key.
        box: where the box was last known, or None to take the one that is found.
        faithful: follow `box` only; else another box is taken when `box` is not there and one other is.
        frame_limit: payload bytes of a frame the screen accepts.
        alpn: what is spoken on the connection, if not the bitstream.

    Attributes:
        identity: the screen's key.
    """

    def __init__(
        self, identity: Identity, box: Ticket | None, *, faithful: bool, frame_limit: int, alpn: bytes | None = None
    ) -> None:
        self.box = box
        self.identity = identity
        self._faithful = faithful
        self._frame_limit = frame_limit
        self._alpn = alpn

    async def connect(self) -> Connection:
        """A connection to the box, within about six seconds.

        Raises:
            ApplianceError: SCR500 (no box found), SCR501 (found, but no answer), SCR503 (several found and
                none was named), BRG413 and BRG415 (this machine cannot).
        """
        if self.box is None:
            return await self._dial(await self._look())
        try:
            return await self._dial(self.box)
        except ApplianceError as error:
            if error.code != "SCR501":
                raise
            return await self._dial(await self._look_again(error))

    async def _dial(self, box: Ticket) -> Connection:
        limit, alpn = self._frame_limit, self._alpn
        road = await dial(self.identity, box.endpoint_id, box.addresses, DIAL_TIMEOUT_S, limit, alpn)
        self.box, self._faithful = box, True
        return road

    async def _look_again(self, earlier: ApplianceError) -> Ticket:
        """Where a box that does not answer where it was is now; `earlier` says more than a vain search."""
        try:
            return await self._look()
        except ApplianceError as error:
            raise (earlier if error.code == "SCR500" else error) from None

    async def _look(self) -> Ticket:
        known = self.box.endpoint_id if self.box else None
        found = await find(LOOK_TIMEOUT_S, known if self._faithful else None)
        chosen = [box for box in found if box.endpoint_id == known] or found
        if len(chosen) == 1:
            return Ticket(chosen[0].endpoint_id, chosen[0].addresses)
        raise _several(chosen) if chosen else no_box()


def no_box() -> ApplianceError:
    """The error SCR500."""
    return ApplianceError(
        "SCR500",
        "No box was found on this network.",
        None,
        "Is `appliance up` running? Or name the box: appliance screen --box <id>@<ip>:<port>",
    )


def _several(found: list[FoundBox]) -> ApplianceError:
    listed = [f"{box.name}: {write(Ticket(box.endpoint_id, box.addresses))}" for box in found]
    return ApplianceError(
        "SCR503",
        "More than one box is on this network.",
        "; ".join(listed),
        "Name one: appliance screen --box <id>@<ip>:<port>",
    )
