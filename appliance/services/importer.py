"""``appliance import``: sends a file to the box, shows how far it is, and prints what was found in it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import httpx
import msgspec

from appliance.errors import HTTP_STATUS, ApplianceError, from_shape
from appliance.pgflex.fields import column_name
from appliance.screen.trust import as_fault, verified

__all__ = ["Import", "default_collection", "format_of", "import_file"]

_FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
}
_PIECE: Final = 1 << 18
_DRAW_S: Final = 0.1
_LINE_S: Final = 2.0
_FIRST_LINE_S: Final = 0.5
_WIDTH: Final = 24
_BAD_SHOWN: Final = 20


class Import(msgspec.Struct, frozen=True):
    """What to send where; `collection` and `format` are empty where the file's name tells them."""

    file: Path
    url: str
    key: str = ""
    ca: str = ""
    role: str | None = None
    collection: str = ""
    format: str = ""
    encoding: str = ""
    dry_run: bool = False
    skip_bad: bool = False


def default_collection(file: Path) -> str:
    """The collection a file goes to unless told otherwise: its name, made one.

    Raises:
        ApplianceError: PGF105, the name holds nothing to make one of.
    """
    return column_name(re.sub(r"[^\w]+", " ", file.stem)).rstrip("_")


def format_of(file: Path) -> str:
    """What a file is, by its name.

    Raises:
        ApplianceError: PGF140, the name does not tell.
    """
    known = _FORMATS.get(file.suffix.casefold())
    if known is None:
        raise ApplianceError(
            "PGF140", "The file's name does not say what it is.", file.name, "Add --format csv, ndjson or json."
        )
    return known


def import_file(wanted: Import, out: TextIO = sys.stdout, progress: TextIO = sys.stderr) -> None:
    """Import a file and print the report.

    Raises:
        ApplianceError: PGF140 (the file cannot be opened or read), SCR501 (no box answers), and what the box says.
        KeyboardInterrupt: cancelled; nothing of the file is kept.
    """
    collection = wanted.collection or default_collection(wanted.file)
    kind = wanted.format or format_of(wanted.file)
    try:
        with wanted.file.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            bar = _Bar(progress, size, lines=kind != "json")
            report = _send(wanted, collection, kind, file, bar)
    except OSError as error:
        raise ApplianceError("PGF140", "The file cannot be opened.", str(error), "Check its name.") from None
    print(told(report), file=out)


def _send(wanted: Import, collection: str, kind: str, file: BinaryIO, bar: _Bar) -> dict[str, Any]:
    asked: dict[str, str | bool]
    asked = {"format": kind, "encoding": wanted.encoding, "dry_run": wanted.dry_run, "skip_bad": wanted.skip_bad}
    headers = {"Content-Length": str(bar.size), "Content-Type": "application/octet-stream"}
    headers |= {"Authorization": f"Bearer {wanted.key.strip()}"} if wanted.key else {}
    headers |= {"X-Role": wanted.role} if wanted.role else {}
    url = f"{wanted.url.rstrip('/')}/flex/{collection}/import"
    timeout = httpx.Timeout(None, connect=5.0)
    verify = verified(wanted.ca)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False, verify=verify) as client,
            client.stream("POST", url, params=asked, headers=headers, content=_pieces(file, bar)) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                raise _fault(answer)
            return _followed(answer, bar)
    except httpx.InvalidURL as error:
        raise ApplianceError(
            "SCR501", "This is no address.", str(error), "Such as --url http://127.0.0.1:8080"
        ) from None
    except httpx.HTTPError as error:
        raise as_fault(wanted.url, error) or ApplianceError(
            "SCR501",
            "The box does not answer.",
            f"{wanted.url}: {error}",
            "Is `appliance up` running? Else name it: --url http://...",
        ) from None
    finally:
        bar.close()


def _pieces(file: BinaryIO, bar: _Bar) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
        bar.sent(piece)


def _followed(answer: httpx.Response, bar: _Bar) -> dict[str, Any]:
    """The report, after the progress that comes before it."""
    for line in answer.iter_lines():
        event = json.loads(line)
        if event["event"] == "progress":
            bar.stored(event["rows"], event["stored"])
        elif event["event"] == "error":
            raise from_shape(event["error"])
        elif event["event"] == "done":
            report: dict[str, Any] = event["report"]
            return report
    raise ApplianceError("SCR502", "The box stopped in the middle; nothing was stored.", None, "Import it once more.")


