"""Roads to the box: the box itself first, and where it is not reached, screens that pass on what they get.

    roads = Roads(identity, box, faithful=True, frame_limit=limit, via=(ticket,))
    road = await roads.connect()         # roads.relay says whether it leads to a relay, and which
    road = await roads.better(live=True)  # later, now and then: a road worth moving to, or None

Relays are those that were named, those that announce on the local network that they pass on this box, and those that
were used before. A named one is taken before the box: whoever names it wants the load there.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection
from typing import Final

from appliance.bridge.discovery import find_relays
from appliance.bridge.identity import Identity
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import dial
from appliance.errors import ApplianceError
from appliance.screen import finder
from appliance.screen.finder import Finder
from appliance.screen.ticket import Ticket

AVOID_S: Final = 30.0
FORGED_S: Final = 3600.0
KNOWN: Final = 32
LOOK_AFTER_S: Final = 1.0
"""A box that answers at once is not told of in vain: relays are looked for when it has not for so long."""
LOOK_EVERY: Final = 6
"""Of so many tries to get back to the box, one asks the network where it is now; the others go where it was."""


class Roads(Finder):
    """A :class:`Finder` that also knows relays.

    Args:
        identity: the screen's key.
        box: as of :class:`Finder`.
        faithful: as of :class:`Finder`.
        frame_limit: as of :class:`Finder`.
        via: relays that were named.
        look: whether relays are also looked for with mDNS.
        peers: the EndpointIds that take from this screen: none of them is taken from.

    Attributes:
        relay: the relay the latest road leads to, or None for the box.
    """

    def __init__(
        self,
        identity: Identity,
        box: Ticket | None,
        *,
        faithful: bool,
        frame_limit: int,
        via: tuple[Ticket, ...] = (),
        look: bool = True,
        peers: Callable[[], Collection[str]] = tuple,
    ) -> None:
        super().__init__(identity, box, faithful=faithful, frame_limit=frame_limit)
        self.relay: Ticket | None = None
        self._named = via
        self._seen: dict[str, Ticket] = {}
        self._looks = look
        self._peers = peers
        self._avoided: dict[str, float] = {}
        self._tries = 0

    async def connect(self) -> Connection:
        """A road: over a named relay, else to the box, else over any relay.

        Raises:
            ApplianceError: as :meth:`Finder.connect`, when nothing leads to the box.
        """
        if self.box is None:
            return await self._straight()
        named = await self._over(self._named, again=False)
        if named is not None:
            return named
        looking = asyncio.create_task(self._look_for_relays(self.box.endpoint_id, after_s=LOOK_AFTER_S))
        try:
            return await self._straight()
        except ApplianceError as error:
            if error.code not in ("SCR500", "SCR501", "BRG415"):
                raise
            await looking
            road = await self._over(self._relays(), again=True)
            if road is None:
                raise
            return road
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def better(self, *, live: bool) -> Connection | None:
        """A road worth moving to from the relay in use, or None.

        Args:
            live: the box is heard over that relay; then only the box itself would be better, and for a relay
                that was named nothing is.
        """
        now, named = self.relay, {ticket.endpoint_id for ticket in self._named}
        if now is None or (live and now.endpoint_id in named):
            return None
        self._tries += 1
        try:
            return await self._straight(quick=self._tries % LOOK_EVERY != 0)
        except ApplianceError:
            pass
        if live:
            return None
        self._avoid(now, AVOID_S)
        if self.box is not None:
            await self._look_for_relays(self.box.endpoint_id)
        return await self._over(self._relays(), again=False)

    def blame(self, error: ApplianceError) -> None:
        """The relay in use was no good: others are tried first for a while; one that forged is left for an hour."""
        if self.relay is not None:
            self._avoid(self.relay, FORGED_S if error.code in ("SIG320", "SIG321") else AVOID_S)

    def _avoid(self, relay: Ticket, pause_s: float) -> None:
        until = max(self._avoided.get(relay.endpoint_id, 0), time.monotonic() + pause_s)
        self._avoided[relay.endpoint_id] = until

    async def _straight(self, *, quick: bool = False) -> Connection:
        if quick and self.box is not None:
            road = await self._dial(self.box)
        else:
            road = await super().connect()
        self.relay = None
        return road

    async def _over(self, relays: Collection[Ticket], *, again: bool) -> Connection | None:
        """A road over the first of these that answers; those that are avoided come last if `again`, else not at all."""
        for ticket in self._in_turn(relays, again):
            try:
                road = await dial(
                    self.identity, ticket.endpoint_id, ticket.addresses, finder.DIAL_TIMEOUT_S, self._frame_limit
                )
            except ApplianceError as error:
                if error.code not in ("SCR501", "SCR504"):
                    raise
                continue
            self.relay = ticket
            return road
        return None

    def _in_turn(self, relays: Collection[Ticket], again: bool) -> list[Ticket]:
        now, peers = time.monotonic(), self._peers()
        left = {ticket: max(0.0, self._avoided.get(ticket.endpoint_id, 0) - now) for ticket in relays}
        most = AVOID_S if again else 0.0
        usable = [ticket for ticket in left if left[ticket] <= most and ticket.endpoint_id not in peers]
        return sorted(usable, key=lambda ticket: left[ticket])

    def _relays(self) -> list[Ticket]:
        """Those named, and then, in any order so that they share the load, those seen."""
        seen = list(self._seen.values())
        random.shuffle(seen)
        return [*self._named, *seen]

    async def _look_for_relays(self, box_id: str, after_s: float = 0.0) -> None:
        if not self._looks:
            return
        await asyncio.sleep(after_s)
        try:
            # A relay hears its own answer first, and would look no further.
            found = await find_relays(finder.LOOK_TIMEOUT_S, box_id, besides=self.identity.endpoint_id)
        except ApplianceError:
            return  # no mDNS here: those that were seen before may do
        for each in found:
            self._seen.pop(each.endpoint_id, None)
            self._seen[each.endpoint_id] = Ticket(each.endpoint_id, each.addresses)
        while len(self._seen) > KNOWN:
            self._seen.pop(next(iter(self._seen)))
