"""The demo law firm: seven practice areas, their matters, and the work and money of the last weeks.

The rows are those of midnight, as today begins; :mod:`appliance.pgflex.demo.lawfirm_life` carries them on
from there. Totals add up: an entry's amount is hours times rate, an invoice's fees are the amounts of its
entries, and its total is fees and expenses.

    >>> demo = build(date(2026, 11, 23), random.Random(1))
    >>> demo.facility
    'Hartley & Stone LLP (demo)'
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import product
from typing import Final, NamedTuple

from appliance.pgflex.demo import Demo, DemoCollection
from appliance.pgflex.demo.lawfirm_facts import AREA, AREAS, CITIES, INDUSTRIES, ROOMS, STEMS, TITLES
from appliance.pgflex.demo.lawfirm_life import draft, entry, priority, tick
from appliance.pgflex.demo.life import Row, any_of
from appliance.pgflex.demo.moments import days, is_weekday, iso, local
from appliance.pgflex.demo.people import People

FIRMS: Final = 84
PERSONS: Final = 36
MATTERS: Final = 260
DOCUMENTS: Final = 520
ENTRIES_A_DAY: Final = 40
DEADLINES_A_DAY: Final = 9
PAYMENT_DAYS: Final = 14
NEAR_DEADLINES: Final = {"open": 65, "in progress": 22, "done": 13}
FAR_DEADLINES: Final = {"open": 95, "in progress": 5}

WALL: Final[dict[str, tuple[str, ...]]] = {
    "meeting_rooms": ("room", "floor", "seats", "equipment", "status"),
    "deadlines": ("deadline", "kind", "practice_area", "lawyer", "due_on", "priority", "status", "done_on"),
    "hearings": ("court", "room", "practice_area", "lawyer", "starts_at", "minutes", "status"),
}
"""What a wall may read: nothing that tells of a client or a matter, and no money."""

QUESTIONS: Final[tuple[str, ...]] = (
    "How many meeting rooms are free?",
    "Which meeting rooms are reserved?",
    "How many deadlines are in progress?",
    "Which deadlines are due this week?",
    "Which invoices are overdue?",
    "What is the total amount of unbilled time entries?",
    "How many hearings are there this week?",
    "How many matters are open in litigation?",
)
PINNED: Final[tuple[str, ...]] = QUESTIONS[:3]


class Lawyer(NamedTuple):
    """A lawyer of one practice area, and the hourly rate."""

    name: str
    area: str
    rate: float


def build(today: date, rng: random.Random) -> Demo:
    """The law firm as `today` begins; the same `today` and `rng` give the same rows."""
    people = People(rng)
    lawyers = [Lawyer(people.name(), area.name, rng.randint(*tens) * 10.0) for area in AREAS for _, tens in TITLES]
    clients = _clients(rng, people, lawyers)
    matters = _matters(rng, today, people, lawyers, clients)
    _since(rng, today, clients, matters)
    active = [row for row in matters if row["status"] == "open"]
    entries = _time_entries(rng, today, lawyers, active)
    rows = {
        "clients": clients,
        "matters": matters,
        "deadlines": _deadlines(rng, today, active),
        "time_entries": entries,
        "invoices": _invoices(rng, today, entries),
        "documents": _documents(rng, today, lawyers, active),
        "hearings": _hearings(rng, today, active),
        "meeting_rooms": _meeting_rooms(rng, lawyers),
    }
    collections = tuple(DemoCollection(name, tuple(held), WALL.get(name, ())) for name, held in rows.items())
    return Demo("lawfirm", "Hartley & Stone LLP (demo)", collections, QUESTIONS, PINNED, tick)


def _clients(rng: random.Random, people: People, lawyers: list[Lawyer]) -> list[Row]:
    names = [(f"{stem} {word}", industry) for stem, (word, industry) in product(STEMS.split(), INDUSTRIES)]
    firms = [_client(rng, lawyers, name, industry, people.name()) for name, industry in rng.sample(names, FIRMS)]
    persons = [_client(rng, lawyers, people.name(), None, None) for _ in range(PERSONS)]
    clients = firms + persons
    rng.shuffle(clients)
    return clients


def _client(rng: random.Random, lawyers: list[Lawyer], name: str, industry: str | None, contact: str | None) -> Row:
    return {
        "client": name,
        "kind": "company" if industry else "individual",
        "industry": industry,
        "contact": contact,
        "phone": f"555-01{rng.randint(0, 99):02}",
        "city": rng.choice(CITIES),
        "partner": rng.choice(lawyers[::3]).name,
        "client_since": None,
        "status": "prospect",
    }


def _matters(rng: random.Random, today: date, people: People, lawyers: list[Lawyer], clients: list[Row]) -> list[Row]:
    opened = sorted(today - timedelta(days=rng.randint(20, 900)) for _ in range(MATTERS))
    return [
        _matter(rng, today, people, lawyers, rng.choice(clients), day) | {"matter": f"M-{1001 + index}"}
        for index, day in enumerate(opened)
    ]


def _matter(rng: random.Random, today: date, people: People, lawyers: list[Lawyer], client: Row, opened: date) -> Row:
    names = [area.name for area in AREAS if (area.name == "Family") == (client["kind"] == "individual")]
    area = AREA[rng.choice([*names, "Litigation", "Real Estate"])]
    status = any_of(rng, {"open": 58, "on hold": 6, "closed": 36})
    closed = opened + timedelta(days=rng.randint(15, max(16, (today - opened).days - 1)))
    fee_type = any_of(rng, {"hourly": 78, "fixed": 22})
    return {
        "matter": "",
        "title": rng.choice(area.titles).format(other=_opponent(rng, people)),
        "client": client["client"],
        "practice_area": area.name,
        "lawyer": rng.choice([lawyer.name for lawyer in lawyers if lawyer.area == area.name]),
        "status": status,
        "opened_on": opened.isoformat(),
        "closed_on": closed.isoformat() if status == "closed" else None,
        "fee_type": fee_type,
        "budget": float(rng.randint(8, 240) * 500) if fee_type == "fixed" or rng.random() < 0.6 else None,
    }


def _opponent(rng: random.Random, people: People) -> str:
    if rng.random() < 0.25:
        return people.name()
    return f"{rng.choice(STEMS.split())} {rng.choice(INDUSTRIES)[0]}"


def _since(rng: random.Random, today: date, clients: list[Row], matters: list[Row]) -> None:
    """A client came with or before the first matter; one whose matters are all closed is a former client."""
    for client in clients:
        own = [row for row in matters if row["client"] == client["client"]]
        if own:
            first = date.fromisoformat(own[0]["opened_on"])
            client["client_since"] = (first - timedelta(days=rng.choice((0, 0, rng.randint(1, 3000))))).isoformat()
            client["status"] = "former" if all(row["status"] == "closed" for row in own) else "active"


def _time_entries(rng: random.Random, today: date, lawyers: list[Lawyer], active: list[Row]) -> list[Row]:
    """Eight weeks of work and the first of today, nobody above ten hours a day."""
    rates = {lawyer.name: lawyer.rate for lawyer in lawyers}
    teams = {area: [lawyer.name for lawyer in lawyers if lawyer.area == area] for area in AREA}
    rows = []
    for day in days(today, -56, 0):
        load = dict.fromkeys(rates, 0.0)
        known = [row for row in active if row["opened_on"] <= day.isoformat()]
        for _ in range(6 if day == today else ENTRIES_A_DAY + rng.randint(-6, 6) if is_weekday(day) else 2):
            matter = rng.choice(known)
            lawyer = matter["lawyer"] if rng.random() < 0.6 else rng.choice(teams[matter["practice_area"]])
            row = entry(rng, day, matter, lawyer, rates[lawyer])
            if load[lawyer] + row["hours"] <= 10:
                load[lawyer] += row["hours"]
                rows.append(row)
    return rows


def _invoices(rng: random.Random, today: date, entries: list[Row]) -> list[Row]:
    """Every four to eight entries of a matter become an invoice, some days after the last of them."""
    open_of: dict[str, list[Row]] = {}
    size: dict[str, int] = {}
    bills = []
    for row in entries:
        if row["status"] != "unbilled":
            continue
        own = open_of.setdefault(row["matter"], [])
        own.append(row)
        issued = date.fromisoformat(row["date"]) + timedelta(days=rng.randint(2, 6))
        if len(own) >= size.setdefault(row["matter"], rng.randint(4, 8)) and issued <= today:
            bills.append((issued, own))
            del open_of[row["matter"]], size[row["matter"]]
    bills.sort(key=lambda bill: bill[0])
    first = rng.randint(3100, 3900)
    return [_invoice(rng, today, issued, own, f"INV-{first + index}") for index, (issued, own) in enumerate(bills)]


def _invoice(rng: random.Random, today: date, issued: date, entries: list[Row], name: str) -> Row:
    for row in entries:
        row |= {"status": "billed", "invoice": name}
    invoice = draft(rng, name, entries)
    if issued >= today - timedelta(days=1):
        return invoice
    due, paid = issued + timedelta(days=PAYMENT_DAYS), issued + timedelta(days=min(40, 2 + int(rng.expovariate(1 / 9))))
    status = "paid" if paid <= today else "overdue" if due < today else "sent"
    return invoice | {
        "issued_on": issued.isoformat(),
        "due_on": due.isoformat(),
        "paid_on": paid.isoformat() if status == "paid" else None,
        "status": status,
    }


def _deadlines(rng: random.Random, today: date, active: list[Row]) -> list[Row]:
    """Nine weeks of deadlines, three of them past."""
    return [
        _deadline(rng, today, day, rng.choice(active))
        for day in days(today, -21, 41)
        for _ in range(DEADLINES_A_DAY + rng.randint(-2, 2) if is_weekday(day) else 0)
    ]


def _deadline(rng: random.Random, today: date, due: date, matter: Row) -> Row:
    title, kind = rng.choice(AREA[matter["practice_area"]].deadlines)
    left = (due - today).days
    if left < 0:
        status = any_of(rng, {"done": 96 if left < -7 else 90, "overdue": 0.6 if left < -7 else 10})
    else:
        status = any_of(rng, NEAR_DEADLINES if left < 8 else FAR_DEADLINES)
    done = min(due, today) - timedelta(days=rng.choice((0, 0, 1, 2, 3)))
    return {
        "deadline": title,
        "kind": kind,
        "matter": matter["matter"],
        "client": matter["client"],
        "practice_area": matter["practice_area"],
        "lawyer": matter["lawyer"],
        "due_on": due.isoformat(),
        "priority": priority(rng, kind),
        "status": status,
        "done_on": done.isoformat() if status == "done" else None,
    }


def _documents(rng: random.Random, today: date, lawyers: list[Lawyer], active: list[Row]) -> list[Row]:
    return [_document(rng, today, lawyers, rng.choice(active)) for _ in range(DOCUMENTS)]


def _document(rng: random.Random, today: date, lawyers: list[Lawyer], matter: Row) -> Row:
    title, kind = rng.choice(AREA[matter["practice_area"]].papers)
    status = any_of(rng, {"final": 79, "draft": 13, "in review": 8})
    ago = rng.randint(10, (14 if status == "final" else 3) * 1440)
    return {
        "document": title,
        "kind": kind,
        "matter": matter["matter"],
        "client": matter["client"],
        "author": rng.choice([lawyer.name for lawyer in lawyers if lawyer.area == matter["practice_area"]]),
        "version": rng.randint(2, 6) if status == "final" else rng.randint(1, 4),
        "pages": 1 + int(rng.expovariate(1 / 14)),
        "confidential": rng.random() < 0.3,
        "status": status,
        "updated_at": iso(local(today) - timedelta(minutes=ago)),
    }


def _hearings(rng: random.Random, today: date, active: list[Row]) -> list[Row]:
    """Nine weeks of hearings, two or so a day; nobody has two on the same day."""
    in_court = [row for row in active if AREA[row["practice_area"]].courts]
    rows: list[Row] = []
    for day in days(today, -21, 41):
        hours: list[tuple[int, int]] = rng.sample([(9, 0), (10, 30), (13, 30), (15, 0)], rng.randint(1, 3))
        for hour, minute in sorted(hours) if is_weekday(day) else ():
            busy = {row["lawyer"] for row in rows if row["starts_at"][:10] == day.isoformat()}
            matter = rng.choice([row for row in in_court if row["lawyer"] not in busy])
            rows.append(_hearing(rng, day < today, iso(local(day, hour, minute)), matter))
    return rows


def _hearing(rng: random.Random, past: bool, starts_at: str, matter: Row) -> Row:
    return {
        "court": rng.choice(AREA[matter["practice_area"]].courts),
        "room": f"Courtroom {rng.randint(1, 9)}",
        "matter": matter["matter"],
        "client": matter["client"],
        "practice_area": matter["practice_area"],
        "lawyer": matter["lawyer"],
        "starts_at": starts_at,
        "minutes": rng.choice((30, 45, 60, 60, 90)),
        "status": any_of(rng, {"held": 80, "adjourned": 12, "settled": 8}) if past else "scheduled",
    }


def _meeting_rooms(rng: random.Random, lawyers: list[Lawyer]) -> list[Row]:
    rows = []
    for room, floor, seats, equipment in ROOMS:
        status = any_of(rng, {"free": 45, "in use": 35, "reserved": 20})
        rows.append(
            {
                "room": room,
                "floor": floor,
                "seats": seats,
                "equipment": equipment,
                "status": status,
                "booked_by": None if status == "free" else rng.choice(lawyers).name,
            }
        )
    return rows
