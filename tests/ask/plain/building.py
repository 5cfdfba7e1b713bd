"""A builder: sites, workers, deliveries."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.ask.plain.kit import NONE, Domain, Row, asked, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4711)
    sites: list[Row] = [
        {
            "site": n,
            "client": c,
            "foreman": f,
            "city": t,
            "budget": b,
            "spent": s,
            "startedOn": str(today - timedelta(days=a)),
            "dueOn": str(today + timedelta(days=e)),
            "finished": z,
            "floors": fl,
        }
        for n, c, f, t, b, s, a, e, z, fl in [
            ("Mill Lane", "Orbis", "Hugo Pratt", "Graz", 800000, 650000, 200, 60, False, 4),
            ("East Tower", "Kappa", "Ida Lorenz", "Linz", 4200000, 4390000, 500, -15, False, 18),
            ("School Annex", "City of Graz", "Hugo Pratt", "Graz", 1500000, 1490000, 420, -60, True, 3),
            ("Depot 7", "Orbis", "Jan Moser", "Wels", 300000, 120000, 45, 120, False, 1),
            ("Lake Villas", "Tessa Bau", "Ida Lorenz", "Linz", 990000, 210000, 80, 200, False, 2),
        ]
    ]
    workers: list[Row] = [
        {"worker": w, "trade": t, "site": s, "hourlyPay": p, "hiredOn": str(today - timedelta(days=h)), "certified": c}
        for w, t, s, p, h, c in [
            ("Aro", "mason", "Mill Lane", 24.5, 900, True),
            ("Bix", "electrician", "East Tower", 31, 400, True),
            ("Coe", "mason", "East Tower", 23, 120, False),
            ("Dov", "plumber", "Lake Villas", 29.5, 2200, True),
            ("Ean", "roofer", "Mill Lane", 26, 60, False),
            ("Fil", "electrician", "Depot 7", 33, 1500, True),
            ("Gus", "mason", "Depot 7", 22.5, 30, False),
            ("Hal", "crane driver", "East Tower", 35, 700, True),
        ]
    ]
    deliv: list[Row] = [
        {
            "deliveryNo": i + 1,
            "site": rng.choice(sites)["site"],
            "material": rng.choice(["cement", "steel", "bricks", "timber"]),
            "tonnes": rng.randint(1, 24),
            "cost": rng.randint(200, 9000),
            "deliveredOn": str(today - timedelta(days=rng.randint(0, 75))),
            "supplier": rng.choice(["Ferrum", "Holz & Co", "Beton AG"]),
            "accepted": rng.random() < 0.85,
        }
        for i in range(80)
    ]
    S, Wk, L = sites, workers, deliv
    questions = [
        ("Which sites are finished?", [["School Annex"]]),
        ("sites still unfinished", [[x["site"]] for x in S if not x["finished"]]),
        ("sites over budget", [["East Tower"]]),
        ("Who is the foreman at Depot 7?", [["Jan Moser"]]),
        ("sites run by Ida Lorenz", [["East Tower"], ["Lake Villas"]]),
        ("how many floors does East Tower have", [[18]]),
        ("biggest budget", [["East Tower"]]),
        ("total budget per city", grp(S, "city", lambda b: sum(x["budget"] for x in b))),
        ("late sites", [["East Tower"]]),
        ("which site is due next", [["Mill Lane"]]),
        ("sites with a budget under a million", [["Mill Lane"], ["Depot 7"], ["Lake Villas"]]),
        ("money spent in total", [[sum(x["spent"] for x in S)]]),
        ("How many workers are on East Tower?", [[3]]),
        ("list the masons", [["Aro"], ["Coe"], ["Gus"]]),
        ("best paid worker", [["Hal"]]),
        ("average pay per trade", grp(Wk, "trade", lambda b: mean(x["hourlyPay"] for x in b))),
        ("uncertified workers", [["Coe"], ["Ean"], ["Gus"]]),
        ("What does Dov earn per hour?", [[29.5]]),
        ("who was hired last", [["Gus"]]),
        ("who has been with us longest", [["Dov"]]),
        ("workers in Linz", [["Bix"], ["Coe"], ["Dov"], ["Hal"]]),
        ("workers under Hugo Pratt", [["Aro"], ["Ean"]]),
        ("tonnes of steel delivered", [[sum(x["tonnes"] for x in L if x["material"] == "steel")]]),
        (
            "how much cement went to Mill Lane",
            [[sum(x["tonnes"] for x in L if x["material"] == "cement" and x["site"] == "Mill Lane")]],
        ),
        ("cost of materials per site", grp(L, "site", lambda b: sum(x["cost"] for x in b))),
        (
            "deliveries last week",
            [
                [x["deliveryNo"]]
                for x in L
                if (lambda m: m - timedelta(days=7) <= date.fromisoformat(x["deliveredOn"]) < m)(
                    today - timedelta(days=today.weekday())
                )
            ],
        ),
        (
            "deliveries from Ferrum over 20 tonnes",
            [[x["deliveryNo"]] for x in L if x["supplier"] == "Ferrum" and x["tonnes"] > 20],
        ),
        ("weather in Graz", NONE),
        ("accidents at East Tower", NONE),
    ]
    return Domain({"sites": S, "workers": Wk, "deliveries": L}, asked(questions))
