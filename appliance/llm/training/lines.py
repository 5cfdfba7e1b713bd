"""Lines of WikiSQL's files.

A line is a JSON object: `question`, `table`, `columns` ([label, ``number`` | ``text`` | null]), of which only those are
known that some question on the table names, `aggregate`, `select` and `where` ([label, ``=`` | ``<`` | ``>``, value]).
Zhong, Xiong, Socher 2017, in the edition of Finegan-Dollak et al. 2018; BSD 3-Clause.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec

Where = tuple[str, str, str | int | float]
"""A test as a file has it: column, operator, value."""


class Line(msgspec.Struct, frozen=True):
    """A line of a file."""

    question: str
    table: str
    columns: list[tuple[str, str | None]]
    aggregate: str | None
    select: str
    where: list[Where]


def read_lines(path: Path) -> list[Line]:
    """Every line of a file, gzipped or not.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: a line is not of this form.
    """
    held = path.read_bytes()
    text = gzip.decompress(held) if path.suffix == ".gz" else held
    return [msgspec.json.decode(line, type=Line, strict=False) for line in text.splitlines() if line.strip()]
