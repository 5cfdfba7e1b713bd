"""Values: found whole, in another number, by a synonym, with a typo, by a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.values import Hit, Index, slip
from appliance.types import Collection, Field
from tests.unit.llm.facility import APPOINTMENTS, BEDS, INVENTORY


def test_whole_values() -> None:
    beds = Index(BEDS)
    assert beds.whole("free") == Hit(("free",), ("status",))
    assert beds.whole("intensive care") == Hit(("Intensive Care",), ("ward",))
    assert beds.whole("cots") == Hit(("cot",), ("kind",))
    assert beds.whole("c-04") == Hit(("C-04",), ("bed",))
    assert beds.whole("unicorn") is None


def test_a_synonym_means_every_value_it_stands_for() -> None:
    flags = Index(
        Collection("results", "results", (Field("flag", "flag", "text", ("critical", "high", "low", "normal")),))
    )
    assert flags.whole("abnormal") == Hit(("high", "low", "critical"), ("flag",))
    assert Index(BEDS).whole("vacant") == Hit(("free",), ("status",))
    assert Index(BEDS).whole("icu") == Hit(("Intensive Care",), ("ward",))
    assert Index(APPOINTMENTS).whole("vacant") is None


def test_a_stored_word_is_not_replaced_by_its_synonym() -> None:
    both = Index(Collection("rooms", "rooms", (Field("status", "status", "text", ("available", "free")),)))
    assert both.whole("available") == Hit(("available",), ("status",))


def test_every_spelling_of_a_value_is_meant() -> None:
    rooms = Index(Collection("rooms", "rooms", (Field("status", "status", "text", ("Free", "free", "frée", "full")),)))
    assert rooms.whole("free") == Hit(("Free", "free", "frée"), ("status",))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("ocupied", "occupied"), ("cardiolgy", "Cardiology"), ("reservd", "reserved"), ("pediatircs", "Pediatrics")],
)
def test_typos(said: str, meant: str) -> None:
    found = Index(BEDS).near(said, 1)
    assert found is not None
    assert found.values == (meant,)


@pytest.mark.parametrize("said", ["c-05", "fre", "window", "xardiology", "unicorns"])
def test_no_typo(said: str) -> None:
    assert Index(BEDS).near(said, 1) is None


def test_parts_of_names() -> None:
    appointments = Index(APPOINTMENTS)
    assert appointments.part("salcedo", 1) == Hit(("Dr. Andrés Salcedo",), ("doctor",))
    assert appointments.part("show", 1) is None  # a filler word
    assert Index(INVENTORY).part("supplies", 1) == Hit(("Surgical supplies",), ("category",))
    assert Index(INVENTORY).part("surgical", 1) is None  # the first of a common noun


def test_a_part_of_what_something_is_not_means_nothing() -> None:
    entries = Index(Collection("e", "e", (Field("status", "status", "text", ("billed", "not billable")),)))
    assert entries.part("billable", 1) is None
    assert entries.whole("not billable") == Hit(("not billable",), ("status",))


def test_a_part_that_too_many_values_have_means_nothing() -> None:
    rooms = tuple(f"Blue Room{n}" for n in range(6))
    assert Index(Collection("r", "r", (Field("room", "room", "text", rooms),))).part("blue", 1) is None


def test_values_meant_together_are_in_one_field() -> None:
    two = Index(
        Collection(
            "t", "t", (Field("a", "a", "text", ("Ana Smith",)), Field("b", "b", "text", ("Ben Smith", "Ana Smith")))
        )
    )
    found = two.part("smith", 1)
    assert found == Hit(("Ana Smith",), ("a", "b"))


@given(st.lists(st.text(min_size=1, max_size=20), max_size=8), st.text(min_size=1, max_size=20))
def test_any_value_can_be_held_and_any_phrase_asked(values: list[str], phrase: str) -> None:
    index = Index(Collection("c", "c", (Field("f", "f", "text", tuple(values)),)))
    for found in (index.whole(phrase, 1), index.near(phrase, 1), index.part(phrase, 1)):
        assert found is None or set(found.values) <= set(values)


@pytest.mark.parametrize(
    ("said", "meant", "is_slip"),
    [
        ("apointment", "appointment", True),
        ("clent", "client", True),
        ("card", "cards", False),
        ("surgeon", "surgery", False),
    ],
)
def test_slips_of_the_finger(said: str, meant: str, is_slip: bool) -> None:
    assert slip(said, meant) is is_slip
