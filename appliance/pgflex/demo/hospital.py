"""The demo hospital: 120 beds on eight wards, and what happens around them.

The rows are those of midnight, as today begins; :mod:`appliance.pgflex.demo.hospital_life` carries them on
from there. What one row says holds in the others: an occupied bed has an admitted patient of its ward, an
appointment's doctor works in its department, a lab result was ordered by the patient's doctor.

    >>> demo = build(date(2026, 11, 23), random.Random(1))
    >>> [collection.name for collection in demo.collections][:3]
    ['beds', 'patients', 'appointments']
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import product
from typing import Final

from appliance.pgflex.demo import Demo, DemoCollection
from appliance.pgflex.demo.hospital_facts import (
    BLOOD,
    DEVICES,
    STOCK,
    TESTS,
    THEATRES,
    WARD,
    WARDS,
    Device,
    Stock,
    Ward,
    flag,
    lab_value,
)
from appliance.pgflex.demo.hospital_life import stock_status, tick
from appliance.pgflex.demo.life import Row, any_of
from appliance.pgflex.demo.moments import born, days, is_weekday, iso, local
from appliance.pgflex.demo.people import People, Sex

PATIENTS: Final = 600
WEEKDAY_APPOINTMENTS: Final = 41
WEEKEND_APPOINTMENTS: Final = 10
LAB_RESULTS: Final = 900
LAB_DAYS: Final = 5
PAST_APPOINTMENTS: Final = {"completed": 84, "no show": 7, "cancelled": 9}
COMING_APPOINTMENTS: Final = {"scheduled": 95, "cancelled": 5}

WALL: Final[dict[str, tuple[str, ...]]] = {
    "beds": ("bed", "ward", "room", "floor", "status", "kind"),
    "appointments": ("doctor", "department", "room", "starts_at", "minutes", "status"),
    "inventory": (
        "item", "category", "location", "quantity", "reorder_level", "unit", "unit_cost", "supplier", "expires_on",
        "status",
    ),
    "staff_shifts": ("role", "ward", "shift", "date", "hours", "status"),
    "surgeries": ("department", "theatre", "starts_at", "minutes", "status"),
    "devices": ("device", "kind", "ward", "status", "last_service_on", "next_service_on"),
}  # fmt: skip
"""What a wall may read: nothing that tells of a patient, and no name of a nurse."""

QUESTIONS: Final[tuple[str, ...]] = (
    "How many beds are free in cardiology?",
    "How many beds are free?",
    "Which beds are in cleaning?",
    "Which inventory items are low?",
    "How many appointments are scheduled today?",
    "Which lab results are critical?",
    "How many nurses work the night shift tomorrow?",
    "What is the total quantity of gloves?",
)
PINNED: Final[tuple[str, ...]] = QUESTIONS[1:4]


def build(today: date, rng: random.Random) -> Demo:
    """The hospital as `today` begins; the same `today` and `rng` give the same rows."""
    people = People(rng)
    doctors = {ward.name: [f"Dr. {people.name()}" for _ in range(5 if ward.theatre else 4)] for ward in WARDS}
    beds = _beds(rng)
    patients = _patients(rng, today, people, doctors, beds)
    rows = {
        "beds": beds,
        "patients": patients,
        "appointments": _appointments(rng, today, doctors, patients),
        "inventory": _inventory(rng, today),
        "staff_shifts": _staff_shifts(rng, today, people, doctors),
        "lab_results": _lab_results(rng, today, patients),
        "surgeries": _surgeries(rng, today, doctors, patients),
        "devices": _devices(rng, today),
    }
    collections = tuple(DemoCollection(name, tuple(held), WALL.get(name, ())) for name, held in rows.items())
    return Demo("hospital", "St. Brigid Hospital (demo)", collections, QUESTIONS, PINNED, tick)


def _beds(rng: random.Random) -> list[Row]:
    return [bed for ward in WARDS for bed in _beds_of(rng, ward)]


def _beds_of(rng: random.Random, ward: Ward) -> list[Row]:
    spare = ["free"] * rng.randint(2, 4) + ["cleaning"] * rng.randint(0, 2) + ["reserved"] * rng.randint(0, 2)
    statuses = spare + ["occupied"] * (ward.beds - len(spare))
    rng.shuffle(statuses)
    return [
        {
            "bed": f"{ward.letter}-{index + 1:02}",
            "ward": ward.name,
            "room": ward.first_room + index // 2,
            "floor": ward.first_room // 100,
            "kind": rng.choice(ward.kinds),
            "status": status,
            "patient": None,
        }
        for index, status in enumerate(statuses)
    ]


Doctors = dict[str, list[str]]


def _patients(rng: random.Random, today: date, people: People, doctors: Doctors, beds: list[Row]) -> list[Row]:
    """The people in the beds, and those who left in the last four weeks, in the order they came."""
    patients = []
    for bed in beds:
        if bed["status"] == "occupied":
            stay = min(int(rng.expovariate(1 / 4.5)), 30)
            patients.append(_patient(rng, today, people, doctors, WARD[bed["ward"]], today - timedelta(days=stay)))
            bed["patient"] = patients[-1]["patient"]
    while len(patients) < PATIENTS:
        ward = rng.choices(WARDS, [ward.beds for ward in WARDS])[0]
        left = today - timedelta(days=rng.randint(0, 28))
        came = left - timedelta(days=1 + min(int(rng.expovariate(1 / 4)), 30))
        patient = _patient(rng, today, people, doctors, ward, came)
        patients.append(patient | {"status": "discharged", "discharged_on": left.isoformat()})
    patients.sort(key=lambda row: str(row["admitted_on"]))
    first = rng.randint(204_000, 208_000)
    return [row | {"mrn": f"MRN-{first + 3 * index + rng.randint(0, 2)}"} for index, row in enumerate(patients)]


def _patient(rng: random.Random, today: date, people: People, doctors: Doctors, ward: Ward, came: date) -> Row:
    sex: Sex = "female" if ward.name == "Maternity" or rng.random() < 0.48 else "male"
    birth = born(rng, today, *ward.ages)
    return {
        "patient": people.name(sex),
        "mrn": "",
        "birth_date": min(birth, came).isoformat(),
        "sex": sex,
        "blood_type": any_of(rng, BLOOD),
        "ward": ward.name,
        "doctor": rng.choice(doctors[ward.name]),
        "diagnosis": rng.choice(ward.diagnoses),
        "admitted_on": came.isoformat(),
        "discharged_on": None,
        "status": "admitted",
    }


def _appointments(rng: random.Random, today: date, doctors: Doctors, patients: list[Row]) -> list[Row]:
    """Four weeks of clinic hours around today; each doctor has an own room and one patient at a time."""
    out = {ward: [row for row in patients if row["ward"] == ward and row["status"] == "discharged"] for ward in WARD}
    rows = []
    for day in days(today, -13, 14):
        weekday = is_weekday(day)
        open_wards = [ward for ward in WARDS if ward.clinic and (weekday or not ward.theatre or ward.letter == "M")]
        seats = [(ward, desk, slot) for ward in open_wards for desk in range(3) for slot in range(18)]
        count = (WEEKDAY_APPOINTMENTS if weekday else WEEKEND_APPOINTMENTS) + rng.randint(-3, 3)
        for ward, desk, slot in sorted(rng.sample(seats, count), key=lambda seat: (seat[2], seat[0].letter, seat[1])):
            starts = local(day, 8 + slot // 2, slot % 2 * 30)
            rows.append(
                {
                    "patient": rng.choice(out[ward.name])["patient"],
                    "doctor": doctors[ward.name][desk],
                    "department": ward.name,
                    "room": f"{ward.letter}{ward.first_room // 100} Exam {desk + 1}",
                    "starts_at": iso(starts),
                    "minutes": rng.choice((15, 20, 30, 30)),
                    "reason": rng.choice(ward.reasons),
                    "status": any_of(rng, PAST_APPOINTMENTS if day < today else COMING_APPOINTMENTS),
                }
            )
    return rows


def _inventory(rng: random.Random, today: date) -> list[Row]:
    return [
        _stocked(rng, today, stock, item, place, cost)
        for stock in STOCK
        for item in stock.items.split("|")
        for cost in (round(rng.uniform(*stock.cost), 2),)
        for place in stock.places
    ]


def _stocked(rng: random.Random, today: date, stock: Stock, item: str, place: str, cost: float) -> Row:
    level = rng.randint(*stock.level) // (1 if place == stock.places[0] else 2)
    low, high = {"ok": (1.05, 4.5), "low": (0.2, 1.0), "out": (0.0, 0.0)}[any_of(rng, {"ok": 89, "low": 10, "out": 1})]
    quantity = round(level * rng.uniform(low, high))
    expires = today + timedelta(days=rng.randint(2, stock.shelf_life)) if stock.shelf_life else None
    return {
        "item": item,
        "category": stock.category,
        "location": place,
        "quantity": quantity,
        "reorder_level": level,
        "unit": stock.unit,
        "unit_cost": cost,
        "supplier": stock.supplier,
        "expires_on": expires.isoformat() if expires else None,
        "status": stock_status(quantity, level),
    }


def _staff_shifts(rng: random.Random, today: date, people: People, doctors: Doctors) -> list[Row]:
    """Ten days of shifts; a ward's twelve nurses take turns of three days, each always at the same time of day."""
    rows = []
    crews = {ward.name: ([people.name() for _ in range(12)], [people.name() for _ in range(2)]) for ward in WARDS}
    for day, ward in product(days(today, -4, 5), WARDS):
        nurses, assistants = crews[ward.name]
        turn = day.toordinal() % 3 * 4
        first, second, evening, night = nurses[turn : turn + 4]
        medics = doctors[ward.name]
        rows += [_shift(rng, today, day, ward, *person) for person in (
            (first, "nurse", "day", 8),
            (second, "nurse", "day", 8),
            (medics[day.toordinal() % 3], "doctor", "day", 8),
            (assistants[day.toordinal() % 2], "care assistant", "day", 6),
            (evening, "nurse", "evening", 8),
            (night, "nurse", "night", 8),
        )]  # fmt: skip
        if ward.name in ("Intensive Care", "Emergency"):
            rows.append(_shift(rng, today, day, ward, medics[3], "doctor", "night", 8))
    return rows


