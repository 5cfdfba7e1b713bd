"""The process that reads a file: what it says of it, without a database."""

from __future__ import annotations

import io

import pytest

from appliance.errors import ApplianceError
from appliance.pgflex.imports.scan import BAD_LISTED, Asked, Format, Found, read_file

CSV = "bed,größe\nC-01,1.50\n"


def scan(data: bytes, kind: Format = "csv", encoding: str = "") -> tuple[Found, bytes, list[tuple[int, int]]]:
    """What is found in a file, what goes to the spool, and what was told meanwhile."""
    spool, told = io.BytesIO(), list[tuple[int, int]]()
    found = read_file(io.BytesIO(data), spool, Asked(kind, encoding), lambda *at: told.append(at))
    return found, spool.getvalue(), told


@pytest.mark.parametrize(
    ("written", "encoding", "told"),
    [
        ("utf-8", "", "utf-8"), ("utf-8-sig", "", "utf-8"), ("utf-8", "utf-8", "utf-8"),
        ("utf-8-sig", "utf-8", "utf-8"),
        ("utf-16", "", "utf-16"), ("utf-16", "utf-16", "utf-16"), ("cp1252", "cp1252", "cp1252"),
        ("cp1252", "windows-1252", "cp1252"),
    ],
)  # fmt: skip
def test_encodings_that_are_known_or_told(written: str, encoding: str, told: str) -> None:
    found, spool, _ = scan(CSV.encode(written), encoding=encoding)
    assert found.encoding == told
    assert [field.label for field in found.fields] == ["bed", "größe"]
    assert spool == b"C-01,1.50\n"


def test_another_encoding_is_refused_with_its_line() -> None:
    with pytest.raises(ApplianceError) as refused:
        scan("bed,note\nC-01,x\nC-02,groß\n".encode("cp1252"))
    assert refused.value.details == {"line": 3, "message": "Line 3 holds the byte 0xDF."}
    assert "cp1252" in str(refused.value.hint)


def test_what_is_found_is_told_by_field() -> None:
    found, _, _ = scan(b"a;b;c;d\n1;yes;;x\n2.5;yes;;\n")
    assert found.delimiter == ";"
    assert [(f.label, f.type, f.count, f.one_truth) for f in found.fields] == [
        ("a", "numeric", 2, False), ("b", "text", 2, True), ("c", None, 0, False), ("d", "text", 1, False)
    ]  # fmt: skip
    assert found.fields[0].examples == ("1", "2.5")


def test_a_file_of_a_header_alone_has_fields_and_no_rows() -> None:
    found, spool, _ = scan(b"a,b\n")
    assert (found.rows, spool, [field.label for field in found.fields]) == (0, b"", ["a", "b"])


def test_progress_only_grows_and_ends_at_the_whole() -> None:
    data = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(200_000))
    found, _, told = scan(data)
    assert told == sorted(told)
    assert len(told) > 4
    assert told[-1] == (len(data), 200_000) == (found.size, found.rows)


def test_bad_lines_are_counted_and_the_first_listed() -> None:
    found, spool, _ = scan(b"a,b\n" + b"1\n" * 300 + b"1,2\n")
    assert (found.rows, found.skipped, len(found.bad), spool) == (1, 300, BAD_LISTED, b"1,2\n")


@pytest.mark.parametrize(("kind", "data"), [("ndjson", b'{"a":1}\n{"a":2}\n'), ("json", b'[{"a":1},{"a":2}]')])
def test_documents_come_to_the_spool_one_per_line(kind: Format, data: bytes) -> None:
    found, spool, _ = scan(data, kind)
    assert (found.rows, found.delimiter, spool) == (2, "", b'{"a":1}\n{"a":2}\n')
