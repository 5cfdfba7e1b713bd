"""``appliance screen``: its words on the command line, and the screen that they ask for."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.screen.trust import door_of_this_machine

EXAMPLES: Final = (
    "  appliance screen                       find the box by mDNS and show its answers\n"
    "  appliance screen --once                print what it shows now, and end\n"
    "  appliance screen --box ID@192.0.2.7:4433 --key KEY\n"
    "  appliance screen --ticket dreamstack-...    join by itself, in the ticket's room\n"
    "  appliance screen --keep beds,wards     keep these rows on this disk, for when the box is gone\n"
    "  appliance screen --relay               and pass on what it gets to screens that do not reach the box\n"
    "  appliance screen --kiosk --chromium    fill this machine's screen with the box's page"
)


def add_words(parser: argparse.ArgumentParser, add_ca: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the options; `add_ca` adds the one that says whom to trust."""
    parser.add_argument("--box", metavar="ID@IP:PORT", help="the box, where mDNS does not reach")
    parser.add_argument("--stream", default="main", metavar="NAME", help="what to show: main, or a fork by its name")
    parser.add_argument(
        "--key", default=os.environ.get("DREAMSTACK_KEY", ""), help="the credential, where the box asks for one"
    )
    parser.add_argument(
        "--ticket", default="", metavar="TICKET", help="a ticket for new screens, from `appliance admin ticket`"
    )
    parser.add_argument(
        "--kind",
        default="text",
        choices=("wall", "tablet", "phone", "watch", "text"),
        help="what it tells the box it is",
    )
    parser.add_argument("--data", metavar="DIR", help="where the screen keeps its key and what it last showed")
    parser.add_argument("--keep", metavar="NAMES", default="", help="collections to keep on this disk: beds,wards")
    parser.add_argument(
        "--door",
        metavar="URL",
        default=door_of_this_machine(),
        help="the box's address, where --keep takes them from",
    )
    parser.add_argument("--relay", action="store_true", help="pass on what it gets to other screens")
    parser.add_argument(
        "--listen", metavar="IP:PORT", default="0.0.0.0:0", help="where it passes on; 0 keeps a free port"
    )
    parser.add_argument("--peers", type=int, default=16, metavar="N", help="how many screens it passes on to")
    parser.add_argument("--via", metavar="ID@IP:PORT", action="append", help="a screen to take from, before the box")
    add_ca(parser)
    parser.add_argument("--once", action="store_true", help="print the state and end")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="how long to look for the box")
    _add_kiosk_words(parser)


def _add_kiosk_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kiosk", action="store_true", help="serve the page to a browser of this machine")
    parser.add_argument("--port", type=int, default=8090, help="of that page, on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--chromium", action="store_true", help="with --kiosk: show it in Chromium, filling the screen")
    parser.add_argument("--browser", default="", metavar="PROGRAM", help="that browser, where it is not found")
    parser.add_argument(
        "--inputs-kept", type=int, default=50, metavar="N", help="questions that may wait while the box is away"
    )
    parser.add_argument(
        "--inputs-age",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="how long one may wait",
    )


def run(options: argparse.Namespace) -> int:
    """Show the box in this terminal, or in a browser of this machine, until stopped."""
    from appliance.screen.start import ScreenOptions, run_screen

    given = {"data": Path(options.data)} if options.data else {}
    screen = ScreenOptions(
        box=options.box or "",
        stream=options.stream,
        credential=options.ticket or options.key,
        kind="wall" if options.kiosk and options.kind == "text" else options.kind,
        once=options.once,
        timeout_s=options.timeout,
        keep=tuple(name.strip() for name in options.keep.split(",") if name.strip()),
        door=options.door,
        ca=options.ca,
        **given,
        relay=options.relay,
        listen=options.listen,
        peers=options.peers,
        via=tuple(options.via or ()),
    )
    if not options.kiosk:
        return asyncio.run(run_screen(screen))
    from appliance.screen.kiosk import KioskOptions, run_kiosk

    kiosk = KioskOptions(
        port=options.port,
        chromium=options.chromium,
        browser=options.browser,
        inputs_kept=options.inputs_kept,
        inputs_age_s=options.inputs_age,
    )
    return asyncio.run(run_kiosk(screen, kiosk))
