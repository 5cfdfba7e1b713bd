"""A company: employees and leaves, with labels in one word (`jobTitle`)."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng, monday = Random(9), today - timedelta(days=today.weekday())
    emps: list[Row] = [
        {
            "employeeName": n,
            "department": dp,
            "jobTitle": j,
            "salary": s,
            "hireDate": h,
            "office": o,
            "remote": rm,
            "manager": m,
            "vacationDays": v,
        }
        for n, dp, j, s, h, o, rm, m, v in [
            ("Alice Brown", "Engineering", "Developer", 72000, "2019-03-01", "Berlin", False, "Tom Hale", 25),
            ("Bob Stone", "Engineering", "Developer", 65000, "2021-07-15", "Berlin", True, "Tom Hale", 24),
            ("Cara Diaz", "Sales", "Account Executive", 58000, "2020-01-10", "Madrid", False, "Uma Rao", 22),
            ("Dan Ortiz", "Sales", "Account Executive", 61000, "2018-11-05", "Madrid", False, "Uma Rao", 26),
            ("Eve Adler", "Marketing", "Designer", 54000, "2022-05-20", "Berlin", True, "Vic Moss", 20),
            ("Finn Larsen", "Engineering", "Tester", 56000, "2023-02-01", "Oslo", True, "Tom Hale", 21),
            ("Gina Conti", "HR", "Recruiter", 52000, "2017-09-12", "Rome", False, "Wes Ford", 28),
            ("Hal Meyer", "Finance", "Accountant", 60000, "2016-04-18", "Berlin", False, "Xia Wu", 30),
            ("Iris Novak", "Finance", "Controller", 78000, "2015-08-03", "Oslo", False, "Xia Wu", 30),
            ("Joel King", "Engineering", "Architect", 95000, "2014-06-30", "Berlin", False, "Tom Hale", 30),
            ("Kim Park", "Marketing", "Copywriter", 48000, "2024-10-01", "Rome", True, "Vic Moss", 18),
            ("Leo Braun", "Sales", "Manager", 83000, "2013-12-01", "Madrid", False, "Uma Rao", 30),
        ]
    ]
    leave: list[Row] = [
        {
            "employeeName": rng.choice(emps)["employeeName"],
            "type": rng.choice(["vacation", "sick", "parental"]),
            "startDate": str(today + timedelta(days=rng.randint(-60, 20))),
            "days": rng.randint(1, 10),
            "approved": rng.random() < 0.8,
        }
        for _ in range(30)
    ]
    E, L = emps, leave
    questions: list[tuple[str, Any]] = [
        ("How many employees are there?", [[12]]),
        ("How many employees work in Engineering?", [[4]]),
        ("Who works in Sales?", [["Cara Diaz"], ["Dan Ortiz"], ["Leo Braun"]]),
        ("What is the average salary?", [[mean(e["salary"] for e in E)]]),
        ("average salary per department", grp(E, "department", lambda b: mean(x["salary"] for x in b))),
        ("Who earns the most?", [["Joel King"]]),
        ("highest paid employee", [["Joel King"]]),
        ("What is the salary of Eve Adler?", [[54000]]),
        ("How much does Bob Stone earn?", [[65000]]),
        ("employees with a salary over 70000", [[e["employeeName"]] for e in E if e["salary"] > 70000]),
        ("employees hired after 2020", [[e["employeeName"]] for e in E if d(e["hireDate"]).year > 2020]),
        ("Who was hired in 2022?", [["Eve Adler"]]),
        ("When was Gina Conti hired?", [["2017-09-12"]]),
        ("Who is the manager of Finn Larsen?", [["Tom Hale"]]),
        ("How many people work remotely?", [[4]]),
        ("Which employees are remote?", [[e["employeeName"]] for e in E if e["remote"]]),
        ("employees in Berlin", [[e["employeeName"]] for e in E if e["office"] == "Berlin"]),
        ("remote employees in Engineering", [["Bob Stone"], ["Finn Larsen"]]),
        ("How many employees per office?", grp(E, "office", len)),
        (
            "Which department has the highest average salary?",
            best(E, "department", lambda b: mean(x["salary"] for x in b)),
        ),
        ("total salary by department", grp(E, "department", lambda b: sum(x["salary"] for x in b))),
        ("Which office has the most employees?", [["Berlin"]]),
        ("last hired employee", [["Kim Park"]]),
        ("What is Alice Brown's job title?", [["Developer"]]),
        ("How many developers do we have?", [[2]]),
        ("How many departments are there?", [[5]]),
        ("List the departments", [[x] for x in {e["department"] for e in E}]),
        ("employees with more than 25 vacation days", [[e["employeeName"]] for e in E if e["vacationDays"] > 25]),
        ("total vacation days in Finance", [[60]]),
        ("Who reports to Uma Rao?", [["Cara Diaz"], ["Dan Ortiz"], ["Leo Braun"]]),
        ("employees that are not in Engineering", [[e["employeeName"]] for e in E if e["department"] != "Engineering"]),
        ("How many leaves are not approved?", [[sum(not each["approved"] for each in L)]]),
        ("total days of sick leave", [[sum(each["days"] for each in L if each["type"] == "sick")]]),
        ("leave days per type", grp(L, "type", lambda b: sum(x["days"] for x in b))),
        (
            "leaves starting this week",
            [
                [each["employeeName"], each["days"]]
                for each in L
                if monday <= d(each["startDate"]) < monday + timedelta(7)
            ],
        ),
        ("leave of Dan Ortiz", [[each["type"], each["days"]] for each in L if each["employeeName"] == "Dan Ortiz"]),
        ("employees by salary, highest first", [[e["employeeName"]] for e in sorted(E, key=lambda e: -e["salary"])]),
        ("What is the blood type of Hal Meyer?", "none"),
        ("minimum and maximum salary", [[48000, 95000]]),
    ]
    return Domain({"employees": emps, "leaves": leave}, asked(questions))
