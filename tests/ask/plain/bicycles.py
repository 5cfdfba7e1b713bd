"""A bicycle shop: bikes in stock, and what was sold."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, last_month, mean

names = (
    "Anna Weber", "Ben Carter", "Chloe Martin", "David Novak", "Elif Yilmaz", "Frank Moser", "Grace Lee", "Hugo Lopez",
    "Ivy Chen", "Jack Olsen", "Kira Popov", "Liam Murphy", "Mona Haddad", "Nils Berg", "Olga Ivanova", "Paul Dubois",
)  # fmt: skip


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5)
    bikes: list[Row] = [
        {
            "model": m,
            "brand": rng.choice(["Trek", "Giant", "Cube"]),
            "type": rng.choice(["road", "mountain", "city", "electric"]),
            "price": rng.choice([450, 799, 1200, 2500, 3999]),
            "stock": rng.randint(0, 15),
            "weight_kg": round(rng.uniform(8, 24), 1),
            "discontinued": rng.random() < 0.25,
        }
        for m in [
            "Falcon",
            "Breeze",
            "Summit",
            "Volt",
            "Swift",
            "Rocky",
            "Metro",
            "Storm",
            "Ranger",
            "Luna",
            "Nova",
            "Peak",
        ]
    ]
    for b, w in zip(bikes, [8.1, 9.2, 10.3, 11.4, 12.5, 13.6, 14.7, 15.8, 16.9, 18, 19.1, 20.2], strict=True):
        b["weight_kg"] = w
    sales: list[Row] = [
        {
            "bike": rng.choice(bikes)["model"],
            "customer": rng.choice(names),
            "salesperson": rng.choice(["Tom", "Sara", "Nina"]),
            "quantity": rng.randint(1, 3),
            "total": rng.choice([450, 900, 1200, 2500, 799, 1598, 3999]),
            "sold_at": str(today - timedelta(days=rng.randint(0, 75))),
            "payment": rng.choice(["card", "cash", "transfer"]),
        }
        for _ in range(70)
    ]
    B, S = bikes, sales
    ly = [s for s in S if last_month(s["sold_at"], today)]
    questions: list[tuple[str, Any]] = [
        ("How many bikes do we have in stock?", [[sum(b["stock"] for b in B)]]),
        ("Which bikes are out of stock?", [[b["model"]] for b in B if b["stock"] == 0]),
        ("Which bike is the lightest?", [["Falcon"]]),
        ("Which bike is the heaviest?", [["Peak"]]),
        ("List all electric bikes", [[b["model"]] for b in B if b["type"] == "electric"]),
        ("How many mountain bikes are there?", [[sum(b["type"] == "mountain" for b in B)]]),
        ("Average price of road bikes", [[mean(b["price"] for b in B if b["type"] == "road")]]),
        ("bikes under 1000", [[b["model"]] for b in B if b["price"] < 1000]),
        ("What does the Volt cost?", [[b["price"]] for b in B if b["model"] == "Volt"]),
        ("What is the weight of the Storm?", [[b["weight_kg"]] for b in B if b["model"] == "Storm"]),
        ("How many models per brand?", grp(B, "brand", len)),
        ("Which bikes are discontinued?", [[b["model"]] for b in B if b["discontinued"]]),
        ("How many bikes are not discontinued?", [[sum(not b["discontinued"] for b in B)]]),
        ("What is the total revenue?", [[sum(s["total"] for s in S)]]),
        ("How many sales were paid by card?", [[sum(s["payment"] == "card" for s in S)]]),
        ("Total revenue per salesperson", grp(S, "salesperson", lambda b: sum(x["total"] for x in b))),
        ("Who sold the most bikes?", best(S, "salesperson", lambda b: sum(x["quantity"] for x in b))),
        ("How many sales did Nina make?", [[sum(s["salesperson"] == "Nina" for s in S)]]),
        ("How many sales last month?", [[len(ly)]]),
        ("Total sales amount last month", [[sum(s["total"] for s in ly)]]),
        ("Sales over 2000", [[s["customer"], s["total"]] for s in S if s["total"] > 2000]),
        ("Average sale total", [[mean(s["total"] for s in S)]]),
        ("Which payment method is used most often?", best(S, "payment", len)),
        ("Show sales of the Falcon", [[s["customer"], s["total"]] for s in S if s["bike"] == "Falcon"]),
        ("How many units of each bike were sold?", grp(S, "bike", lambda b: sum(x["quantity"] for x in b))),
        ("How many Cube bikes are there?", [[sum(b["brand"] == "Cube" for b in B)]]),
        ("the 3 lightest bikes", [["Falcon"], ["Breeze"], ["Summit"]]),
        ("bikes heavier than 15 kg", [[b["model"]] for b in B if b["weight_kg"] > 15]),
        ("sales yesterday", [[s["customer"], s["total"]] for s in S if d(s["sold_at"]) == today - timedelta(1)]),
        ("What brands do we sell?", [[c] for c in {b["brand"] for b in B}]),
        ("How much did Ivy Chen spend?", [[sum(s["total"] for s in S if s["customer"] == "Ivy Chen")]]),
        ("maximum sale total per payment type", grp(S, "payment", lambda b: max(x["total"] for x in b))),
        ("What color is the Luna?", "none"),
        ("average stock by type", grp(B, "type", lambda b: mean(x["stock"] for x in b))),
        ("List models and prices of Trek bikes", [[b["model"], b["price"]] for b in B if b["brand"] == "Trek"]),
    ]
    return Domain({"bikes": bikes, "sales": sales}, asked(questions))
