"""The people of a company, and their leave."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, grp


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5007)
    emp: list[Row] = [
        {
            "employeeNo": 1001 + i,
            "fullName": n,
            "team": t,
            "jobTitle": j,
            "hiredOn": str(today - timedelta(days=h)),
            "annualSalary": s,
            "manager": m,
            "remote": r,
            "officeCity": c,
            "vacationDaysLeft": v,
        }
        for i, (n, t, j, h, s, m, r, c, v) in enumerate(
            [
                ("Alma Reyes", "Sales", "Account Manager", 1400, 52000, "Viktor Lund", False, "Graz", 12),
                ("Bo Winters", "Sales", "Sales Lead", 2600, 71000, "Viktor Lund", True, "Graz", 3),
                ("Cleo Hart", "Engineering", "Developer", 300, 64000, "Zita Moreau", True, "Linz", 20),
                ("Dario Conti", "Engineering", "Developer", 800, 67500, "Zita Moreau", False, "Linz", 0),
                ("Edda Nyberg", "Engineering", "Architect", 3100, 88000, "Zita Moreau", True, "Graz", 9),
                ("Finn Osei", "Support", "Agent", 120, 38000, "Alma Reyes", False, "Wels", 25),
                ("Greta Pohl", "Support", "Agent", 60, 37000, "Alma Reyes", False, "Wels", 27),
                ("Hiro Tan", "Finance", "Controller", 1900, 59000, "Viktor Lund", False, "Graz", 7),
            ]
        )
    ]
    lv: list[Row] = [
        {
            "employee": rng.choice(emp)["fullName"],
            "leaveType": rng.choice(["vacation", "sick", "parental"]),
            "fromDate": str(today + timedelta(days=rng.randint(-60, 40))),
            "days": rng.randint(1, 10),
            "status": rng.choice(["approved", "approved", "pending", "rejected"]),
        }
        for _ in range(50)
    ]
    P, L = emp, lv
    questions: list[tuple[str, Any]] = [
        ("How many people work in Engineering?", [[3]]),
        ("headcount per team", grp(P, "team", len)),
        ("Who earns the most?", [["Edda Nyberg"]]),
        ("What is the salary of Cleo Hart?", [[64000]]),
        ("average salary in Support", [[37500]]),
        ("Who works remotely?", [["Bo Winters"], ["Cleo Hart"], ["Edda Nyberg"]]),
        ("employees in Wels", [["Finn Osei"], ["Greta Pohl"]]),
        ("Who is Dario Conti's manager?", [["Zita Moreau"]]),
        ("Who reports to Alma Reyes?", [["Finn Osei"], ["Greta Pohl"]]),
        ("longest serving employee", [["Edda Nyberg"]]),
        ("newest employee", [["Greta Pohl"]]),
        ("Who has no vacation days left?", [["Dario Conti"]]),
        ("people with more than 10 vacation days left", [["Alma Reyes"], ["Cleo Hart"], ["Finn Osei"], ["Greta Pohl"]]),
        ("sum of annual salaries", [[sum(p["annualSalary"] for p in P)]]),
        ("What is Hiro Tan's job title?", [["Controller"]]),
        ("list all developers", [["Cleo Hart"], ["Dario Conti"]]),
        ("employees earning less than 50k", [["Finn Osei"], ["Greta Pohl"]]),
        ("Which team has the highest average salary?", [["Engineering"]]),
        ("how many cities do we have offices in", [[3]]),
        ("How many leave requests were rejected?", [[sum(each["status"] == "rejected" for each in L)]]),
        (
            "sick days per employee",
            grp([each for each in L if each["leaveType"] == "sick"], "employee", lambda b: sum(x["days"] for x in b)),
        ),
        ("total days of leave by type", grp(L, "leaveType", lambda b: sum(x["days"] for x in b))),
        ("phone number of Bo Winters", "none"),
        ("shoe size of Finn Osei", "none"),
    ]
    return Domain({"employees": P, "leave_requests": L}, asked(questions))
