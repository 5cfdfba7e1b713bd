from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from appliance.bridge import passes
from appliance.bridge.discovery import find_relays
from appliance.bridge.frame import DEFAULT_LIMIT, control, encode
from appliance.bridge.identity import Identity
from appliance.bridge.mesh import Relay
from appliance.bridge.mesh.seal import Place
from appliance.bridge.transports.iroh import dial
from appliance.screen import relaying
from appliance.screen.relaying import RelayOptions, serve_peers
from tests.unit.bridge.mesh.test_chain import key


def test_a_port_is_kept(tmp_path: Path) -> None:
    options = RelayOptions(listen="127.0.0.1:0", port_path=tmp_path / "screen" / "relay.port")
    first = relaying._with_port(options)
    assert first != "127.0.0.1:0"
    assert relaying._with_port(options) == first
    assert relaying._with_port(RelayOptions(listen="127.0.0.1:4711", port_path=options.port_path)) == "127.0.0.1:4711"


async def test_it_is_announced_once_it_has_a_picture_and_serves(screen: Identity, box_identity: Identity) -> None:
    relay = Relay(screen.endpoint_id)
    serving = asyncio.create_task(serve_peers(relay, screen, RelayOptions(listen="127.0.0.1:0", name="Lobby")))
    try:
        assert await find_relays(0.5, box_identity.endpoint_id) == []
        relay.box_id, relay.place = box_identity.endpoint_id, Place("main", "wall")
        relay.add(key(3))
        (found,) = await find_relays(5, box_identity.endpoint_id)
        assert (found.name, found.endpoint_id) == ("Lobby", screen.endpoint_id)
        # A screen of its own, with the box's key as its own for want of another.
        road = await dial(box_identity, found.endpoint_id, found.addresses, 5, DEFAULT_LIMIT)
        shown = passes.issue(box_identity, box_identity.endpoint_id, role="wall")
        await road.send(encode(control("hello", **{"pass": shown})))
        assert (await road.receive()).json()["type"] == "hello"
        await road.close()
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    assert await find_relays(0.5, box_identity.endpoint_id) == []
