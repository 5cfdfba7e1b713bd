"""A gym: members and their visits, of which the times bear no offset."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(977)
    monday = today - timedelta(days=today.weekday())
    members: list[Row] = [
        {
            "memberNo": 400 + i,
            "fullName": n,
            "plan": p,
            "monthlyFee": f,
            "joinedOn": str(today - timedelta(days=j)),
            "active": a,
            "city": c,
            "trainer": t,
        }
        for i, (n, p, f, j, a, c, t) in enumerate(
            [
                ("Lara Voss", "gold", 59.0, 800, True, "Graz", "Kim Berg"),
                ("Milo Hart", "basic", 25.0, 40, True, "Linz", "Kim Berg"),
                ("Nia Cole", "silver", 39.0, 300, False, "Graz", None),
                ("Otto Lang", "gold", 59.0, 20, True, "Wels", "Sam Doyle"),
                ("Petra Zimm", "basic", 25.0, 510, True, "Graz", "Sam Doyle"),
                ("Quin Adler", "silver", 39.0, 90, True, "Linz", "Eva Roth"),
                ("Rosa Font", "basic", 25.0, 5, True, "Wels", None),
                ("Sven Moe", "gold", 59.0, 1200, False, "Linz", "Eva Roth"),
                ("Tara Iyer", "basic", 25.0, 220, True, "Graz", "Kim Berg"),
                ("Ugo Bassi", "silver", 39.0, 14, True, "Graz", "Sam Doyle"),
            ]
        )
    ]
    visits: list[Row] = [
        {
            "visitId": 9000 + i,
            "member": rng.choice(members)["fullName"],
            "checkIn": (
                datetime.combine(today - timedelta(days=rng.randint(0, 30)), time())
                + timedelta(hours=rng.randint(6, 21), minutes=rng.choice([0, 15, 30]))
            ).isoformat(),
            "minutes": rng.choice([30, 45, 60, 75, 90, 120]),
            "area": rng.choice(["pool", "weights", "yoga", "cardio"]),
        }
        for i in range(90)
    ]
    M, V = members, visits
    questions: list[tuple[str, Any]] = [
        ("How many members do we have?", [[10]]),
        ("How many active members are there?", [[8]]),
        ("inactive members", [["Nia Cole"], ["Sven Moe"]]),
        ("members on the gold plan", [["Lara Voss"], ["Otto Lang"], ["Sven Moe"]]),
        ("How many members per plan?", grp(M, "plan", len)),
        ("total monthly fees", [[sum(m["monthlyFee"] for m in M)]]),
        ("members without a trainer", [["Nia Cole"], ["Rosa Font"]]),
        ("Who trains Quin Adler?", [["Eva Roth"]]),
        ("Who is Tara Iyer's trainer?", [["Kim Berg"]]),
        ("members from Graz", [[m["fullName"]] for m in M if m["city"] == "Graz"]),
        ("new members this month", [[m["fullName"]] for m in M if this_month(m["joinedOn"], today)]),
        ("Who joined last?", [["Rosa Font"]]),
        ("longest standing member", [["Sven Moe"]]),
        ("What does Milo Hart pay per month?", [[25.0]]),
        ("average fee", [[mean(m["monthlyFee"] for m in M)]]),
        ("How many visits were there yesterday?", [[sum(d(v["checkIn"]) == today - timedelta(1) for v in V)]]),
        ("visits per area", grp(V, "area", len)),
        ("Which area is the most popular?", best(V, "area", len)),
        ("average visit length", [[mean(v["minutes"] for v in V)]]),
        ("How long did Lara Voss train in total?", [[sum(v["minutes"] for v in V if v["member"] == "Lara Voss")]]),
        ("Who visits the most?", best(V, "member", len)),
        ("visits longer than 90 minutes", [[v["visitId"]] for v in V if v["minutes"] > 90]),
        ("visits over 1 hour in the pool", [[v["visitId"]] for v in V if v["minutes"] > 60 and v["area"] == "pool"]),
        ("total minutes per member", grp(V, "member", lambda b: sum(x["minutes"] for x in b))),
        ("How many different members visited the pool?", [[len({v["member"] for v in V if v["area"] == "pool"})]]),
        ("visits this week", [[v["visitId"]] for v in V if monday <= d(v["checkIn"]) < monday + timedelta(7)]),
        ("Which plans do we offer?", [["gold"], ["silver"], ["basic"]]),
        ("When did Petra Zimm join?", [[M[4]["joinedOn"]]]),
        ("What is the email address of Milo Hart?", "none"),
        ("gold members who are not active", [["Sven Moe"]]),
        ("members that joined before this year", [[m["fullName"]] for m in M if d(m["joinedOn"]).year < today.year]),
        ("number of visits per day", [[n] for n in Counter(v["checkIn"][:10] for v in V).values()]),
    ]
    return Domain({"members": members, "visits": visits}, asked(questions))
