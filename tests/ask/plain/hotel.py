"""A hotel: its rooms, and who booked what."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ask.plain.kit import Domain, Row, asked, best, d, grp, mean


def domain(today: date) -> Domain:
    """The documents, and questions with what the documents tell."""
    rng = Random(5001)
    monday = today - timedelta(days=today.weekday())
    rooms: list[Row] = [
        {
            "roomNumber": 100 + i * 5 + fl * 100,
            "floor": fl,
            "type": t,
            "beds": b,
            "pricePerNight": p,
            "view": v,
            "accessible": a,
            "status": s,
        }
        for i, (fl, t, b, p, v, a, s) in enumerate(
            [
                (1, "single", 1, 89, "garden", True, "occupied"),
                (1, "double", 2, 129, "street", True, "free"),
                (2, "double", 2, 139, "sea", False, "cleaning"),
                (2, "suite", 3, 260, "sea", False, "occupied"),
                (2, "single", 1, 95, "street", False, "free"),
                (3, "suite", 4, 310, "sea", True, "free"),
                (3, "double", 2, 145, "garden", False, "out of order"),
                (3, "family", 5, 220, "garden", False, "occupied"),
            ]
        )
    ]
    guests = ["Ivo Stern", "Maya Lopes", "Noel Page", "Olga Riis", "Pete Dunn", "Rita Vale"]
    bookings: list[Row] = [
        {
            "bookingRef": f"BK{500 + i}",
            "guest": rng.choice(guests),
            "roomType": rng.choice(["single", "double", "suite", "family"]),
            "checkIn": str(today + timedelta(days=k)),
            "nights": (n := rng.randint(1, 7)),
            "checkOut": str(today + timedelta(days=k + n)),
            "adults": rng.randint(1, 3),
            "totalPrice": n * rng.choice([89, 129, 145, 220]),
            "channel": rng.choice(["website", "phone", "agency"]),
            "cancelled": rng.random() < 0.2,
            "breakfast": rng.random() < 0.6,
        }
        for i in range(60)
        for k in [rng.randint(-40, 30)]
    ]
    H, B = rooms, bookings
    questions: list[tuple[str, Any]] = [
        ("How many rooms are free?", [[3]]),
        ("free rooms with a sea view", [[r["roomNumber"]] for r in H if r["status"] == "free" and r["view"] == "sea"]),
        ("Which rooms are out of order?", [[r["roomNumber"]] for r in H if r["status"] == "out of order"]),
        ("rooms on floor 2 or 3", [[r["roomNumber"]] for r in H if r["floor"] in (2, 3)]),
        ("accessible rooms", [[r["roomNumber"]] for r in H if r["accessible"]]),
        ("cheapest room", [[89]]),
        ("What does a suite cost?", [[260], [310]]),
        ("rooms under 100", [[r["roomNumber"]] for r in H if r["pricePerNight"] < 100]),
        ("average price per room type", grp(H, "type", lambda b: mean(x["pricePerNight"] for x in b))),
        ("total number of beds", [[sum(r["beds"] for r in H)]]),
        ("How many beds are on floor 3?", [[11]]),
        ("most expensive free room", [[310]]),
        ("How many bookings were cancelled?", [[sum(b["cancelled"] for b in B)]]),
        ("bookings that were not cancelled", [[b["bookingRef"]] for b in B if not b["cancelled"]]),
        ("bookings without breakfast", [[b["bookingRef"]] for b in B if not b["breakfast"]]),
        ("check-ins tomorrow", [[b["bookingRef"]] for b in B if d(b["checkIn"]) == today + timedelta(1)]),
        (
            "bookings from next week",
            [[b["bookingRef"]] for b in B if monday + timedelta(7) <= d(b["checkIn"]) < monday + timedelta(14)],
        ),
        ("How many nights did Ivo Stern book?", [[sum(b["nights"] for b in B if b["guest"] == "Ivo Stern")]]),
        ("revenue per channel", grp(B, "channel", lambda b: sum(x["totalPrice"] for x in b))),
        ("Which channel brings the most revenue?", best(B, "channel", lambda b: sum(x["totalPrice"] for x in b))),
        ("Which guest has the most bookings?", best(B, "guest", len)),
        ("How much has Rita Vale spent?", [[sum(b["totalPrice"] for b in B if b["guest"] == "Rita Vale")]]),
        ("average length of stay", [[mean(b["nights"] for b in B)]]),
        ("bookings longer than 5 nights", [[b["bookingRef"]] for b in B if b["nights"] > 5]),
        ("phone bookings with breakfast", [[b["bookingRef"]] for b in B if b["channel"] == "phone" and b["breakfast"]]),
        ("How many different guests booked a suite?", [[len({b["guest"] for b in B if b["roomType"] == "suite"})]]),
        ("What is the passport number of Maya Lopes?", "none"),
        ("When does BK505 check out?", [[B[5]["checkOut"]]]),
        ("total price of booking BK510", [[B[10]["totalPrice"]]]),
        ("list the guests", [[g] for g in {b["guest"] for b in B}]),
        (
            "uncancelled bookings of Pete Dunn",
            [[b["bookingRef"]] for b in B if b["guest"] == "Pete Dunn" and (not b["cancelled"])],
        ),
    ]
    return Domain({"rooms": H, "bookings": B}, asked(questions))