def _shift(rng: random.Random, today: date, day: date, ward: Ward, name: str, role: str, shift: str, hours: int) -> Row:
    status = "scheduled"
    if day < today:
        status = any_of(rng, {"completed": 97, "sick": 3})
    if status == "completed" and shift == "night" and day == today - timedelta(days=1):
        status = "on duty"
    return {
        "name": name,
        "role": role,
        "ward": ward.name,
        "shift": shift,
        "date": day.isoformat(),
        "hours": hours,
        "status": status,
    }


def _lab_results(rng: random.Random, today: date, patients: list[Row]) -> list[Row]:
    midnight = local(today)
    present = {day: _present(patients, day) for day in days(today, -LAB_DAYS - 1, 0)}
    minutes = sorted((rng.randint(1, LAB_DAYS * 1440) for _ in range(LAB_RESULTS)), reverse=True)
    rows = []
    for ago in minutes:
        taken = midnight - timedelta(minutes=ago)
        rows.append(_lab_result(rng, rng.choice(present[taken.astimezone().date()]), ago, iso(taken)))
    return rows


def _present(patients: list[Row], day: date) -> list[Row]:
    """The patients who were in the house on `day`."""
    written = day.isoformat()
    return [row for row in patients if row["admitted_on"] <= written <= (row["discharged_on"] or written)]


