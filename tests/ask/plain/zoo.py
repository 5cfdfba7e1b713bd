"""A zoo: animals and feedings."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(9)
    animals: list[Row] = []
    for i, (n, s, e, c) in enumerate(
        [
            ("Kibo", "lion", "Savanna", "Kenya"),
            ("Zuri", "lion", "Savanna", "Kenya"),
            ("Raja", "tiger", "Asia House", "India"),
            ("Mira", "tiger", "Asia House", "India"),
            ("Dumbo", "elephant", "Savanna", "Botswana"),
            ("Ella", "elephant", "Savanna", "Botswana"),
            ("Koko", "gorilla", "Rainforest", "Congo"),
            ("Bobo", "gorilla", "Rainforest", "Congo"),
            ("Pingu", "penguin", "Polar World", "Antarctica"),
            ("Skipper", "penguin", "Polar World", "Antarctica"),
            ("Rico", "penguin", "Polar World", "Antarctica"),
            ("Nanuk", "polar bear", "Polar World", "Canada"),
            ("Gigi", "giraffe", "Savanna", "Kenya"),
            ("Slowpoke", "sloth", "Rainforest", "Brazil"),
        ]
    ):
        animals.append(
            {
                "name": n,
                "species": s,
                "enclosure": e,
                "origin": c,
                "age_years": [7, 5, 11, 3, 22, 30, 17, 13, 2, 4, 6, 9, 8, 10][i],
                "weight_kg": [190.5, 130, 220, 95.5, 5400, 3100, 170, 140, 4.2, 5.1, 4.8, 450, 820, 6.5][i],
                "sex": ["male", "female"][i % 2],
                "sick": i in (2, 9, 11),
                "arrived_on": str(date(2012 + i % 9, 1 + i % 12, 10)),
            }
        )
    feed: list[Row] = [
        {
            "animal": rng.choice(animals)["name"],
            "keeper": rng.choice(["Lena", "Oskar", "Priya"]),
            "food": rng.choice(["meat", "fish", "hay", "fruit"]),
            "amount_kg": rng.choice([1.5, 3, 8, 20, 45.5]),
            "fed_at": (
                datetime.combine(today - timedelta(days=rng.randint(0, 20)), time())
                + timedelta(hours=rng.choice([7, 12, 17]))
            ).isoformat()
            + "Z",
            "cost": rng.choice([5, 12.5, 30, 80]),
        }
        for _ in range(60)
    ]
    A, F = animals, feed
    questions: list[tuple[str, Any]] = [
        ("How many animals do we have?", [[len(A)]]),
        ("How many lions are there?", [[2]]),
        ("Which animals are sick?", [[a["name"]] for a in A if a["sick"]]),
        ("How many animals are not sick?", [[11]]),
        ("What is the heaviest animal?", [["Dumbo"]]),
        ("Which animal is the lightest?", [["Pingu"]]),
        ("Who is the oldest animal?", [["Ella"]]),
        ("youngest animal in the Savanna", [["Zuri"]]),
        ("How old is Koko?", [[17]]),
        ("How much does Nanuk weigh?", [[450]]),
        ("What species is Gigi?", [["giraffe"]]),
        ("Where does Raja live?", [["Asia House"]]),
        ("Where is Slowpoke from?", [["Brazil"]]),
        ("List all penguins", [["Pingu"], ["Skipper"], ["Rico"]]),
        ("How many animals per enclosure?", grp(A, "enclosure", len)),
        ("Which enclosure has the most animals?", best(A, "enclosure", len)),
        ("average weight of elephants", [[4250]]),
        (
            "total weight of all animals in Polar World",
            [[sum(a["weight_kg"] for a in A if a["enclosure"] == "Polar World")]],
        ),
        ("animals older than 10", [[a["name"]] for a in A if a["age_years"] > 10]),
        ("animals heavier than 1000 kg", [["Dumbo"], ["Ella"]]),
        ("How many female animals are there?", [[7]]),
        (
            "male animals in the Rainforest",
            [[a["name"]] for a in A if a["sex"] == "male" and a["enclosure"] == "Rainforest"],
        ),
        ("What species do we have?", [[s] for s in {a["species"] for a in A}]),
        ("animals that arrived in 2015", [[a["name"]] for a in A if d(a["arrived_on"]).year == 2015]),
        ("animals that arrived after 2018", [[a["name"]] for a in A if d(a["arrived_on"]).year > 2018]),
        ("When did Kibo arrive?", [["2012-01-10"]]),
        ("How much meat was fed?", [[sum(f["amount_kg"] for f in F if f["food"] == "meat")]]),
        ("How many feedings did Lena do?", [[sum(f["keeper"] == "Lena" for f in F)]]),
        ("total cost of feeding per food", grp(F, "food", lambda b: sum(x["cost"] for x in b))),
        ("Which keeper did the most feedings?", best(F, "keeper", len)),
        ("feedings today", [[f["animal"], f["food"]] for f in F if d(f["fed_at"]) == today]),
        ("How many feedings were there yesterday?", [[sum(d(f["fed_at"]) == today - timedelta(1) for f in F)]]),
        ("feedings over 20 kg", [[f["animal"], f["amount_kg"]] for f in F if f["amount_kg"] > 20]),
        ("average amount per feeding", [[mean(f["amount_kg"] for f in F)]]),
        ("What is the average age by species?", grp(A, "species", lambda b: mean(x["age_years"] for x in b))),
        ("the three oldest animals", [["Ella"], ["Dumbo"], ["Koko"]]),
        ("What is the name of the sloth?", [["Slowpoke"]]),
        ("Which animals come from Kenya?", [["Kibo"], ["Zuri"], ["Gigi"]]),
        ("What is Kibo's favourite toy?", "none"),
        ("animals between 100 and 200 kg", [[a["name"]] for a in A if 100 <= a["weight_kg"] <= 200]),
    ]
    return Domain({"animals": animals, "feedings": feed}, asked(questions))
