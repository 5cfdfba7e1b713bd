"""A car workshop: cars, jobs, parts."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.ask.plain.kit import NONE, Domain, Row, asked, best, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4711)
    cars: list[Row] = [
        {
            "plate": p,
            "make": m,
            "model": o,
            "year": y,
            "owner": w,
            "mileage": k,
            "fuel": f,
            "nextInspection": str(today + timedelta(days=i)),
        }
        for p, m, o, y, w, k, f, i in [
            ("KA 12", "Volvo", "V60", 2017, "Petra Noll", 142000, "diesel", 40),
            ("LB 77", "Fiat", "Panda", 2012, "Omar Sy", 98000, "petrol", -10),
            ("MC 05", "Tesla", "Model 3", 2021, "Rita Sand", 51000, "electric", 300),
            ("ND 31", "Volvo", "XC40", 2020, "Quin Ash", 77000, "petrol", 12),
            ("OE 48", "Ford", "Transit", 2015, "Petra Noll", 211000, "diesel", -45),
        ]
    ]
    jobs: list[Row] = [
        {
            "jobNo": 900 + i,
            "plate": rng.choice(cars)["plate"],
            "work": rng.choice(["oil change", "brakes", "tyres", "inspection", "clutch"]),
            "mechanic": rng.choice(["Toni", "Uwe", "Vera"]),
            "openedOn": str(today - timedelta(days=rng.randint(0, 70))),
            "hours": rng.choice([0.5, 1, 1.5, 2, 3, 5]),
            "price": rng.randint(60, 1400),
            "paid": rng.random() < 0.7,
            "status": rng.choice(["waiting", "in progress", "done", "done", "done"]),
        }
        for i in range(65)
    ]
    parts: list[Row] = [
        {"part": n, "stock": s, "minStock": m, "unitPrice": p, "shelf": h, "maker": k}
        for n, s, m, p, h, k in [
            ("oil filter", 40, 10, 8.5, "A1", "Mann"),
            ("brake pad", 6, 12, 32, "A2", "Brembo"),
            ("wiper blade", 0, 8, 11, "B1", "Bosch"),
            ("spark plug", 55, 20, 6.9, "B1", "Bosch"),
            ("clutch kit", 2, 2, 240, "C3", "Sachs"),
        ]
    ]
    C, J, P = cars, jobs, parts
    gc = {x["plate"]: x for x in C}
    questions = [
        ("How many cars do we look after?", [[5]]),
        ("cars of Petra Noll", [["KA 12"], ["OE 48"]]),
        ("Volvos", [["KA 12"], ["ND 31"]]),
        ("Who owns MC 05?", [["Rita Sand"]]),
        ("oldest car", [["LB 77"]]),
        ("cars with more than 100000 km", [["KA 12"], ["OE 48"]]),
        ("diesel cars built after 2016", [["KA 12"]]),
        ("cars with an overdue inspection", [["LB 77"], ["OE 48"]]),
        ("mileage of ND 31", [[77000]]),
        ("cars by fuel", grp(C, "fuel", len)),
        ("jobs in progress", [[x["jobNo"]] for x in J if x["status"] == "in progress"]),
        ("how many jobs are waiting", [[sum(x["status"] == "waiting" for x in J)]]),
        ("jobs not done yet", [[x["jobNo"]] for x in J if x["status"] != "done"]),
        ("unpaid jobs that are done", [[x["jobNo"]] for x in J if x["status"] == "done" and not x["paid"]]),
        ("total price of unpaid jobs", [[sum(x["price"] for x in J if not x["paid"])]]),
        ("hours worked per mechanic", grp(J, "mechanic", lambda b: sum(x["hours"] for x in b))),
        ("Which mechanic did the most jobs?", best(J, "mechanic", len)),
        (
            "jobs done by Vera this month",
            [
                [x["jobNo"]]
                for x in J
                if x["mechanic"] == "Vera" and x["status"] == "done" and this_month(x["openedOn"], today)
            ],
        ),
        ("average price of a clutch job", [[mean(x["price"] for x in J if x["work"] == "clutch")]]),
        ("jobs on Volvos", [[x["jobNo"]] for x in J if gc[x["plate"]]["make"] == "Volvo"]),
        ("jobs for Omar Sy", [[x["jobNo"]] for x in J if gc[x["plate"]]["owner"] == "Omar Sy"]),
        ("What is the most common work?", best(J, "work", len)),
        ("parts below minimum stock", [["brake pad"], ["wiper blade"]]),
        ("parts that are out of stock", [["wiper blade"]]),
        ("how many spark plugs do we have", [[55]]),
        ("Where are the wiper blades kept?", [["B1"]]),
        ("parts made by Bosch", [["wiper blade"], ["spark plug"]]),
        ("most expensive part", [["clutch kit"]]),
        ("address of Petra Noll", NONE),
        ("colour of KA 12", NONE),
    ]
    return Domain({"cars": C, "jobs": J, "parts": P}, asked(questions))
