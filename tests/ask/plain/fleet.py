"""A fleet: its vehicles, and where they went."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, grp, mean, this_month


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5005)
    veh: list[Row] = [
        {
            "plate": p,
            "model": m,
            "kind": k,
            "year": y,
            "mileage": mi,
            "fuel": f,
            "driver": dr,
            "next_inspection": str(today + timedelta(days=n)),
            "inService": s,
            "depot": de,
        }
        for p, m, k, y, mi, f, dr, n, s, de in [
            ("AB-101", "Transit", "van", 2019, 84000, "diesel", "Otto", 12, True, "Harbor"),
            ("AB-102", "Transit", "van", 2021, 41000, "diesel", "Petra", -5, True, "Harbor"),
            ("AB-103", "Zoe", "car", 2022, 18000, "electric", "Quinn", 200, True, "Center"),
            ("AB-104", "Actros", "truck", 2016, 320000, "diesel", "Ravi", 40, False, "Harbor"),
            ("AB-105", "Actros", "truck", 2018, 260000, "diesel", "Sela", 3, True, "North"),
            ("AB-106", "eVito", "van", 2023, 9000, "electric", None, 300, True, "Center"),
            ("AB-107", "Corolla", "car", 2015, 140000, "petrol", "Tomas", -40, False, "North"),
        ]
    ]
    trips: list[Row] = [
        {
            "tripId": i + 1,
            "plate": rng.choice(veh)["plate"],
            "startedAt": (
                datetime.combine(today - timedelta(days=rng.randint(0, 25)), datetime.min.time())
                + timedelta(hours=rng.randint(5, 20))
            ).isoformat(),
            "destination": rng.choice(["Bremen", "Lille", "Ghent", "Utrecht", "Essen"]),
            "distanceKm": rng.randint(10, 600),
            "fuelLitres": round(rng.uniform(2, 90), 1),
            "tollEur": rng.choice([0, 0, 4.5, 12, 23.8]),
            "delayed": rng.random() < 0.25,
        }
        for i in range(90)
    ]
    V, T = veh, trips
    questions: list[tuple[str, Any]] = [
        ("How many vehicles are in service?", [[5]]),
        ("vehicles not in service", [["AB-104"], ["AB-107"]]),
        ("electric vehicles", [["AB-103"], ["AB-106"]]),
        ("Which vehicles run on diesel?", [["AB-101"], ["AB-102"], ["AB-104"], ["AB-105"]]),
        ("Who drives AB-105?", [["Sela"]]),
        ("Which vehicle has no driver?", [["AB-106"]]),
        ("vehicle with the highest mileage", [["AB-104"]]),
        ("newest vehicle", [["AB-106"]]),
        ("how many vans are there", [[3]]),
        ("vehicles per depot", grp(V, "depot", len)),
        ("average mileage of trucks", [[290000]]),
        ("Which car does Quinn drive?", [["AB-103"]]),
        ("vehicles with less than 50000 km", [["AB-102"], ["AB-103"], ["AB-106"]]),
        ("total distance driven", [[sum(t["distanceKm"] for t in T)]]),
        ("How many trips went to Ghent?", [[sum(t["destination"] == "Ghent" for t in T)]]),
        ("most popular destination", best(T, "destination", len)),
        ("How many trips were delayed?", [[sum(t["delayed"] for t in T)]]),
        ("trips over 500 km", [[t["tripId"]] for t in T if t["distanceKm"] > 500]),
        ("longest trip", [[max(t["distanceKm"] for t in T)]]),
        ("toll costs this month", [[sum(t["tollEur"] for t in T if this_month(t["startedAt"], today))]]),
        ("fuel used by AB-101", [[round(sum(t["fuelLitres"] for t in T if t["plate"] == "AB-101"), 1)]]),
        ("How far did AB-103 go?", [[sum(t["distanceKm"] for t in T if t["plate"] == "AB-103")]]),
        ("average distance to Essen", [[mean(t["distanceKm"] for t in T if t["destination"] == "Essen")]]),
        ("delayed trips to Lille", [[t["tripId"]] for t in T if t["delayed"] and t["destination"] == "Lille"]),
        ("how much toll did we pay in total", [[sum(t["tollEur"] for t in T)]]),
        ("tire pressure of AB-102", "none"),
    ]
    return Domain({"vehicles": V, "trips": T}, asked(questions))
