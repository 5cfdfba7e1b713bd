"""A recording studio: its artists, their sessions, the microphones, and the tracks."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, moment, money, people, perhaps

_ARTISTS = (
    "The Paper Kites Club|Velvet Anchor|Mira Sol|Low Tide Choir|Glass Harbour|Otto and the Owls|Neon Pilgrims|"
    "Saffron Road|Cold Lanterns|Juniper Lane|The Tin Foxes|Aria Blake|Static Bloom|Northbound|Ruby Calder|"
    "Hollow Pines|Dusty Crown|Wild Ferns|Echo Parade|Little Comet|Marble Arch Trio|Sundial|Kestrel|Opal Dunes|"
    "Quiet Riot Act|Tambour|Fjordland|Iron Lullaby|Pale Moon Revue|Cinder"
).split("|")
_MICS = (
    ("U 87", "Neumann", "condenser"), ("TLM 103", "Neumann", "condenser"), ("SM57", "Shure", "dynamic"),
    ("SM7B", "Shure", "dynamic"), ("C 414", "AKG", "condenser"), ("D 112", "AKG", "dynamic"),
    ("R-121", "Royer", "ribbon"), ("4038", "Coles", "ribbon"), ("MD 421", "Sennheiser", "dynamic"),
)  # fmt: skip
_WORDS = (
    "Harbour Lights", "Paper", "Ember", "Salt", "Northern", "Window", "Ghost", "Summer", "Velvet", "Railway", "Honey",
    "Winter", "Mirror", "Signal",
)  # fmt: skip


def documents(random: Random) -> Documents:
    engineers = people(random, 5)
    artists = [
        {
            "artist": name,
            "genre": random.choice(["folk", "rock", "jazz", "electronic", "pop"]),
            "e-mail": f"{name.split()[-1].lower()}@band.example",
            "Tel.": perhaps(random, 0.3, f"555-{random.randint(1000, 9999)}"),
            "signed_on": day(random, 2019, 2025),
            "Label": perhaps(random, 0.4, random.choice(["Bluebird", "Tall Oak", "Sixpence", "Drift"])),
        }
        for name in _ARTISTS
    ]
    sessions = [
        {
            "Session No": f"S-{1001 + index}",
            "artist": random.choice(_ARTISTS),
            "room": random.choice(["Room A", "Room B", "The Barn", "Vocal booth"]),
            "engineer": random.choice(engineers),
            "start": moment(random, 2026),
            "hrs": random.choice([2, 3, 4, 4.5, 6, 8, 10]),
            "rate/h": random.choice([45, 60, 75.5]),
            "status": random.choices(["done", "booked", "cancelled"], [6, 2, 1])[0],
        }
        for index in range(100)
    ]
    mics = []
    for index in range(36):
        model, maker, kind = _MICS[index % len(_MICS)]
        mics.append(
            {
                "model": model,
                "maker": maker,
                "kind": kind,
                "serial": f"{maker[:2].upper()}{20400 + 37 * index}",
                "Purchase price": money(random, 90, 3200),
                "bought": day(random, 2012, 2025),
                "in_repair": random.random() < 0.2,
            }
        )
    titles = [f"{one} {other}" for one in _WORDS for other in ("Song", "Line", "Hours", "Blues", "Waltz", "Street")]
    tracks = [
        {
            "title": title,
            "artist": random.choice(_ARTISTS),
            "bpm": random.randint(62, 174),
            "length (s)": random.randint(95, 540),
            "mixed": random.random() < 0.7,
            "masteredOn": perhaps(random, 0.45, day(random, 2025, 2026)),
        }
        for title in random.sample(titles, 80)
    ]
    return {"artists": artists, "sessions": sessions, "mics": mics, "tracks": tracks}
