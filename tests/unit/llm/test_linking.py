"""Linking: which collection, fields and values a question names, and what stays unexplained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.llm.linking import Links, link, narrow, open_words, with_values
from appliance.types import Catalog, Collection, Field
from tests.unit.llm.facility import (
    APPOINTMENTS,
    BEDS,
    CATALOG,
    INVENTORY,
    NOW,
    PATIENTS,
    SHIFTS,
    SURGERIES,
    linked,
    linked_to,
)


def said(links: Links) -> dict[str, tuple[str, ...]]:
    return {value.field: value.values for value in links.values}


def missed(links: Links) -> list[str]:
    return [word.text for word in links.unexplained()]


@pytest.mark.parametrize(
    ("question", "collection"),
    [
        ("how many beds are free", BEDS),
        ("appointments tomorrow", APPOINTMENTS),
        ("apointments tomorrow", APPOINTMENTS),
        ("which items are low", INVENTORY),
        ("what stock do we have", INVENTORY),
        ("how many nurses work tomorrow", SHIFTS),
        ("operations today", SURGERIES),
        ("next surgery", SURGERIES),
        ("who has pneumonia", PATIENTS),
        ("any visits for dr salcedo", APPOINTMENTS),
        ("surgeries longer than 2 hours", SURGERIES),
    ],
)
def test_the_collection(question: str, collection: Collection) -> None:
    assert linked(question).collection == collection


@pytest.mark.parametrize("question", ["", "how many unicorns", "tell me a joke", "¿cuántas camas?", "drop table"])
def test_nothing_is_linked(question: str) -> None:
    assert link(question, CATALOG, NOW) == []


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("free beds in the icu", {"status": ("free",), "ward": ("Intensive Care",)}),
        ("beds in intensive care", {"ward": ("Intensive Care",)}),
        ("ocupied beds in cardiolgy", {"status": ("occupied",), "ward": ("Cardiology",)}),
        ("bed c-04", {"bed": ("C-04",)}),
        ("beds that are vacant", {"status": ("free",)}),
        ("appointments of dr salcedo", {"doctor": ("Dr. Andrés Salcedo",)}),
        ("appointments that were missed", {"status": ("no show",)}),
        ("patients with blood type O-", {"blood_type": ("O-",)}),
        ("nurses on the night shift", {"role": ("nurse",), "shift": ("night",)}),
        ("items that are out", {"status": ("out",)}),
    ],
)
def test_the_values(question: str, values: dict[str, tuple[str, ...]]) -> None:
    links = linked(question)
    assert said(links) == values
    assert missed(links) == []


def test_what_stands_for_rows_is_no_value() -> None:
    assert BEDS not in [links.collection for links in link("surgeries today", CATALOG, NOW)]
    assert said(linked_to("beds in surgery", BEDS)) == {"ward": ("Surgery",)}
    assert said(linked_to("hours per day", SHIFTS)) == {}
    assert said(linked_to("hours of the day shift", SHIFTS)) == {"shift": ("day",)}
    assert "status" not in said(linked_to("surgeries of discharged patients", SURGERIES))


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("which items are out", {"status": ("out",)}),
        ("find out which items are low", {"status": ("low",)}),
        ("items that are ok", {"status": ("ok",)}),
        ("ok, which items are low", {"status": ("low",)}),
    ],
)
def test_filler_words_are_values_where_they_tell_a_state(question: str, values: dict[str, tuple[str, ...]]) -> None:
    assert said(linked(question)) == values


def test_filler_words_are_values_behind_their_label() -> None:
    types = (Field("blood_type", "blood type", "text", ("A", "AB", "O")), Field("name", "name", "text"))
    donors = Catalog("donors", (Collection("donors", "donors", types),))
    assert said(linked("donors with blood type a", donors)) == {"blood_type": ("A",)}
    assert said(linked("donors with a name", donors)) == {}


def test_a_state_belongs_to_the_rows_it_stands_before() -> None:
    clients = Collection("clients", "clients", (Field("status", "status", "text", ("active", "open")),))
    matters = Collection("matters", "matters", (Field("status", "status", "text", ("closed", "open")),))
    found = link("clients with open matters", Catalog("two", (clients, matters)), NOW)
    of_clients = next(links for links in found if links.collection == clients)
    assert of_clients.values == ()
    assert missed(of_clients) == ["open", "matters"]


@pytest.mark.parametrize(
    ("question", "fields"),
    [
        ("minutes of appointments", ["minutes"]),
        ("when does the stock expire", ["expires_on"]),
        ("reorder level of the stock", ["reorder_level"]),
        ("how long is an appointment", ["minutes"]),
        ("price of the stock", ["unit_cost"]),
    ],
)
def test_the_fields(question: str, fields: list[str]) -> None:
    assert [mention.field for mention in linked(question).fields] == fields


@pytest.mark.parametrize(
    ("question", "group"),
    [
        ("beds per ward", ("ward",)),
        ("beds by ward and floor", ("ward", "floor")),
        ("how many beds does each ward have", ("ward",)),
        ("beds of the ward", ()),
    ],
)
def test_groups(question: str, group: tuple[str, ...]) -> None:
    assert linked(question).group == group


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("vegetarian patients in surgery", ["vegetarian"]),
        ("beds near the window", ["near", "window"]),
        ("how many beds were free last tuesday", ["last", "tuesday"]),
        ("patients older than 60", ["older", "than", "60"]),
        ("beds <e> free", ["e"]),
    ],
)
def test_unexplained(question: str, left: list[str]) -> None:
    collection = BEDS if "beds" in question else PATIENTS
    assert missed(linked_to(question, collection)) == [word for word in left if word != "than"]


def test_times_and_amounts_explain_only_what_a_collection_can_hold() -> None:
    plain = Catalog("plain", (Collection("notes", "notes", (Field("text", "text", "text"),)),))
    links = linked("notes over 5 since yesterday", plain)
    assert links.spans == ()
    assert missed(links) == ["over", "5", "since", "yesterday"]


def test_the_neighbours_of_a_value_are_explained_by_its_label() -> None:
    fees = Catalog("fees", (Collection("matters", "matters", (Field("fee_type", "fee_type", "text", ("fixed",)),)),))
    assert missed(linked("fixed fee matters", fees)) == []
    assert missed(linked("fee for parking of fixed matters", fees)) == ["fee", "parking"]


def test_a_collection_that_explains_more_comes_first() -> None:
    ranks = [(links.collection.name, links.rank) for links in link("discharged patients", CATALOG, NOW)]
    assert ranks[0][0] == "patients"
    assert [rank for _, rank in ranks] == sorted((rank for _, rank in ranks), reverse=True)


def test_a_looked_up_value_is_known() -> None:
    more = with_values(CATALOG, {("inventory", "item"): ("FFP2 mask", "Surgical mask")})
    links = linked("how many masks", more)
    assert said(links) == {"item": ("FFP2 mask", "Surgical mask")}
    assert more.version != CATALOG.version


def test_open_words_leave_out_fillers() -> None:
    assert open_words("how many masks do we have in 3?") == ["masks"]


def test_narrow_keeps_what_is_linked_and_nine_at_most() -> None:
    wide = Collection("wide", "wide", tuple(Field(f"f{n}", f"f{n}", "text") for n in range(60)))
    links = linked("wide f59 and f30", Catalog("wide", (wide,)))
    names = [field.name for field in narrow(links)]
    assert len(names) == 9
    assert {"f59", "f30"} <= set(names)
    assert names == sorted(names, key=lambda name: int(name[1:]))


@given(st.text(max_size=80))
def test_any_question_can_be_linked(text: str) -> None:
    for links in link(text, CATALOG, NOW):
        places = [value.at for value in links.values] + [mention.at for mention in links.fields]
        assert all(0 <= start < end <= len(links.words) for start, end in places)
        assert all(value.values for value in links.values)
        assert set(links.unexplained()) <= set(links.words)


RESULTS = Collection(
    "tests",
    "tests",
    (
        Field("diagnosis", "diagnosis", "text", ("asthma", "hip fracture")),
        Field("ward", "ward", "text", ("Cardiology", "Pediatrics", "Surgery")),
        Field("floor", "floor", "integer"),
        Field("admitted_on", "admitted_on", "timestamptz"),
        Field("price", "price", "numeric"),
    ),
)


def of_results(question: str) -> Links:
    return link(question, Catalog("1", (RESULTS,)), NOW, always="*")[0]


def test_a_word_of_a_labels_family_names_the_field() -> None:
    links = of_results("what was he diagnosed with")
    assert [(mention.field, mention.kin) for mention in links.fields] == [("diagnosis", True)]
    assert missed(links) == []
    assert [mention.field for mention in of_results("admissions per day").fields] == ["admitted_on"]


def test_words_that_people_cut_short() -> None:
    assert said(of_results("beds in paeds")) == {"ward": ("Pediatrics",)}
    assert said(of_results("tests in cardio")) == {"ward": ("Cardiology",)}
    assert said(of_results("tests of a car")) == {}, "a word of its own is no other cut short"


@pytest.mark.parametrize(
    "question",
    [
        "tests at the moment",
        "tests so far",
        "admitted date of tests",
        "kind of tests",
        "tests on file",
    ],
)
def test_words_that_say_nothing_more(question: str) -> None:
    assert missed(of_results(question)) == []


def test_amounts_between_two() -> None:
    found = of_results("price between 10 and 5 euros")
    assert [(each.op, each.number) for each in found.comparisons] == [("gte", 5), ("lte", 10)]


@pytest.mark.parametrize(("question", "asked"), [("how high is it", True), ("how high", False), ("high ones", False)])
def test_a_degree_is_asked_for_and_tests_nothing(question: str, asked: bool) -> None:
    results = Collection("results", "results", (Field("flag", "flag", "text", ("high", "low")),), 9)
    links = link(question, Catalog("results", (results,)), NOW, always="*")[0]
    assert said(links) == ({} if asked else {"flag": ("high",)})
    assert [mention.field for mention in links.fields] == (["flag"] if asked else [])
