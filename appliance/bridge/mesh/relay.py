"""A relay: serves the view that a screen receives to other screens, as the box signed it.

    relay = Relay(identity.endpoint_id, peers_limit=16)
    relay.attach(box_id, "DreamStack", Place("main", "wall"), (), up)   # a road to the box, or to another relay
    relay.add(link); relay.hear(word, frame)                            # what came over it
    await relay.serve(connection)                                       # a peer, until it leaves

A peer shows its pass: signed by the box, for the EndpointId that QUIC has proved, of at least the relay's role.
Without one it learns nothing. A peer is held no queue: it has a place in the chain, and gets what follows when it
is free to take it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from appliance.bridge.frame import Frame, control
from appliance.bridge.mesh.alive import Alive
from appliance.bridge.mesh.chain import Chain, Link
from appliance.bridge.mesh.peer import Peer, nothing_yet
from appliance.bridge.mesh.seal import Place
from appliance.bridge.passes import Pass, check_revoked, may_read, refused, verify
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, rank

HOPS: Final = 4
"""Relays that may lie between the box and a screen."""
AWAITED: Final = 1000
STRANGERS: Final = 32
"""Callers beside the peers that may be connected while they have not shown a good pass."""

Up = Callable[[Frame], Awaitable[None]]


class Relay:
    """What a relaying screen holds for its peers.

    Args:
        me: this screen's EndpointId.
        peers_limit: peers served at once; each costs its connection and a number.

    Attributes:
        chain: the signed frames.
        path: the relays from this one to the box, this one first.
        up: sends a frame towards the box; None while there is no road.
        word: the latest word of the box, as it came.
    """

    def __init__(self, me: str, peers_limit: int = 16) -> None:
        self.me = me
        self.chain = Chain()
        self.box_id = self.box_name = ""
        self.place: Place | None = None
        self.path: tuple[str, ...] = (me,)
        self.up: Up | None = None
        self.word: Frame | None = None
        self.changed = asyncio.Event()
        self.sent_bytes = 0
        self._limit = peers_limit
        self._calling = 0
        self._peers: dict[str, Peer] = {}
        self._revoked: dict[str, float] = {}
        self._awaited: OrderedDict[str, Peer] = OrderedDict()

    @property
    def peers(self) -> frozenset[str]:
        """The EndpointIds of the peers served now."""
        return frozenset(self._peers)

    async def attach(self, box_id: str, box_name: str, place: Place, above: tuple[str, ...], up: Up) -> None:
        """A road is there; `above` are the relays on it. A view or box other than before sends all peers away."""
        if (box_id, place) != (self.box_id, self.place):
            await self._empty()
        self.box_id, self.box_name, self.place = box_id, box_name, place
        self.path, self.up = (self.me, *above), up
        self.tell()

    def forget(self) -> None:
        """What it holds is not for this screen any more, so not for its peers either: they are sent away."""
        self.chain, self.word, self.place, self.up = Chain(), None, None, None
        self.tell()

    def detach(self) -> None:
        """The road is lost; peers keep what is held, and are told."""
        self.up = None
        self.tell()

    def add(self, link: Link) -> None:
        """A checked signal frame came."""
        self.chain.add(link)
        self.tell()

    def hear(self, word: Alive, frame: Frame) -> None:
        """A checked word of the box came; one that was asked for goes to who asked."""
        self._revoked = word.no
        if word.n:
            self.answer(word.n, frame)
            return
        self.word = frame
        self.tell()

    def answer(self, key: str, frame: Frame) -> bool:
        """Hand what came for one peer to it; False when nobody waits for it."""
        peer = self._awaited.pop(key, None)
        if peer is not None:
            peer.post(frame)
        return peer is not None

    def tell(self) -> None:
        """Wake what serves the peers."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def serve(self, connection: Connection) -> None:
        """Serve a peer until it leaves or may no longer be served."""
        if self._calling >= self._limit + STRANGERS:
            await connection.close("BRG409")
            return
        peer = Peer(self, connection)
        self._calling += 1
        try:
            await peer.run()
        finally:
            self._calling -= 1
            if self._peers.get(connection.peer) is peer:
                del self._peers[connection.peer]
                self.tell()

    def admit(self, peer: Peer, shown: str) -> Pass:
        """Let a peer in that shows a pass.

        Raises:
            ApplianceError: BRG430 (no good pass), BRG402 (of a lower role than what is relayed), BRG409 (full),
                BRG431 (the way to the box would go round in a circle), BRG432 (nothing to serve yet).
        """
        if self.place is None or self.chain.keyframe is None:
            raise nothing_yet()
        found = verify(shown, self.box_id)
        self.check(found, peer.id)
        if rank(found.role) < rank(_role(self.place.role)) or not may_read(found, self.place.stream):
            raise ApplianceError("BRG402", "This screen may not see what that one passes on.", found.role)
        if peer.id in self.path:
            raise circle(self.path)
        if len(self._peers) >= self._limit and peer.id not in self._peers:
            raise ApplianceError("BRG409", "This screen passes on to as many as it may.", self._limit)
        self._peers[peer.id] = peer
        return found

    def check(self, shown: Pass, peer: str) -> None:
        """Raise BRG430 where a pass is not this peer's, or was revoked."""
        if shown.screen != peer:
            raise refused("it is another screen's")
        check_revoked(shown, self._revoked)

    async def forward(self, peer: Peer, key: str, frame: Frame) -> None:
        """Send a peer's frame up as it came; what comes back for `key` is its."""
        self._awaited[key] = peer
        if len(self._awaited) > AWAITED:
            self._awaited.popitem(last=False)
        try:
            if self.up is None:
                raise ConnectionLost("no road to the box")
            await self.up(frame)
        except ConnectionLost as lost:
            self._awaited.pop(key, None)
            peer.post(_no_road(key, str(lost)))

    async def _empty(self) -> None:
        self.chain, self.word = Chain(), None
        await asyncio.gather(*(peer.leave("the view has changed") for peer in list(self._peers.values())))

    def greeting(self, shown: Pass) -> dict[str, Any]:
        """The hello of this relay."""
        assert self.place is not None
        who = {"role": self.place.role, "screen": shown.screen[:16], "room": shown.room, "name": shown.name}
        return {"version": 1, "box": self.box_name, **who}

    def way(self) -> dict[str, Any]:
        """How this relay hangs on the box, as peers are told."""
        return {"path": list(self.path), "up": self.up is not None}


def circle(path: tuple[str, ...]) -> ApplianceError:
    """The error BRG431."""
    return ApplianceError(
        "BRG431", "The way to the box through this screen goes round, or is too long.", {"relays": len(path)}
    )


def _no_road(key: str, reason: str) -> Frame:
    lost = ApplianceError("SCR502", "The connection to the box was lost.", reason, "Try again when the box is back.")
    return control("error", **lost.shape(), n=key)


def _role(name: str) -> Role:
    return next((role for role in ROLES if role == name), "admin")
