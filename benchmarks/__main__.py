"""``python -m benchmarks``: run them, print what they found, stop all that was started."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.report import Result, plain, text

BENCHMARKS = (
    "ask",
    "change",
    "feed",
    "insert",
    "page",
    "paint",
    "frames",
    "mesh",
    "import_csv",
    "fanout",
    "footprint",
    "agents",
    "sizes",
    "speech",
    "soak",
)
"""A file each, with ``async def run(count) -> Result``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 all ran, 1 one could not, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_main(options))
    except asyncio.CancelledError:
        print("Interrupted; what was started is stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="What the box costs, each time beside a baseline from the same run."
    )
    parser.add_argument("--count", type=_positive, default=200, help="how often each thing is measured (200)")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="run this one; may be repeated")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the soak takes (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to a file")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


async def _main(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, task.cancel)
    here = machine.look()
    print(f"{here.text()}\n", flush=True)
    results, failed = [], False
    for name in options.only or BENCHMARKS:
        try:
            results.append(await _run(name, options))
            print(text(results[-1]), flush=True)
        except Exception as error:
            # One that cannot run (no browser here) leaves the others their numbers.
            failed = True
            print(f"{name}: not measured: {error or type(error).__name__}\n", file=sys.stderr, flush=True)
    if options.json:
        _write(options.json, here, results)
    return 1 if failed else 0


async def _run(name: str, options: argparse.Namespace) -> Result:
    found = importlib.import_module(f"benchmarks.{name}")
    more = {"minutes": options.minutes} if name == "soak" else {}
    result: Result = await found.run(options.count, **more)
    return result


def _write(file: Path, here: machine.Machine, results: list[Result]) -> None:
    told = {"machine": msgspec.to_builtins(here), "benchmarks": [plain(result) for result in results]}
    file.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
