"""A shop: products, and sales of them that are numbered."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, last_month, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4243)
    products: list[Row] = [
        {
            "sku": f"P{i:03d}",
            "name": n,
            "category": c,
            "price": p,
            "stock": s,
            "supplier": su,
            "weight_g": w,
            "discontinued": di,
            "added_on": str(today - timedelta(days=a)),
        }
        for i, (n, c, p, s, su, w, di, a) in enumerate(
            [
                ("Walnut Desk", "furniture", 349.0, 4, "Oakline", 24000, False, 400),
                ("Pine Shelf", "furniture", 89.5, 0, "Oakline", 9000, False, 310),
                ("Desk Lamp", "lighting", 39.9, 25, "Lumio", 1200, False, 120),
                ("Floor Lamp", "lighting", 79.0, 7, "Lumio", 4300, False, 90),
                ("Ceiling Light", "lighting", 129.0, 0, "Brightco", 3500, True, 700),
                ("Office Chair", "furniture", 199.0, 12, "SitWell", 14000, False, 60),
                ("Bar Stool", "furniture", 74.0, 30, "SitWell", 6000, True, 800),
                ("Notebook A5", "stationery", 4.5, 240, "Paperie", 220, False, 30),
                ("Fountain Pen", "stationery", 28.0, 18, "Paperie", 60, False, 15),
                ("Stapler", "stationery", 12.0, 55, "Paperie", 310, False, 200),
                ("Desk Mat", "accessories", 22.0, 3, "Oakline", 700, False, 10),
                ("Cable Box", "accessories", 17.5, 61, "Brightco", 900, False, 45),
            ]
        )
    ]
    sales: list[Row] = []
    for i in range(150):
        p = rng.choice(products)
        q = rng.randint(1, 6)
        sales.append(
            {
                "saleNo": 20000 + i,
                "product": p["name"],
                "quantity": q,
                "amount": round(q * p["price"], 2),
                "soldOn": str(today - timedelta(days=rng.randint(0, 70))),
                "channel": rng.choice(["online", "shop", "phone"]),
                "salesperson": rng.choice(["Amira", "Bruno", "Celia"]),
                "paid": rng.random() < 0.8,
                "region": rng.choice(["North", "South", "East"]),
            }
        )
    P, S = products, sales

    def rs(held: list[Row]) -> float:
        return round(sum(float(row["amount"]) for row in held), 2)

    questions: list[tuple[str, Any]] = [
        ("How many products do we have?", [[12]]),
        ("Which products are out of stock?", [["Pine Shelf"], ["Ceiling Light"]]),
        ("products with less than 10 in stock", [[p["name"]] for p in P if p["stock"] < 10]),
        ("What does the Desk Lamp cost?", [[39.9]]),
        ("most expensive product", [["Walnut Desk"]]),
        ("How many products does Paperie supply?", [[3]]),
        ("Which supplier supplies the most products?", best(P, "supplier", len)),
        ("average price per category", grp(P, "category", lambda b: mean(x["price"] for x in b))),
        ("discontinued products", [["Ceiling Light"], ["Bar Stool"]]),
        ("products that are not discontinued and out of stock", [["Pine Shelf"]]),
        ("furniture over 100", [["Walnut Desk"], ["Office Chair"]]),
        ("What is the heaviest product?", [["Walnut Desk"]]),
        ("How heavy is the Bar Stool?", [[6000]]),
        ("How many categories are there?", [[4]]),
        ("total stock of stationery", [[240 + 18 + 55]]),
        ("total revenue", [[rs(S)]]),
        ("revenue per channel", grp(S, "channel", rs)),
        ("revenue this month", [[rs([s for s in S if this_month(s["soldOn"], today)])]]),
        ("sales last month", [[s["saleNo"]] for s in S if last_month(s["soldOn"], today)]),
        ("unpaid sales", [[s["saleNo"]] for s in S if not s["paid"]]),
        ("How many sales are not paid yet?", [[sum(not s["paid"] for s in S)]]),
        ("How many desk lamps were sold?", [[sum(s["quantity"] for s in S if s["product"] == "Desk Lamp")]]),
        (
            "sales in the North region over 500",
            [[s["saleNo"]] for s in S if s["region"] == "North" and s["amount"] > 500],
        ),
        ("average sale amount", [[mean(s["amount"] for s in S)]]),
        ("online sales today", [[s["saleNo"]] for s in S if s["channel"] == "online" and d(s["soldOn"]) == today]),
        ("total quantity sold per product", grp(S, "product", lambda b: sum(x["quantity"] for x in b))),
        ("how many sales per salesperson", grp(S, "salesperson", len)),
        ("What is the profit margin of the Stapler?", "none"),
        (
            "sales by Celia in the shop",
            [[s["saleNo"]] for s in S if s["salesperson"] == "Celia" and s["channel"] == "shop"],
        ),
        ("Which region earns the most?", best(S, "region", rs)),
    ]
    return Domain({"products": products, "sales": sales}, asked(questions))
