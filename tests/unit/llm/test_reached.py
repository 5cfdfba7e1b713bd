"""What a field leads to: when a question speaks of it, what is shown of it, and who tells it better."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from appliance.llm.candidates import Candidate, Scores
from appliance.llm.evidence import numbers
from appliance.llm.interpret import interpret
from appliance.llm.linking import Links, link
from appliance.llm.notation import read
from appliance.llm.people import holds_people
from appliance.llm.views import view, widened
from appliance.types import Catalog, Collection, Field, Relation

NOW = datetime(2026, 11, 29, 14, tzinfo=UTC)
COWS = Collection(
    "cows",
    "cows",
    (
        Field("name", "name", "text", ("Bella", "Daisy"), count=7, distinct=7),
        Field("breed", "breed", "text", ("Angus", "Jersey"), count=7, distinct=2),
        Field("barn", "barn", "text", ("East", "North"), count=7, distinct=2),
        Field("weight_kg", "weight_kg", "integer", low=390, high=720, count=7, distinct=7),
        Field("vet_visit", "vet_visit", "date", count=5, distinct=5),
    ),
    7,
)
MILKINGS = Collection(
    "milkings",
    "milkings",
    (
        Field("cow", "cow", "text", ("Bella", "Daisy"), count=110, distinct=7),
        Field("barn", "barn", "text", ("East", "North"), count=110, distinct=2),
        Field("litres", "litres", "numeric", low=6.0, high=22.0, count=110, distinct=90),
        Field("milker", "milker", "text", ("Anke", "Boris"), count=110, distinct=3),
    ),
    110,
)
TRIPS = Collection(
    "trips",
    "trips",
    (
        Field("plate", "plate", "text", ("AB-1", "AB-2"), count=90, distinct=2),
        Field("distance_km", "distance_km", "integer", low=10, high=600, count=90, distinct=80),
    ),
    90,
)
VEHICLES = Collection("vehicles", "vehicles", (Field("plate", "plate", "text", ("AB-1", "AB-2")),), 2)
FARM = widened(Catalog("farm", (COWS, MILKINGS), (Relation("milkings", "cow", "cows", "name"),)))
FLEET = widened(Catalog("fleet", (TRIPS, VEHICLES), (Relation("trips", "plate", "vehicles", "plate"),)))


def linked(question: str, to: str, catalog: Catalog = FARM) -> Links:
    return next(each for each in link(question, catalog, NOW, always="*") if each.collection.name == to)


def candidate(question: str, to: str, sketch: str, catalog: Catalog = FARM) -> Candidate:
    links = linked(question, to, catalog)
    meant = interpret(read(sketch), view(links.collection), links, [], NOW, None)
    assert meant.plan is not None
    return Candidate(meant.plan, links, read(sketch), Scores(-0.1))


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("how many milkings did Boris do", False),
        ("milkings per breed", True),
        ("milkings of Jersey cows", True),
        ("milkings in the East barn", False),
    ],
)
def test_what_is_reached_is_shown_where_a_question_speaks_of_it(question: str, shown: bool) -> None:
    links = linked(question, "milkings")
    assert ("cow breed" in [column.label for column in view(links.collection, links).columns]) is shown


def test_what_rows_hold_themselves_is_meant_first() -> None:
    (value,) = linked("milkings in the East barn", "milkings").values
    assert value.field == "barn"


def test_a_guess_is_no_value_of_other_rows() -> None:
    assert linked("milkings of the jers", "milkings").reached == frozenset()


def test_each_of_the_rows_that_a_field_leads_to_is_that_field() -> None:
    assert linked("distance per vehicle", "trips", FLEET).group == ("plate",)
    assert linked("vehicles on the road", "trips", FLEET).fields == ()


@pytest.mark.parametrize(
    ("question", "sketch", "roundabout", "unnamed"),
    [
        ("how many are Jersey", "<count><all><and> cow breed<eq> jersey<e>", True, False),
        ("what breed is Daisy", " cow breed<and> cow<eq> daisy<e>", True, False),
        ("how many milkings of Jersey cows", "<count><all><and> cow breed<eq> jersey<e>", False, False),
        ("how many litres from Jersey", "<sum> litres<and> cow breed<eq> jersey<e>", False, False),
        ("the biggest milking", "<all><top> cow weight kg<lim> 1<e>", False, True),
        ("the biggest milking", "<all><top> litres<lim> 1<e>", False, False),
    ],
)
def test_what_is_told_of_other_rows(question: str, sketch: str, roundabout: bool, unnamed: bool) -> None:
    each = candidate(question, "milkings", sketch)
    known = numbers(each, [each])
    assert (known["roundabout"], known["reached_unnamed"]) == (roundabout, unnamed)


def test_never_and_half_a_name_of_a_time() -> None:
    links = linked("cows that have never seen a vet", "cows")
    assert [mention.field for mention in links.fields] == ["vet_visit"]
    assert [mention.field for mention in linked("cows seen by the vet", "cows").fields] == []


VISITS = Collection(
    "visits",
    "visits",
    (
        Field("pet", "pet", "text", ("Mia", "Rex"), count=70, distinct=6),
        Field("vet", "vet", "text", ("Dr. Lind", "Dr. Mota"), count=70, distinct=2),
        Field("charge", "charge", "integer", low=35, high=480, count=70, distinct=4),
        Field("published", "published", "date", count=70),
        Field("owner_name", "owner_name", "text", count=70, distinct=5),
    ),
    70,
)
CLINIC = Catalog("clinic", (VISITS,))


@pytest.mark.parametrize(
    ("question", "unexplained"),
    [
        ("how many visits did Dr. Lind lead", []),
        ("which vet treated the most", []),
        ("which vet treated the most visits", []),
        ("how many visits did Dr. Lind cancel", ["cancel"]),
        ("who owns Rex", []),
        ("publisher of Rex", ["publisher"]),
    ],
)
def test_verbs_that_say_that_something_is_somebodys(question: str, unexplained: list[str]) -> None:
    assert [word.text for word in linked(question, "visits", CLINIC).unexplained()] == unexplained


def test_what_is_earned_is_a_number_of_money_and_links() -> None:
    links = linked("revenue", "visits", CLINIC)
    assert links.score > 0 and not links.unexplained()
    with_label = replace(VISITS, fields=(*VISITS.fields, Field("revenue", "revenue", "integer")))
    named = linked("revenue", "visits", Catalog("named", (with_label,)))
    assert [mention.field for mention in named.fields] == ["revenue"] and not named.cues


HERD = Collection(
    "animals",
    "animals",
    (
        Field("name", "name", "text", ("Nanuk", "Kito"), count=9, distinct=9),
        Field("keeper", "keeper", "text", ("Ida", "Jon"), count=9, distinct=2),
        Field("enclosure", "enclosure", "text", ("Ice", "Savanna"), count=9, distinct=2),
        Field("weight_kg", "weight_kg", "integer", low=1, high=900, count=9, distinct=9),
        Field("owed", "owed fees", "integer", low=0, high=90, count=9, distinct=3),
    ),
    9,
)


@pytest.mark.parametrize(
    ("question", "sketch", "told"),
    [
        ("animals older than 10", "<all><and> weight kg<gt> 10<e>", {"compared_otherwise": 1}),
        ("animals heavier than 10", "<all><and> weight kg<gt> 10<e>", {"compared_otherwise": 0}),
        ("who fed the most", "<count><all><by> enclosure<top><lim> 1<e>", {"group_unnamed": 1}),
        ("animals in ice", "<count><all><and> enclosure<eq> ice<by> enclosure<e>", {"tells_nothing": 1}),
        ("animals by name", "<count><all><by> name<e>", {"tells_nothing": 1}),
    ],
)
def test_what_speaks_against_a_reading(question: str, sketch: str, told: dict[str, int]) -> None:
    each = candidate(question, "animals", sketch, Catalog("zoo", (HERD,)))
    known = numbers(each, [each])
    assert {name: known[name] for name in told} == told


def test_fields_that_hold_people() -> None:
    assert all(map(holds_people, ("assigned to", "seller", "client", "patient name")))
    assert not any(map(holds_people, ("brand", "enclosure", "amount")))
