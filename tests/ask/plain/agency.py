"""An agency: its projects, and the hours spent on them."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5003)
    proj: list[Row] = [
        {
            "project": p,
            "client": c,
            "lead": each,
            "budget": b,
            "spent": s,
            "start_date": str(today - timedelta(days=a)),
            "deadline": str(today + timedelta(days=e)),
            "phase": ph,
            "priority": pr,
        }
        for p, c, each, b, s, a, e, ph, pr in [
            ("Atlas", "Nordbank", "Hugo", 120000, 90500, 200, 40, "build", "high"),
            ("Beacon", "Civic", "Irma", 45000, 51000, 300, -10, "test", "high"),
            ("Comet", "Nordbank", "Jan", 80000, 12000, 30, 120, "design", "medium"),
            ("Delta", "Farmco", "Irma", 30000, 29500, 400, -30, "done", "low"),
            ("Ember", "Civic", "Hugo", 200000, 5000, 10, 300, "design", "low"),
            ("Flint", "Portus", "Kaya", 65000, 40000, 150, 15, "build", "medium"),
        ]
    ]
    hours: list[Row] = [
        {
            "employee": rng.choice(["Lea Zorn", "Mark Olin", "Nils Berg", "Ona Pratt"]),
            "project": rng.choice(proj)["project"],
            "day": str(today - timedelta(days=rng.randint(0, 45))),
            "hours": rng.choice([1, 2, 3.5, 4, 6, 8]),
            "task": rng.choice(["coding", "review", "meeting", "design"]),
            "billable": rng.random() < 0.7,
            "approved": rng.random() < 0.8,
        }
        for _ in range(120)
    ]
    P, W = proj, hours
    questions: list[tuple[str, Any]] = [
        ("How many projects are in the build phase?", [[2]]),
        ("total budget", [[sum(p["budget"] for p in P)]]),
        ("budget per client", grp(P, "client", lambda b: sum(x["budget"] for x in b))),
        ("Who leads Beacon?", [["Irma"]]),
        ("projects of Irma", [["Beacon"], ["Delta"]]),
        ("projects led by Hugo", [["Atlas"], ["Ember"]]),
        ("Which project has the largest budget?", [["Ember"]]),
        ("deadline of Atlas", [[P[0]["deadline"]]]),
        (
            "projects with a deadline in the next 60 days",
            [[p["project"]] for p in P if today <= d(p["deadline"]) <= today + timedelta(60)],
        ),
        ("high priority projects", [["Atlas"], ["Beacon"]]),
        ("How much has been spent on Comet?", [[12000]]),
        ("hours per employee", grp(W, "employee", lambda b: sum(x["hours"] for x in b))),
        ("Who worked the most hours?", best(W, "employee", lambda b: sum(x["hours"] for x in b))),
        (
            "How many hours did Lea Zorn work this month?",
            [[sum(w["hours"] for w in W if w["employee"] == "Lea Zorn" and this_month(w["day"], today))]],
        ),
        (
            "billable hours per project",
            grp([w for w in W if w["billable"]], "project", lambda b: sum(x["hours"] for x in b)),
        ),
        ("average hours per entry", [[mean(w["hours"] for w in W)]]),
        ("time spent in meetings", [[sum(w["hours"] for w in W if w["task"] == "meeting")]]),
        ("How many employees logged hours on Atlas?", [[len({w["employee"] for w in W if w["project"] == "Atlas"})]]),
        ("Which tasks are there?", [[t] for t in {w["task"] for w in W}]),
        ("What is the hourly rate of Nils Berg?", "none"),
        ("clients", [[c] for c in {p["client"] for p in P}]),
    ]
    return Domain({"projects": P, "timesheets": W}, asked(questions))
