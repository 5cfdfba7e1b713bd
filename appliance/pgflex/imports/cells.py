"""What the cells of a CSV column tell about its type. A CSV has only texts, so a column has to earn any other type.

A column is typed only when every cell that is not null reads back as what was written: ``007``, ``+4``, ``1e5``,
``1,000`` and ``-0`` stay text, and so does a column that mixes kinds. Yes and no are boolean only where both occur
(``NO`` alone may be Norway), in one spelling.

    >>> column = CellColumn()
    >>> column.add(["1", "", "2.50"])
    >>> column.type, column.count
    ('numeric', 2)
    >>> cell_type("007")
    'text'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from appliance.pgflex.fields import infer, join
from appliance.types import FieldType

__all__ = ["EXAMPLES", "CellColumn", "cell_type", "examples"]

EXAMPLES: Final = 3
EXAMPLE_LENGTH: Final = 60

_INTEGER: Final = re.compile(r"-?[1-9][0-9]*+|0")
_NUMERIC: Final = re.compile(r"(?!-0(?:\.0*+)?\Z)-?(?:[1-9][0-9]*+|0)(?:\.[0-9]++)?")
_LONGEST_NUMBER: Final = 1000
_LONGEST_BIGINT: Final = 18

_DAY: Final = (
    r"(?!0000)[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_HOUR: Final = (
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?+)?+"
    r"(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])"
)
# Whole blocks of one kind, a cell per line. What they do not take (29 February, the years 1 and 9999, long numbers)
# is looked at cell by cell.
_BLOCKS: Final[dict[FieldType, re.Pattern[str]]] = {
    "integer": re.compile(r"(?:(?:-?[1-9][0-9]{0,17}+|0)?+\n)*+"),
    "numeric": re.compile(r"(?:(?:(?!-0[.\n])-?(?:[1-9][0-9]{0,99}+|0)(?:\.[0-9]{1,99}+)?+)?+\n)*+"),
    "date": re.compile(rf"(?:(?:(?!9999){_DAY})?+\n)*+"),
    "timestamptz": re.compile(rf"(?:(?:(?!0001|9999){_DAY}{_HOUR})?+\n)*+"),
}
_TRUTHS: Final = tuple(
    frozenset(style(word) for word in pair)
    for pair in (("true", "false"), ("yes", "no"))
    for style in (str.lower, str.upper, str.capitalize)
)
_TRUTH_WORDS: Final = frozenset().union(*_TRUTHS)
_NO: Final = frozenset({"no", "No", "NO", "yes", "Yes", "YES"})


def cell_type(cell: str) -> FieldType:
    """The least type that holds this text so that it reads back as it was written."""
    if cell in _TRUTH_WORDS:
        return "boolean"
    if len(cell) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(cell):
            return "integer" if len(cell) <= _LONGEST_BIGINT else infer(int(cell)) or "numeric"
        if _NUMERIC.fullmatch(cell):
            return "numeric"
    return infer(cell) or "text"


def examples(seen: tuple[str, ...], values: Iterable[str]) -> tuple[str, ...]:
    """`seen` filled up to the first few different values, each cut short."""
    if len(seen) >= EXAMPLES:
        return seen
    for value in values:
        short = value if len(value) <= EXAMPLE_LENGTH else value[: EXAMPLE_LENGTH - 1] + "…"
        if value and short not in seen:
            seen = (*seen, short)
            if len(seen) == EXAMPLES:
                break
    return seen


class CellColumn:
    """What is known of a column so far: `type` over all its cells, and how many are not null."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: tuple[str, ...] = ()
        self._kind: FieldType | None = None
        self._truths: set[str] = set()

    @property
    def type(self) -> FieldType | None:
        """The least type that holds every cell; None while all are null."""
        if self._kind != "boolean":
            return self._kind
        return "boolean" if self._one_spelling() else "text"

    @property
    def one_truth(self) -> bool:
        """Whether every cell is the same yes, or the same no."""
        return self._kind == "boolean" and len(self._truths) == 1 and self._truths <= _NO

    def add(self, cells: Sequence[str], quoted_empty: bool = False) -> None:
        """Take in the next cells.

        Args:
            cells: one per row, the empty text for null.
            quoted_empty: one of the empty ones was written in quotes: it is a text, not a null.
        """
        self.count += len(cells) - cells.count("")
        self.examples = examples(self.examples, cells)
        if self._kind == "text":
            return
        if quoted_empty:
            self._kind = "text"
            return
        if self._kind in _BLOCKS:
            text = "\n".join(cells) + "\n"
            # A cell that holds a line end itself must not pass for two cells.
            if text.count("\n") == len(cells) and _BLOCKS[self._kind].fullmatch(text):
                return
        self._look(set(cells) - {""})

    def _look(self, cells: set[str]) -> None:
        """Take in different cells one by one, until it is text."""
        for cell in cells:
            kind = cell_type(cell)
            if kind == "boolean":
                self._truths.add(cell)
            self._kind = kind if self._kind is None else _both(self._kind, kind)
            if self._kind == "text":
                return

    def _one_spelling(self) -> bool:
        return any(
            self._truths <= spelling and (not self._truths & _NO or self._truths == spelling) for spelling in _TRUTHS
        )


def _both(left: FieldType, right: FieldType) -> FieldType:
    """The least type that holds both as written: unlike in JSON, ``true`` is no 1 and a date is no moment."""
    numbers = {"integer", "numeric"}
    if left == right or {left, right} <= numbers:
        return join(left, right) or left
    return "text"
