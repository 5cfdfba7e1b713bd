"""A school: students, and who is in which club."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(4244)
    students: list[Row] = [
        {"name": n, "grade": g, "house": h, "gpa": a, "birthday": b, "bus": bus, "absences": ab, "guardian": gu}
        for n, g, h, a, b, bus, ab, gu in [
            ("Ava Reed", 5, "Falcon", 3.7, "2015-03-12", True, 2, "Karen Reed"),
            ("Ben Cho", 5, "Otter", 3.1, "2015-08-30", False, 9, "Min Cho"),
            ("Cleo Mars", 6, "Falcon", 3.9, "2014-01-22", True, 0, "Jo Mars"),
            ("Dan Ruiz", 6, "Lynx", 2.4, "2014-11-05", True, 14, "Elena Ruiz"),
            ("Eli Noor", 7, "Otter", 3.3, "2013-05-17", False, 4, "Sara Noor"),
            ("Fay Winn", 7, "Lynx", 2.9, "2013-09-09", True, 6, "Tom Winn"),
            ("Gus Hall", 7, "Falcon", 3.5, "2013-12-25", False, 1, "Amy Hall"),
            ("Hana Ito", 8, "Otter", 4.0, "2012-02-14", True, 0, "Ken Ito"),
            ("Ian Bell", 8, "Lynx", 2.1, "2012-07-01", False, 21, "Rose Bell"),
            ("Joy Katz", 5, "Lynx", 3.0, "2015-10-19", True, 5, "Lea Katz"),
        ]
    ]
    clubs: list[Row] = [
        {"club": c, "student": s["name"], "role": r, "joined": str(today - timedelta(days=k))}
        for c, s, r, k in [
            (
                rng.choice(["Chess", "Drama", "Robotics", "Choir"]),
                rng.choice(students),
                rng.choice(["member", "member", "captain"]),
                rng.randint(0, 300),
            )
            for _ in range(25)
        ]
    ]
    U, K = students, clubs
    questions: list[tuple[str, Any]] = [
        ("How many students are in grade 7?", [[3]]),
        ("students in Falcon house", [["Ava Reed"], ["Cleo Mars"], ["Gus Hall"]]),
        ("Who takes the bus?", [[u["name"]] for u in U if u["bus"]]),
        ("students who do not take the bus", [[u["name"]] for u in U if not u["bus"]]),
        ("Who has the highest GPA?", [["Hana Ito"]]),
        ("average gpa per house", grp(U, "house", lambda b: mean(x["gpa"] for x in b))),
        ("students with more than 5 absences", [[u["name"]] for u in U if u["absences"] > 5]),
        ("total absences", [[sum(u["absences"] for u in U)]]),
        ("When is Eli Noor's birthday?", [["2013-05-17"]]),
        ("Who is the guardian of Dan Ruiz?", [["Elena Ruiz"]]),
        ("Who is the youngest student?", [["Joy Katz"]]),
        ("oldest student", [["Hana Ito"]]),
        ("How many students per grade?", grp(U, "grade", len)),
        ("students with no absences", [["Cleo Mars"], ["Hana Ito"]]),
        ("students born in 2013", [["Eli Noor"], ["Fay Winn"], ["Gus Hall"]]),
        ("What grade is Fay Winn in?", [[7]]),
        ("sort students by absences", [[u["name"]] for u in sorted(U, key=lambda u: u["absences"])]),
        ("Which clubs are there?", [[c] for c in {k["club"] for k in K}]),
        ("How many students are in the Chess club?", [[len({k["student"] for k in K if k["club"] == "Chess"})]]),
        (
            "Who is the captain of Drama?",
            [[k["student"]] for k in K if k["club"] == "Drama" and k["role"] == "captain"],
        ),
        ("Which club is the most popular?", best(K, "club", len)),
        ("What is Ben Cho's address?", "none"),
        ("lowest gpa", [[2.1]]),
        ("How many houses are there?", [[3]]),
        ("How many absences does Ian Bell have?", [[21]]),
        ("names and guardians of the students in grade 8", [["Hana Ito", "Ken Ito"], ["Ian Bell", "Rose Bell"]]),
    ]
    return Domain({"students": students, "clubs": clubs}, asked(questions))
