"""A beekeepers' association: hives, inspections, harvests, and swarms that were reported."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, moment, people, perhaps

_REMARKS = ("needs feeding", "wasp damage", "super added", "mouldy comb")


def documents(random: Random) -> Documents:
    keepers = people(random, 9)
    hives = [
        {
            "hive": f"H{number:02}",
            "apiary": random.choice(["Orchard", "Riverside", "Old Mill", "Chapel Hill", "Allotments"]),
            "hive_type": random.choice(["National", "Langstroth", "Warré", "Top bar"]),
            "Queen Year": random.choice([2022, 2023, 2024, 2025, 2026]),
            "queen_colour": random.choice(["yellow", "red", "green", "blue", "white"]),
            "strength": random.choice(["weak", "medium", "strong"]),
            "keeper": random.choice(keepers),
            "treated": random.random() < 0.6,
            "died_on": perhaps(random, 0.85, day(random, 2025, 2026)),
        }
        for number in range(1, 51)
    ]
    inspections = [
        {
            "hive_id": random.randint(1, len(hives)),
            "date": day(random, 2025, 2026),
            "inspector": random.choice(keepers),
            "brood_frames": random.randint(0, 11),
            "mite count": random.randint(0, 48),
            "temper": random.choice(["calm", "nervous", "aggressive"]),
            "queen_seen": random.random() < 0.7,
            "remark": perhaps(random, 0.6, random.choice(_REMARKS)),
        }
        for _ in range(110)
    ]
    harvests = [
        {
            "hive": f"H{random.randint(1, 50):02}",
            "day": day(random, 2025, 2026),
            "kg": round(random.uniform(2, 31), 1),
            "honey": random.choice(["spring", "linden", "heather", "forest"]),
            "jars": random.randint(4, 62),
            "price/jar": random.choice([5.5, 6.75, 8.2]),
        }
        for _ in range(60)
    ]
    swarms = [
        {
            "reported_at": moment(random, 2026),
            "street": random.choice(["Mill Lane", "Station Road", "Park Row", "High Street", "Church Close"]),
            "caught": caught,
            "caught_by": random.choice(keepers) if caught else None,
            "height_m": round(random.uniform(0.5, 12), 1),
        }
        for caught in [random.random() < 0.6 for _ in range(30)]
    ]
    return {"hives": hives, "inspections": inspections, "harvests": harvests, "swarms": swarms}
