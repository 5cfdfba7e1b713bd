"""A dairy farm: its cows, and their milk."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean, this_week


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5004)
    cows: list[Row] = [
        {
            "tag": f"C{i + 1:02d}",
            "name": n,
            "breed": b,
            "barn": ba,
            "birth_date": str(today - timedelta(days=a)),
            "weight_kg": w,
            "pregnant": p,
            "vet_visit": str(today - timedelta(days=v)) if v is not None else None,
        }
        for i, (n, b, ba, a, w, p, v) in enumerate(
            [
                ("Daisy", "Holstein", "North", 2200, 640, True, 20),
                ("Bella", "Holstein", "North", 1500, 610, False, 90),
                ("Rosie", "Jersey", "South", 1800, 420, True, None),
                ("Molly", "Jersey", "South", 900, 390, False, 10),
                ("Buttercup", "Angus", "East", 2900, 720, False, 200),
                ("Clover", "Holstein", "East", 1200, 598, True, 45),
                ("Hazel", "Angus", "East", 700, 510, False, None),
            ]
        )
    ]
    milk: list[Row] = [
        {
            "cow": rng.choice(cows)["name"],
            "session": rng.choice(["morning", "evening"]),
            "milked_on": str(today - timedelta(days=rng.randint(0, 30))),
            "litres": round(rng.uniform(6, 22), 1),
            "fat_percent": round(rng.uniform(3, 5.5), 2),
            "milker": rng.choice(["Anke", "Boris", "Celine"]),
            "discarded": rng.random() < 0.15,
        }
        for _ in range(110)
    ]
    C, M = cows, milk
    breed = {c["name"]: c["breed"] for c in C}
    questions: list[tuple[str, Any]] = [
        ("how many cows do we have", [[7]]),
        ("how many cows are pregnant?", [[3]]),
        ("which cows are in the East barn", [["Buttercup"], ["Clover"], ["Hazel"]]),
        ("heaviest cow", [["Buttercup"]]),
        ("Which cow is the oldest?", [["Buttercup"]]),
        ("average weight by breed", grp(C, "breed", lambda b: mean(x["weight_kg"] for x in b))),
        ("cows that have never seen a vet", [["Rosie"], ["Hazel"]]),
        ("Which cows weigh more than 600 kg?", [["Daisy"], ["Bella"], ["Buttercup"]]),
        ("What breed is Molly?", [["Jersey"]]),
        ("total milk", [[round(sum(m["litres"] for m in M), 1)]]),
        ("How much milk did Daisy give?", [[round(sum(m["litres"] for m in M if m["cow"] == "Daisy"), 1)]]),
        ("litres per cow", grp(M, "cow", lambda b: round(sum(x["litres"] for x in b), 1))),
        ("Which cow gives the most milk?", best(M, "cow", lambda b: round(sum(x["litres"] for x in b), 1))),
        (
            "milk yield of the morning sessions",
            [[round(sum(m["litres"] for m in M if m["session"] == "morning"), 1)]],
        ),
        ("how many litres were discarded?", [[round(sum(m["litres"] for m in M if m["discarded"]), 1)]]),
        ("average fat percent", [[mean(m["fat_percent"] for m in M)]]),
        ("milk this week", [[round(sum(m["litres"] for m in M if this_week(m["milked_on"], today)), 1)]]),
        (
            "How many litres of milk came from Holstein cows?",
            [[round(sum(m["litres"] for m in M if breed[m["cow"]] == "Holstein"), 1)]],
        ),
        (
            "milk per breed",
            [[b, round(sum(m["litres"] for m in M if breed[m["cow"]] == b), 1)] for b in sorted(set(breed.values()))],
        ),
        ("milkings with more than 20 litres", [[m["litres"]] for m in M if m["litres"] > 20]),
        ("When was Clover born?", [[C[5]["birth_date"]]]),
        ("last vet visit of Bella", [[C[1]["vet_visit"]]]),
        ("What did Daisy cost?", "none"),
        ("cows per barn", grp(C, "barn", len)),
        ("cows lighter than 450 kg", [["Rosie"], ["Molly"]]),
        (
            "daily milk",
            [
                [k, round(sum(m["litres"] for m in M if m["milked_on"] == k), 1)]
                for k in sorted({m["milked_on"] for m in M})
            ],
        ),
    ]
    return Domain({"cows": C, "milkings": M}, asked(questions))
