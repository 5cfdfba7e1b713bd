"""Reading a file that is to be imported, in a process of its own: what it holds, and its rows ready to be stored.

The data service feeds this program and goes on serving; memory stays bounded whatever the file's size. It writes
into a spool file that has no name, so that nothing is left behind however it ends.

    python -m appliance.pgflex.imports.scan read  SPOOL '{"format": "csv", ...}'   stdin: the file
    python -m appliance.pgflex.imports.scan write SPOOL      stdin: {"labels": {"Bed No": ["bed_no", "text"]}}

``read`` prints a line of JSON now and then, ``{"bytes", "rows"}``, and at the end ``{"scan": ...}`` or
``{"error": ...}``. ``write`` prints the documents of the spool as CSV for COPY. SPOOL is the number of an open file.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import msgspec

from appliance.errors import ApplianceError
from appliance.pgflex.imports.cells import CellColumn
from appliance.pgflex.imports.records import DocumentReader, as_csv
from appliance.pgflex.imports.tabular import Bad, CsvReader
from appliance.pgflex.writes.placing import Limits
from appliance.types import FieldType

__all__ = ["BAD_LISTED", "ENCODINGS", "Asked", "Format", "Found", "FoundField", "read_file"]

Format = Literal["csv", "ndjson", "json"]
ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
}
BAD_LISTED: Final = 100
_PIECE: Final = 1 << 18
_TELL_S: Final = 0.2
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Asked(msgspec.Struct, frozen=True):
    """How to read a file; `encoding` is a key of :data:`ENCODINGS`, or empty."""

    format: Format
    encoding: str = ""
    limits: Limits = Limits()


class FoundField(msgspec.Struct, frozen=True):
    """A field of the file.

    Attributes:
        label: its name.
        type: None: no value in the whole file.
        count: how many values it has.
        examples: a few of them.
        one_truth: its only values are yes, or no: text, unless its column holds truths.
    """

    label: str
    type: FieldType | None
    count: int
    examples: tuple[str, ...]
    one_truth: bool = False


class Found(msgspec.Struct, frozen=True):
    """What a file holds.

    Attributes:
        rows: that can be stored.
        size: bytes read.
        encoding: of the file.
        delimiter: of a CSV, else empty.
        fields: in the order of the file.
        skipped: lines that cannot be read; the first of them are in `bad`.
    """

    rows: int
    size: int
    encoding: str
    delimiter: str
    fields: tuple[FoundField, ...]
    skipped: int = 0
    bad: tuple[Bad, ...] = ()


class _Text:
    """Bytes to text: told encoding, else a byte order mark's, else UTF-8."""

    def __init__(self, encoding: str) -> None:
        self.encoding = ENCODINGS[encoding] if encoding else ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._lines = 0
        self._start = b""

    def decode(self, piece: bytes, end: bool) -> str:
        """The next text.

        Raises:
            ApplianceError: PGF140, it is in another encoding; the line is named.
        """
        if self._decoder is None:
            self._start += piece
            if len(self._start) < 4 and not end:
                return ""
            piece, self._decoder = self._start, self._made()
        try:
            text = self._decoder.decode(piece, end)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise _not_text(self.encoding, line, error.object[error.start]) from None
        self._lines += text.count("\n")
        return text

    def _made(self) -> codecs.IncrementalDecoder:
        mark = next((name for mark, name in _MARKS.items() if self._start.startswith(mark)), "utf-8")
        name = mark if self.encoding in ("", "utf-8", "utf-16") else self.encoding
        self.encoding = name.removesuffix("-sig")
        return codecs.getincrementaldecoder(name)("strict")


def _not_text(encoding: str, line: int, byte: int) -> ApplianceError:
    return ApplianceError(
        "PGF140",
        f"The file is not {encoding.upper()} text.",
        {"line": line, "message": f"Line {line} holds the byte 0x{byte:02X}."},
        "Save it as UTF-8, or say what it is: --encoding cp1252 (over HTTP encoding=cp1252)",
    )


