r"""Reading CSV: text in pieces of any size becomes blocks of whole rows, with what is wrong named by its line.

A block is split as a whole, without a step per row, unless something in it is odd; then it is read row by row.
What :class:`CsvReader` gives is CSV again, in one form that PostgreSQL's COPY reads as it was meant (empty is null,
``""`` is the empty text), and the same cells as columns.

    >>> reader = CsvReader()
    >>> [block.columns for block in reader.feed('bed,free\n"C-01",yes\nC-02,\n', end=True)]
    [(['C-01', 'C-02'], ['yes', ''])]
    >>> reader.header, reader.delimiter
    (('bed', 'free'), ',')
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from appliance.errors import ApplianceError

__all__ = ["Bad", "Block", "CsvReader", "header_labels", "sniff"]

DELIMITERS: Final = ",;\t|"
CELL_LIMIT: Final = 16 << 20
_SNIFFED: Final = 1 << 16
_HEADER_LIMIT: Final = 1 << 20
_SNIFFED_ROWS: Final = 50
_LINES_BACK: Final = 200
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_ENDS: Final = frozenset({"\n", "\r", "\r\n"})


class Bad(msgspec.Struct, frozen=True):
    """A line that cannot be read, counted from 1, and why."""

    line: int
    reason: str


class Block(msgspec.Struct, frozen=True):
    """Rows that were read.

    Attributes:
        rows: how many.
        columns: per column its cells as text, the empty text for null.
        quoted_empty: columns in which an empty cell was written in quotes: it is a text.
        csv: the same rows for COPY.
        bad: lines that were left out.
    """

    rows: int
    columns: tuple[list[str], ...]
    quoted_empty: frozenset[int]
    csv: str
    bad: tuple[Bad, ...] = ()


def header_labels(cells: Sequence[str]) -> tuple[str, ...]:
    """A label per column: those without a name and those named alike are kept apart."""
    labels: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        name = cell.strip() or f"Column {place}"
        label, count = name, 1
        while label in labels:
            count += 1
            label = f"{name} ({count})"
        labels[label] = None
    return tuple(labels)


def sniff(text: str, whole: bool) -> str:
    """The delimiter with which the first rows have the same number of cells, more than one; else a comma.

    Args:
        text: the start of the file.
        whole: it is all of the file, so that its last line counts.
    """
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        widths = [len(cells) for cells in _first_rows(text, delimiter, whole)]
        if not widths or widths[0] < 2:
            continue
        alike = sum(width == widths[0] for width in widths) / len(widths)
        if (alike, widths[0]) > best:
            best, chosen = (alike, widths[0]), delimiter
    return chosen


def _first_rows(text: str, delimiter: str, whole: bool) -> list[list[str]]:
    rows = []
    for found in _Careful(text, delimiter, 1, ended=whole):
        if isinstance(found, list) and found != [""]:
            rows.append(found)
        if len(rows) == _SNIFFED_ROWS:
            break
    return rows


class _Careful:
    """Reads rows one by one: iterating gives a row's cells as they are written, or a :class:`Bad`.

    A row that `text` does not hold to its end is left: it starts at `at`, on line `line`.
    """

    def __init__(self, text: str, delimiter: str, line: int, ended: bool) -> None:
        self.at, self.line, self.row_line = 0, line, line
        self._text, self._ended = text, ended
        self._cell = _cells(delimiter, quotes_inside=True)

    def __iter__(self) -> Iterator[list[str] | Bad]:
        while self.at < len(self._text):
            self.row_line = self.line
            found = self._row()
            if found is None:
                return
            yield found

    def _row(self) -> list[str] | Bad | None:
        cells: list[str] = []
        at = self.at
        while True:
            found = self._cell.match(self._text, at)
            assert found is not None  # it takes the empty text
            over = found.end() == len(self._text)
            if found[2] == "\r" and over and not self._ended:
                return None  # the other half of the line end may follow
            if not found[2] and not (over and self._ended):
                return self._trouble(at, found.end())
            cells.append(found[1])
            at = found.end()
            if found[2] in _ENDS or not found[2]:
                self._go_to(at)
                return cells

    def _trouble(self, start: int, at: int) -> Bad | None:
        """A cell that nothing ends: there is more to come, or its quotes are wrong."""
        opened = at == start and at < len(self._text)
        waiting = not self._ended and len(self._text) - start < CELL_LIMIT
        if at == len(self._text) or (opened and waiting):
            return None
        line = self.line + _line_count(self._text, self.at, start)
        after = _LINE_END.search(self._text, at)
        self._go_to(after.end() if after else len(self._text))
        return Bad(line, "A quote is opened and never closed." if opened else "Text follows a closing quote.")

    def _go_to(self, at: int) -> None:
        self.line += _line_count(self._text, self.at, at)
        self.at = at


def _cells(delimiter: str, quotes_inside: bool) -> re.Pattern[str]:
    """A cell and what ends it, which is empty where there is no such thing."""
    d = re.escape(delimiter)
    plain = rf'[^{d}\r\n"][^{d}\r\n]*+|' if quotes_inside else rf'[^{d}\r\n"]*+'
    return re.compile(rf'("[^"]*+(?:""[^"]*+)*+"|{plain})({d}|\r\n|\n|\r|)')


def _line_count(text: str, start: int = 0, end: int | None = None) -> int:
    lone = text.count("\r", start, end) - text.count("\r\n", start, end)
    return text.count("\n", start, end) + lone


class CsvReader:
    """Reads one file.

    Args:
        delimiter: between cells; found from the first rows when empty.

    Attributes:
        header: the label of each column once the first row has been read.
        rows: rows read so far.
        line: the line that is read next, from 1.
    """

    def __init__(self, delimiter: str = "") -> None:
        self.delimiter = delimiter
        self.header: tuple[str, ...] = ()
        self.rows = 0
        self.line = 1
        self._rest = ""

    def feed(self, text: str, end: bool = False) -> Iterator[Block]:
        """Take in the next piece of the file and give the rows that are whole.

        Raises:
            ApplianceError: PGF140, the first row cannot name the columns.
        """
        self._rest += text
        if not self.header:
            if not end and len(self._rest) < _SNIFFED:
                return
            self._begin(end)
            if not self.header:
                return
        if not end:
            if cut := self._cut():
                yield self._block(self._rest[:cut])
            return
        if self._rest:
            self._rest += "" if self._rest[-1] == "\n" else "\n"
            yield self._block(self._rest)
        if self._rest:
            yield self._carefully(self._rest, ended=True)

    def _begin(self, whole: bool) -> None:
        """Read the header, when it is there."""
        self.delimiter = self.delimiter or sniff(self._rest[:_SNIFFED], whole and len(self._rest) <= _SNIFFED)
        careful = _Careful(self._rest, self.delimiter, 1, ended=whole)
        for found in careful:
            if isinstance(found, Bad):
                raise _no_header(found.reason, found.line)
            if found != [""]:
                self.header = header_labels(_plains(found))
                self._strict = _cells(self.delimiter, quotes_inside=False)
                self.line, self._rest = careful.line, self._rest[careful.at :]
                return
        if whole or len(self._rest) > _HEADER_LIMIT:
            raise _no_header("There is no row in it." if whole else "Its first row does not end.", 1)

    def _cut(self) -> int:
        """Where the last whole row ends, as far as the quotes tell; 0 when there is none."""
        text = self._rest
        last = text.rfind("\n") + 1
        if not last and len(text) > _SNIFFED:
            last = text.rfind("\r", 0, len(text) - 1) + 1
        cut, odd = last, text.count('"', 0, last) % 2
        for _ in range(_LINES_BACK):
            if not odd or not cut:
                break
            before = text.rfind("\n", 0, cut - 1) + 1
            odd = (odd + text.count('"', before, cut)) % 2
            cut = before
        # Quotes that stay odd are in the middle of cells, or a cell is longer than this: reading row by row tells.
        return cut if cut and not odd else last

    def _block(self, text: str) -> Block:
        """The block `text` of the rest, at once where every row of it is as it should be."""
        block = self._at_once(text)
        if block is None:
            return self._carefully(text, ended=False)
        self.rows += block.rows
        self.line += _line_count(text)
        self._rest = self._rest[len(text) :]
        return block

    def _at_once(self, text: str) -> Block | None:
        if "\x00" in text or '"' in text:
            return None if "\x00" in text else self._quoted(text)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        width, delimiter = len(self.header), self.delimiter
        cells = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        rows, rest = divmod(len(cells), width + 1)
        if rest != 1 or cells[width :: width + 1].count("\n") != rows or text.count("\n") != rows:
            return None
        if width == 1 and ("\\." in text or "\n\n" in text or text[0] == "\n"):
            return None
        return Block(rows, tuple(cells[place : -1 : width + 1] for place in range(width)), frozenset(), text)

    def _quoted(self, text: str) -> Block | None:
        width = len(self.header)
        pairs = self._strict.findall(text)
        pairs.pop()  # the empty text at the end
        raw, ends = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        rows, rest = divmod(len(pairs), width)
        if rest or width == 1 or ends.count(self.delimiter) != len(pairs) - rows:
            return None
        if not _ENDS.issuperset(ends[width - 1 :: width]):
            return None
        columns = [raw[place::width] for place in range(width)]
        if "\r" in text:
            if text.count("\r") != ends.count("\r\n"):
                return self._made([raw[place : place + width] for place in range(0, len(raw), width)], ())
            text = text.replace("\r\n", "\n")
        empty = frozenset(place for place, column in enumerate(columns) if '""' in column)
        return Block(rows, tuple(map(_plains, columns)), empty, text)

    def _carefully(self, text: str, ended: bool) -> Block:
        """The rows of `text` one by one; what it does not hold to its end stays in the rest."""
        careful = _Careful(text, self.delimiter, self.line, ended)
        rows: list[list[str]] = []
        bad: list[Bad] = []
        for found in careful:
            reason = found.reason if isinstance(found, Bad) else self._wrong(found)
            if isinstance(found, Bad):
                bad.append(found)
            elif reason:
                bad.append(Bad(careful.row_line, reason))
            elif not self._blank(found):
                rows.append(found)
        self._rest = text[careful.at :] + self._rest[len(text) :]
        self.line = careful.line
        self.rows += len(rows)
        return self._made(rows, tuple(bad))

    def _blank(self, cells: list[str]) -> bool:
        return cells == [""] or (len(cells) == 1 < len(self.header) and not cells[0].strip())

    def _wrong(self, cells: list[str]) -> str:
        width = len(self.header)
        if len(cells) != width and not self._blank(cells):
            return f"It has {len(cells)} cell{'s' * (len(cells) != 1)}; the first line has {width}."
        return "It holds a NUL character." if any("\x00" in cell for cell in cells) else ""

    def _made(self, rows: list[list[str]], bad: tuple[Bad, ...]) -> Block:
        """A block of rows whose cells are as they are written; its CSV is written anew."""
        delimiter, width = self.delimiter, len(self.header)
        csv = "".join(delimiter.join(map(_again, row)) + "\n" for row in rows)
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
        empty = frozenset(place for place, column in enumerate(columns) if '""' in column)
        return Block(len(rows), tuple(map(_plains, columns)), empty, csv, bad)


def _plains(cells: list[str]) -> list[str]:
    """What cells say: without their quotes."""
    return [cell if cell[:1] != '"' else cell[1:-1].replace('""', '"') for cell in cells]


def _again(cell: str) -> str:
    """A cell for COPY: quoted where it would be read in another way."""
    if cell[:1] == '"' or (cell and '"' not in cell and cell != "\\."):
        return cell
    return '"' + cell.replace('"', '""') + '"' if cell else ""


def _no_header(reason: str, line: int) -> ApplianceError:
    return ApplianceError(
        "PGF140",
        "The file's first line cannot name its columns.",
        {"line": line, "message": reason},
        "A CSV starts with a line of names, such as: bed,ward,free",
    )
