"""What of a demo's rows does not fit together: nothing may."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from appliance.pgflex.demo.hospital_facts import SHIFT_START, TESTS, flag
from appliance.pgflex.demo.hospital_life import stock_status
from appliance.pgflex.demo.moments import local
from tests.unit.pgflex.demo.demo_rows import Row, Rows


def ended(row: Row) -> datetime:
    return datetime.fromisoformat(row["starts_at"]) + timedelta(minutes=row["minutes"])


def shift_times(row: Row) -> tuple[datetime, datetime]:
    starts = local(date.fromisoformat(row["date"]), SHIFT_START[row["shift"]])
    return starts, starts + timedelta(hours=row["hours"])


def twice(values: list[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def hospital_faults(rows: Rows, now: datetime) -> list[tuple[str, Any]]:
    return [
        *bed_faults(rows, now.date().isoformat()),
        *doctor_faults(rows),
        *clinic_faults(rows, now),
        *[("stock", row) for row in rows["inventory"] if not stock_fits(row)],
        *[("lab", row) for row in rows["lab_results"] if not lab_fits(row, now)],
        *[("service", row) for row in rows["devices"] if not row["last_service_on"] < row["next_service_on"]],
    ]


def bed_faults(rows: Rows, today: str) -> list[tuple[str, Any]]:
    admitted = {row["patient"]: row for row in rows["patients"] if row["status"] == "admitted"}
    in_bed = [row["patient"] for row in rows["beds"] if row["status"] == "occupied"]
    faults: list[tuple[str, Any]] = [("two beds", twice(in_bed))] if twice(in_bed) else []
    faults += [("no bed", name) for name in admitted.keys() - set(in_bed)]
    faults += [("not admitted", name) for name in set(in_bed) - admitted.keys()]
    faults += [("empty", row) for row in rows["beds"] if (row["status"] == "occupied") != (row["patient"] is not None)]
    for row in rows["beds"]:
        if row["patient"] in admitted and admitted[row["patient"]]["ward"] != row["ward"]:
            faults.append(("other ward", row))
    for row in rows["patients"]:
        left = row["discharged_on"]
        if (row["status"] == "discharged") != (left is not None):
            faults.append(("discharged when", row))
        if not row["birth_date"] <= row["admitted_on"] <= (left or today) <= today:
            faults.append(("stay", row))
    return faults


def doctor_faults(rows: Rows) -> list[tuple[str, Any]]:
    """A doctor works on one ward."""
    pairs = {(row["doctor"], row["ward"]) for row in rows["patients"]}
    pairs |= {(row["doctor"], row["department"]) for row in rows["appointments"]}
    pairs |= {(row["surgeon"], row["department"]) for row in rows["surgeries"]}
    pairs |= {(row["name"], row["ward"]) for row in rows["staff_shifts"] if row["role"] == "doctor"}
    ward_of = {row["patient"]: row["ward"] for row in rows["patients"]}
    pairs |= {(row["ordered_by"], ward_of[row["patient"]]) for row in rows["lab_results"]}
    strangers = [row for row in rows["appointments"] if ward_of[row["patient"]] != row["department"]]
    return [("two wards", name) for name in twice([name for name, _ in pairs])] + [
        ("stranger", row) for row in strangers
    ]


def clinic_faults(rows: Rows, now: datetime) -> list[tuple[str, Any]]:
    faults: list[tuple[str, Any]] = []
    for name in ("appointments", "surgeries"):
        early = [row for row in rows[name] if row["status"] in ("completed", "no show") and ended(row) > now]
        faults += [(f"{name} too early", row) for row in early]
    faults += [
        ("doctor twice", seat) for seat in twice([(row["doctor"], row["starts_at"]) for row in rows["appointments"]])
    ]
    faults += [
        ("theatre twice", seat) for seat in twice([(row["theatre"], row["starts_at"]) for row in rows["surgeries"]])
    ]
    faults += [
        ("surgeon twice", seat) for seat in twice([(row["surgeon"], row["starts_at"]) for row in rows["surgeries"]])
    ]
    faults += [("shift twice", turn) for turn in twice([(row["name"], row["date"]) for row in rows["staff_shifts"]])]
    for row in rows["staff_shifts"]:
        starts, ends = shift_times(row)
        if (row["status"] == "completed" and ends > now) or (row["status"] == "on duty" and starts > now):
            faults.append(("shift too early", row))
    return faults


def stock_fits(row: Row) -> bool:
    whole = isinstance(row["quantity"], int) and row["quantity"] >= 0
    return whole and row["status"] == stock_status(row["quantity"], row["reorder_level"])


def lab_fits(row: Row, now: datetime) -> bool:
    if datetime.fromisoformat(row["collected_at"]) > now:
        return False
    if row["status"] == "pending":
        return row["value"] is None and row["flag"] is None
    return str(row["flag"]) == flag(row["value"], TESTS[row["test"]])


def lawfirm_faults(rows: Rows, now: datetime) -> list[tuple[str, Any]]:
    today = now.date().isoformat()
    return [
        *matter_faults(rows, today),
        *[("entry", row) for row in rows["time_entries"] if not entry_fits(row, today)],
        *[("invoice", row) for row in rows["invoices"] if not invoice_fits(row, rows, today)],
        *[("deadline", row) for row in rows["deadlines"] if not deadline_fits(row, today)],
        *[("document", row) for row in rows["documents"] if datetime.fromisoformat(row["updated_at"]) > now],
        *[("hearing", row) for row in rows["hearings"] if row["status"] == "held" and ended(row) > now],
        *[("court twice", seat) for seat in twice([(row["lawyer"], row["starts_at"]) for row in rows["hearings"]])],
        *[("room", row) for row in rows["meeting_rooms"] if (row["status"] == "free") != (row["booked_by"] is None)],
        *[("long day", day) for day, hours in load(rows).items() if hours > 10.001],
        *[("invoice twice", name) for name in twice([row["invoice"] for row in rows["invoices"]])],
    ]


def load(rows: Rows) -> Counter[tuple[str, str]]:
    hours: Counter[tuple[str, str]] = Counter()
    for row in rows["time_entries"]:
        hours[row["lawyer"], row["date"]] += row["hours"]
    return hours


def matter_faults(rows: Rows, today: str) -> list[tuple[str, Any]]:
    matters = {row["matter"]: row for row in rows["matters"]}
    clients = {row["client"]: row for row in rows["clients"]}
    faults: list[tuple[str, Any]] = []
    for row in rows["matters"]:
        since = clients[row["client"]]["client_since"]
        if (row["status"] == "closed") != (row["closed_on"] is not None):
            faults.append(("closed when", row))
        if not since <= row["opened_on"] <= (row["closed_on"] or today) <= today:
            faults.append(("matter dates", row))
    area_of = {(row["lawyer"], row["practice_area"]) for name in ("matters", "time_entries", "deadlines", "hearings")
               for row in rows[name]}  # fmt: skip
    faults += [("two areas", name) for name in twice([name for name, _ in area_of])]
    for name in ("time_entries", "invoices", "deadlines", "documents", "hearings"):
        faults += [(f"{name} client", row) for row in rows[name] if matters[row["matter"]]["client"] != row["client"]]
    for row in rows["clients"]:
        own = {matter["status"] for matter in rows["matters"] if matter["client"] == row["client"]}
        expected = "active" if own - {"closed"} else "former" if own else "prospect"
        if row["status"] != expected:
            faults.append(("client", row))
    return faults


def entry_fits(row: Row, today: str) -> bool:
    amount = round(row["hours"] * row["rate"], 2) if row["billable"] else 0
    states = {"unbilled", "billed"} if row["billable"] else {"not billable"}
    linked = (row["status"] == "billed") == (row["invoice"] is not None)
    return row["amount"] == amount and row["status"] in states and linked and row["date"] <= today and row["hours"] > 0


def invoice_fits(row: Row, rows: Rows, today: str) -> bool:
    own = [entry for entry in rows["time_entries"] if entry["invoice"] == row["invoice"]]
    adds_up = round(sum(entry["amount"] for entry in own), 2) == row["fees"]
    adds_up = adds_up and round(row["fees"] + row["expenses"], 2) == row["total"]
    issued, due, paid = row["issued_on"], row["due_on"], row["paid_on"]
    dated = {
        "draft": issued is None and due is None and paid is None,
        "sent": issued is not None and paid is None and issued <= today <= due,
        "overdue": issued is not None and paid is None and due < today,
        "paid": issued is not None and paid is not None and issued <= paid <= today,
    }[row["status"]]
    return bool(own) and {entry["matter"] for entry in own} == {row["matter"]} and adds_up and dated


def deadline_fits(row: Row, today: str) -> bool:
    return {
        "done": row["done_on"] is not None and row["done_on"] <= today,
        "overdue": row["done_on"] is None and row["due_on"] < today,
        "open": row["done_on"] is None and row["due_on"] >= today,
        "in progress": row["done_on"] is None and row["due_on"] >= today,
    }[row["status"]]


FAULTS = {"hospital": hospital_faults, "lawfirm": lawfirm_faults}
