"""A pharmacy: its drugs, and what was prescribed."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5008)
    drugs: list[Row] = [
        {
            "drugName": n,
            "activeSubstance": a,
            "form": f,
            "strengthMg": s,
            "stock": q,
            "minStock": m,
            "unitPrice": p,
            "supplier": su,
            "expiryDate": str(today + timedelta(days=e)),
            "prescriptionOnly": rx,
            "shelf": sh,
        }
        for n, a, f, s, q, m, p, su, e, rx, sh in [
            ("Amoxil", "amoxicillin", "capsule", 500, 120, 50, 8.4, "Medco", 200, True, "A1"),
            ("Panadex", "paracetamol", "tablet", 500, 800, 200, 2.1, "Galen", 500, False, "A2"),
            ("Ibuflex", "ibuprofen", "tablet", 400, 35, 100, 3.6, "Galen", 90, False, "A2"),
            ("Insulora", "insulin", "injection", 100, 14, 20, 42.0, "Norda", 25, True, "F1"),
            ("Loratine", "loratadine", "tablet", 10, 260, 80, 4.9, "Medco", 700, False, "B1"),
            ("Cardiox", "bisoprolol", "tablet", 5, 90, 60, 6.2, "Norda", -4, True, "B3"),
            ("Coughmix", "codeine", "syrup", 15, 0, 10, 7.7, "Galen", 60, True, "C1"),
            ("Dermal", "hydrocortisone", "cream", 10, 48, 30, 5.5, "Medco", 15, False, "C2"),
        ]
    ]
    scripts: list[Row] = [
        {
            "scriptNo": 9000 + i,
            "patientName": rng.choice(["Ana Wolf", "Ben Roth", "Carla Diaz", "Dov Katz", "Eli Marsh"]),
            "drug": rng.choice(drugs)["drugName"],
            "doctor": rng.choice(["Dr. Voss", "Dr. Imai", "Dr. Okoye"]),
            "issuedOn": str(today - timedelta(days=rng.randint(0, 60))),
            "quantity": rng.choice([10, 20, 30, 60]),
            "repeat": rng.random() < 0.4,
            "status": rng.choice(["dispensed", "dispensed", "waiting", "cancelled"]),
        }
        for i in range(80)
    ]
    D, S = drugs, scripts
    sub = {x["drugName"]: x for x in D}
    questions: list[tuple[str, Any]] = [
        ("How many drugs do we stock?", [[8]]),
        ("which drugs need a prescription", [[x["drugName"]] for x in D if x["prescriptionOnly"]]),
        ("What's out of stock?", [["Coughmix"]]),
        ("expired drugs", [["Cardiox"]]),
        ("drugs expiring in the next 30 days", [["Insulora"], ["Dermal"]]),
        ("most expensive drug", [["Insulora"]]),
        ("price of Loratine", [[4.9]]),
        ("How much Panadex is left?", [[800]]),
        ("Who supplies Ibuflex?", [["Galen"]]),
        ("tablets from Galen", [["Panadex"], ["Ibuflex"]]),
        ("number of drugs per supplier", grp(D, "supplier", len)),
        ("average price of tablets", [[mean(x["unitPrice"] for x in D if x["form"] == "tablet")]]),
        ("what is on shelf A2", [["Panadex"], ["Ibuflex"]]),
        ("which shelf is Insulora on", [["F1"]]),
        ("how many prescriptions are waiting", [[sum(s["status"] == "waiting" for s in S)]]),
        ("prescriptions by Dr. Imai", [[s["scriptNo"]] for s in S if s["doctor"] == "Dr. Imai"]),
        (
            "How many scripts did Dr. Voss write this month?",
            [[sum(s["doctor"] == "Dr. Voss" and this_month(s["issuedOn"], today) for s in S)]],
        ),
        ("which doctor wrote the most scripts", best(S, "doctor", len)),
        ("scripts for Ana Wolf", [[s["scriptNo"]] for s in S if s["patientName"] == "Ana Wolf"]),
        ("total quantity of Amoxil", [[sum(s["quantity"] for s in S if s["drug"] == "Amoxil")]]),
        ("quantity per drug", grp(S, "drug", lambda b: sum(x["quantity"] for x in b))),
        ("repeat scripts", [[s["scriptNo"]] for s in S if s["repeat"]]),
        ("side effects of Cardiox", "none"),
        ("scripts for drugs from Norda", [[s["scriptNo"]] for s in S if sub[s["drug"]]["supplier"] == "Norda"]),
        ("cheapest tablet", [["Panadex"]]),
    ]
    return Domain({"drugs": D, "scripts": S}, asked(questions))
