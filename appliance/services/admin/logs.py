"""What the parts of the box wrote down: read from their files, or from the system's journal where that keeps it.

>>> parse("2026-11-29T01:03:00.123Z bridge    warning: source left  source=assistant", "bridge").level
'warning'
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

__all__ = ["LEVELS", "PARTS", "Line", "from_files", "from_journal", "parse", "pick"]

Level = Literal["info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "error")
PARTS: Final = ("box", "gateway", "bridge", "pgflex", "llm", "postgres", "postgrest", "assistant")
TAIL: Final = 4 * 1024 * 1024
JOURNAL_LINES: Final = 5000
_OURS: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) (\w+) +(?:(warning|error): )?(.*)", re.DOTALL)
_POSTGRES: Final = re.compile(r"(\d{4}-\d\d-\d\d [\d:.]+) UTC (?:\[\d+\] )?(\w+): +(.*)", re.DOTALL)
_POSTGREST: Final = re.compile(r"(\d\d/\w{3}/\d{4}:[\d:]+ [+-]\d{4}): (.*)", re.DOTALL)
_GRAVE: Final[dict[str, Level]] = {"ERROR": "error", "FATAL": "error", "PANIC": "error", "WARNING": "warning"}


class Line(msgspec.Struct, frozen=True):
    """A line; `at` is milliseconds since 1970."""

    at: int
    part: str
    level: Level
    text: str


def parse(text: str, part: str, before: int = 0) -> Line:
    """A line as its part writes it; one without a time of its own is as late as the one `before`."""
    if found := _OURS.fullmatch(text):
        level: Level = "error" if found[3] == "error" else "warning" if found[3] else "info"
        return Line(_ms(found[1], "%Y-%m-%dT%H:%M:%S.%fZ"), found[2], level, found[4])
    if found := _POSTGRES.fullmatch(text):
        return Line(_ms(found[1], "%Y-%m-%d %H:%M:%S.%f"), part, _GRAVE.get(found[2], "info"), found[3])
    if found := _POSTGREST.fullmatch(text):
        return Line(_ms(found[1], "%d/%b/%Y:%H:%M:%S %z"), part, "info", found[2])
    return Line(before, part, _GRAVE.get(text.partition(":")[0], "info"), text)


def _ms(text: str, form: str) -> int:
    try:
        at = datetime.strptime(text, form)
    except ValueError:
        return 0
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def from_files(folder: Path) -> list[Line]:
    """The last lines of every part's file. Blocks on the disk."""
    found: list[Line] = []
    for file in sorted(folder.glob("*.log")):
        found.extend(_read(file, file.name.removesuffix(".log").removesuffix(".old")))
    return found


def _read(file: Path, part: str) -> Iterator[Line]:
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - TAIL))
        lines = opened.read(TAIL).decode(errors="replace").split("\n")  # programs of others may write any other break
    before = 0
    for text in lines[1:] if size > TAIL else lines:
        if text.strip():
            line = parse(text[:4000], part, before)
            before = line.at or before
            yield line


async def from_journal() -> list[Line] | None:
    """The last lines of the system's journal; None where this user may not read it."""
    words = ("--output=json", "--no-pager", f"--lines={JOURNAL_LINES}", "--unit=dreamstack-*")
    try:
        process = await asyncio.create_subprocess_exec(
            "journalctl", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    out, _ = await process.communicate()
    found = [line for raw in out.split(b"\n") if (line := _of_journal(raw)) is not None]
    return found or None


def _of_journal(raw: bytes) -> Line | None:
    try:
        told = msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.DecodeError:
        return None
    unit = str(told.get("_SYSTEMD_UNIT", "")).removeprefix("dreamstack-").removesuffix(".service")
    priority = str(told.get("PRIORITY", "6"))
    level: Level = "error" if priority in "0123" else "warning" if priority == "4" else "info"
    at = int(str(told.get("__REALTIME_TIMESTAMP", "0"))) // 1000
    line = parse(str(told.get("MESSAGE", "")), unit, at)
    grave = max(level, line.level, key=LEVELS.index)
    return Line(at, line.part or unit, grave, line.text)


def pick(
    lines: list[Line], part: str, level: str, q: str, before: int | None, limit: int
) -> tuple[list[Line], int | None]:
    """The newest that fit, the newest first, and what goes on as `before`; lines of one moment stay together."""
    least, words = (LEVELS.index(level) if level in LEVELS else 0), q.casefold()
    fit = [
        line
        for line in lines
        if (not part or line.part == part)
        and LEVELS.index(line.level) >= least
        and (not words or words in line.text.casefold())
        and (before is None or line.at < before)
    ]
    fit = [line for _, line in sorted(enumerate(fit), key=lambda each: (-each[1].at, -each[0]))]
    page = fit[:limit]
    page += [line for line in fit[limit:] if page and line.at == page[-1].at]
    return page, page[-1].at if len(page) < len(fit) else None
