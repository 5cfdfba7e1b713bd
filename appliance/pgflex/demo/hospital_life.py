"""What happens in the demo hospital from one tick to the next.

Beds turn over all the time; people come and go at the pace of a real house, about twenty a day. See
:mod:`appliance.pgflex.demo.life` for the rules every change keeps.

    >>> stock_status(3, 20)
    'low'
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from appliance.pgflex.demo import Write
from appliance.pgflex.demo.hospital_facts import SHIFT_START, TESTS, WARD, WARDS, flag, lab_value
from appliance.pgflex.demo.life import BATCH, Row, Rows, any_of, having, live, number, put, text, update, weighted
from appliance.pgflex.demo.moments import day_of, day_share, iso, later, later_day, local, moment_of, today_at

LAB_LIMIT: Final = 1000
LAB_GAP: Final = timedelta(minutes=8)
BED_PACE: Final = {"cleaning": 4.0, "reserved": 3.0, "free": 2.0, "occupied": 0.1}
DEVICE_PACE: Final = {"in use": 3.0, "available": 5.0, "maintenance": 4.0}


def arrivals(day: date) -> int:
    """How many people are admitted on `day`: 14 to 22, the same on average as :func:`departures`."""
    return 14 + day.toordinal() * 7 % 9


def departures(day: date) -> int:
    """How many people go home on `day`: 14 to 22."""
    return 14 + day.toordinal() * 5 % 9


def stock_status(quantity: float, reorder_level: float) -> str:
    """How an item stands: out, low (at or below its reorder level) or ok."""
    if quantity <= 0:
        return "out"
    return "low" if quantity <= reorder_level else "ok"


def admit(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Somebody who was here before comes back into a free or reserved bed, at the pace of the day."""
    today = today_at(now)
    patients = rows.get("patients", [])
    if sum(day_of(row.get("admitted_on")) == today for row in patients) >= arrivals(today) * day_share(now):
        return []
    beds = rows.get("beds", [])
    open_beds = having(beds, status="reserved") + [bed for bed in having(beds, status="free") if _can_spare(beds, bed)]
    if len(open_beds) < 8:
        return []
    bed = rng.choice(open_beds)
    patient = _longest_away(having(patients, ward=text(bed, "ward"), status="discharged"), today)
    return _arrive(rng, today, bed, patient, patients) if patient else []


def _can_spare(beds: Sequence[Row], bed: Row) -> bool:
    """Each ward keeps one free bed for an emergency."""
    return len(having(beds, status="free", ward=text(bed, "ward"))) > 1


def _longest_away(patients: Sequence[Row], today: date) -> Row | None:
    away = [(left, row["id"], row) for row in patients if (left := day_of(row.get("discharged_on"))) and left < today]
    return min(away, key=lambda item: item[:2])[2] if away else None


def _arrive(rng: random.Random, today: date, bed: Row, patient: Row, patients: Sequence[Row]) -> list[Write]:
    ward = WARD.get(text(bed, "ward"))
    colleagues = [text(row, "doctor") for row in patients if row.get("ward") == bed.get("ward") and text(row, "doctor")]
    if ward is None or not colleagues or not text(patient, "patient"):
        return []
    stay: dict[str, Any] = {
        "doctor": rng.choice(colleagues),
        "diagnosis": rng.choice(ward.diagnoses),
        "admitted_on": today.isoformat(),
        "discharged_on": None,
        "status": "admitted",
    }
    return [
        update("patients", patient, **stay),
        update("beds", bed, status="occupied", patient=patient["patient"]),
    ]


