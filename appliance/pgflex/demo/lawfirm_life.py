"""What happens in the demo law firm from one tick to the next.

Rooms and the work on deadlines move all the time; hours are logged at the pace of a working day, and what
is billed, sent and paid follows from them. See :mod:`appliance.pgflex.demo.life` for the rules every
change keeps.

    >>> priority(random.Random(1), "internal")
    'low'
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from appliance.pgflex.demo import Write
from appliance.pgflex.demo.lawfirm_facts import ACTIVITIES, AREA
from appliance.pgflex.demo.life import BATCH, Row, Rows, any_of, having, live, number, put, text, update, weighted
from appliance.pgflex.demo.moments import (
    day_of,
    day_share,
    is_weekday,
    iso,
    later,
    later_day,
    moment_of,
    today_at,
)

ENTRIES_LIMIT: Final = 1750
INVOICES_LIMIT: Final = 150
UNBILLED: Final = 520
DRAFTS: Final = 8
OUTSTANDING: Final = 34
IN_WORK: Final = 110
ROOM_PACE: Final = {"free": 3.0, "in use": 3.2, "reserved": 4.0}


def entry(rng: random.Random, day: date, matter: Row, lawyer: str, rate: float) -> Row:
    """A time entry: hours in tenths, and their amount where they can be billed."""
    hours = round(rng.triangular(0.2, 5, 1), 1)
    billable = rng.random() < 0.9
    return {
        "lawyer": lawyer,
        "matter": matter.get("matter"),
        "client": matter.get("client"),
        "practice_area": matter.get("practice_area"),
        "date": day.isoformat(),
        "activity": any_of(rng, ACTIVITIES),
        "hours": hours,
        "rate": rate,
        "amount": round(hours * rate, 2) if billable else 0.0,
        "billable": billable,
        "status": "unbilled" if billable else "not billable",
        "invoice": None,
    }


def draft(rng: random.Random, name: str, entries: Sequence[Row]) -> Row:
    """A draft invoice over `entries` of one matter."""
    fees = round(sum(number(row, "amount") or 0 for row in entries), 2)
    expenses = round(rng.uniform(15, 420), 2) if rng.random() < 0.6 else 0.0
    return {
        "invoice": name,
        "client": entries[0].get("client"),
        "matter": entries[0].get("matter"),
        "issued_on": None,
        "due_on": None,
        "fees": fees,
        "expenses": expenses,
        "total": round(fees + expenses, 2),
        "status": "draft",
        "paid_on": None,
    }


def priority(rng: random.Random, kind: str) -> str:
    """How urgent a deadline of this kind is: what a court or an office waits for is never low."""
    if kind == "internal":
        return "low"
    if kind in ("filing", "court"):
        return any_of(rng, {"high": 40, "normal": 60})
    return any_of(rng, {"high": 10, "normal": 60, "low": 30})


def use_rooms(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """A room is taken, reserved or left."""
    room = weighted(rng, rows.get("meeting_rooms", []), ROOM_PACE)
    if room is None:
        return []
    if room["status"] == "in use" or (room["status"] == "reserved" and rng.random() < 0.35):
        return [update("meeting_rooms", room, status="free", booked_by=None)]
    if room["status"] == "reserved":
        return [update("meeting_rooms", room, status="in use")]
    names = sorted({text(row, "lawyer") for row in rows.get("matters", [])} - {""})
    status = any_of(rng, {"in use": 60, "reserved": 40})
    return [update("meeting_rooms", room, status=status, booked_by=rng.choice(names) if names else None)]


def meet_deadlines(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Deadlines pass, are met at the pace of the day, and are worked on; long past ones become new ones."""
    today = today_at(now)
    dated = [(row, due) for row in rows.get("deadlines", []) if (due := day_of(row.get("due_on")))]
    pending = [(row, due) for row, due in dated if row.get("status") in ("open", "in progress")]
    passed = [_passed(rng, row, due) for row, due in pending if due < today]
    old = [(row, due) for row, due in dated if row.get("status") == "done" and due < today - timedelta(days=21)]
    renewed = [write for row, due in old[:BATCH] for write in _renew(rng, row, later_day(due, 63, today), rows)]
    if passed or renewed:
        return (passed + renewed)[:BATCH]
    done = sum(day_of(row.get("done_on")) == today for row, _ in dated)
    soon = [row for row, due in pending if due <= today + timedelta(days=3)]
    late = having([row for row, _ in dated], status="overdue")
    if (soon or late) and done < (8 if is_weekday(today) else 1) * day_share(now):
        row = rng.choice(late if late and (not soon or rng.random() < 0.15) else soon)
        return [update("deadlines", row, status="done", done_on=today.isoformat())]
    return _work_on(rng, [row for row, due in pending if due <= today + timedelta(days=14)])


