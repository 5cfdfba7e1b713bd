"""A library: its books, its members, and what they borrowed."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean, this_week


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5009)
    books: list[Row] = [
        {
            "isbn": f"978-{100 + i}",
            "title": t,
            "author": a,
            "genre": g,
            "pages": p,
            "published": y,
            "copies": c,
            "language": each,
            "rating": r,
        }
        for i, (t, a, g, p, y, c, each, r) in enumerate(
            [
                ("Silent Harbor", "Iris Lowe", "mystery", 320, 1998, 3, "English", 4.2),
                ("The Long Field", "Marco Tulli", "history", 540, 2011, 2, "Italian", 3.9),
                ("Glass Moon", "Iris Lowe", "fantasy", 410, 2019, 5, "English", 4.7),
                ("Paper Boats", "Nadia Kern", "poetry", 96, 2021, 1, "German", 4.1),
                ("Iron Roads", "Paul Amos", "history", 610, 1975, 2, "English", 3.5),
                ("Tide Tables", "Nadia Kern", "mystery", 288, 2020, 4, "German", 4.4),
                ("First Light", "Omar Said", "fantasy", 450, 2003, 3, "English", 4.0),
            ]
        )
    ]
    people: list[Row] = [
        {
            "cardNo": 500 + i,
            "name": n,
            "joined": str(today - timedelta(days=j)),
            "kind": k,
            "town": t,
            "fees": f,
            "blocked": b,
        }
        for i, (n, j, k, t, f, b) in enumerate(
            [
                ("Ada Fox", 900, "adult", "Elmton", 0, False),
                ("Bill Grey", 30, "child", "Elmton", 2.5, False),
                ("Cora Hunt", 400, "adult", "Pinewood", 12.0, True),
                ("Dean Iles", 1500, "senior", "Oakham", 0, False),
                ("Ella Jung", 5, "adult", "Pinewood", 0, False),
                ("Finn Kay", 220, "child", "Oakham", 7.5, False),
            ]
        )
    ]
    loans: list[Row] = [
        {
            "loanId": i + 1,
            "book": rng.choice(books)["title"],
            "borrower": rng.choice(people)["name"],
            "borrowedOn": (b := str(today - timedelta(days=rng.randint(1, 70)))),
            "dueOn": str(d(b) + timedelta(days=21)),
            "returnedOn": str(min(today, d(b) + timedelta(days=rng.randint(3, 30)))) if rng.random() < 0.7 else None,
        }
        for i in range(60)
    ]
    B, M, L = books, people, loans
    bk = {b["title"]: b for b in B}
    pp = {p["name"]: p for p in M}
    questions: list[tuple[str, Any]] = [
        ("How many books are there?", [[7]]),
        ("books by Iris Lowe", [["Silent Harbor"], ["Glass Moon"]]),
        ("who wrote Iron Roads?", [["Paul Amos"]]),
        ("How many copies do we have in total?", [[20]]),
        ("longest book", [["Iron Roads"]]),
        ("oldest book", [["Iron Roads"]]),
        ("books published after 2010", [["The Long Field"], ["Glass Moon"], ["Paper Boats"], ["Tide Tables"]]),
        ("best rated book", [["Glass Moon"]]),
        ("average rating per genre", grp(B, "genre", lambda b: mean(x["rating"] for x in b))),
        ("books with fewer than 300 pages", [["Paper Boats"], ["Tide Tables"]]),
        ("how many pages has First Light", [[450]]),
        ("genres", [[g] for g in {b["genre"] for b in B}]),
        ("german books", [["Paper Boats"], ["Tide Tables"]]),
        ("how many loans are not returned", [[sum(each["returnedOn"] is None for each in L)]]),
        ("overdue loans", [[each["loanId"]] for each in L if each["returnedOn"] is None and d(each["dueOn"]) < today]),
        ("most borrowed book", best(L, "book", len)),
        ("who borrowed the most books?", best(L, "borrower", len)),
        ("loans this week", [[each["loanId"]] for each in L if this_week(each["borrowedOn"], today)]),
        ("How many loans does Ada Fox have?", [[sum(each["borrower"] == "Ada Fox" for each in L)]]),
        ("loans of mystery books", [[each["loanId"]] for each in L if bk[each["book"]]["genre"] == "mystery"]),
        ("loans per genre", [[g, sum(bk[each["book"]]["genre"] == g for each in L)] for g in {b["genre"] for b in B}]),
        (
            "loans by people from Pinewood",
            [[each["loanId"]] for each in L if pp[each["borrower"]]["town"] == "Pinewood"],
        ),
        ("blocked members", [["Cora Hunt"]]),
        ("who owes fees", [["Bill Grey"], ["Cora Hunt"], ["Finn Kay"]]),
        ("total fees", [[22.0]]),
        ("newest member", [["Ella Jung"]]),
        ("children from Oakham", [["Finn Kay"]]),
        ("email of Dean Iles", "none"),
        ("publisher of Glass Moon", "none"),
    ]
    return Domain({"books": B, "members": M, "loans": L}, asked(questions))
