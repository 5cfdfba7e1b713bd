"""A mountain rescue team: its callouts, its volunteers, its kit, and its trainings."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, moment, people, perhaps

_KIT = (
    "Stretcher|Static rope 50 m|Static rope 100 m|Avalanche transceiver|Probe|Shovel|Helmet|Harness|Ice axe|Crampons|"
    "Defibrillator|Splint set|Bivouac bag|Head torch|Radio handset|Satellite phone|Drone|Vacuum mattress|Snow anchor|"
    "Pulley|Carabiner set|Blanket|Oxygen bottle|Tent|Stove"
).split("|")
_TOPICS = ("Avalanche search", "Rope rescue", "First aid", "Helicopter winching", "Night navigation", "Radio work")


def documents(random: Random) -> Documents:
    team = people(random, 40)
    callouts = [
        {
            "ref": f"C{year}-{number:03}",
            "Alarm": moment(random, year),
            "area": random.choice(["East Face", "Grey Gully", "Lake Path", "North Ridge", "Hut Trail", "Old Quarry"]),
            "cause": random.choice(["fall", "lost", "avalanche", "illness", "exhaustion"]),
            "people helped": random.randint(0, 6),
            "deaths": random.choices([0, 1, 2], [12, 2, 1])[0],
            "hrs": round(random.uniform(0.5, 14), 1),
            "heli": random.random() < 0.35,
            "leader": random.choice(team[:7]),
        }
        for year, most in ((2025, 40), (2026, 50))
        for number in range(1, most + 1)
    ]
    volunteers = [
        {
            "name": name,
            "joined": day(random, 2003, 2025),
            "grade": random.choice(["trainee", "member", "leader", "doctor"]),
            "Home Village": random.choice(["Alderbeck", "Stonehaven", "Upper Combe", "Millbrook"]),
            "mobile": f"07700 9{random.randint(10000, 99999)}",
            "dog_handler": random.random() < 0.2,
            "last_medical": perhaps(random, 0.25, day(random, 2024, 2026)),
        }
        for name in team
    ]
    kit = [
        {
            "item": item,
            "qty": random.randint(1, 30),
            "weight_kg": round(random.uniform(0.1, 18), 2),
            "store": store,
            "Next check": day(random, 2026, 2027),
            "usable": random.random() < 0.85,
        }
        for item in _KIT
        for store in random.sample(["Base", "Van 1", "Van 2", "Summit hut"], 2)
    ]
    trainings = [
        {
            "topic": random.choice(_TOPICS),
            "day": day(random, 2025, 2026),
            "duration_h": random.choice([2, 3, 4, 8]),
            "attendees": random.randint(4, 31),
            "place": random.choice(["Base", "Quarry wall", "Glacier", "Lake Path"]),
            "instructor": random.choice(team[:9]),
        }
        for _ in range(32)
    ]
    return {"callouts": callouts, "volunteers": volunteers, "kit": kit, "trainings": trainings}
