"""A film festival: films, and screenings whose times have no offset."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng, monday = Random(5), today - timedelta(days=today.weekday())
    films: list[Row] = [
        {
            "title": t,
            "director": rng.choice(["Mara Silva", "Jon Reed", "Aiko Tanaka", "Luc Petit"]),
            "country": rng.choice(["France", "Japan", "Brazil", "USA"]),
            "year": rng.choice([2021, 2022, 2023, 2024, 2025]),
            "genre": rng.choice(["drama", "comedy", "documentary", "horror"]),
            "runtime_min": x,
            "rating": y,
        }
        for t, x, y in zip(
            [
                "Night Train",
                "Salt",
                "The Orchard",
                "Paper Moon City",
                "Echoes",
                "Last Ferry",
                "Red Kite",
                "Small Hours",
                "Winter Sun",
                "Glass",
                "Harvest",
                "Blue Door",
                "Tides",
                "Stone Bridge",
            ],
            [92, 101, 88, 120, 143, 75, 110, 97, 131, 84, 105, 99, 116, 126],
            [7.1, 6.4, 8.2, 5.9, 7.8, 6.9, 8.8, 7.3, 6.1, 5.2, 7.7, 8.4, 6.6, 7.0],
            strict=True,
        )
    ]
    halls = ["Grand Hall", "Studio", "Rooftop"]
    scr: list[Row] = [
        {
            "film": rng.choice(films)["title"],
            "hall": rng.choice(halls),
            "starts_at": (
                datetime.combine(today, time())
                + timedelta(days=rng.randint(-10, 10), hours=rng.choice([11, 14, 17, 20, 22]))
            ).isoformat(),
            "tickets_sold": rng.randint(5, 200),
            "capacity": 200,
            "sold_out": False,
        }
        for _ in range(50)
    ]
    for i, s in enumerate(scr):
        s["tickets_sold"] = 20 + 3 * i
        s["sold_out"] = i > 44
    F, C = films, scr

    def st(row: Row) -> datetime:
        return datetime.fromisoformat(row["starts_at"])

    questions: list[tuple[str, Any]] = [
        ("How many films are there?", [[len(F)]]),
        ("Which films are from Japan?", [[f["title"]] for f in F if f["country"] == "Japan"]),
        ("What is the longest film?", [["Echoes"]]),
        ("Which film has the highest rating?", [["Red Kite"]]),
        ("Which film has the lowest rating?", [["Glass"]]),
        ("Who directed Winter Sun?", [[f["director"]] for f in F if f["title"] == "Winter Sun"]),
        ("How long is Last Ferry?", [[75]]),
        ("How many films did Aiko Tanaka direct?", [[sum(f["director"] == "Aiko Tanaka" for f in F)]]),
        ("films rated above 8", [[f["title"]] for f in F if f["rating"] > 8]),
        ("Average rating per genre", grp(F, "genre", lambda b: mean(x["rating"] for x in b))),
        ("How many comedies are there?", [[sum(f["genre"] == "comedy" for f in F)]]),
        ("List all documentaries", [[f["title"]] for f in F if f["genre"] == "documentary"]),
        ("films from 2023", [[f["title"]] for f in F if f["year"] == 2023]),
        ("films released after 2023", [[f["title"]] for f in F if f["year"] > 2023]),
        ("Which films are shorter than 90 minutes?", [[f["title"]] for f in F if f["runtime_min"] < 90]),
        ("Average runtime of dramas", [[mean(f["runtime_min"] for f in F if f["genre"] == "drama")]]),
        ("How many films per country?", grp(F, "country", len)),
        ("Top 5 films by rating", [[f["title"]] for f in sorted(F, key=lambda f: -f["rating"])[:5]]),
        ("Rating of Harvest", [[7.7]]),
        ("How many screenings are in the Studio?", [[sum(s["hall"] == "Studio" for s in C)]]),
        ("How many tickets were sold in total?", [[sum(s["tickets_sold"] for s in C)]]),
        ("Tickets sold per hall", grp(C, "hall", lambda b: sum(x["tickets_sold"] for x in b))),
        ("Which screenings are sold out?", [[s["film"], s["tickets_sold"]] for s in C if s["sold_out"]]),
        ("How many screenings are sold out?", [[5]]),
        ("screenings today", [[s["film"], s["hall"]] for s in C if st(s).date() == today]),
        (
            "screenings tomorrow in the Grand Hall",
            [
                [s["film"], s["tickets_sold"]]
                for s in C
                if st(s).date() == today + timedelta(1) and s["hall"] == "Grand Hall"
            ],
        ),
        ("average number of tickets sold per screening", [[mean(s["tickets_sold"] for s in C)]]),
        ("How many tickets were sold for Salt?", [[sum(s["tickets_sold"] for s in C if s["film"] == "Salt")]]),
        ("Which film sold the most tickets?", best(C, "film", lambda b: sum(x["tickets_sold"] for x in b))),
        ("Which hall had the fewest screenings?", best(C, "hall", len, rev=False)),
        (
            "screenings with more than 150 tickets sold",
            [[s["film"], s["tickets_sold"]] for s in C if s["tickets_sold"] > 150],
        ),
        ("What genres are there?", [[c] for c in {f["genre"] for f in F}]),
        ("How many films are not from France?", [[sum(f["country"] != "France" for f in F)]]),
        (
            "screenings this week",
            [[s["film"], s["tickets_sold"]] for s in C if monday <= st(s).date() < monday + timedelta(7)],
        ),
        ("Horror films from the USA", [[f["title"]] for f in F if f["genre"] == "horror" and f["country"] == "USA"]),
        ("total runtime of all films", [[sum(f["runtime_min"] for f in F)]]),
        ("Who is the lead actor of Glass?", "none"),
        (
            "films directed by Jon Reed with a rating of at least 7",
            [[f["title"]] for f in F if f["director"] == "Jon Reed" and f["rating"] >= 7],
        ),
        ("Which director has made the most films?", best(F, "director", len)),
    ]
    return Domain({"films": films, "screenings": scr}, asked(questions))
