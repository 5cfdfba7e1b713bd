"""A museum: what it shows, who came, and what was given."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, grp, last_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5006)
    ex: list[Row] = [
        {
            "title": t,
            "artist": a,
            "year": y,
            "medium": m,
            "gallery": g,
            "insured_value": v,
            "on_loan": each,
            "condition": c,
        }
        for t, a, y, m, g, v, each, c in [
            ("Blue Door", "Lena Marsh", 1911, "oil", "East Wing", 120000, False, "good"),
            ("Harvest", "Lena Marsh", 1923, "oil", "East Wing", 340000, True, "good"),
            ("Night Tram", "Otto Blum", 1934, "print", "Hall 2", 15000, False, "fair"),
            ("Untitled 4", "Yuki Sato", 1988, "sculpture", "Garden", 90000, False, "poor"),
            ("River Song", "Ada Flint", 1876, "watercolor", "Hall 2", 47000, False, "good"),
            ("Iron Bird", "Yuki Sato", 1992, "sculpture", "Garden", 210000, True, "fair"),
            ("Self Portrait", "Ada Flint", 1890, "oil", "East Wing", 510000, False, "good"),
        ]
    ]
    vis: list[Row] = [
        {
            "visit_date": str(today - timedelta(days=rng.randint(0, 40))),
            "visitors": rng.randint(20, 400),
            "ticket_type": rng.choice(["adult", "child", "group", "member"]),
            "income": rng.randint(100, 4000),
            "guided": rng.random() < 0.3,
            "guide": rng.choice(["Ines", "Jules", "Karl"]),
        }
        for _ in range(80)
    ]
    don: list[Row] = [
        {"donor": n, "amount": a, "given_on": str(today - timedelta(days=k)), "purpose": p, "anonymous": an}
        for n, a, k, p, an in [
            ("Friends of Art", 5000, 3, "restoration", False),
            ("M. Keller", 250, 15, "general", False),
            ("unknown", 1000, 33, "general", True),
            ("Stern Trust", 20000, 60, "acquisition", False),
            ("M. Keller", 300, 80, "restoration", False),
            ("Friends of Art", 7500, 120, "acquisition", False),
        ]
    ]
    E_, G, gifts = ex, vis, don
    questions: list[tuple[str, Any]] = [
        ("How many exhibits are on loan?", [[2]]),
        ("works by Lena Marsh", [["Blue Door"], ["Harvest"]]),
        ("Who painted Night Tram?", [["Otto Blum"]]),
        ("most valuable exhibit", [["Self Portrait"]]),
        ("total insured value", [[sum(x["insured_value"] for x in E_)]]),
        ("insured value per artist", grp(E_, "artist", lambda b: sum(x["insured_value"] for x in b))),
        ("exhibits in poor condition", [["Untitled 4"]]),
        ("sculptures in the garden", [["Untitled 4"], ["Iron Bird"]]),
        ("exhibits from before 1900", [["River Song"], ["Self Portrait"]]),
        ("oldest exhibit", [["River Song"]]),
        ("How many oil paintings are there?", [[3]]),
        ("which galleries are there", [["East Wing"], ["Hall 2"], ["Garden"]]),
        ("Where is River Song?", [["Hall 2"]]),
        ("exhibits worth more than 100000", [["Blue Door"], ["Harvest"], ["Iron Bird"], ["Self Portrait"]]),
        ("visitors last month", [[sum(v["visitors"] for v in G if last_month(v["visit_date"], today))]]),
        ("total income", [[sum(v["income"] for v in G)]]),
        ("income by ticket type", grp(G, "ticket_type", lambda b: sum(x["income"] for x in b))),
        ("How many guided visits did Ines lead?", [[sum(v["guided"] and v["guide"] == "Ines" for v in G)]]),
        ("How much did Friends of Art donate?", [[12500]]),
        ("biggest donation", [[20000]]),
        ("donations for restoration", [[5000], [300]]),
        ("anonymous donations", [[1000]]),
        ("total donations per purpose", grp(gifts, "purpose", lambda b: sum(x["amount"] for x in b))),
        ("donations in the last 30 days", [[5000], [250]]),
        ("Who is the curator of the East Wing?", "none"),
    ]
    return Domain({"exhibits": E_, "visits": G, "donations": gifts}, asked(questions))
