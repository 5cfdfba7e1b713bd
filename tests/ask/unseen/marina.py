"""A marina: berths, the boats that lie there, their stays, and the fuel they bought."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, moment, money, people

_NAMES = (
    "Seabird|Morning Star|Albatross|Windrose|Blue Heron|Calypso|Dulcinea|Estrella|Fair Isle|Gannet|Halcyon|Ithaka|"
    "Juno|Kittiwake|Lorelei|Marguerite|Nautilus|Ondine|Petrel|Quicksilver|Rosalind|Skua|Tern|Undine|Valkyrie|"
    "Whimbrel|Xanthe|Yarrow|Zephyr|Amber Sea|Bluebell|Cormorant|Dorothea|Emerald|Foxtrot|Grey Lady|Hesperus|Iolanthe"
).split("|")


def documents(random: Random) -> Documents:
    berths = [
        {
            "Berth": f"{row}-{number:02}",
            "pontoon": pontoon,
            "max_len_m": random.choice([8, 10, 12, 14, 18]),
            "depth (m)": round(random.uniform(1.5, 4.5), 1),
            "has power": random.random() < 0.7,
            "price_day": money(random, 18, 95),
            "state": random.choices(["free", "let", "closed"], [4, 7, 1])[0],
        }
        for row, pontoon in (("A", "North"), ("B", "South"), ("V", "Visitors"))
        for number in range(1, 17)
    ]
    owners = people(random, 24)
    places = random.sample([berth["Berth"] for berth in berths if berth["state"] == "let"], 20)
    boats = [
        {
            "name": name,
            "type": random.choice(["sailing yacht", "motor boat", "catamaran"]),
            "length_m": round(random.uniform(5.5, 17.5), 2),
            "berth": places[index] if index < len(places) else None,
            "Owner": random.choice(owners),
            "insured_until": day(random, 2026, 2027),
            "flag": random.choice(["British", "Dutch", "French", "German", "Danish"]),
        }
        for index, name in enumerate(_NAMES)
    ]
    stays = []
    for _ in range(90):
        nights = random.randint(1, 14)
        stays.append(
            {
                "boat_id": random.randint(1, len(boats)),
                "arrived": day(random, 2025, 2026),
                "nights": nights,
                "Guests": random.randint(1, 8),
                "paid": random.random() < 0.8,
                "amt_eur": round(nights * random.choice([24.5, 31.0, 42.75]), 2),
            }
        )
    fuel = [
        {
            "ts": moment(random, 2026),
            "boat": random.choice(_NAMES),
            "fuel": random.choice(["diesel", "diesel", "petrol"]),
            "litres": round(random.uniform(10, 320), 1),
            "total_eur": money(random, 20, 560),
        }
        for _ in range(60)
    ]
    return {"berths": berths, "boats": boats, "stays": stays, "fuel_sales": fuel}
