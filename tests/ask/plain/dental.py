"""A dental practice: patients and appointments."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, last_month, mean, top

names = (
    "Anna Weber", "Ben Carter", "Chloe Martin", "David Novak", "Elif Yilmaz", "Frank Moser", "Grace Lee", "Hugo Lopez",
    "Ivy Chen", "Jack Olsen", "Kira Popov", "Liam Murphy", "Mona Haddad", "Nils Berg", "Olga Ivanova", "Paul Dubois",
)  # fmt: skip


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng, monday = Random(5), today - timedelta(days=today.weekday())
    pts: list[Row] = [
        {
            "name": n,
            "age": rng.randint(6, 82),
            "city": rng.choice(["Graz", "Linz", "Vienna", "Salzburg"]),
            "insurance": rng.choice(["public", "private", "none"]),
            "balance": rng.choice([0, 0, 0, 45.5, 120, 300.25, 80]),
        }
        for n in names
    ]
    dents = ["Dr. Huber", "Dr. Klein", "Dr. Fuchs"]
    appts: list[Row] = []
    for _ in range(60):
        appts.append(
            {
                "patient": rng.choice(names),
                "dentist": rng.choice(dents),
                "treatment": rng.choice(["cleaning", "filling", "extraction", "crown", "checkup"]),
                "date": str(today + timedelta(days=rng.randint(-40, 14))),
                "duration_minutes": rng.choice([15, 30, 45, 60, 90]),
                "price": rng.choice([60, 80, 120, 250, 900]),
                "status": rng.choice(["completed", "completed", "scheduled", "cancelled"]),
            }
        )
    P, A = pts, appts
    questions: list[tuple[str, Any]] = [
        ("How many patients are there?", [[len(P)]]),
        ("How many patients live in Graz?", [[sum(p["city"] == "Graz" for p in P)]]),
        ("List the patients from Vienna", [[p["name"]] for p in P if p["city"] == "Vienna"]),
        ("What is the average age of the patients?", [[mean(p["age"] for p in P)]]),
        ("Who is the oldest patient?", top(P, "age")),
        ("Who is the youngest patient?", top(P, "age", rev=False)),
        ("What is Grace Lee's balance?", [[p["balance"]] for p in P if p["name"] == "Grace Lee"]),
        ("Which patients have private insurance?", [[p["name"]] for p in P if p["insurance"] == "private"]),
        ("How many patients per city?", grp(P, "city", len)),
        ("Patients with a balance over 100", [[p["name"]] for p in P if p["balance"] > 100]),
        ("Total balance of all patients", [[sum(p["balance"] for p in P)]]),
        ("Which city has the most patients?", best(P, "city", len)),
        ("Patients older than 60", [[p["name"]] for p in P if p["age"] > 60]),
        ("Show patients between 20 and 40 years old", [[p["name"]] for p in P if 20 <= p["age"] <= 40]),
        ("How many appointments were cancelled?", [[sum(a["status"] == "cancelled" for a in A)]]),
        ("How many appointments does Dr. Huber have?", [[sum(a["dentist"] == "Dr. Huber" for a in A)]]),
        ("How many appointments per dentist?", grp(A, "dentist", len)),
        (
            "What is the total price of completed appointments?",
            [[sum(a["price"] for a in A if a["status"] == "completed")]],
        ),
        ("Average duration of a filling", [[mean(a["duration_minutes"] for a in A if a["treatment"] == "filling")]]),
        ("What is the most common treatment?", best(A, "treatment", len)),
        ("Which dentist earned the most?", best(A, "dentist", lambda b: sum(x["price"] for x in b))),
        ("Revenue per treatment", grp(A, "treatment", lambda b: sum(x["price"] for x in b))),
        ("Appointments today", [[a["patient"]] for a in A if d(a["date"]) == today]),
        ("How many appointments were there last month?", [[sum(last_month(a["date"], today) for a in A)]]),
        (
            "How many appointments are scheduled this week?",
            [[sum(a["status"] == "scheduled" and monday <= d(a["date"]) < monday + timedelta(7) for a in A)]],
        ),
        ("appointments of Ivy Chen", [[a["treatment"], a["date"]] for a in A if a["patient"] == "Ivy Chen"]),
        (
            "How many crowns did Dr. Klein do?",
            [[sum(a["treatment"] == "crown" and a["dentist"] == "Dr. Klein" for a in A)]],
        ),
        ("What is the average price per treatment?", grp(A, "treatment", lambda b: mean(x["price"] for x in b))),
        ("How many appointments were not cancelled?", [[sum(a["status"] != "cancelled" for a in A)]]),
        ("How many different treatments are there?", [[len({a["treatment"] for a in A})]]),
        ("Top 3 patients by balance", top(P, "balance", 3)),
        ("Average age of patients in Linz", [[mean(p["age"] for p in P if p["city"] == "Linz")]]),
        ("Patients without insurance", [[p["name"]] for p in P if p["insurance"] == "none"]),
        (
            "appointments in the last 7 days",
            [[a["patient"], a["date"]] for a in A if today - timedelta(7) <= d(a["date"]) <= today],
        ),
        ("What cities do patients come from?", [[c] for c in {p["city"] for p in P}]),
        ("sort patients by age", [[p["name"]] for p in sorted(P, key=lambda p: p["age"])]),
        ("What is the phone number of Ben Carter?", "none"),
        ("How old is Nils Berg?", [[p["age"]] for p in P if p["name"] == "Nils Berg"]),
        ("Where does Mona Haddad live?", [[p["city"]] for p in P if p["name"] == "Mona Haddad"]),
    ]
    return Domain({"patients": pts, "appointments": appts}, asked(questions))
