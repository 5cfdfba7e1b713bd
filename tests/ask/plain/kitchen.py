"""A kitchen: recipes."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    recipes: list[Row] = [
        {
            "dish": n,
            "cuisine": c,
            "course": co,
            "minutes": m,
            "kcal": k,
            "difficulty": df,
            "vegetarian": v,
            "rating": r,
            "servings": s,
            "author": a,
        }
        for n, c, co, m, k, df, v, r, s, a in [
            ("Lasagne", "Italian", "main", 90, 720, "medium", False, 4.6, 6, "Nina"),
            ("Risotto", "Italian", "main", 40, 540, "hard", True, 4.2, 4, "Paolo"),
            ("Tiramisu", "Italian", "dessert", 30, 450, "easy", True, 4.9, 8, "Nina"),
            ("Pad Thai", "Thai", "main", 35, 610, "medium", False, 4.4, 2, "Ken"),
            ("Green Curry", "Thai", "main", 50, 580, "medium", False, 4.1, 4, "Ken"),
            ("Mango Rice", "Thai", "dessert", 45, 390, "easy", True, 4.7, 4, "Ploy"),
            ("Tacos", "Mexican", "main", 25, 480, "easy", False, 4.3, 3, "Luz"),
            ("Guacamole", "Mexican", "starter", 10, 230, "easy", True, 4.5, 4, "Luz"),
            ("Churros", "Mexican", "dessert", 40, 510, "medium", True, 4.0, 6, "Paolo"),
            ("Bruschetta", "Italian", "starter", 15, 260, "easy", True, 3.9, 4, "Paolo"),
            ("Tom Yum", "Thai", "starter", 30, 190, "medium", False, 4.8, 4, "Ploy"),
            ("Mole", "Mexican", "main", 180, 690, "hard", False, 4.4, 8, "Luz"),
        ]
    ]
    questions: list[tuple[str, Any]] = [
        ("How many vegetarian recipes are there?", [[6]]),
        ("Italian desserts", [["Tiramisu"]]),
        ("recipes under 30 minutes", [["Tacos"], ["Guacamole"], ["Bruschetta"]]),
        ("Which recipe takes the longest?", [["Mole"]]),
        ("quickest recipe", [["Guacamole"]]),
        ("best rated recipe", [["Tiramisu"]]),
        ("average rating per cuisine", grp(recipes, "cuisine", lambda b: mean(x["rating"] for x in b))),
        ("recipes by Luz", [["Tacos"], ["Guacamole"], ["Mole"]]),
        ("Who wrote the Risotto recipe?", [["Paolo"]]),
        ("How many calories does the Pad Thai have?", [[610]]),
        ("easy vegetarian starters", [["Guacamole"], ["Bruschetta"]]),
        ("non-vegetarian mains", [["Lasagne"], ["Pad Thai"], ["Green Curry"], ["Tacos"], ["Mole"]]),
        ("recipes with less than 300 kcal", [["Guacamole"], ["Bruschetta"], ["Tom Yum"]]),
        ("How many recipes per course?", grp(recipes, "course", len)),
        ("hard recipes", [["Risotto"], ["Mole"]]),
        ("recipes rated above 4.5", [["Lasagne"], ["Tiramisu"], ["Mango Rice"], ["Tom Yum"]]),
        ("Which cuisines are there?", [["Italian"], ["Thai"], ["Mexican"]]),
        ("lowest calorie dessert", [["Mango Rice"]]),
        ("how hard is the Lasagne?", [["medium"]]),
        ("top 3 recipes by rating", [["Tiramisu"], ["Tom Yum"], ["Mango Rice"]]),
        ("What wine goes with Mole?", "none"),
        ("Mexican or Thai desserts", [["Mango Rice"], ["Churros"]]),
        ("total cooking time of all starters", [[55]]),
    ]
    return Domain({"recipes": recipes}, asked(questions))
