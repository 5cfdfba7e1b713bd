"""What a digest adds up, and by what it groups."""

from __future__ import annotations

import pytest

from appliance.pgflex.watching.amounts import amounts, grouping, is_amount
from appliance.types import Catalog, Collection, Field, FieldType, Relation


@pytest.mark.parametrize(
    ("label", "kind", "unit", "added"),
    [
        ("amount", "numeric", "", True),
        ("total (eur)", "numeric", "€", True),
        ("hours", "integer", "", True),
        ("fee", "text", "", False),
        ("value", "numeric", "mmol/l", False),
        ("temperature", "numeric", "°C", False),
        ("hourly rate", "numeric", "€", False),
        ("room", "integer", "", False),
        ("age", "integer", "", False),
        ("unit cost limit", "numeric", "", False),
    ],
)
def test_only_what_can_be_added_is(label: str, kind: FieldType, unit: str, added: bool) -> None:
    assert is_amount(Field(label.replace(" ", "_"), label, kind, unit=unit)) is added


def test_a_reference_is_no_amount() -> None:
    fields = (Field("amount", "amount", "integer"), Field("cost", "cost", "numeric"), Field("quantity", "q", "integer"))
    bills = Collection("bills", "bills", fields)
    catalog = Catalog("1", (bills,), (Relation("bills", "quantity", "other", "id"),))
    assert [field.name for field in amounts(bills, catalog)] == ["cost", "amount"]


def test_the_group_is_the_most_telling_field() -> None:
    sex = Field("sex", "sex", "text", values=("f", "m"), count=40)
    ward = Field("ward", "ward", "text", values=("A", "B", "C"), count=40)
    one = Field("status", "status", "text", values=("open",), count=40)
    name = Field("unit", "unit", "text", values=("A 1", "A 2", "A 3"), count=4)
    assert grouping(Collection("c", "c", (sex, ward, one, name))) == ward
    assert grouping(Collection("c", "c", (sex, one))) == sex
    assert grouping(Collection("c", "c", (one, name))) is None
