"""What the cells of a CSV column tell: a type only where every cell reads back as it was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.pgflex.imports.cells import CellColumn, cell_type
from appliance.types import FieldType


def column(*cells: str, at_once: int = 2) -> CellColumn:
    """A column that met these cells a few at a time."""
    made = CellColumn()
    for start in range(0, len(cells), at_once):
        made.add(cells[start : start + at_once])
    return made


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("0", "integer"), ("-7", "integer"), ("9223372036854775807", "integer"), ("-9223372036854775808", "integer"),
        ("9223372036854775808", "numeric"), ("123456789012345678901234567890", "numeric"), ("1.50", "numeric"),
        ("-0.5", "numeric"), ("0.0", "numeric"), ("true", "boolean"), ("YES", "boolean"), ("2026-02-28", "date"),
        ("2024-02-29", "date"), ("2026-11-23T14:00:00+01:00", "timestamptz"), ("2026-11-23T14:00Z", "timestamptz"),
        ("007", "text"), ("+4", "text"), ("1e5", "text"), ("1,000", "text"), ("-0", "text"), ("-0.0", "text"),
        (".5", "text"), ("5.", "text"), (" 5", "text"), ("5\n", "text"), ("٣", "text"), ("NaN", "text"),
        ("Infinity", "text"), ("tRue", "text"), ("1", "integer"), ("t", "text"), ("2026-02-29", "text"),
        ("2026-13-01", "text"), ("0000-01-01", "text"), ("2026-11-23T14:00:00", "text"), ("null", "text"),
        ("2026-11-23 14:00:00+01:00", "text"), ("1" * 1001, "text"), ("2026-11-23T24:00:00Z", "text"),
    ],
)  # fmt: skip
def test_a_cell_has_the_least_type_that_reads_back(cell: str, kind: FieldType) -> None:
    assert cell_type(cell) == kind
    assert column(cell, "", cell).type == ("text" if cell == "YES" else kind)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "2.5", ""), "numeric"), (("1", "9223372036854775808"), "numeric"), (("1", "x"), "text"),
        (("true", "false"), "boolean"), (("true", "true"), "boolean"), (("yes", "no", "yes"), "boolean"),
        (("NO", "NO"), "text"), (("yes",), "text"), (("yes", "false"), "text"), (("True", "false"), "text"),
        (("1", "true"), "text"), (("2026-01-01", "2026-01-01T00:00:00Z"), "text"), (("1", "007"), "text"),
        (("", ""), None), ((), None), (("1\n2", "3"), "text"), (("1", "1\n2"), "text"),
    ],
)  # fmt: skip
def test_a_column_has_the_type_of_all_its_cells(cells: tuple[str, ...], kind: FieldType | None) -> None:
    assert column(*cells).type == kind
    assert column(*cells, at_once=1).type == kind
    assert column(*reversed(cells)).type == kind


def test_an_empty_cell_in_quotes_is_a_text() -> None:
    made = CellColumn()
    made.add(["1", ""])
    made.add(["", "2"], quoted_empty=True)
    assert made.type == "text"


def test_one_truth_alone_is_remembered() -> None:
    assert column("no", "no").one_truth
    assert not column("no", "yes").one_truth
    assert not column("true").one_truth


def test_values_are_counted_and_the_first_few_kept() -> None:
    made = column("a", "", "a", "b" * 100, "c", "d")
    assert made.count == 5
    assert made.examples == ("a", "b" * 59 + "…", "c")


BACK: dict[str, Callable[[str], str]] = {
    "integer": lambda cell: str(int(cell)),
    "numeric": lambda cell: f"{Decimal(cell):f}",
    "date": lambda cell: datetime.fromisoformat(cell).date().isoformat(),
}
WRITTEN = st.one_of(
    st.text(max_size=5),
    st.text("0123456789+-.eET:Z", max_size=26),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
)


@given(st.lists(WRITTEN, max_size=8))
@example(["1", "2\n3"])
@example(["2024-02-29", "2026-02-28"])
def test_a_column_of_any_cells_reads_back(cells: list[str]) -> None:
    made = column(*cells, at_once=3)
    if made.type in ("integer", "numeric", "date"):
        assert all(BACK[made.type](cell) == cell for cell in cells if cell)
    assert made.type == column(*cells, at_once=1).type
