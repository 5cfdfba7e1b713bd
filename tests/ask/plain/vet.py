"""A vet: the pets, and their visits."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5010)
    pets: list[Row] = [
        {
            "petName": n,
            "species": s,
            "breed": b,
            "ownerName": o,
            "born": str(today - timedelta(days=a)),
            "weightKg": w,
            "vaccinated": v,
            "chipNo": f"C{900 + i}" if c else None,
        }
        for i, (n, s, b, o, a, w, v, c) in enumerate(
            [
                ("Rex", "dog", "Beagle", "Olga Finch", 1200, 14.2, True, True),
                ("Mia", "cat", "Siamese", "Pat Gould", 800, 4.1, False, True),
                ("Bruno", "dog", "Boxer", "Rita Hale", 2500, 31.0, True, True),
                ("Kiwi", "parrot", "Macaw", "Sam Irons", 3000, 1.1, False, False),
                ("Luna", "cat", "Persian", "Olga Finch", 300, 3.6, True, False),
                ("Thumper", "rabbit", "Lop", "Tess Jolly", 600, 2.4, False, False),
            ]
        )
    ]
    visits: list[Row] = [
        {
            "visitNo": i + 1,
            "pet": rng.choice(pets)["petName"],
            "vet": rng.choice(["Dr. Lind", "Dr. Mota"]),
            "visitDate": str(today - timedelta(days=rng.randint(0, 90))),
            "reason": rng.choice(["checkup", "vaccination", "injury", "surgery"]),
            "charge": rng.choice([35, 60, 120, 480]),
            "paid": rng.random() < 0.75,
            "durationMin": rng.choice([10, 15, 30, 90]),
        }
        for i in range(70)
    ]
    P, V = pets, visits
    sp = {p["petName"]: p for p in P}
    questions: list[tuple[str, Any]] = [
        ("How many dogs are registered?", [[2]]),
        ("pets of Olga Finch", [["Rex"], ["Luna"]]),
        ("unvaccinated pets", [["Mia"], ["Kiwi"], ["Thumper"]]),
        ("pets without a chip", [["Kiwi"], ["Luna"], ["Thumper"]]),
        ("heaviest cat", [["Mia"]]),
        ("youngest pet", [["Luna"]]),
        ("Who owns Bruno?", [["Rita Hale"]]),
        ("how heavy is Kiwi", [[1.1]]),
        ("average weight of dogs", [[mean([14.2, 31.0])]]),
        ("pets per species", grp(P, "species", len)),
        ("species", [[x] for x in {p["species"] for p in P}]),
        ("total charges this month", [[sum(v["charge"] for v in V if this_month(v["visitDate"], today))]]),
        ("unpaid visits", [[v["visitNo"]] for v in V if not v["paid"]]),
        ("How much is still unpaid?", [[sum(v["charge"] for v in V if not v["paid"])]]),
        ("visits per vet", grp(V, "vet", len)),
        ("income per reason", grp(V, "reason", lambda b: sum(x["charge"] for x in b))),
        (
            "how many surgeries did Dr. Mota do",
            [[sum(v["reason"] == "surgery" and v["vet"] == "Dr. Mota" for v in V)]],
        ),
        ("average duration of a checkup", [[mean(v["durationMin"] for v in V if v["reason"] == "checkup")]]),
        ("visits over an hour", [[v["visitNo"]] for v in V if v["durationMin"] > 60]),
        ("visits of Rex", [[v["visitNo"]] for v in V if v["pet"] == "Rex"]),
        ("visits of cats", [[v["visitNo"]] for v in V if sp[v["pet"]]["species"] == "cat"]),
        (
            "revenue per species",
            [
                [s, sum(v["charge"] for v in V if sp[v["pet"]]["species"] == s)]
                for s in {sp[v["pet"]]["species"] for v in V}
            ],
        ),
        ("most common reason", best(V, "reason", len)),
        ("What did Bruno's visits cost in total?", [[sum(v["charge"] for v in V if v["pet"] == "Bruno")]]),
        ("phone number of Tess Jolly", "none"),
    ]
    return Domain({"pets": P, "visits": V}, asked(questions))