def _passed(rng: random.Random, row: Row, due: date) -> Write:
    if rng.random() < 0.25:
        return update("deadlines", row, status="overdue")
    return update("deadlines", row, status="done", done_on=due.isoformat())


def _active(rows: Rows) -> list[Row]:
    return [row for row in having(rows.get("matters", []), status="open") if text(row, "practice_area") in AREA]


def _renew(rng: random.Random, row: Row, due: date, rows: Rows) -> list[Write]:
    matters = _active(rows)
    if not matters:
        return []
    matter = rng.choice(matters)
    title, kind = rng.choice(AREA[matter["practice_area"]].deadlines)
    return [
        update(
            "deadlines",
            row,
            deadline=title,
            kind=kind,
            matter=matter.get("matter"),
            client=matter.get("client"),
            practice_area=matter["practice_area"],
            lawyer=matter.get("lawyer"),
            due_on=due.isoformat(),
            priority=priority(rng, kind),
            status="open",
            done_on=None,
        )
    ]


def _work_on(rng: random.Random, near: Sequence[Row]) -> list[Write]:
    """Somebody takes up a deadline or lays it down: about one in five of the near ones is in progress."""
    opened, in_progress = having(near, status="open"), having(near, status="in progress")
    if in_progress and rng.random() < len(in_progress) / (0.4 * len(near)):
        return [update("deadlines", rng.choice(in_progress), status="open")]
    return [update("deadlines", rng.choice(opened), status="in progress")] if opened else []


