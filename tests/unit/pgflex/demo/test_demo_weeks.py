"""The demos after weeks of ticking: as busy as before, and consistent."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from appliance.pgflex.demo import load_demo
from appliance.pgflex.demo.hospital_facts import WARDS
from appliance.pgflex.demo.moments import local
from tests.unit.pgflex.demo.demo_faults import FAULTS, ended, hospital_faults, lawfirm_faults
from tests.unit.pgflex.demo.demo_rows import MONDAY, NAMES, TICKS, Rows, rows_of, run, today_in, week, with_


def test_the_hospital_stays_as_busy_as_it_is_over_weeks() -> None:
    demo = load_demo("hospital", MONDAY)
    rows = rows_of(demo)
    sizes = {name: len(held) for name, held in rows.items()}
    now = local(MONDAY, 12)
    for turn in range(TICKS // 960):
        now = run(demo, rows, now, 960, seed=turn)
        assert hospital_faults(rows, now)[:3] == [], now
        assert {name: len(held) for name, held in rows.items() if name != "lab_results"} == {
            name: size for name, size in sizes.items() if name != "lab_results"
        }
        assert len(rows["lab_results"]) <= 1000
        check_hospital(rows, now)
    run(demo, rows, now, TICKS % 960)


def check_hospital(rows: Rows, now: datetime) -> None:
    today = now.date()
    beds = Counter(row["status"] for row in rows["beds"])
    assert 0.06 <= beds["free"] / 120 <= 0.34 and 0.58 <= beds["occupied"] / 120 <= 0.82, beds
    assert {row["ward"] for row in with_(rows["beds"], status="free")} == {ward.name for ward in WARDS}
    short = [row for row in rows["inventory"] if row["status"] != "ok"]
    assert 0.02 <= len(short) / len(rows["inventory"]) <= 0.25
    starts = [datetime.fromisoformat(row["starts_at"]).date() for row in rows["appointments"]]
    assert all(timedelta(days=-14) <= day - today <= timedelta(days=14) for day in starts)
    assert 0.4 <= sum(day > today for day in starts) / len(starts) <= 0.6
    stale = [
        row for row in rows["appointments"] if row["status"] == "scheduled" and ended(row) < now - timedelta(hours=2)
    ]
    assert not stale
    assert 0.01 <= len(with_(rows["lab_results"], flag="critical")) / len(rows["lab_results"]) <= 0.08
    assert 80 <= len(today_in(rows["lab_results"], "collected_at", today - timedelta(days=1))) <= 260
    assert today_in(rows["patients"], "admitted_on", today)
    assert 15 <= len(with_(rows["staff_shifts"], status="on duty")) <= 45
    assert all(with_(rows["devices"], status=status) for status in ("in use", "available", "maintenance"))


def test_the_law_firm_stays_as_busy_as_it_is_over_weeks() -> None:
    demo = load_demo("lawfirm", MONDAY)
    rows = rows_of(demo)
    sizes = {name: len(held) for name, held in rows.items()}
    now = local(MONDAY, 12)
    for turn in range(TICKS // 960):
        now = run(demo, rows, now, 960, seed=turn)
        assert lawfirm_faults(rows, now)[:3] == [], now
        assert {name: len(held) for name, held in rows.items() if name != "time_entries"} == {
            name: size for name, size in sizes.items() if name != "time_entries"
        }
        assert len(rows["time_entries"]) <= 1750
        check_lawfirm(rows, now)
    run(demo, rows, now, TICKS % 960)


def check_lawfirm(rows: Rows, now: datetime) -> None:
    today = now.date()
    rooms = Counter(row["status"] for row in rows["meeting_rooms"])
    assert 3 <= rooms["free"] <= 20, rooms
    assert 4 <= len(with_(rows["deadlines"], status="in progress")) <= 45
    assert len(with_(rows["deadlines"], status="overdue")) <= 25
    dues = [date.fromisoformat(row["due_on"]) for row in rows["deadlines"]]
    assert all(timedelta(days=-60) <= day - today <= timedelta(days=63) for day in dues)
    assert len(today_in(rows["deadlines"], "due_on", week(today), 7)) >= 25
    assert 400 <= len(with_(rows["time_entries"], status="unbilled")) <= 560
    bills = Counter(row["status"] for row in rows["invoices"])
    assert bills["paid"] >= 80 and bills["draft"] <= 15 and bills["sent"] + bills["overdue"] <= 45, bills
    assert 0.7 <= len(with_(rows["documents"], status="final")) / len(rows["documents"]) <= 0.85
    assert today_in(rows["time_entries"], "date", today)
    assert 140 <= len(with_(rows["matters"], status="open")) <= 180


@pytest.mark.parametrize("name", NAMES)
def test_a_box_that_moves_its_dates_on_is_consistent_again_soon(name: str) -> None:
    demo = load_demo(name, MONDAY)
    rows = rows_of(demo)
    now = run(demo, rows, local(MONDAY, 6), 600)
    for held in rows.values():
        for row in held:
            row |= {field: moved(field, value) for field, value in row.items()}
    now = run(demo, rows, local(now.date() + timedelta(days=1), 6), 300, timedelta(seconds=20))
    # What was collected or edited yesterday evening lies ahead for some hours, and stays what it is.
    faults = [fault for fault in FAULTS[name](rows, now) if fault[0] not in ("lab", "document")]
    assert faults[:3] == []


def moved(field: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if field.endswith("_at"):
        return (datetime.fromisoformat(value) + timedelta(days=1)).isoformat()
    if field.endswith(("_on", "_date")) or field in ("date", "client_since"):
        return (date.fromisoformat(value) + timedelta(days=1)).isoformat()
    return value
