"""What a facility calls its things."""

from __future__ import annotations

from appliance.llm.listening.names import LIMIT, names_in
from appliance.types import Catalog, Collection, Field


def catalog(*fields: Field) -> Catalog:
    return Catalog("1", (Collection("lab_results", "lab results", fields),))


def test_labels_come_before_values_and_each_once() -> None:
    ward = Field("ward", "ward", "text", values=("Cardiology", "ward"))
    assert names_in(catalog(ward)) == ["lab results", "lab", "results", "ward", "Cardiology"]


def test_examples_of_names_are_names_and_prose_is_not() -> None:
    name = Field("name", "patient name", "text", examples=("Zofia Wiśniewska", "x" * 80))
    assert "Zofia Wiśniewska" in names_in(catalog(name))
    assert not [each for each in names_in(catalog(name)) if len(each) > 40]


def test_what_is_masked_is_no_hint() -> None:
    name = Field("name", "name", "text", values=("Ada",), masked=True)
    assert "Ada" not in names_in(catalog(name))


def test_numbers_and_single_letters_are_no_names() -> None:
    code = Field("code", "code", "text", values=("C-01", "7", "A", "of the"))
    assert names_in(catalog(code)) == ["lab results", "lab", "results", "code", "C-01"]


def test_a_large_facility_has_so_many_names() -> None:
    many = Field("n", "n", "text", values=tuple(f"name{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(676)))
    assert len(names_in(catalog(many))) == LIMIT