class _CsvFile:
    """A CSV while it is read."""

    def __init__(self) -> None:
        self._reader = CsvReader()
        self._columns: list[CellColumn] = []

    @property
    def rows(self) -> int:
        return self._reader.rows

    @property
    def delimiter(self) -> str:
        return self._reader.delimiter

    def take(self, text: str, end: bool) -> tuple[str, list[Bad]]:
        """What goes into the spool for the next text, and what was left out."""
        csv: list[str] = []
        bad: list[Bad] = []
        for block in self._reader.feed(text, end):
            self._columns = self._columns or [CellColumn() for _ in self._reader.header]
            for place, (column, cells) in enumerate(zip(self._columns, block.columns, strict=True)):
                column.add(cells, place in block.quoted_empty)
            csv.append(block.csv)
            bad += block.bad
        return "".join(csv), bad

    def fields(self) -> tuple[FoundField, ...]:
        columns = self._columns or [CellColumn() for _ in self._reader.header]
        return tuple(
            FoundField(label, column.type, column.count, column.examples, column.one_truth)
            for label, column in zip(self._reader.header, columns, strict=True)
        )


class _DocumentFile:
    """Documents while they are read."""

    delimiter = ""

    def __init__(self, lines: bool, limits: Limits) -> None:
        self._reader = DocumentReader(lines, limits)

    @property
    def rows(self) -> int:
        return self._reader.rows

    def take(self, text: str, end: bool) -> tuple[str, list[Bad]]:
        """What goes into the spool for the next text, and what was left out."""
        return self._reader.feed(text, end)

    def fields(self) -> tuple[FoundField, ...]:
        return tuple(
            FoundField(label, column.type, column.count, column.examples)
            for label, column in self._reader.columns.items()
        )


def read_file(source: BinaryIO, spool: BinaryIO, asked: Asked, tell: Callable[[int, int], None]) -> Found:
    """Read a file to its end.

    Args:
        source: the file.
        spool: where its rows go: CSV for COPY, or a document per line.
        asked: how to read it.
        tell: called with each piece: bytes and rows so far.

    Raises:
        ApplianceError: PGF140, it cannot be read at all; PGF109, too many fields.
    """
    text = _Text(asked.encoding)
    file = _CsvFile() if asked.format == "csv" else _DocumentFile(asked.format == "ndjson", asked.limits)
    size, skipped, bad = 0, 0, list[Bad]()
    while True:
        piece = source.read(_PIECE)
        size += len(piece)
        rows, wrong = file.take(text.decode(piece, not piece), not piece)
        spool.write(rows.encode())
        skipped += len(wrong)
        bad += wrong[: BAD_LISTED - len(bad)]
        tell(size, file.rows)
        if not piece:
            spool.flush()
            return Found(file.rows, size, text.encoding, file.delimiter, file.fields(), skipped, tuple(bad))


def _print(value: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def _read(spool: BinaryIO, asked: Asked) -> None:
    told = time.monotonic()

    def tell(size: int, rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            _print({"bytes": size, "rows": rows})

    try:
        _print({"scan": read_file(sys.stdin.buffer, spool, asked, tell)})
    except ApplianceError as error:
        _print({"error": error.shape()})
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        full = ApplianceError("PGF107", "There is no room for the file.", None, "Free some space on the box's disk.")
        _print({"error": full.shape()})


def _write(spool: Path) -> None:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, dict[str, tuple[str, FieldType]]])
    with spool.open("rb") as lines:
        for piece in as_csv(lines, asked["labels"]):
            sys.stdout.buffer.write(piece)


def main() -> None:
    """Entry point of the process."""
    mode, spool = sys.argv[1], int(sys.argv[2])
    if mode == "write":
        _write(Path(f"/proc/self/fd/{spool}"))
        return
    with os.fdopen(spool, "wb") as file:
        _read(file, msgspec.json.decode(sys.argv[3], type=Asked))


if __name__ == "__main__":
    main()
