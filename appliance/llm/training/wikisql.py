"""WikiSQL as examples: questions about one table, which is filled up with columns of other tables.

Where a line has several tests, the file has lost which value belongs to which column; here they are paired again
(:mod:`~appliance.llm.training.pairing`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from appliance.llm.notation import Column, Item, Kind, Sketch, Test, field_marks, plain
from appliance.llm.training.examples import Asked, Example
from appliance.llm.training.lines import Line, read_lines
from appliance.llm.training.pairing import Pairing

COLUMNS: Final = (4, 9)
"""A table has at least and at most so many columns."""
TOGETHER: Final = 4
"""So many questions on one table share its schema in training."""
_OPERATORS: Final = {"=": "eq", ">": "gt", "<": "lt"}
_SWAPPED: Final = 0.2
_KNOWN: Final = 0.5
"""So many tables are shown with the kinds that their values have once paired; the others with those of the file."""


def sketch_of(line: Line) -> Sketch:
    """What a line's question means."""
    tests = tuple(Test(plain(label), _OPERATORS[op], (plain(str(value)),)) for label, op, value in line.where)
    return Sketch(select=(Item(plain(line.select), line.aggregate),), where=tests)


def columns_of(line: Line) -> list[Column]:
    """The columns that are known of a line's table."""
    kinds: dict[str | None, Kind] = {"number": "number"}
    found = {
        plain(label): Column(plain(label), kinds.get(kind, "text")) for label, kind in line.columns if plain(label)
    }
    return list(found.values())


class Padding:
    """Columns of other tables, to fill tables up with."""

    def __init__(self, lines: list[Line]) -> None:
        self._columns = sorted(
            {column for line in lines for column in columns_of(line)}, key=lambda c: (c.label, c.kind)
        )

    def fill(self, columns: list[Column], used: set[str], rng: random.Random) -> tuple[Column, ...]:
        """Four to nine columns in a new order: those in use, others of the table, then columns of other tables."""
        size = rng.randint(*COLUMNS)
        own = [column for column in columns if column.label in used]
        others = [column for column in columns if column.label not in used]
        rng.shuffle(others)
        chosen = (own + others)[: max(size, len(own), min(len(columns), COLUMNS[1]))]
        labels = {column.label for column in chosen}
        for more in rng.sample(self._columns, min(len(self._columns), 4 * COLUMNS[1])):
            if len(chosen) < size and more.label not in labels:
                labels.add(more.label)
                chosen.append(more)
        rng.shuffle(chosen)
        return tuple(chosen)


class WikiSql:
    """Examples from a file of training questions, without end, anew in each round."""

    def __init__(self, path: Path) -> None:
        lines = [line for line in read_lines(path) if plain(line.select) and len(line.where) <= 4]
        self.padding = Padding(lines)
        self._pairing = Pairing(lines)
        self.lines = lines = [_in_order(self._pairing.paired(line)) for line in lines]
        self._tables = defaultdict[str, list[Line]](list)
        for line in lines:
            self._tables[line.table].append(line)
        self._values = defaultdict[str, list[str]](list)
        for line in lines:
            for label, _, value in line.where:
                self._values[plain(label)].append(str(value))

    def __iter__(self) -> Iterator[Example]:
        return self.examples(random.Random(1))

    def examples(self, rng: random.Random) -> Iterator[Example]:
        """Examples for ever, in rounds over all tables."""
        while True:
            groups = [
                lines[first : first + TOGETHER]
                for lines in (rng.sample(lines, len(lines)) for lines in self._tables.values())
                for first in range(0, len(lines), TOGETHER)
            ]
            rng.shuffle(groups)
            yield from (self._example(group, rng) for group in groups)

    def _example(self, lines: list[Line], rng: random.Random) -> Example:
        columns = columns_of(lines[0])
        if rng.random() < _KNOWN:
            columns = [self._of_kind(lines[0].table, column) for column in columns]
        used = {plain(label) for line in lines for label in (line.select, *(test[0] for test in line.where))}
        shown = self.padding.fill(columns, used, rng)
        swapped = [self._swapped(line, rng) if rng.random() < _SWAPPED else line for line in lines]
        return Example("", shown, tuple(asked(line, shown) for line in swapped))

    def _of_kind(self, table: str, column: Column) -> Column:
        number = self._pairing.kinds(table, column.label)
        return column if number is None else Column(column.label, "number" if number else "text")

    def _swapped(self, line: Line, rng: random.Random) -> Line:
        """The line with other values of the same columns, in the question and in the tests."""
        text, where = line.question, []
        for label, op, value in line.where:
            other = rng.choice(self._values[plain(label)])
            place = text.lower().find(str(value).lower())
            if place < 0 or len(str(value)) < 2 or text.lower().count(str(value).lower()) > 1:
                other = str(value)
            else:
                text = text[:place] + other + text[place + len(str(value)) :]
            where.append((label, op, other))
        return msgspec.structs.replace(line, question=text, where=where)


def _in_order(line: Line) -> Line:
    """The line with its tests in the order in which the question names their values."""
    text = line.question.lower()
    return msgspec.structs.replace(line, where=sorted(line.where, key=lambda test: text.find(str(test[2]).lower())))


def asked(line: Line, columns: tuple[Column, ...]) -> Asked:
    """A line's question as it is put to a model that sees these columns."""
    return Asked(line.question, tuple(field_marks(line.question, columns)), sketch_of(line), form="wikisql")
