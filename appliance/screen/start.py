"""Starts a screen: its own folder, identity and cache, then the agent and what draws.

>>> await run_screen(ScreenOptions(once=True))  # doctest: +SKIP
0
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import Identity, load_or_create
from appliance.bridge.invitations import is_invitation, peek
from appliance.bridge.mesh import Relay
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.screen import cache
from appliance.screen.agent import Agent
from appliance.screen.mesh import Side
from appliance.screen.relaying import RelayOptions, serve_peers
from appliance.screen.roads import Roads
from appliance.screen.shelf import Shelf
from appliance.screen.text import run_text
from appliance.screen.ticket import Ticket, parse
from appliance.screen.trust import DEFAULT_DOOR, verified

_log = logger("screen")


class ScreenOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a screen.

    Attributes:
        data: folder of its identity and cache; None takes :func:`default_folder`.
        box: a ticket, ``<id>@<ip>:<port>``; empty looks for the box with mDNS.
        stream: what it shows.
        credential: the key of the role it acts as, or a ticket for new screens, which also names the box.
        kind: its surface: wall, tablet, phone, watch or text.
        once: print the current state and end.
        timeout_s: how long `once` waits for the box, seconds.
        keep: collections whose rows it keeps on its disk.
        door: the box's HTTP address, where those come from.
        ca: the file of the authority to trust there; empty trusts the system's and a box on this machine.
        relay: whether it passes on what it gets to other screens.
        listen: where it does, ``<ip>:<port>``; port 0 takes a free one and keeps it.
        peers: how many others it passes on to at once.
        via: tickets of relays to take before the box.
    """

    data: Path | None = None
    box: str = ""
    stream: str = "main"
    credential: str = ""
    kind: str = "text"
    once: bool = False
    timeout_s: float = 10.0
    keep: tuple[str, ...] = ()
    door: str = DEFAULT_DOOR
    ca: str = ""
    relay: bool = False
    listen: str = "0.0.0.0:0"
    peers: int = 16
    via: tuple[str, ...] = ()


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a screen keeps its identity and what it last showed."""
    if os.geteuid() == 0:
        return Path("/var/lib/dreamstack/screen")
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "dreamstack" / "screen"


async def run_screen(options: ScreenOptions) -> int:
    """Run a text screen until cancelled, or once; returns the exit status.

    Raises:
        ApplianceError: SCR500 (no box found), SCR503 (several), SCR504 (the ticket cannot be read), BRG401
            (the box asks for a credential), BRG414 (the folder cannot be used), PGF105 (no name of a collection).
    """
    agent = await asyncio.to_thread(make_agent, options)
    shelf = await asyncio.to_thread(make_shelf, options)
    async with passing_on(agent, options):
        return await run_text(agent, shelf=shelf, once=options.once, timeout_s=options.timeout_s)


@asynccontextmanager
async def passing_on(agent: Agent, options: ScreenOptions) -> AsyncIterator[None]:
    """Serve other screens meanwhile, where these options say so; a port that cannot be used is told and done without.

    Args:
        agent: as :func:`make_agent` made it.
        options: how the screen was started.
    """
    if agent.side.relay is None:
        yield
        return
    folder = options.data or default_folder()
    more = RelayOptions(listen=options.listen, port_path=folder / "relay.port")
    serving = asyncio.create_task(_serve(agent.side, more))
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _serve(side: Side, options: RelayOptions) -> None:
    assert side.relay is not None
    try:
        await serve_peers(side.relay, side.identity, options)
    except ApplianceError as error:
        _log.error("does not pass on what it gets", reason=error)


def make_shelf(options: ScreenOptions) -> Shelf | None:
    """The collections these options keep, holding what they held when the screen last ran. Blocks on the disk."""
    if not options.keep:
        return None
    folder = (options.data or default_folder()) / "shelf"
    shelf = Shelf(folder, options.keep, door=options.door, credential=options.credential, verify=verified(options.ca))
    shelf.load()
    return shelf


def make_agent(options: ScreenOptions) -> Agent:
    """The agent these options describe, holding what it showed when it last ran. Blocks on the disk."""
    named = parse(options.box) if options.box else _invited(options.credential)
    folder = options.data or default_folder()
    identity = load_or_create(folder / "iroh.key")
    cached = folder / ("held.json" if options.stream == "main" else f"held-{quote(options.stream, safe='')}.json")
    held = cache.load(cached)
    if held is not None and named is not None and held.box.endpoint_id != named.endpoint_id:
        held = None
    box = named or (held.box if held else None)
    faithful = named is not None or bool(options.credential)
    side = Side(identity, relay=_relay(identity, options), pass_path=folder / "pass")
    side.load()
    roads = Roads(
        identity,
        box,
        faithful=faithful,
        frame_limit=DEFAULT_LIMIT,
        via=tuple(parse(text) for text in options.via),
        peers=lambda: side.relay.peers if side.relay else (),
    )
    more = {"credential": options.credential, "kind": options.kind, "stream": options.stream}
    return Agent(roads, **more, cache_path=cached, held=held, side=side)


def _relay(identity: Identity, options: ScreenOptions) -> Relay | None:
    return Relay(identity.endpoint_id, options.peers) if options.relay else None


def _invited(credential: str) -> Ticket | None:
    """The box that a ticket for new screens names."""
    if not is_invitation(credential):
        return None
    invitation = peek(credential)
    return Ticket(invitation.box, invitation.addresses)
