"""A landlord: units, payments and repair requests."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, last_month, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(9)
    units: list[Row] = [
        {
            "unit": f"{b}-{n}",
            "building": {"A": "Maple Court", "B": "River House"}[b],
            "floor": n // 10,
            "bedrooms": [1, 2, 3][(n + ord(b)) % 3],
            "rent": 650 + n * 25 + (ord(b) - 65) * 110,
            "size_sqm": 30 + n * 2.5,
            "status": ["occupied", "vacant", "occupied", "renovation", "occupied"][(n + ord(b)) % 5],
            "tenant": None,
            "pets_allowed": n % 2 == 0,
        }
        for b in "AB"
        for n in (11, 12, 13, 21, 22, 23, 31, 32)
    ]
    nm = iter(
        [
            "Amir Khan",
            "Berta Roth",
            "Carl Jensen",
            "Dina Petrova",
            "Emil Faber",
            "Fiona Walsh",
            "Gus Lind",
            "Hana Sato",
            "Ian Brook",
            "Jana Kral",
        ]
    )
    for u in units:
        if u["status"] == "occupied":
            u["tenant"] = next(nm)
    occ = [u for u in units if u["tenant"]]
    pays: list[Row] = [
        {
            "unit": u["unit"],
            "tenant": u["tenant"],
            "month": str(date(2026, m, 1)),
            "amount": u["rent"],
            "paid": not (i % 4 == 0 and m == 11),
            "method": rng.choice(["bank transfer", "card", "cash"]),
        }
        for m in (9, 10, 11)
        for i, u in enumerate(occ)
    ]
    reqs: list[Row] = [
        {
            "ticket": 1000 + i,
            "unit": rng.choice(units)["unit"],
            "category": rng.choice(["plumbing", "heating", "electrical", "painting"]),
            "priority": rng.choice(["low", "medium", "high"]),
            "opened_on": str(today - timedelta(days=rng.randint(0, 50))),
            "status": rng.choice(["open", "in progress", "done"]),
            "cost": rng.choice([0, 80, 150, 400, 1250]),
        }
        for i in range(40)
    ]
    U, PY, RQ = units, pays, reqs
    questions: list[tuple[str, Any]] = [
        ("How many units are vacant?", [[sum(u["status"] == "vacant" for u in U)]]),
        ("Which units are vacant?", [[u["unit"]] for u in U if u["status"] == "vacant"]),
        ("vacant units with 2 bedrooms", [[u["unit"]] for u in U if u["status"] == "vacant" and u["bedrooms"] == 2]),
        ("What is the rent of A-12?", [[u["rent"]] for u in U if u["unit"] == "A-12"]),
        ("Who lives in B-21?", [[u["tenant"]] for u in U if u["unit"] == "B-21"]),
        ("Average rent per building", grp(U, "building", lambda b: mean(x["rent"] for x in b))),
        ("Which unit has the highest rent?", [[max(U, key=lambda u: u["rent"])["unit"]]]),
        ("cheapest vacant unit", [[min((u for u in U if u["status"] == "vacant"), key=lambda u: u["rent"])["unit"]]]),
        ("units under 1000", [[u["unit"]] for u in U if u["rent"] < 1000]),
        ("How many units are there in River House?", [[8]]),
        ("total rent of occupied units", [[sum(u["rent"] for u in U if u["status"] == "occupied")]]),
        ("units on floor 3", [[u["unit"]] for u in U if u["floor"] == 3]),
        ("units that allow pets", [[u["unit"]] for u in U if u["pets_allowed"]]),
        ("How many 3 bedroom units do we have?", [[sum(u["bedrooms"] == 3 for u in U)]]),
        ("How many units per status?", grp(U, "status", len)),
        ("units larger than 80 sqm", [[u["unit"]] for u in U if u["size_sqm"] > 80]),
        ("Which payments are not paid?", [[p["unit"], p["amount"]] for p in PY if not p["paid"]]),
        ("How many payments are unpaid?", [[sum(not p["paid"] for p in PY)]]),
        ("total amount paid by card", [[sum(p["amount"] for p in PY if p["method"] == "card")]]),
        ("payments of Amir Khan", [[p["month"], p["amount"]] for p in PY if p["tenant"] == "Amir Khan"]),
        ("How many requests are open?", [[sum(r["status"] == "open" for r in RQ)]]),
        (
            "open requests with high priority",
            [[r["ticket"]] for r in RQ if r["status"] == "open" and r["priority"] == "high"],
        ),
        ("How many plumbing requests are there?", [[sum(r["category"] == "plumbing" for r in RQ)]]),
        ("requests per category", grp(RQ, "category", len)),
        ("What is the most common category of requests?", best(RQ, "category", len)),
        ("total cost of requests that are done", [[sum(r["cost"] for r in RQ if r["status"] == "done")]]),
        ("requests opened this month", [[r["ticket"]] for r in RQ if this_month(r["opened_on"], today)]),
        ("requests opened last month", [[r["ticket"]] for r in RQ if last_month(r["opened_on"], today)]),
        (
            "How many requests were opened in the last 14 days?",
            [[sum(today - timedelta(14) <= d(r["opened_on"]) <= today for r in RQ)]],
        ),
        ("average cost of a heating request", [[mean(r["cost"] for r in RQ if r["category"] == "heating")]]),
        ("which unit has the most requests?", best(RQ, "unit", len)),
        ("requests that cost more than 300", [[r["ticket"]] for r in RQ if r["cost"] > 300]),
        ("What is the status of ticket 1005?", [[RQ[5]["status"]]]),
        ("requests for unit " + RQ[0]["unit"], [[r["ticket"]] for r in RQ if r["unit"] == RQ[0]["unit"]]),
        ("how many requests are in progress", [[sum(r["status"] == "in progress" for r in RQ)]]),
        ("What is the tenant's email in B-21?", "none"),
        ("units sorted by rent", [[u["unit"]] for u in sorted(U, key=lambda u: u["rent"])]),
        (
            "Number of requests by priority and status",
            [[p, s, n] for (p, s), n in Counter((r["priority"], r["status"]) for r in RQ).items()],
        ),
    ]
    return Domain({"units": units, "payments": pays, "requests": reqs}, asked(questions))
