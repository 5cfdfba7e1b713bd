"""The demos: the same for a seed, plain, and consistent in themselves."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import pytest

from appliance.pgflex.demo import load_demo
from appliance.pgflex.demo.hospital_facts import WARDS
from appliance.pgflex.demo.moments import local
from tests.unit.pgflex.demo.demo_faults import FAULTS
from tests.unit.pgflex.demo.demo_rows import DAYS, MONDAY, NAMES, rows_of


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_and_a_day_give_the_same_rows(name: str) -> None:
    assert load_demo(name, MONDAY, seed=4) == load_demo(name, MONDAY, seed=4)
    assert load_demo(name, MONDAY, seed=4).collections != load_demo(name, MONDAY, seed=5).collections


def test_an_unknown_demo_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_demo("bakery", MONDAY)


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_has_six_to_eight_collections_and_a_few_thousand_rows(name: str) -> None:
    demo = load_demo(name, MONDAY)
    assert demo.name == name and demo.facility.endswith("(demo)")
    assert 6 <= len(demo.collections) <= 8
    assert 2500 <= sum(len(item.rows) for item in demo.collections) <= 4500
    assert len(demo.questions) == 8 and len(set(demo.pinned)) == 3 and set(demo.pinned) <= set(demo.questions)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_plain_and_alike(name: str) -> None:
    for item in load_demo(name, MONDAY).collections:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*s|inventory", item.name)
        fields = item.rows[0].keys()
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", field) for field in fields)
        assert set(item.wall) <= fields
        for row in item.rows:
            assert row.keys() == fields
            assert all(plain(field, value) for field, value in row.items()), row


def plain(field: str, value: Any) -> bool:
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, float):
        return round(value, 2) == value
    if not isinstance(value, str) or not value:
        return False
    if field.endswith("_at"):
        return datetime.fromisoformat(value).tzinfo is not None
    if field.endswith(("_on", "_date")) or field in ("date", "client_since"):
        return date.fromisoformat(value).isoformat() == value
    return value == value.strip()


def test_a_wall_reads_nothing_that_tells_of_a_person() -> None:
    hidden = {
        "hospital": {"patient", "name", "reason", "procedure", "surgeon", "diagnosis", "mrn", "birth_date"},
        "lawfirm": {"client", "matter", "title", "contact", "booked_by", "amount", "total"},
    }
    for name in NAMES:
        walls = {item.name: item.wall for item in load_demo(name, MONDAY).collections}
        assert not {field for wall in walls.values() for field in wall} & hidden[name]
        closed = {"patients", "lab_results", "clients", "invoices", "documents", "matters", "time_entries"}
        assert {held for held, wall in walls.items() if not wall} == closed & walls.keys()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_one_row_says_holds_in_the_others(name: str, today: date, seed: int) -> None:
    rows = rows_of(load_demo(name, today, seed))
    assert FAULTS[name](rows, local(today))[:3] == []


def test_lab_samples_and_operations_are_of_people_who_were_in_the_house() -> None:
    rows = rows_of(load_demo("hospital", MONDAY))
    stay_of = {row["patient"]: (row["admitted_on"], row["discharged_on"] or "9999") for row in rows["patients"]}
    done = [row for row in rows["surgeries"] if row["status"] == "completed"]
    for row, at in [(row, row["collected_at"]) for row in rows["lab_results"]] + [
        (row, row["starts_at"]) for row in done
    ]:
        came, left = stay_of[row["patient"]]
        assert came <= at[:10] <= left, row


def test_the_hospital_is_as_described() -> None:
    rows = rows_of(load_demo("hospital", MONDAY))
    sizes = {name: len(held) for name, held in rows.items()}
    assert sizes["beds"] == 120 and sizes["patients"] == 600 and sizes["staff_shifts"] == 500
    assert 850 <= sizes["appointments"] <= 950 and sizes["lab_results"] == 900 and 150 <= sizes["inventory"] <= 180
    assert {row["ward"] for row in rows["beds"]} == {ward.name for ward in WARDS} and len(WARDS) == 8
    assert {row["status"] for row in rows["beds"]} == {"free", "occupied", "cleaning", "reserved"}
    days = {(datetime.fromisoformat(row["starts_at"]).date() - MONDAY).days for row in rows["appointments"]}
    assert min(days) == -13 and max(days) == 14
