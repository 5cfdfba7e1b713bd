"""A campus: its meters of energy, and what they read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5002)
    monday = today - timedelta(days=today.weekday())
    meters: list[Row] = [
        {
            "meter": f"M{i + 1:02d}",
            "building": b,
            "kind": k,
            "installed": str(today - timedelta(days=a)),
            "max_kw": x,
            "online": o,
        }
        for i, (b, k, a, x, o) in enumerate(
            [
                ("Annex", "solar", 900, 12.5, True),
                ("Annex", "grid", 2000, 40, True),
                ("Lab", "grid", 1500, 90, True),
                ("Lab", "solar", 300, 22, False),
                ("Office", "grid", 2400, 55, True),
                ("Workshop", "grid", 700, 75, False),
                ("Workshop", "battery", 120, 30, True),
            ]
        )
    ]
    readings: list[Row] = [
        {
            "meter": rng.choice(meters)["meter"],
            "taken_at": (
                datetime.combine(today - timedelta(days=rng.randint(0, 20)), datetime.min.time())
                + timedelta(hours=rng.randint(0, 23))
            ).isoformat()
            + "+00:00",
            "kwh": round(rng.uniform(0, 60), 1),
            "temperature": round(rng.uniform(-5, 34), 1),
            "quality": rng.choice(["good", "good", "good", "suspect", "missing"]),
        }
        for _ in range(110)
    ]
    X, Y = meters, readings
    questions: list[tuple[str, Any]] = [
        ("How many meters are offline?", [[2]]),
        ("Which meters are online?", [[m["meter"]] for m in X if m["online"]]),
        ("meters in the Lab", [["M03"], ["M04"]]),
        ("How many meters per building?", grp(X, "building", len)),
        ("solar meters", [["M01"], ["M04"]]),
        ("oldest meter", [["M05"]]),
        ("Which meter has the highest max kw?", [["M03"]]),
        ("total energy", [[round(sum(r["kwh"] for r in Y), 1)]]),
        ("energy per meter", grp(Y, "meter", lambda b: round(sum(x["kwh"] for x in b), 1))),
        ("average temperature", [[mean(r["temperature"] for r in Y)]]),
        (
            "highest temperature this week",
            [[max(r["temperature"] for r in Y if monday <= d(r["taken_at"]) < monday + timedelta(7))]],
        ),
        ("How many readings are suspect?", [[sum(r["quality"] == "suspect" for r in Y)]]),
        ("readings that are not good", [[r["kwh"]] for r in Y if r["quality"] != "good"]),
        ("readings over 50 kwh", [[r["kwh"]] for r in Y if r["kwh"] > 50]),
        ("coldest reading", [[min(r["temperature"] for r in Y)]]),
        ("number of readings per quality", grp(Y, "quality", len)),
        ("Which meter used the most energy?", best(Y, "meter", lambda b: round(sum(x["kwh"] for x in b), 1))),
        ("What is the serial number of M02?", "none"),
        ("In which building is M06?", [["Workshop"]]),
        ("How many buildings are there?", [[4]]),
        ("min and max temperature", [[min(r["temperature"] for r in Y), max(r["temperature"] for r in Y)]]),
    ]
    return Domain({"meters": X, "readings": Y}, asked(questions))
