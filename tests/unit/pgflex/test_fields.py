"""Field types: the lattice, and that nothing is lost on the way into a column."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.fields import (
    SQL_TYPES,
    collection_name,
    column_name,
    convert,
    infer,
    infer_all,
    join,
    meaning,
    numbered,
    read_json,
    widen_sql,
    write_json,
)

kinds = st.sampled_from([None, *SQL_TYPES])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, None),
        (True, "boolean"),
        (7, "integer"),
        (2**63 - 1, "integer"),
        (2**63, "numeric"),
        (-(2**63) - 1, "numeric"),
        (Decimal("1.10"), "numeric"),
        ("007", "text"),
        ("7", "text"),
        ("", "text"),
        ("2026-11-23", "date"),
        ("2026-02-30", "text"),
        ("0000-01-01", "text"),
        ("23.11.2026", "text"),
        ("2026-11-23\n", "text"),
        ("٢٠٢٦-11-23", "text"),
        ("2026-11-23T10:00:00Z", "timestamptz"),
        ("2026-11-23T10:00+02:00", "timestamptz"),
        ("2026-11-23T10:00:00.123456+02:00", "timestamptz"),
        ("2026-11-23T10:00:00.1234567+02:00", "text"),
        ("2026-11-23T10:00:00", "text"),
        ("2026-11-23T10:00:00+20:00", "text"),
        ("0001-01-01T00:00:00+02:00", "text"),
        ([1], "jsonb"),
        ({}, "jsonb"),
    ],
)
def test_infer(value: object, kind: str | None) -> None:
    assert infer(value) == kind


@given(kinds, kinds, kinds)
def test_join_is_a_lattice(a, b, c) -> None:  # type: ignore[no-untyped-def]
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, None) == a
    assert join(join(a, b), a) == join(a, b)


@given(st.lists(values, max_size=6))
def test_order_of_values_does_not_matter(items: list[object]) -> None:
    assert infer_all(items) == infer_all(reversed(items))


@given(values, kinds)
def test_converted_value_fits_and_tells_the_value(value, kind) -> None:  # type: ignore[no-untyped-def]
    wanted = join(infer(value), kind)
    if wanted is None:
        return
    written = convert(value, wanted)
    if value is None:
        assert written is None
    elif wanted == "text":
        assert written == (value if isinstance(value, str) else write_json(value))
    elif wanted in ("integer", "numeric"):
        assert written == value and not isinstance(written, bool)
    elif wanted == "timestamptz":
        assert infer(written) == "timestamptz" and written.startswith(value[:10])
    else:
        assert written == value


def test_widening_expressions() -> None:
    assert widen_sql('"a"', "boolean", "integer") == '"a"::int::bigint'
    assert widen_sql('"a"', "integer", "numeric") == '"a"::numeric'
    assert widen_sql('"a"', "date", "timestamptz") == "\"a\"::timestamp at time zone 'UTC'"
    assert widen_sql('"a"', "timestamptz", "text") == "to_jsonb(\"a\") #>> '{}'"
    assert widen_sql('"a"', "text", "jsonb") == 'to_jsonb("a")'


@given(st.text())
def test_column_name_is_safe(label: str) -> None:
    if not label.strip() or "\x00" in label:
        with pytest.raises(ApplianceError, match="PGF105"):
            column_name(label)
    else:
        name = column_name(label)
        assert collection_name(name) == name
        assert name not in {"id", "select", "order", "limit", "offset", "xmin"}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Bed No.", "bed_no"),
        ("Größe (cm)", "grosse_cm"),
        ("order", "order_"),
        ("ID", "id_"),
        ("2nd", "f_2nd"),
        ("病房", "field"),
        ("x" * 80, "x" * 63),
    ],
)
def test_column_name(label: str, name: str) -> None:
    assert column_name(label) == name


@given(st.integers(1, 200))
def test_numbered_names_never_meet(count: int) -> None:
    taken: set[str] = set()
    for _ in range(count):
        taken.add(numbered("x" * 63, taken))
    assert len(taken) == count
    assert all(collection_name(name) for name in taken)


def test_labels_that_mean_the_same() -> None:
    assert meaning("Bed No") == meaning("bed_no") == meaning(" BED-NO ")
    assert meaning("a+b") != meaning("a-b")


@pytest.mark.parametrize("name", ["", "Beds", "1beds", "be ds", "b" * 64, "béds", "beds\n", 'b"; drop table x'])
def test_collection_name_refuses(name: str) -> None:
    with pytest.raises(ApplianceError, match="PGF105"):
        collection_name(name)


def test_json_keeps_numbers_exact() -> None:
    body = b'{"a":1.10,"b":123456789012345678901234567890,"c":[1E+400]}'
    assert write_json(read_json(body)).encode() == body


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[NaN]", b'"\\ud800"', b"\xff", b"[" * 100_000, b"1e99999999999999999999999"]
)
def test_json_that_is_none(body: bytes) -> None:
    with pytest.raises(ApplianceError, match="PGF103"):
        read_json(body)
