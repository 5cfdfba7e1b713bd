"""Reading CSV: every cell as it was written, however the file is cut up; bad lines named."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.imports import tabular
from appliance.pgflex.imports.tabular import Bad, Block, CsvReader, header_labels, sniff

Rows = list[tuple[str, ...]]


def read(text: str, piece: int = 1 << 20, delimiter: str = "") -> tuple[CsvReader, Rows, list[Bad], str]:
    """The reader, its rows, what was left out, and the CSV for COPY, of a file that came in pieces."""
    reader, blocks = CsvReader(delimiter), list[Block]()
    for start in range(0, len(text), piece):
        blocks += reader.feed(text[start : start + piece])
    blocks += reader.feed("", end=True)
    rows = [row for block in blocks for row in zip(*block.columns, strict=True)]
    assert reader.rows == len(rows) == sum(block.rows for block in blocks)
    return reader, rows, [bad for block in blocks for bad in block.bad], "".join(block.csv for block in blocks)


CELLS = st.text(st.sampled_from('a1,;\t|" \r\né\\.'), max_size=6) | st.text(max_size=3).filter(lambda s: "\0" not in s)


@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), max_size=12)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([1, 5, 64, 4096]),
    st.sampled_from([8, 1 << 16]),
)
def test_what_was_written_is_what_is_read(
    rows: Rows, delimiter: str, quoting: Literal[0, 1], piece: int, sniffed: int
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    writer.writerow([f"h{place}" for place in range(len(rows[0]) if rows else 1)])
    writer.writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabular, "_SNIFFED", sniffed)
        reader, found, bad, copy = read(file.getvalue(), piece, delimiter)
    assert (found, bad) == (rows, [])
    assert [tuple(row) or ("",) for row in csv.reader(io.StringIO(copy, newline=""), delimiter=delimiter)] == rows
    text = file.getvalue()
    assert reader.line == 1 + text.count("\n") + text.count("\r") - text.count("\r\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_any_line_end_will_do(end: str, piece: int) -> None:
    reader, rows, bad, copy = read(end.join(["a,b", "1,2", '"x","y"', "", "3,4"]), piece)
    assert reader.header == ("a", "b")
    assert rows == [("1", "2"), ("x", "y"), ("3", "4")]
    assert bad == []
    assert "\r" not in copy


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_bad_lines_are_named_and_the_others_read(piece: int) -> None:
    text = 'a,b\n1,2\n3\n4,5,6\n"x"y,1\n\n7,5" pipe\n"two\nlines",1\nnul\0,1\n8,"oops\n9,9\n'
    _, rows, bad, copy = read(text, piece)
    assert rows == [("1", "2"), ("7", '5" pipe'), ("two\nlines", "1"), ("9", "9")]
    assert bad == [
        Bad(3, "It has 1 cell; the first line has 2."),
        Bad(4, "It has 3 cells; the first line has 2."),
        Bad(5, "Text follows a closing quote."),
        Bad(10, "It holds a NUL character."),
        Bad(11, "A quote is opened and never closed."),
    ]
    assert copy == '1,2\n7,"5"" pipe"\n"two\nlines",1\n9,9\n'


def test_a_quote_inside_a_cell_does_not_stop_the_reading() -> None:
    text = "size,n\n" + "".join(f'{n}" pipe,{n}\n' for n in range(20_001))
    _, rows, bad, _ = read(text, 4096)
    assert rows == [(f'{n}" pipe', str(n)) for n in range(20_001)]
    assert bad == []


def test_null_and_the_empty_text_are_told_apart() -> None:
    blocks = list(CsvReader().feed('a,b\n,""\n"",\n', end=True))
    assert [(block.columns, block.quoted_empty, block.csv) for block in blocks] == [
        ((["", ""], ["", ""]), frozenset({0, 1}), ',""\n"",\n')
    ]


def test_a_cell_that_copy_would_take_for_the_end_is_quoted() -> None:
    assert read("a\n1\n\\.\nx\n")[3] == '1\n"\\."\nx\n'


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","), ("a;b\n1,5;2\n3,5;4\n", ";"), ("a\tb\n1, 2\t3\n", "\t"), ("a|b|c\n1|2|3\n", "|"),
        ("a\n1\n2\n", ","), ('"a,x";b\n"1,2";3\n', ";"), ("", ","), ("a;b,c;d\n1;2,3;4\n1;2;3\n", ";"),
    ],
)  # fmt: skip
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert sniff(text, whole=True) == delimiter


def test_columns_without_a_name_and_named_alike_are_kept_apart() -> None:
    assert header_labels(["a", " a ", "", "a (2)", ""]) == ("a", "a (2)", "Column 3", "a (2) (2)", "Column 5")


@pytest.mark.parametrize("text", ["", "\n\n", '"a,b\n1,2\n', '"a"b,c\n'])
def test_a_file_without_a_header_is_refused(text: str) -> None:
    with pytest.raises(ApplianceError) as refused:
        read(text)
    assert refused.value.code == "PGF140"
