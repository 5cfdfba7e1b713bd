"""Reading documents from a file, however it is cut up, and writing them for COPY."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.fields import infer_all, read_json
from appliance.pgflex.imports.records import DocumentReader, as_csv
from appliance.pgflex.imports.tabular import Bad
from appliance.pgflex.writes.placing import Limits

LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0"), max_size=5)
LEAVES = LEAVES.filter(lambda value: not isinstance(value, str) or value.isprintable())
LABELS = st.sampled_from(["a", "b", "Bed No", "größe"])
DOCUMENTS = st.lists(st.dictionaries(LABELS, LEAVES | st.lists(LEAVES, max_size=2), max_size=3), max_size=6)


def read(
    text: str, lines: bool, piece: int = 1 << 20, limits: Limits | None = None
) -> tuple[Any, list[Any], list[Bad]]:
    """The reader, the documents it gave, and what was left out, of a file that came in pieces."""
    reader, spool, bad = DocumentReader(lines, limits), "", list[Bad]()
    for start in [*range(0, len(text), piece), len(text)]:
        told, wrong = reader.feed(text[start : start + piece], end=start == len(text))
        spool, bad = spool + told, bad + wrong
    found = [read_json(line.encode()) for line in spool.split("\n") if line]
    assert reader.rows == len(found)
    return reader, found, bad


@given(DOCUMENTS, st.sampled_from([1, 7, 1000]), st.booleans(), st.sampled_from([None, 2]))
def test_documents_are_read_as_they_were_written(
    documents: list[dict[str, Any]], piece: int, lines: bool, indent: int | None
) -> None:
    text = "\n".join(map(json.dumps, documents)) if lines else json.dumps(documents, indent=indent)
    reader, found, bad = read(text, lines, piece)
    assert (found, bad) == (documents, [])
    for label, column in reader.columns.items():
        values = [document.get(label) for document in documents]
        assert column.type == infer_all(values)
        assert column.count == sum(value is not None for value in values)


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_bad_lines_are_named_and_the_others_read(piece: int) -> None:
    text = '{"a":1}\n\n{a}\n[1]\n{"": 1}\n{"a":"x\\u0000"}\n{"a":' + "[" * 40 + "]" * 40 + '}\n{"a":2}'
    _, found, bad = read(text, True, piece)
    assert found == [{"a": 1}, {"a": 2}]
    assert [at.line for at in bad] == [3, 4, 5, 6, 7]
    assert [at.reason for at in bad[1:]] == [
        "A document has to be a JSON object.",
        "A field needs a name.",
        "It holds a NUL character.",
        "The field a is nested too deep.",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [('[{"a":1},\n{"a" 1}]', 2), ('{"a":1}', 1), ('\n\n[{"a":1}\n', 4), ("[]\n]", 2), ("", 1), ("[NaN]", 1)],
)
def test_a_list_that_breaks_off_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ApplianceError) as refused:
        read(text, False, 3)
    assert refused.value.code == "PGF140"
    assert refused.value.details["line"] == line


def test_what_is_no_document_in_a_list_is_named() -> None:
    _, found, bad = read('[\n{"a":1},\n5, {"a":2}]', False)
    assert found == [{"a": 1}, {"a": 2}]
    assert bad == [Bad(3, "A document has to be a JSON object.")]


def test_numbers_are_told_apart_from_truths() -> None:
    reader, _, _ = read('{"a": true, "b": 1}\n{"a": 1, "b": 1.0}', True)
    assert {label: column.type for label, column in reader.columns.items()} == {"a": "integer", "b": "numeric"}


def test_a_file_has_no_more_labels_than_a_collection_fields() -> None:
    with pytest.raises(ApplianceError) as refused:
        read('{"a":1,"b":2}\n{"c":1}\n', True, limits=Limits(fields=2))
    assert refused.value.code == "PGF109"


def test_documents_for_copy() -> None:
    lines = [b'{"t":"a \\"b\\"","n":1.50,"j":"x","e":""}\n', b'{"t":7,"j":{"k":[1]},"b":true}\n', b"{}\n"]
    labels = {"t": ("t", "text"), "n": ("n", "numeric"), "j": ("j", "jsonb"), "e": ("e", "text"), "b": ("b", "integer")}
    told = b"".join(as_csv(lines, labels)).decode()  # type: ignore[arg-type]
    assert told.splitlines()[1] == '"7",,"{""k"":[1]}",,1'
    rows = list(csv.reader(io.StringIO(told)))
    assert rows[0] == ['a "b"', "1.50", '"x"', "", ""]
    assert told.splitlines()[0].endswith(',"",')  # the empty text is no null
    assert rows[2] == [""] * 5
    assert Decimal(rows[0][1]) == Decimal("1.50")
