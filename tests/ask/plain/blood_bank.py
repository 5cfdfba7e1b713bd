"""A blood bank: its donors and its bags."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.ask.plain.kit import NONE, Domain, Row, asked, best, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4711)
    donors: list[Row] = [
        {
            "donor": n,
            "bloodGroup": g,
            "sex": s,
            "birthDate": b,
            "city": c,
            "weightKg": w,
            "blocked": k,
            "lastDonation": str(today - timedelta(days=ago)),
        }
        for n, g, s, b, c, w, k, ago in [
            ("Ada Brook", "O+", "female", "1988-03-02", "Lund", 61, False, 70),
            ("Ben Cole", "A-", "male", "1975-11-20", "Malmo", 84, False, 20),
            ("Cia Dahl", "O-", "female", "1999-07-08", "Lund", 58, True, 200),
            ("Dan Ek", "B+", "male", "1962-01-30", "Ystad", 90, False, 130),
            ("Eli Frost", "AB+", "male", "2001-05-14", "Malmo", 77, False, 10),
            ("Fay Grahn", "O+", "female", "1970-09-09", "Lund", 70, False, 95),
        ]
    ]
    units: list[Row] = [
        {
            "bagNo": 50000 + i * 7,
            "donor": rng.choice(donors)["donor"],
            "collectedOn": str(today - timedelta(days=(k := rng.randint(0, 60)))),
            "expiresOn": str(today - timedelta(days=k) + timedelta(days=42)),
            "volumeMl": rng.choice([400, 450, 500]),
            "tested": rng.random() < 0.75,
            "fridge": rng.choice(["F1", "F2", "F3"]),
            "usedBy": rng.choice([None, None, "St Anna", "City Clinic"]),
        }
        for i in range(60)
    ]
    D, U = donors, units
    gd = {x["donor"]: x for x in D}
    questions = [
        ("How many donors are there?", [[6]]),
        ("donors from Lund", [["Ada Brook"], ["Cia Dahl"], ["Fay Grahn"]]),
        ("Who has blood group B+?", [["Dan Ek"]]),
        ("female donors with group O+", [["Ada Brook"], ["Fay Grahn"]]),
        ("donors that are blocked", [["Cia Dahl"]]),
        ("heaviest donor", [["Dan Ek"]]),
        ("youngest donor", [["Eli Frost"]]),
        ("donors born before 1980", [["Ben Cole"], ["Dan Ek"], ["Fay Grahn"]]),
        ("who has not donated for more than 90 days?", [["Cia Dahl"], ["Dan Ek"], ["Fay Grahn"]]),
        ("average weight of men", [[mean(x["weightKg"] for x in D if x["sex"] == "male")]]),
        ("how many donors per city", grp(D, "city", len)),
        ("What is Eli Frost's blood group?", [["AB+"]]),
        ("When did Ben Cole last donate?", [[D[1]["lastDonation"]]]),
        ("total volume in ml", [[sum(x["volumeMl"] for x in U)]]),
        (
            "How much blood did we collect this month?",
            [[sum(x["volumeMl"] for x in U if this_month(x["collectedOn"], today))]],
        ),
        ("volume collected per donor", grp(U, "donor", lambda b: sum(x["volumeMl"] for x in b))),
        ("bags that have not been tested", [[x["bagNo"]] for x in U if not x["tested"]]),
        ("how many untested bags are in fridge F2", [[sum(not x["tested"] and x["fridge"] == "F2" for x in U)]]),
        ("expired bags", [[x["bagNo"]] for x in U if x["expiresOn"] < str(today)]),
        (
            "bags that expire in the next 7 days",
            [[x["bagNo"]] for x in U if str(today) <= x["expiresOn"] <= str(today + timedelta(days=7))],
        ),
        ("bags used by St Anna", [[x["bagNo"]] for x in U if x["usedBy"] == "St Anna"]),
        ("bags nobody has used yet", [[x["bagNo"]] for x in U if x["usedBy"] is None]),
        ("number of bags per fridge", grp(U, "fridge", len)),
        ("which fridge holds the most bags", best(U, "fridge", len)),
        ("bags of O+ donors", [[x["bagNo"]] for x in U if gd[x["donor"]]["bloodGroup"] == "O+"]),
        ("How many bags did Ada Brook give?", [[sum(x["donor"] == "Ada Brook" for x in U)]]),
        ("phone number of Dan Ek", NONE),
        ("haemoglobin of Fay Grahn", NONE),
    ]
    return Domain({"donors": D, "bags": U}, asked(questions))
