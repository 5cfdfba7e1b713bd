"""A help desk: tickets, with labels in camel case and times with an offset."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4242)
    monday = today - timedelta(days=today.weekday())

    def ts(days: int, hour: int) -> str:
        return datetime.combine(today - timedelta(days), time(hour)).isoformat() + "Z"

    agents = ["Nora Field", "Theo Banks", "Ines Duarte", "Paul Okafor"]
    cust = ["Acme Tools", "Blue Harbor", "Corvid Labs", "Delta Foods", "Elm Street Gym"]
    tickets: list[Row] = []
    for i in range(80):
        op = rng.randint(0, 50)
        st = rng.choice(["open", "open", "pending", "closed", "closed", "closed"])
        tickets.append(
            {
                "ticketId": f"T-{1000 + i}",
                "subject": rng.choice(["Login fails", "Invoice wrong", "App crashes", "Slow report", "Password reset"]),
                "customer": rng.choice(cust),
                "priority": rng.choice(["low", "medium", "high", "urgent"]),
                "assignedTo": rng.choice([*agents, None]),
                "status": st,
                "openedAt": ts(op, rng.randint(7, 18)),
                "closedAt": ts(max(0, op - rng.randint(0, 5)), 19) if st == "closed" else None,
                "hoursSpent": round(rng.uniform(0.5, 9), 1),
                "satisfaction": rng.choice([1, 2, 3, 4, 5, 5, None]),
            }
        )
    T = tickets
    questions: list[tuple[str, Any]] = [
        ("How many tickets are open?", [[sum(t["status"] == "open" for t in T)]]),
        (
            "How many urgent tickets are still open?",
            [[sum(t["status"] == "open" and t["priority"] == "urgent" for t in T)]],
        ),
        ("tickets per priority", grp(T, "priority", len)),
        (
            "Who closed the most tickets?",
            best([t for t in T if t["status"] == "closed" and t["assignedTo"]], "assignedTo", len),
        ),
        ("Which customer has the most tickets?", best(T, "customer", len)),
        ("Which tickets are not assigned to anyone?", [[t["ticketId"]] for t in T if not t["assignedTo"]]),
        ("unassigned tickets", [[t["ticketId"]] for t in T if not t["assignedTo"]]),
        ("average satisfaction", [[mean(t["satisfaction"] for t in T if t["satisfaction"])]]),
        (
            "How many tickets were opened this week?",
            [[sum(monday <= d(t["openedAt"]) < monday + timedelta(7) for t in T)]],
        ),
        ("tickets opened yesterday", [[t["ticketId"]] for t in T if d(t["openedAt"]) == today - timedelta(1)]),
        ("total hours spent", [[round(sum(t["hoursSpent"] for t in T), 1)]]),
        (
            "How many hours did Nora Field spend?",
            [[round(sum(t["hoursSpent"] for t in T if t["assignedTo"] == "Nora Field"), 1)]],
        ),
        ("hours per customer", grp(T, "customer", lambda b: round(sum(x["hoursSpent"] for x in b), 1))),
        (
            "Which ticket took the longest?",
            [[t["ticketId"]] for t in T if t["hoursSpent"] == max(x["hoursSpent"] for x in T)],
        ),
        ("What is the status of ticket T-1007?", [[T[7]["status"]]]),
        ("Who is working on T-1012?", [[T[12]["assignedTo"]]]),
        (
            "open tickets of Acme Tools",
            [[t["ticketId"]] for t in T if t["customer"] == "Acme Tools" and t["status"] == "open"],
        ),
        ("tickets about login", [[t["ticketId"]] for t in T if t["subject"] == "Login fails"]),
        (
            "How many tickets have a satisfaction below 3?",
            [[sum(1 for t in T if t["satisfaction"] and t["satisfaction"] < 3)]],
        ),
        (
            "oldest open ticket",
            [[min((t for t in T if t["status"] == "open"), key=lambda t: t["openedAt"])["ticketId"]]],
        ),
        ("tickets that are not closed", [[t["ticketId"]] for t in T if t["status"] != "closed"]),
        ("high or urgent tickets", [[t["ticketId"]] for t in T if t["priority"] in ("high", "urgent")]),
        ("What is the most common subject?", best(T, "subject", len)),
        ("How many customers do we have?", [[5]]),
        ("What is the phone number of Blue Harbor?", "none"),
        ("list all subjects", [[s] for s in {t["subject"] for t in T}]),
        ("How many tickets per customer are open?", grp([t for t in T if t["status"] == "open"], "customer", len)),
        ("max hours on a ticket", [[max(t["hoursSpent"] for t in T)]]),
    ]
    return Domain({"tickets": tickets}, asked(questions))
