"""Ways for frames to travel. Each transport turns its own connection into a :class:`Connection`.

A connection moves whole encoded frames and knows nothing of signals. The in-memory twin in
:mod:`~appliance.bridge.transports.memory` is what unit tests use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from appliance.bridge.frame import Frame

if TYPE_CHECKING:
    from appliance.bridge.fanout import Parcel

__all__ = ["AtOnce", "Connection", "ConnectionLost"]


class ConnectionLost(Exception):
    """The other side is gone; nothing more will arrive."""


class Connection(Protocol):
    """A two-way road for frames between the box and one peer."""

    @property
    def peer(self) -> str:
        """Who is at the other end: an address or an EndpointId."""
        ...

    async def send(self, raw: bytes) -> None:
        """Send one or several encoded frames, back to back; waits while the peer is slow.

        Raises:
            ConnectionLost: the peer is gone.
        """
        ...

    async def receive(self) -> Frame:
        """The next frame.

        Raises:
            ConnectionLost: the peer is gone.
            ApplianceError: SIG3xx, the peer sent what cannot be read.
        """
        ...

    async def close(self, reason: str = "") -> None:
        """End the connection; sending and receiving then raise :class:`ConnectionLost`."""
        ...


@runtime_checkable
class AtOnce(Protocol):
    """A connection that can also send without waiting."""

    def send_now(self, parcel: Parcel, seq: int) -> bool:
        """Send a frame if that needs no waiting: False, and nothing is sent, where the peer is slow or gone."""
        ...