def _fault(answer: httpx.Response) -> ApplianceError:
    try:
        shape = answer.json()
    except ValueError:
        shape = None
    if isinstance(shape, dict) and shape.get("code") in HTTP_STATUS:
        return from_shape(shape)
    return ApplianceError("SCR501", "What answers at this address is no box.", None, "Name the box: --url http://...")


class _Bar:
    """How far it is: a line that is drawn again on a terminal, else a line now and then."""

    def __init__(self, out: TextIO, size: int, lines: bool) -> None:
        self.size = size
        self._out, self._live, self._lines = out, out.isatty(), lines
        self._sent = self._rows = 0
        self._stage = ""
        self._began = self._drawn = time.monotonic()

    def sent(self, piece: bytes) -> None:
        """A piece is on its way."""
        self._sent += len(piece)
        self._rows += piece.count(b"\n") if self._lines else 0
        rows = f", {self._rows:,} lines" if self._rows else ""
        self._draw("Sending", self._sent, self.size, f"{_bytes(self._sent)} of {_bytes(self.size)}{rows}", _bytes)

    def stored(self, rows: int, stored: int) -> None:
        """The box has read so many rows and stored so many of them."""
        if stored and stored == rows:
            self._draw("Finishing", 0, 0, f"{rows:,} rows", lambda rate: "")
        elif stored:
            self._draw("Storing", stored, rows, f"{stored:,} of {rows:,} rows", lambda rate: f"{rate:,.0f} rows")
        else:
            self._draw("Reading", 0, 0, f"{rows:,} rows", lambda rate: "")

    def close(self) -> None:
        """End the line."""
        if self._live and self._stage:
            print(file=self._out)

    def _draw(self, stage: str, done: int, whole: int, told: str, rate: Any) -> None:
        now = time.monotonic()
        if stage != self._stage:
            if self._live and self._stage:
                print(file=self._out)
            self._stage, self._began, self._drawn = stage, now, 0.0 if self._live else now - _LINE_S + _FIRST_LINE_S
        if (
            stage != "Finishing"
            and now - self._drawn < (_DRAW_S if self._live else _LINE_S)
            and not (self._live and done == whole)
        ):
            return
        self._drawn = now
        took = now - self._began
        speed = done / took if took > 0.2 else 0.0
        more = f", {rate(speed)}/s, {_clock((whole - done) / speed)} left" if speed and whole else ""
        filled = _WIDTH * done // whole if whole else 0
        bar = f" [{'█' * filled}{'·' * (_WIDTH - filled)}]" if self._live and whole else ""
        start, end = ("\r\x1b[K", "") if self._live else ("", "\n")
        print(f"{start}{stage}{bar} {told}{more}", end=end, file=self._out, flush=True)


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _clock(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes}:{left:02}"


def told(report: dict[str, Any]) -> str:
    """A report as a person reads it."""
    fields = report["fields"]
    new = " (new)" if report["new"] else ""
    did = "would be stored" if report["dry_run"] else "stored"
    one = report["rows"] == 1
    lines = [f"{report['rows']:,} row{'' if one else 's'} {did} in {report['collection']}{new}.", ""]
    table = [("field", "column", "type", "values", "examples"), *map(_cells, fields)]
    wide = [max(len(row[place]) for row in table) for place in range(4)]
    for row in table:
        cells = [f"{cell:{'>' if place == 3 else ''}{wide[place]}}" for place, cell in enumerate(row[:4])]
        lines.append("  ".join(["", *cells, row[4]]).rstrip())
    if report["skipped"]:
        lines += ["", f"{report['skipped']:,} line{'s' * (report['skipped'] > 1)} left out:"]
        lines += [f"  line {bad['line']}: {bad['reason']}" for bad in report["bad"][:_BAD_SHOWN]]
        lines += ["  ..."] if report["skipped"] > _BAD_SHOWN else []
    if report["dry_run"]:
        lines += ["", "Nothing was written: this was a dry run."]
    return "\n".join(lines)


def _cells(field: dict[str, Any]) -> tuple[str, str, str, str, str]:
    kind = {
        "new": f"{field['type']} (new)",
        "wider": f"{field['type']} (was {field['was']})",
        "there": str(field["type"]),
        "empty": "no values",
    }[field["state"]]
    examples = ", ".join(" ".join(example.split()) for example in field["examples"])
    return field["label"], field["column"] or "-", kind, f"{field['count']:,}", examples