def _lab_result(rng: random.Random, patient: Row, minutes_ago: int, collected_at: str) -> Row:
    name = rng.choice(list(TESTS))
    final = minutes_ago > rng.randint(30, 120)
    value = lab_value(rng, TESTS[name]) if final else None
    return {
        "patient": patient["patient"],
        "test": name,
        "value": value,
        "unit": TESTS[name].unit,
        "flag": None if value is None else flag(value, TESTS[name]),
        "collected_at": collected_at,
        "status": "final" if final else "pending",
        "ordered_by": patient["doctor"],
    }


def _surgeries(rng: random.Random, today: date, doctors: Doctors, patients: list[Row]) -> list[Row]:
    """Three weeks of theatre time; the last two doctors of a ward operate, one patient at a time."""
    rows = []
    wards = [ward for ward in WARDS if ward.theatre]
    hours: tuple[tuple[int, int], ...] = ((8, 0), (11, 45), (15, 30))
    for day in days(today, -10, 10):
        seats = [(theatre, slot) for theatre in range(len(THEATRES)) for slot in range(3)]
        count = rng.randint(7, 11) if is_weekday(day) else 2
        for theatre, slot in sorted(rng.sample(seats, count), key=lambda seat: seat[1]):
            ward = wards[(theatre + day.toordinal()) % len(wards)]
            procedure, minutes = rng.choice(ward.procedures)
            held = {"completed": 94, "cancelled": 6} if day < today else {"scheduled": 1}
            present = [row for row in _present(patients, min(day, today)) if row["ward"] == ward.name]
            rows.append(
                {
                    "patient": rng.choice(present)["patient"],
                    "procedure": procedure,
                    "department": ward.name,
                    "surgeon": doctors[ward.name][3 + slot % 2],
                    "theatre": THEATRES[theatre],
                    "starts_at": iso(local(day, *hours[slot])),
                    "minutes": minutes,
                    "status": any_of(rng, held),
                }
            )
    return rows


def _devices(rng: random.Random, today: date) -> list[Row]:
    return [_device(rng, today, device, number) for device in DEVICES for number in range(1, device.pieces + 1)]


def _device(rng: random.Random, today: date, device: Device, number: int) -> Row:
    since = rng.randint(1, device.service_days - 2)
    last = today - timedelta(days=since)
    return {
        "device": f"{device.tag}-{number:03}",
        "kind": device.kind,
        "ward": rng.choice(WARDS).name,
        "status": any_of(rng, {"in use": 58, "available": 35, "maintenance": 7}),
        "last_service_on": last.isoformat(),
        "next_service_on": (last + timedelta(days=device.service_days)).isoformat(),
    }
