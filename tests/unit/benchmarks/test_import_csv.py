"""The file that is imported is the same each time and has the types that are measured."""

import io
from pathlib import Path

from appliance.pgflex.imports.scan import Asked, read_file
from benchmarks import import_csv


def test_the_file_has_a_column_of_each_kind(tmp_path: Path) -> None:
    import_csv.write(tmp_path / "a.csv", 1000)
    import_csv.write(tmp_path / "b.csv", 1000)
    data = (tmp_path / "a.csv").read_bytes()
    assert data == (tmp_path / "b.csv").read_bytes()
    found = read_file(io.BytesIO(data), io.BytesIO(), Asked("csv"), lambda size, rows: None)
    assert found.rows == 1000
    assert [field.type for field in found.fields] == ["text", "integer", "numeric", "date", "timestamptz", "text"]
