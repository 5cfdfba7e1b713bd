"""Slips of the finger are put right, names never are."""

from __future__ import annotations

import pytest

from appliance.llm.spelling import distance, spelled
from appliance.types import Catalog, Collection, Field

PLANTS = Field("plant_name", "plant_name", "text", ("Panicle hydrangea", "Lavender"))
CATALOG = Catalog(
    "spelling",
    (
        Collection("invoices", "invoices", (Field("email", "email", "text"), Field("patient", "patient", "text"))),
        Collection("sales", "sales", (PLANTS,)),
    ),
)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("unpaid invocies of this month", "unpaid invoices of this month"),
        ("how many hydrangas did we sell", "how many hydrangeas did we sell"),
        ("who is coming in tomorow", "who is coming in tomorrow"),
        ("customers we have no email adress for", "customers we have no email address for"),
        ("Invocies of last week", "invoices of last week"),
        ("who has no emial", "who has no email"),
    ],
)
def test_slips_are_put_right(asked: str, meant: str) -> None:
    text, put = spelled(asked, CATALOG)
    assert text == meant
    assert len(put) == 1


@pytest.mark.parametrize(
    "asked",
    [
        "invoices of Mrs Pattient",  # a name
        "invoices over 1000",
        "patients and patience",  # both are words
        "who sold what to whom",
    ],
)
def test_what_may_be_meant_stays(asked: str) -> None:
    assert spelled(asked, CATALOG) == (asked, ())


def test_distance_is_symmetric() -> None:
    for one, other in (("order", "oder"), ("receipt", "reciept"), ("a", "abc")):
        assert distance(one, other) == distance(other, one)
