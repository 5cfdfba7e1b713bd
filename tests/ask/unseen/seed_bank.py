"""A seed bank: what lies in its freezers, how it germinates, and who asked for some of it."""

from __future__ import annotations

from random import Random

from tests.ask.unseen.some import Documents, day, money, people, perhaps

_PLANTS = (
    ("Trifolium pratense", "red clover", "Fabaceae"), ("Vicia cracca", "tufted vetch", "Fabaceae"),
    ("Lotus corniculatus", "bird's-foot trefoil", "Fabaceae"), ("Poa annua", "annual meadow grass", "Poaceae"),
    ("Festuca rubra", "red fescue", "Poaceae"), ("Avena sterilis", "wild oat", "Poaceae"),
    ("Hordeum murinum", "wall barley", "Poaceae"), ("Daucus carota", "wild carrot", "Apiaceae"),
    ("Heracleum sphondylium", "hogweed", "Apiaceae"), ("Brassica nigra", "black mustard", "Brassicaceae"),
    ("Cardamine pratensis", "cuckooflower", "Brassicaceae"), ("Centaurea cyanus", "cornflower", "Asteraceae"),
    ("Achillea millefolium", "yarrow", "Asteraceae"), ("Leucanthemum vulgare", "oxeye daisy", "Asteraceae"),
    ("Papaver rhoeas", "common poppy", "Papaveraceae"), ("Linum bienne", "pale flax", "Linaceae"),
)  # fmt: skip
_COUNTRIES = ("Spain", "Italy", "Norway", "Turkey", "Georgia", "Morocco")


def documents(random: Random) -> Documents:
    donors, testers = people(random, 8), people(random, 4)
    accessions = []
    for number in range(1, 111):
        species, common, family = random.choice(_PLANTS)
        accessions.append(
            {
                "acc_no": f"SB-{number:04}",
                "Species": species,
                "common name": common,
                "family": family,
                "origin": random.choice(_COUNTRIES),
                "collected_on": day(random, 1998, 2025),
                "donor": perhaps(random, 0.3, random.choice(donors)),
                "viability %": random.randint(12, 99),
                "seeds": random.randint(40, 9800),
                "freezer": random.choice(["F1", "F2", "F3", "F4"]),
            }
        )
    tests = []
    for _ in range(90):
        sown = random.choice([25, 50, 100])
        tests.append(
            {
                "accession_id": random.randint(1, len(accessions)),
                "tested_on": day(random, 2025, 2026),
                "sown": sown,
                "germinated": random.randint(0, sown),
                "temp (C)": random.choice([5, 15, 20, 22.5]),
                "tester": random.choice(testers),
            }
        )
    requests = [
        {
            "Requested by": name,
            "institute": random.choice(["Uni Bergen", "Kew", "INRA", "Tbilisi Garden", "ETH"]),
            "acc_no": f"SB-{random.randint(1, 110):04}",
            "qty": random.choice([10, 25, 50, 100, 200]),
            "dt": day(random, 2025, 2026),
            "sent": random.random() < 0.65,
            "postage": money(random, 3, 28),
        }
        for name in people(random, 50)
    ]
    return {"accessions": accessions, "germination_tests": tests, "requests": requests}
