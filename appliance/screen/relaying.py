"""Opens this screen's own door for other screens, and says on the network that it is there.

>>> await serve_peers(relay, identity, RelayOptions(listen="0.0.0.0:0"))  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import msgspec

from appliance.bridge.discovery import announced
from appliance.bridge.identity import Identity
from appliance.bridge.mesh import Relay
from appliance.bridge.transports.iroh import IrohListener, listen
from appliance.bridge.transports.ports import kept_port
from appliance.observation import logger

_log = logger("screen")


class RelayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a screen serves others.

    Attributes:
        listen: ``"ip:port"``; port 0 takes a free one, and the same at the next start.
        name: what it is called on the network.
        announce: whether to say on the network that it is there.
        frame_limit: payload bytes of a frame it accepts.
        port_path: where its port is kept, or None.
    """

    listen: str = "0.0.0.0:0"
    name: str = ""
    announce: bool = True
    frame_limit: int = 4 * 1024 * 1024
    port_path: Path | None = None


async def serve_peers(relay: Relay, identity: Identity, options: RelayOptions) -> None:
    """Serve other screens until cancelled.

    Raises:
        ApplianceError: BRG407, the port is in use; BRG413, this machine cannot confine Iroh.
    """
    address = await asyncio.to_thread(_with_port, options)
    listener = await listen(identity, address, relay.serve, options.frame_limit)
    _log.info("passes on what it gets", id=listener.endpoint_id, addresses=",".join(listener.addresses()))
    try:
        while True:
            await _until(relay, has_picture=True)
            async with _announced(relay, listener, options):
                await _until(relay, has_picture=False)
    finally:
        await listener.close()


async def _until(relay: Relay, *, has_picture: bool) -> None:
    changed = relay.changed
    while bool(relay.box_id and relay.chain.keyframe) is not has_picture:
        await changed.wait()
        changed = relay.changed


def _announced(relay: Relay, listener: IrohListener, options: RelayOptions) -> AbstractAsyncContextManager[None]:
    if not options.announce:
        return nullcontext()
    name, lan = options.name or f"{socket.gethostname()} relay", not options.listen.startswith("127.")
    return announced(name, relay.me, listener.addresses, lan=lan, relay_of=relay.box_id)


def _with_port(options: RelayOptions) -> str:
    """The address to listen at: where 0 is asked for, the port of earlier starts, so that peers find it again."""
    host, _, port = options.listen.rpartition(":")
    if port != "0" or options.port_path is None:
        return options.listen
    return f"{host}:{kept_port(options.port_path, host)}"
