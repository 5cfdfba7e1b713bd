"""A tool library: what can be borrowed, who borrows it, and what is out."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, later, money, people, perhaps

_TOOLS = {
    "Drilling": "Hammer drill|Cordless drill|Pillar drill|Core drill|Hole saw kit",
    "Sawing": "Circular saw|Jigsaw|Table saw|Hand saw|Mitre saw|Chainsaw",
    "Garden": "Lawn mower|Hedge trimmer|Rotavator|Leaf blower|Wheelbarrow|Post digger|Scarifier",
    "Decorating": "Wallpaper steamer|Paint sprayer|Tile cutter|Extension ladder|Heat gun|Floor sander",
    "Car": "Trolley jack|Torque wrench|Axle stands|Battery charger",
    "Measuring": "Laser level|Spirit level|Moisture meter|Stud finder",
}


def documents(random: Random) -> Documents:
    tools = [
        {
            "tool": f"{name}{suffix}",
            "brand": random.choice(["Bosch", "Makita", "DeWalt", "Ryobi", "Stihl"]),
            "Cat.": category,
            "shelf": f"{random.choice('ABCDE')}{random.randint(1, 6)}",
            "value_gbp": money(random, 8, 640),
            "deposit_gbp": random.choice([0, 5, 10, 25, 50]),
            "cond": random.choices(["good", "worn", "broken"], [6, 3, 1])[0],
            "acquired": day(random, 2016, 2025),
            "electric": random.random() < 0.55,
        }
        for suffix in ("", " 2")
        for category, names in _TOOLS.items()
        for name in names.split("|")
    ]
    borrowers = [
        {
            "Member No": f"M{number:03}",
            "name": name,
            "since": day(random, 2016, 2025),
            "postcode": random.choice(["BS3", "BS4", "BS5", "BS6"]),
            "newsletter": random.random() < 0.5,
            "donation_gbp": perhaps(random, 0.5, money(random, 5, 120)),
        }
        for number, name in enumerate(people(random, 45), 1)
    ]
    loans = []
    for _ in range(110):
        out = day(random, 2025, 2026)
        due = later(random, out, 21)
        back = perhaps(random, 0.25, later(random, out, 30))
        late = back is not None and back > due
        loans.append(
            {
                "tool_id": random.randint(1, len(tools)),
                "borrower_id": random.randint(1, len(borrowers)),
                "taken_on": out,
                "due": due,
                "returned": back,
                "late_fee": money(random, 1, 15) if late else None,
            }
        )
    return {"tools": tools, "borrowers": borrowers, "loans": loans}
