"""The words of ``appliance replay`` and ``appliance archive``, and what runs for them."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

__all__ = ["ARCHIVE_EXAMPLES", "REPLAY_EXAMPLES", "add_archive_words", "add_replay_words", "run_archive", "run_replay"]

REPLAY_EXAMPLES = """\
  appliance replay                                 what is recorded
  appliance replay --at 14:05                      what screens showed then
  appliance replay --from 1h --speed 60            the last hour in a minute
  appliance replay --from 14:00 --to 14:10 --step  one change for each Enter
  appliance replay --at 14:05 --fork what-if       a new stream that goes on from there"""

ARCHIVE_EXAMPLES = """\
  appliance archive list                           the finished recordings of the box that is found
  appliance archive get HASH                       fetch one, checked while it arrives
  appliance archive get HASH --from ID@192.0.2.7:4433 --key KEY --out past
  appliance archive serve past                     serve those on to others"""


def add_replay_words(parser: argparse.ArgumentParser) -> None:
    """What ``appliance replay`` takes, besides the door."""
    parser.add_argument("--stream", default="main", metavar="NAME", help="which stream; else main")
    parser.add_argument("--at", default="", metavar="TIME", help="print the state at a time: 14:05, 10m, ISO 8601")
    parser.add_argument("--from", dest="begin", default="", metavar="TIME", help="replay from this time on")
    parser.add_argument("--to", dest="end", default="", metavar="TIME", help="until this time; else now")
    parser.add_argument("--speed", default="1", help="1 as recorded, 10 faster, max without waiting")
    parser.add_argument("--step", action="store_true", help="show one change, then wait for Enter")
    parser.add_argument("--fork", default="", metavar="NAME", help="with --at: a new live stream that begins there")
    parser.add_argument("--file", default="", metavar="FILE", help="replay a fetched archive instead; needs no box")
    parser.add_argument("--role", help="act as this role: wall, staff or admin")


def run_replay(options: argparse.Namespace) -> int:
    """Run ``appliance replay``."""
    from appliance.services.replay_command import Replay
    from appliance.services.replay_command import run_replay as run

    return run(Replay(**{name: getattr(options, name) for name in Replay.__struct_fields__}))


def add_archive_words(parser: argparse.ArgumentParser) -> None:
    """What ``appliance archive`` takes."""
    actions: Any = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    parser.set_defaults(ticket="", key=os.environ.get("DREAMSTACK_KEY", ""))
    for name, told in (
        ("list", "the finished recordings that a peer has"),
        ("get", "fetch one by its hash"),
        ("serve", "serve the archives in a folder to other peers"),
    ):
        action = actions.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        if name == "get":
            action.add_argument("hash", metavar="HASH", help="its hash, 64 hexadecimal digits")
            action.add_argument("--out", default=".", metavar="DIR", help="where to keep it; else here")
        if name == "serve":
            action.add_argument("folder", metavar="DIR", help="a folder with fetched archives, or recordings")
            action.add_argument("--lan", action="store_true", help="to the network, not to this machine alone")
            action.add_argument("--port", type=int, default=0, help="the UDP port; else a free one")
        else:
            action.add_argument("--from", dest="ticket", default="", metavar="ID@IP:PORT", help="the peer; else found")
        action.add_argument("--key", default=os.environ.get("DREAMSTACK_KEY", ""), help="the credential")


def run_archive(options: argparse.Namespace) -> int:
    """Run ``appliance archive``; without an action it lists."""
    from appliance.screen.replay import terminal
    from appliance.services import archive_command as command

    console = terminal()
    if options.action == "get":
        path = asyncio.run(_get(options))
        console.print(f"{path} is whole.", soft_wrap=True)
    elif options.action == "serve":
        folder, lan, port = Path(options.folder), options.lan, options.port
        asyncio.run(command.serve_archives(folder, options.key, lan=lan, port=port, tell=_serving))
    else:
        asyncio.run(command.list_archives(options.ticket, options.key, console))
    return 0


async def _get(options: argparse.Namespace) -> Path:
    from rich.progress import Progress

    from appliance.services.archive_command import get_archive

    with Progress(transient=True) as progress:
        task = progress.add_task("archive", total=None)
        folder = Path(options.out)
        return await get_archive(
            options.hash,
            options.ticket,
            options.key,
            folder,
            lambda done, of: progress.update(task, completed=done, total=of),
        )


def _serving(ticket: str, key: str) -> None:
    print(f"Serving until Ctrl-C.\n  appliance archive list --from {ticket} --key {key}", flush=True)