def log_hours(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Somebody logs hours, at the pace of the day; at the limit in place of an entry whose invoice is filed away."""
    today = today_at(now)
    held = rows.get("time_entries", [])
    logged = [row for row in held if day_of(row.get("date")) == today]
    if len(logged) >= (40 if is_weekday(today) else 6) * day_share(now):
        return []
    rates = {text(row, "lawyer"): rate for row in held if (rate := number(row, "rate"))}
    matters = [row for row in _active(rows) if text(row, "lawyer") in rates]
    if not matters:
        return []
    matter = rng.choice(matters)
    team = sorted({text(row, "lawyer") for row in having(matters, practice_area=text(matter, "practice_area"))})
    lawyer = text(matter, "lawyer") if rng.random() < 0.6 else rng.choice(team)
    document = entry(rng, today, matter, lawyer, rates[lawyer])
    if document["hours"] + sum(number(row, "hours") or 0 for row in having(logged, lawyer=lawyer)) > 10:
        return []
    write = put("time_entries", document, len(held), ENTRIES_LIMIT, _filed_away(today, held, rows))
    return [write] if write else []


def _filed_away(today: date, held: Sequence[Row], rows: Rows) -> Row | None:
    """The oldest entry that no invoice on the books counts: its invoice made way for a newer one, or it had none."""
    books = {text(row, "invoice") for row in rows.get("invoices", [])}
    loose = [row for row in having(held, status="billed") if text(row, "invoice") not in books]
    loose += [
        row
        for row in having(held, status="not billable")
        if (day := day_of(row.get("date"))) and day < today - timedelta(days=42)
    ]
    return min(loose, key=lambda row: (str(row.get("date")), row["id"]), default=None)


def keep_books(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Work is billed, drafts are sent, invoices fall due and are paid."""
    today = today_at(now)
    held = rows.get("invoices", [])
    late = [row for row in having(held, status="sent") if (due := day_of(row.get("due_on"))) and due < today]
    if late:
        return [update("invoices", row, status="overdue") for row in late[:BATCH]]
    unbilled = [row for row in having(rows.get("time_entries", []), status="unbilled") if text(row, "matter")]
    if len(unbilled) > UNBILLED and (writes := _bill(rng, today, unbilled, held)):
        return writes
    drafts = having(held, status="draft")
    if len(drafts) > DRAFTS:
        dates = {"issued_on": today.isoformat(), "due_on": (today + timedelta(days=14)).isoformat()}
        return [update("invoices", drafts[0], status="sent", **dates)]
    waiting = [row for row in held if row.get("status") in ("sent", "overdue") and row.get("issued_on") != str(today)]
    if len(waiting) <= OUTSTANDING:
        return []
    return [update("invoices", rng.choice(waiting), status="paid", paid_on=today.isoformat())]


def _bill(rng: random.Random, today: date, unbilled: Sequence[Row], held: Sequence[Row]) -> list[Write]:
    """A draft over all open work of one matter: of one that waited long, else of the one with the most entries."""
    of: dict[str, list[Row]] = {}
    for row in unbilled:
        of.setdefault(row["matter"], []).append(row)
    long_ago = (today - timedelta(days=40)).isoformat()
    work = max(of.values(), key=lambda own: (min(str(row.get("date")) for row in own) < long_ago, len(own)))
    numbers = [int(name[4:]) for row in held if (name := text(row, "invoice"))[:4] == "INV-" and name[4:].isdecimal()]
    name = f"INV-{max(numbers, default=3000) + 1}"
    paid = min(having(held, status="paid"), key=lambda row: (str(row.get("paid_on")), row["id"]), default=None)
    bill = put("invoices", draft(rng, name, work), len(held), INVOICES_LIMIT, paid)
    return [bill, *(update("time_entries", row, status="billed", invoice=name) for row in work)] if bill else []


def edit_documents(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Every ten minutes or so a paper goes a step from draft to final; final ones make way for new drafts."""
    held = rows.get("documents", [])
    edits = [at for row in held if (at := moment_of(row.get("updated_at"))) and at <= now]
    if edits and max(edits) > now - timedelta(minutes=10):
        return []
    in_work = [row for row in held if row.get("status") in ("draft", "in review")]
    matters = _active(rows)
    finals = having(held, status="final")
    if len(in_work) < IN_WORK and finals and matters:
        oldest = min(finals, key=lambda row: (str(row.get("updated_at")), row["id"]))
        return [_begin(rng, iso(now), oldest, rng.choice(matters))]
    return [_edit(rng, iso(now), rng.choice(in_work))] if in_work else []


def _begin(rng: random.Random, at: str, row: Row, matter: Row) -> Write:
    title, kind = rng.choice(AREA[matter["practice_area"]].papers)
    return update(
        "documents",
        row,
        document=title,
        kind=kind,
        matter=matter.get("matter"),
        client=matter.get("client"),
        author=matter.get("lawyer"),
        version=1,
        pages=rng.randint(1, 8),
        confidential=rng.random() < 0.3,
        status="draft",
        updated_at=at,
    )


def _edit(rng: random.Random, at: str, row: Row) -> Write:
    if row["status"] == "draft":
        return update("documents", row, status="in review", updated_at=at)
    if rng.random() < 0.4:
        return update("documents", row, status="final", updated_at=at)
    version, pages = round(number(row, "version") or 1) + 1, round(number(row, "pages") or 1) + rng.randint(0, 2)
    return update("documents", row, status="draft", version=version, pages=pages, updated_at=at)


def hold_hearings(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Hearings end one way or another; those of long ago become those of next month."""
    writes = []
    for row in rows.get("hearings", []):
        starts = moment_of(row.get("starts_at"))
        if starts is None:
            continue
        if starts.astimezone().date() < today_at(now) - timedelta(days=21):
            writes += _next_hearing(rng, row, iso(later(starts, 63, today_at(now))), rows)
        elif row.get("status") == "scheduled" and starts + timedelta(minutes=number(row, "minutes") or 0) <= now:
            status = any_of(rng, {"held": 80, "adjourned": 12, "settled": 8})
            writes.append(update("hearings", row, status=status))
        elif row.get("status") == "held" and starts > now:
            writes.append(update("hearings", row, status="scheduled"))
    return writes[:BATCH]


def _next_hearing(rng: random.Random, row: Row, starts_at: str, rows: Rows) -> list[Write]:
    """The same lawyer, court and hour, in another matter of that lawyer."""
    own = having(rows.get("matters", []), status="open", lawyer=text(row, "lawyer"))
    if not own:
        return []
    matter = rng.choice(own)
    fields = {"matter": matter.get("matter"), "client": matter.get("client")}
    return [update("hearings", row, starts_at=starts_at, status="scheduled", **fields)]


def rest_matters(rng: random.Random, now: datetime, rows: Rows) -> list[Write]:
    """Now and then a matter is put on hold or taken up again: about one in ten of those not closed rests."""
    opened, resting = (having(rows.get("matters", []), status=status) for status in ("open", "on hold"))
    if resting and rng.random() < len(resting) / (0.2 * (len(opened) + len(resting))):
        return [update("matters", rng.choice(resting), status="open")]
    return [update("matters", rng.choice(opened), status="on hold")] if opened else []


tick: Final = live(
    (
        (use_rooms, 34),
        (meet_deadlines, 26),
        (log_hours, 14),
        (edit_documents, 12),
        (keep_books, 10),
        (hold_hearings, 3),
        (rest_matters, 0.3),
    )
)
"""The next small change of the law firm; see :class:`appliance.pgflex.demo.Demo`."""
