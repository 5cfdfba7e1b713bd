"""Rows without others: who has no appointment, what was never sold; and what only looks like it."""

from __future__ import annotations

from datetime import date

import pytest

from appliance.llm.plan import Query, Related, Select, collections_read, validate
from appliance.llm.render import is_plain, to_rest, to_words
from appliance.llm.without import Lead, without
from appliance.llm.words import words
from appliance.types import Catalog, Collection, Field, Relation

LEADS = (
    Lead("appointments", "patient", "patients", "appointments"),
    Lead("sales", "plant", "plants", "sales"),
    Lead("work_orders", "machine", "machines", "work_orders"),
    Lead("bookings", "show", "shows", "bookings"),
)


@pytest.mark.parametrize(
    ("text", "collection", "denied"),
    [
        ("patients without any appointment", "patients", "appointments"),
        ("Which patients have never had an appointment?", "patients", "appointments"),
        ("patients with no visit", "patients", "appointments"),
        ("machines without a work order", "machines", "work_orders"),
        ("machines that haven't had a single order", "machines", "work_orders"),
        ("which plants has nobody bought yet?", "plants", "sales"),
        ("plants we have not sold", "plants", "sales"),
        ("shows nobody has booked for", "shows", "bookings"),
        ("how many shows have no bookings", "shows", "bookings"),
        ("patients with an appointment", "patients", ""),
        ("appointments without a patient", "appointments", ""),
        ("patients without a phone", "patients", ""),
        ("which plants sold best", "plants", ""),
    ],
)
def test_what_is_denied(text: str, collection: str, denied: str) -> None:
    assert [each.related.collection for each in without(words(text), collection, LEADS)] == ([denied] if denied else [])


def test_a_label_without_a_word_denies_nothing() -> None:
    assert without(words("patients without %"), "patients", [Lead("odd", "patient", "patients", "%")]) == []


CATALOG = Catalog(
    "1",
    (
        Collection("patients", "patients", (Field("name", "name", "text"),)),
        Collection("appointments", "appointments", (Field("patient", "patient", "text"),)),
    ),
    (Relation("appointments", "patient", "patients", "name"),),
)
PLAN = Query("patients", (Select("name"),), related=(Related("appointments", "patient"),))


def test_the_plan_is_checked_run_by_the_database_and_said() -> None:
    collection = validate(PLAN, CATALOG)
    assert not is_plain(PLAN)
    assert to_rest(PLAN).startswith("/rpc/run_plan?plan=")
    assert to_words(PLAN, collection, date(2026, 11, 30)) == "name of patients without appointments"


def test_it_reads_what_it_denies_too() -> None:
    assert collections_read(PLAN, CATALOG) == {"patients", "appointments"}
    along = Query("appointments", (Select("patient.name"),))
    assert collections_read(along, CATALOG) == {"patients", "appointments"}