def discharge(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Somebody goes home, the likelier the longer the stay, and the bed is cleaned."""
    today = today_at(now)
    beds, patients = rows.get("beds", []), rows.get("patients", [])
    taken = [bed for bed in having(beds, status="occupied") if text(bed, "patient")]
    full = len(taken) / max(1, len(beds))
    gone = sum(day_of(row.get("discharged_on")) == today for row in patients)
    if full < 0.62 or (full < 0.78 and gone >= departures(today) * day_share(now)):
        return []
    bed_of = {text(bed, "patient"): bed for bed in taken}
    stays = [
        (row, (today - came).days)
        for row in having(patients, status="admitted")
        if text(row, "patient") in bed_of and (came := day_of(row.get("admitted_on"))) and came < today
    ]
    if not stays:
        return []
    patient = rng.choices([row for row, _ in stays], [stay for _, stay in stays])[0]
    return [
        update("patients", patient, status="discharged", discharged_on=today.isoformat()),
        update("beds", bed_of[text(patient, "patient")], status="cleaning", patient=None),
    ]


def turn_bed(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """A bed is cleaned, reserved, given free again, or its patient moves to another one on the ward."""
    beds = rows.get("beds", [])
    bed = weighted(rng, beds, BED_PACE)
    if bed is None:
        return []
    if bed["status"] in ("cleaning", "reserved"):
        return [update("beds", bed, status="free")]
    if bed["status"] == "occupied":
        return _move(rng, bed, beds)
    return [update("beds", bed, status=rng.choice(("reserved", "cleaning")))] if _can_spare(beds, bed) else []


def _move(rng: random.Random, bed: Row, beds: Sequence[Row]) -> list[Write]:
    there = [other for other in having(beds, status="free", ward=text(bed, "ward")) if _can_spare(beds, other)]
    if not there or not text(bed, "patient"):
        return []
    return [
        update("beds", rng.choice(there), status="occupied", patient=bed["patient"]),
        update("beds", bed, status="cleaning", patient=None),
    ]


def move_beds(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Somebody comes or goes when it is time, else a bed turns over."""
    first, second = rng.sample((admit, discharge), 2)
    return first(rng, now, rows) or second(rng, now, rows) or turn_bed(rng, now, rows)


def use_stock(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """An item is used, or a low or outdated one restocked."""
    items = [row for row in rows.get("inventory", []) if _level(row) is not None]
    if not items:
        return []
    outdated = [row for row in items if (day := day_of(row.get("expires_on"))) and day < today_at(now)]
    if outdated:
        return [_restock(rng, today_at(now), rng.choice(outdated))]
    item = rng.choice(items)
    quantity, level = number(item, "quantity") or 0, _level(item) or 1
    if quantity <= 0 or (quantity <= level and rng.random() < 0.45):
        return [_restock(rng, today_at(now), item)]
    used = quantity if quantity <= level and rng.random() < 0.12 else max(1, round(level * rng.uniform(0.04, 0.2)))
    left = max(0, round(quantity - used))
    return [update("inventory", item, quantity=left, status=stock_status(left, level))]


def _level(item: Row) -> float | None:
    """The reorder level of an item that can be counted, else None."""
    return number(item, "reorder_level") if number(item, "quantity") is not None else None


def _restock(rng: random.Random, today: date, item: Row) -> Write:
    level = _level(item) or 1
    quantity = max(2, round(level * rng.uniform(2.2, 4.5)))
    keeps = rng.randint(4, 45) if rng.random() < 0.15 else rng.randint(180, 700)
    expires = (today + timedelta(days=keeps)).isoformat() if item.get("expires_on") else None
    return update("inventory", item, quantity=quantity, status=stock_status(quantity, level), expires_on=expires)


def keep_appointments(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Past appointments are closed, the oldest give their hour to a new one; now and then one is cancelled."""
    held = rows.get("appointments", [])
    timed = [(row, starts) for row in held if (starts := moment_of(row.get("starts_at")))]
    over = [row for row, starts in timed if row.get("status") == "scheduled" and _end(row, starts) <= now]
    if over:
        shares = {"completed": 86.0, "no show": 7.0, "cancelled": 7.0}
        return [update("appointments", row, status=any_of(rng, shares)) for row in over[:BATCH]]
    again = [row for row, starts in timed if row.get("status") in ("completed", "no show") and starts > now]
    if again:
        return [update("appointments", row, status="scheduled") for row in again[:BATCH]]
    oldest = today_at(now) - timedelta(days=13)
    old = [(row, starts) for row, starts in timed if starts.astimezone().date() < oldest]
    if old:
        return [_book(rng, row, iso(later(starts, 28, today_at(now))), rows) for row, starts in old[:BATCH]]
    return _rebook(rng, [row for row, starts in timed if starts > now], rows)


def _end(row: Row, starts: datetime) -> datetime:
    return starts + timedelta(minutes=number(row, "minutes") or 0)


def _book(rng: random.Random, row: Row, starts_at: str, rows: Rows) -> Write:
    """The write that gives the hour of `row` to somebody else."""
    ward = WARD.get(text(row, "department"))
    known = [text(other, "patient") for other in having(rows.get("patients", []), ward=text(row, "department"))]
    return update(
        "appointments",
        row,
        patient=rng.choice(known) if known else None,
        reason=rng.choice(ward.reasons) if ward and ward.reasons else None,
        starts_at=starts_at,
        status="scheduled",
    )


def _rebook(rng: random.Random, ahead: Sequence[Row], rows: Rows) -> list[Write]:
    """Cancel one of the next weeks, or fill a cancelled hour again: about one in twenty stays cancelled."""
    booked, cancelled = having(ahead, status="scheduled"), having(ahead, status="cancelled")
    if cancelled and rng.random() < len(cancelled) / (0.1 * len(ahead)):
        row = rng.choice(cancelled)
        return [_book(rng, row, row["starts_at"], rows)]
    return [update("appointments", rng.choice(booked), status="cancelled")] if booked else []


def run_shifts(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Shifts begin and end; the ones of last week become the ones of next week."""
    writes = []
    for row in rows.get("staff_shifts", []):
        day, hour = day_of(row.get("date")), SHIFT_START.get(text(row, "shift"))
        if day is None or hour is None:
            continue
        if day < today_at(now) - timedelta(days=4):
            date_then = later_day(day, 10, today_at(now)).isoformat()
            writes.append(update("staff_shifts", row, date=date_then, status="scheduled"))
        elif status := _shift_status(rng, row, now, local(day, hour)):
            writes.append(update("staff_shifts", row, status=status))
    return writes[:BATCH]


def _shift_status(rng: random.Random, row: Row, now: datetime, starts: datetime) -> str | None:
    """What a shift becomes at `now`, or None when it stays what it is."""
    status = row.get("status")
    if status not in ("scheduled", "on duty", "completed"):
        return None
    if now < starts:
        due = "scheduled"
    elif now >= starts + timedelta(hours=number(row, "hours") or 8):
        due = "completed"
    else:
        due = "on duty" if status != "scheduled" else any_of(rng, {"on duty": 97, "sick": 3})
    return due if due != status else None


def run_lab(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Samples are taken every few minutes, and results come in an hour or so later."""
    held = rows.get("lab_results", [])
    taken = [(row, at) for row in held if (at := moment_of(row.get("collected_at"))) and at <= now]
    writes = _results(rng, now, [item for item in taken if item[0].get("status") == "pending"])
    return (_samples(rng, now, held, taken, rows) + writes)[:BATCH]


def _samples(
    rng: random.Random, now: datetime, held: Sequence[Row], taken: Sequence[tuple[Row, datetime]], rows: Rows
) -> list[Write]:
    """New samples since the last one; after a long pause only those of the last hours."""
    inpatients = [row for row in having(rows.get("patients", []), status="admitted") if text(row, "doctor")]
    newest = max((at for _, at in taken), default=now - LAB_GAP)
    at = max(newest + LAB_GAP, now - timedelta(hours=12))
    finals = sorted((at, row["id"], row) for row, at in taken if row.get("status") == "final")
    writes: list[Write] = []
    while at <= now and inpatients and len(writes) < BATCH // 2:
        made = len(writes)
        spare = finals[made][2] if made < len(finals) else None
        write = put("lab_results", _sample(rng, at, rng.choice(inpatients)), len(held) + made, LAB_LIMIT, spare)
        if write is None:
            break
        writes.append(write)
        at += timedelta(minutes=rng.uniform(3, 13))
    return writes


def _sample(rng: random.Random, at: datetime, patient: Row) -> Row:
    name = rng.choice(list(TESTS))
    return {
        "patient": patient["patient"],
        "test": name,
        "value": None,
        "unit": TESTS[name].unit,
        "flag": None,
        "collected_at": iso(at),
        "status": "pending",
        "ordered_by": patient["doctor"],
    }


def _results(rng: random.Random, now: datetime, pending: Sequence[tuple[Row, datetime]]) -> list[Write]:
    """The results that are due; how long a sample takes depends on nothing but its row."""
    known = [(row, at) for row, at in pending if text(row, "test") in TESTS]
    due = [row for row, at in known if now - at > timedelta(minutes=30 + row["id"] * 37 % 90)]
    writes = []
    for row in due[: BATCH // 2]:
        test = TESTS[row["test"]]
        value = lab_value(rng, test)
        writes.append(update("lab_results", row, value=value, flag=flag(value, test), status="final"))
    return writes


def run_theatres(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Operations begin and end; the theatre time of three weeks ago is given to new ones."""
    writes = []
    for row in rows.get("surgeries", []):
        starts = moment_of(row.get("starts_at"))
        if starts is None:
            continue
        if starts.astimezone().date() < today_at(now) - timedelta(days=10):
            writes += _plan(rng, row, iso(later(starts, 21, today_at(now))), rows)
        elif row.get("status") in ("scheduled", "in progress") and _end(row, starts) <= now:
            writes.append(update("surgeries", row, status="completed"))
        elif row.get("status") == "scheduled" and starts <= now:
            writes.append(update("surgeries", row, status=any_of(rng, {"in progress": 95, "cancelled": 5})))
        elif row.get("status") in ("in progress", "completed") and starts > now:
            writes.append(update("surgeries", row, status="scheduled"))
    return writes[:BATCH]


def _plan(rng: random.Random, row: Row, starts_at: str, rows: Rows) -> list[Write]:
    ward = WARD.get(text(row, "department"))
    known = [text(other, "patient") for other in having(rows.get("patients", []), ward=text(row, "department"))]
    if ward is None or not ward.procedures or not known:
        return []
    procedure, minutes = rng.choice(ward.procedures)
    fields = {"patient": rng.choice(known), "procedure": procedure, "minutes": minutes}
    return [update("surgeries", row, starts_at=starts_at, status="scheduled", **fields)]


def move_devices(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """A device is taken, brought back, sent to service, or comes back from it."""
    device = weighted(rng, rows.get("devices", []), DEVICE_PACE)
    if device is None:
        return []
    if device["status"] == "available":
        return [_taken(rng, today_at(now), device)]
    if device["status"] == "in use":
        return [update("devices", device, status="available")]
    return [_serviced(today_at(now), device)]


def _taken(rng: random.Random, today: date, device: Row) -> Write:
    due = day_of(device.get("next_service_on"))
    if (due and due <= today) or rng.random() < 0.13:
        return update("devices", device, status="maintenance")
    return update("devices", device, status="in use", ward=rng.choice(WARDS).name)


def _serviced(today: date, device: Row) -> Write:
    """A device whose service was due comes back with a new date; another was only repaired."""
    last, due = day_of(device.get("last_service_on")), day_of(device.get("next_service_on"))
    if last and due and due <= today:
        dates = {"last_service_on": today.isoformat(), "next_service_on": (today + (due - last)).isoformat()}
        return update("devices", device, status="available", **dates)
    return update("devices", device, status="available")


tick: Final = live(
    (
        (move_beds, 34),
        (use_stock, 26),
        (move_devices, 12),
        (run_lab, 12),
        (keep_appointments, 8),
        (run_shifts, 4),
        (run_theatres, 4),
    )
)
"""The next small change of the hospital; see :class:`appliance.pgflex.demo.Demo`."""
