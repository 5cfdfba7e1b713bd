"""Freight: shipments that are numbered, and trucks."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(978)
    shipments: list[Row] = []
    for i in range(70):
        ds = rng.randint(0, 40)
        st = rng.choice(["delivered", "delivered", "in transit", "delayed", "lost"])
        shipments.append(
            {
                "shipment_number": 70000 + i,
                "origin": rng.choice(["Hamburg", "Rotterdam", "Trieste"]),
                "destination": rng.choice(["Vienna", "Prague", "Munich", "Zurich"]),
                "carrier": rng.choice(["DHL", "Schenker", "GLS"]),
                "weight_kg": rng.choice([12, 48, 120, 350, 900]),
                "pallets": rng.randint(1, 12),
                "cost_eur": rng.choice([85.5, 140, 260, 410.25, 980]),
                "status": st,
                "dispatched": str(today - timedelta(days=ds)),
                "delivered": str(today - timedelta(days=max(0, ds - rng.randint(1, 6)))) if st == "delivered" else None,
                "fragile": rng.random() < 0.3,
                "customs_cleared": rng.random() < 0.7,
            }
        )
    trucks: list[Row] = [
        {
            "truck": f"TR-{i + 1}",
            "driver": dn,
            "capacity_kg": c,
            "year": y,
            "km": k,
            "next_service": str(today + timedelta(days=n)),
            "available": a,
        }
        for i, (dn, c, y, k, n, a) in enumerate(
            [
                ("Joe Marsh", 18000, 2019, 412000, -3, True),
                ("Ada Holm", 12000, 2022, 98000, 45, False),
                ("Rui Costa", 24000, 2016, 780500, 12, True),
                ("Ben Ostler", 7500, 2023, 51000, 90, True),
                ("Mei Lin", 18000, 2020, 305000, 28, False),
            ]
        )
    ]
    S = shipments
    questions: list[tuple[str, Any]] = [
        ("How many shipments are delayed?", [[sum(s["status"] == "delayed" for s in S)]]),
        ("shipments in transit", [[s["shipment_number"]] for s in S if s["status"] == "in transit"]),
        ("Which shipments were lost?", [[s["shipment_number"]] for s in S if s["status"] == "lost"]),
        (
            "shipments from Hamburg to Vienna",
            [[s["shipment_number"]] for s in S if s["origin"] == "Hamburg" and s["destination"] == "Vienna"],
        ),
        ("cost per carrier", grp(S, "carrier", lambda b: sum(x["cost_eur"] for x in b))),
        ("total shipping cost", [[sum(s["cost_eur"] for s in S)]]),
        ("average weight per destination", grp(S, "destination", lambda b: mean(x["weight_kg"] for x in b))),
        ("shipments over 500 kg", [[s["shipment_number"]] for s in S if s["weight_kg"] > 500]),
        ("How many pallets were sent to Prague?", [[sum(s["pallets"] for s in S if s["destination"] == "Prague")]]),
        (
            "fragile shipments to Zurich",
            [[s["shipment_number"]] for s in S if s["fragile"] and s["destination"] == "Zurich"],
        ),
        ("shipments not cleared by customs", [[s["shipment_number"]] for s in S if not s["customs_cleared"]]),
        ("shipments dispatched today", [[s["shipment_number"]] for s in S if d(s["dispatched"]) == today]),
        ("What is the status of shipment 70012?", [[S[12]["status"]]]),
        ("Where does shipment 70020 come from?", [[S[20]["origin"]]]),
        ("Where is shipment 70031 going?", [[S[31]["destination"]]]),
        ("number of shipments per status", grp(S, "status", len)),
        ("How many shipments does DHL carry?", [[sum(s["carrier"] == "DHL" for s in S)]]),
        ("most common destination", best(S, "destination", len)),
        ("shipments that cost more than 400 euros", [[s["shipment_number"]] for s in S if s["cost_eur"] > 400]),
        ("Which trucks are available?", [["TR-1"], ["TR-3"], ["TR-4"]]),
        ("Who drives TR-3?", [["Rui Costa"]]),
        ("What does Mei Lin drive?", [["TR-5"]]),
        ("oldest truck", [["TR-3"]]),
        ("trucks overdue for service", [["TR-1"]]),
        ("truck with the largest capacity", [["TR-3"]]),
        ("trucks built after 2019", [["TR-2"], ["TR-4"], ["TR-5"]]),
        ("total capacity of the available trucks", [[18000 + 24000 + 7500]]),
        ("How many km does TR-4 have?", [[51000]]),
        ("insurance number of TR-2", "none"),
    ]
    return Domain({"shipments": shipments, "trucks": trucks}, asked(questions))
