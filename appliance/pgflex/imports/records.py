r"""Reading documents from a file: one JSON object per line, or a list of them, of any length.

>>> reader = DocumentReader(lines=True)
>>> reader.feed('{"bed": "C-01", "free": true}\n[1]\n', end=True)[1]
[Bad(line=2, reason='A document has to be a JSON object.')]
>>> {label: column.type for label, column in reader.columns.items()}
{'bed': 'text', 'free': 'boolean'}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from json import JSONDecodeError
from typing import Any, Final, NoReturn

from appliance.errors import ApplianceError
from appliance.pgflex.fields import column_name, convert, infer, infer_all, join, read_json, write_json
from appliance.pgflex.imports.cells import EXAMPLES, examples
from appliance.pgflex.imports.tabular import Bad
from appliance.pgflex.writes.placing import Limits, check
from appliance.types import FieldType

__all__ = ["DocumentReader", "as_csv"]

DOCUMENT_LIMIT: Final = 16 << 20
_ROWS_A_PIECE: Final = 2000
_SPACE: Final = re.compile(r"[\s,]*")
_PLAIN: Final = frozenset({str, int, bool, Decimal})


def _refuse_constant(name: str) -> NoReturn:
    raise JSONDecodeError(f"{name} is no JSON", name, 0)


# Only tells where a value ends; what it is, is read once more with exact numbers.
_ends = json.JSONDecoder(parse_float=len, parse_int=len, parse_constant=_refuse_constant)


class _Column:
    """What the values of a label tell."""

    def __init__(self) -> None:
        self.type: FieldType | None = None
        self.count = 0
        self.examples: tuple[str, ...] = ()

    def add(self, values: Sequence[Any]) -> None:
        """Take in values; nulls tell nothing."""
        told = [value for value in values if value is not None]
        self.count += len(told)
        if len(self.examples) < EXAMPLES:
            self.examples = examples(self.examples, map(_shown, told))
        kinds = set(map(type, told))
        if not kinds or (self.type in ("text", "jsonb") and kinds <= _PLAIN):
            return
        self.type = join(self.type, _least(told, kinds))


def _least(values: Sequence[Any], kinds: set[type]) -> FieldType | None:
    if kinds == {int}:
        return join(infer(min(values)), infer(max(values)))
    # True is 1 and 1.0 is 1 in a set: only values of one kind are looked at once.
    return infer_all(set(values) if kinds in ({str}, {bool}) else values)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else write_json(value)


class DocumentReader:
    """Reads one file.

    Args:
        lines: a document per line, else a list of documents.
        limits: what a document may hold, and how many labels the file.

    Attributes:
        columns: what is known of each label, in the order they were met.
        rows: documents read so far.
    """

    def __init__(self, lines: bool, limits: Limits | None = None) -> None:
        self.columns: dict[str, _Column] = {}
        self.rows = 0
        self._lines = lines
        self._limits = limits or Limits()
        self._rest = ""
        self._line = 1
        self._opened = self._closed = False

    def feed(self, text: str, end: bool = False) -> tuple[str, list[Bad]]:
        """Take in the next piece of the file; gives its documents, one per line, and what was left out.

        Raises:
            ApplianceError: PGF140, from here on it cannot be read; PGF109, too many labels.
        """
        self._rest += text
        spool: list[str] = []
        values: dict[str, list[Any]] = {}
        bad: list[Bad] = []
        for line, body in self._by_line(end) if self._lines else self._by_value(end):
            document, reason = _document(body, self._limits)
            reason = reason or self._new_labels(document)
            if reason:
                bad.append(Bad(line, reason))
                continue
            for label, value in document.items():
                values.setdefault(label, []).append(value)
            spool.append(body if self._lines else write_json(document))
        for label, told in values.items():
            self.columns[label].add(told)
        self.rows += len(spool)
        return "\n".join([*spool, ""]), bad

    def _new_labels(self, document: dict[str, Any]) -> str:
        """Take note of labels; why one cannot be used."""
        new = [label for label in document if label not in self.columns]
        try:
            for label in new:
                column_name(label)
        except ApplianceError as error:
            return error.message
        for label in new:
            self.columns[label] = _Column()
        if len(self.columns) > self._limits.fields:
            raise ApplianceError(
                "PGF109",
                f"A collection may have {self._limits.fields} fields; this file has more.",
                {"field": new[-1][:200]},
                "Put the many fields into one nested value.",
            )
        return ""

    def _by_line(self, end: bool) -> Iterator[tuple[int, str]]:
        whole, newline, self._rest = self._rest.rpartition("\n") if not end else (self._rest, "\n", "")
        if len(self._rest) > DOCUMENT_LIMIT:
            raise _unreadable(self._line + whole.count("\n"), "This line is too long.")
        for body in whole.split("\n") if newline else ():
            if body.strip():
                yield self._line, body
            self._line += 1

    def _by_value(self, end: bool) -> Iterator[tuple[int, str]]:
        at = self._open()
        while self._opened:
            start = _space_end(self._rest, at)
            self._line += self._rest.count("\n", at, start)
            at = start
            if at == len(self._rest) or self._closed:
                break
            if self._rest[at] == "]":
                self._closed, at = True, at + 1
                continue
            after = self._value_end(at, end)
            if after is None:
                break
            yield self._line, self._rest[at:after]
            self._line += self._rest.count("\n", at, after)
            at = after
        self._rest = self._rest[at:]
        if self._closed and self._rest:
            raise _unreadable(self._line, "Text follows the list.")
        if end and not self._closed:
            raise _unreadable(self._line, "The list does not end.")

    def _open(self) -> int:
        """Where the list begins, once that is known."""
        if self._opened:
            return 0
        start = len(self._rest) - len(self._rest.lstrip())
        if start == len(self._rest):
            return 0
        if self._rest[start] != "[":
            raise _unreadable(1, "It does not start with [.")
        self._opened = True
        self._line += self._rest.count("\n", 0, start)
        return start + 1

    def _value_end(self, at: int, end: bool) -> int | None:
        """Where the value at `at` ends; None when that is not there yet."""
        try:
            after = _ends.raw_decode(self._rest, at)[1]
        except (JSONDecodeError, RecursionError) as error:
            if end or len(self._rest) - at > DOCUMENT_LIMIT:
                line = self._line + self._rest.count("\n", at, getattr(error, "pos", at))
                raise _unreadable(line, f"This is no JSON: {getattr(error, 'msg', 'it is too deep')}.") from None
            return None
        # A number at the end of what is there may go on.
        return after if end or after < len(self._rest) else None


def _space_end(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _document(body: str, limits: Limits) -> tuple[dict[str, Any], str]:
    """A document, or why it is none."""
    try:
        value = read_json(body.encode())
        check([value], limits)
    except UnicodeEncodeError:
        return {}, "It holds half a character."
    except ApplianceError as error:
        if not isinstance(error.details, str):
            return {}, error.message
        return {}, f"It is no JSON: {error.details.removeprefix('JSON is malformed: ')}."
    if "\\u0000" in body and _holds_nul(value):
        return {}, "It holds a NUL character."
    return value, ""


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_holds_nul, value))


def _unreadable(line: int, reason: str) -> ApplianceError:
    return ApplianceError(
        "PGF140",
        f"The file cannot be read from line {line} on.",
        {"line": line, "message": reason},
        "Give a list of JSON objects (json), or one object per line (ndjson).",
    )


def as_csv(lines: Iterable[bytes], labels: Mapping[str, tuple[str, FieldType]]) -> Iterator[bytes]:
    """Documents as CSV for COPY.

    Args:
        lines: a document per line.
        labels: where each label goes, and the type of its column; columns come in this order.
    """
    piece: list[str] = []
    for line in lines:
        document = read_json(line)
        piece.append(",".join(_cell(document.get(label), kind) for label, (_, kind) in labels.items()))
        if len(piece) == _ROWS_A_PIECE:
            yield "\n".join([*piece, ""]).encode()
            piece = []
    yield "\n".join([*piece, ""]).encode()


def _cell(value: Any, kind: FieldType) -> str:
    if value is None:
        return ""
    told = convert(value, kind)
    text = told if isinstance(told, str) and kind != "jsonb" else write_json(told)
    return '"' + text.replace('"', '""') + '"' if isinstance(told, (str, list, dict)) else text
