"""What is true of the demo hospital before anybody is in it: wards, tests, stock, devices.

Tables only; :mod:`appliance.pgflex.demo.hospital` fills them with people and days. Suppliers are invented.

    >>> flag(6.1, TESTS["Potassium"])
    'high'
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from appliance.pgflex.demo.life import any_of


class Ward(NamedTuple):
    """A ward: its bed letter, place, bed count and kinds, ages treated, and whether it runs a clinic or a theatre."""

    name: str
    letter: str
    first_room: int
    beds: int
    kinds: tuple[str, ...]
    ages: tuple[int, int]
    clinic: bool
    theatre: bool
    diagnoses: tuple[str, ...]
    reasons: tuple[str, ...]
    procedures: tuple[tuple[str, int], ...] = ()


WARDS: Final[tuple[Ward, ...]] = (
    Ward(
        "Cardiology", "C", 401, 16, ("monitored", "standard"), (45, 92), True, True,
        ("Heart failure", "Atrial fibrillation", "Angina", "Myocardial infarction", "Endocarditis", "Aortic stenosis",
         "Syncope"),
        ("ECG", "Echocardiogram", "Pacemaker check", "Stress test", "Blood pressure review", "First consultation"),
        (("Coronary angiography", 60), ("Pacemaker implantation", 90), ("Valve repair", 200)),
    ),
    Ward(
        "Surgery", "S", 301, 18, ("standard", "standard", "bariatric"), (18, 88), True, True,
        ("Appendicitis", "Gallstones", "Inguinal hernia", "Bowel obstruction", "Diverticulitis", "Abscess",
         "Thyroid nodule"),
        ("Wound check", "Pre-operative assessment", "Suture removal", "Post-operative review", "First consultation"),
        (("Appendectomy", 60), ("Cholecystectomy", 90), ("Hernia repair", 75), ("Bowel resection", 180)),
    ),
    Ward(
        "Maternity", "M", 201, 14, ("standard", "delivery"), (18, 44), True, True,
        ("Normal delivery", "Cesarean delivery", "Preeclampsia", "Gestational diabetes", "Threatened preterm labor"),
        ("Prenatal check", "Ultrasound", "Glucose tolerance test", "Postnatal check", "Birth planning"),
        (("Cesarean section", 60), ("Cerclage", 45)),
    ),
    Ward(
        "Pediatrics", "P", 221, 14, ("standard", "cot", "isolation"), (0, 16), True, False,
        ("Bronchiolitis", "Asthma", "Gastroenteritis", "Pneumonia", "Febrile seizure", "Dehydration", "Croup"),
        ("Vaccination", "Growth check", "Asthma review", "Allergy test", "First consultation"),
    ),
    Ward(
        "Intensive Care", "I", 321, 12, ("intensive", "intensive", "isolation"), (20, 90), False, False,
        ("Septic shock", "Respiratory failure", "Polytrauma", "Stroke", "Cardiac arrest", "Acute pancreatitis"),
        (),
    ),
    Ward(
        "Oncology", "O", 421, 14, ("standard", "isolation"), (30, 86), True, True,
        ("Melanoma", "Colon cancer", "Lymphoma", "Lung cancer", "Neutropenic fever", "Leukemia"),
        ("Chemotherapy", "Staging review", "Port flush", "Follow-up scan", "First consultation"),
        (("Tumor excision", 120), ("Port insertion", 45), ("Lymph node biopsy", 45)),
    ),
    Ward(
        "Orthopedics", "T", 501, 18, ("standard", "standard", "traction"), (16, 94), True, True,
        ("Hip fracture", "Knee arthrosis", "Wrist fracture", "Herniated disc", "Ankle fracture", "Rotator cuff tear"),
        ("Cast check", "X-ray", "Physiotherapy review", "Joint injection", "First consultation"),
        (("Hip replacement", 120), ("Knee arthroscopy", 60), ("Fracture fixation", 100), ("Spinal fusion", 200)),
    ),
    Ward(
        "Emergency", "E", 101, 14, ("trolley", "monitored", "isolation"), (14, 95), True, False,
        ("Chest pain", "Concussion", "Asthma attack", "Allergic reaction", "Abdominal pain", "Burn", "Laceration"),
        ("Follow-up", "Dressing change", "Tetanus booster", "Head injury review"),
    ),
)  # fmt: skip

WARD: Final[dict[str, Ward]] = {ward.name: ward for ward in WARDS}

BLOOD: Final[dict[str, float]] = {
    "O+": 38, "A+": 31, "B+": 12, "AB+": 4, "O-": 6, "A-": 6, "B-": 2, "AB-": 1,
}  # fmt: skip

SHIFT_START: Final[dict[str, int]] = {"day": 7, "evening": 15, "night": 23}
"""The hour a shift begins."""

THEATRES: Final[tuple[str, ...]] = ("Theatre 1", "Theatre 2", "Theatre 3", "Theatre 4", "Theatre 5")


class LabTest(NamedTuple):
    """A test: unit, normal range, critical limits (None: no such limit) and decimals."""

    unit: str
    low: float
    high: float
    critical_low: float | None
    critical_high: float | None
    decimals: int


TESTS: Final[dict[str, LabTest]] = {
    "Hemoglobin": LabTest("g/dL", 12.0, 17.0, 7.0, 21.0, 1),
    "White cells": LabTest("10^9/L", 4.0, 11.0, 1.0, 30.0, 1),
    "Platelets": LabTest("10^9/L", 150, 400, 30, 1000, 0),
    "Sodium": LabTest("mmol/L", 135, 145, 120, 160, 0),
    "Potassium": LabTest("mmol/L", 3.5, 5.1, 2.7, 6.4, 1),
    "Calcium": LabTest("mmol/L", 2.15, 2.55, 1.65, 3.25, 2),
    "Creatinine": LabTest("mg/dL", 0.6, 1.3, None, 7.0, 2),
    "Glucose": LabTest("mg/dL", 70, 140, 45, 450, 0),
    "CRP": LabTest("mg/L", 0, 8, None, 300, 1),
    "Troponin": LabTest("ng/L", 0, 14, None, 120, 0),
    "Lactate": LabTest("mmol/L", 0.5, 2.0, None, 4.5, 1),
    "INR": LabTest("ratio", 0.8, 1.2, None, 5.0, 1),
    "Bilirubin": LabTest("mg/dL", 0.2, 1.2, None, 14.0, 1),
    "TSH": LabTest("mIU/L", 0.4, 4.2, None, 50.0, 2),
}

BANDS: Final[dict[str, float]] = {"normal": 76, "high": 12, "low": 9, "critical": 3}


def lab_value(rng: random.Random, test: LabTest) -> float:
    """A believable value of `test`: mostly normal, seldom critical."""
    band = any_of(rng, BANDS)
    span = test.high - test.low
    if band == "high":
        value = rng.triangular(test.high, (test.critical_high or test.high + span), test.high)
    elif band == "low" and test.critical_low is not None:
        value = rng.triangular(test.critical_low, test.low, test.low)
    elif band == "critical" and test.critical_low is not None and rng.random() < 0.5:
        value = test.critical_low * rng.uniform(0.75, 0.97)
    elif band == "critical" and test.critical_high is not None:
        value = test.critical_high * rng.uniform(1.02, 1.3)
    else:
        value = rng.triangular(test.low, test.high, test.low + span / 2)
    return round(value, test.decimals or None)


def flag(value: float, test: LabTest) -> str:
    """How a value of `test` is flagged: normal, high, low or critical."""
    if test.critical_low is not None and value < test.critical_low:
        return "critical"
    if test.critical_high is not None and value > test.critical_high:
        return "critical"
    if value < test.low:
        return "low"
    return "high" if value > test.high else "normal"


class Stock(NamedTuple):
    """Items of one category: names by ``|``, unit, cost range, reorder level range, shelf life in days, places."""

    category: str
    items: str
    unit: str
    cost: tuple[float, float]
    level: tuple[int, int]
    shelf_life: int | None
    places: tuple[str, ...]
    supplier: str


STOCK: Final[tuple[Stock, ...]] = (
    Stock(
        "Gloves", "Nitrile gloves S|Nitrile gloves M|Nitrile gloves L|Sterile gloves 7|Sterile gloves 8",
        "box", (4.2, 18), (30, 60), 1100, ("Central store", "Emergency", "Surgery"), "Palmara Safety",
    ),
    Stock(
        "Protection", "Surgical mask|FFP2 mask|Isolation gown|Face shield|Shoe covers|Surgical cap",
        "box", (3.5, 42), (20, 60), 1400, ("Central store", "Intensive Care", "Surgery"), "Palmara Safety",
    ),
    Stock(
        "Infusions", "Saline 0.9% 500 ml|Saline 0.9% 1000 ml|Glucose 5% 500 ml|Ringer's lactate 1000 ml|"
        "Potassium chloride 20 ml|Water for injection 100 ml",
        "bag", (1.1, 4.8), (40, 120), 700, ("Pharmacy", "Emergency", "Intensive Care"), "Veltrana Fluids",
    ),
    Stock(
        "Medication", "Paracetamol 500 mg|Ibuprofen 400 mg|Amoxicillin 1 g|Ceftriaxone 2 g|Heparin 5000 IU|"
        "Insulin rapid 10 ml|Morphine 10 mg|Ondansetron 4 mg|Salbutamol inhaler|Adrenaline 1 mg|Furosemide 20 mg|"
        "Prednisolone 20 mg",
        "pack", (2.4, 38), (15, 50), 540, ("Pharmacy", "Emergency"), "Corvale Pharma",
    ),
    Stock(
        "Dressings", "Gauze swabs 10 cm|Elastic bandage 8 cm|Hydrocolloid dressing|Burn dressing|Adhesive tape|"
        "Wound drain",
        "pack", (1.6, 26), (20, 60), 1000, ("Central store", "Surgery"), "Tessaly Care",
    ),
    Stock(
        "Needles and syringes", "Syringe 2 ml|Syringe 5 ml|Syringe 20 ml|Cannula 18G|Cannula 20G|Cannula 22G|"
        "Butterfly needle 23G",
        "box", (6, 31), (20, 50), 1500, ("Central store", "Emergency"), "Norvek Medical",
    ),
    Stock(
        "Catheters", "Urinary catheter 14F|Urinary catheter 16F|Central line kit|Feeding tube 8F|Suction catheter",
        "piece", (3.8, 64), (10, 40), 1200, ("Central store", "Intensive Care"), "Norvek Medical",
    ),
    Stock(
        "Laboratory", "EDTA tube|Serum tube|Citrate tube|Blood culture bottle|Urine cup|Swab kit|Glucose test strips",
        "pack", (5.5, 48), (15, 50), 420, ("Laboratory", "Emergency"), "Lumeth Laboratory Trade",
    ),
    Stock(
        "Surgical supplies", "Suture 3-0|Suture 4-0|Scalpel blade 10|Skin stapler|Surgical drape|Bone cement",
        "box", (9, 120), (8, 30), 1300, ("Surgery", "Maternity"), "Ostrevo Surgical",
    ),
    Stock(
        "Oxygen and airway", "Oxygen mask adult|Oxygen mask child|Nasal cannula|Endotracheal tube 7.5|"
        "Laryngeal mask 4",
        "piece", (1.9, 34), (15, 50), 1500, ("Central store", "Intensive Care"), "Aerion Medical",
    ),
    Stock(
        "Linen", "Bed sheet|Pillow case|Blanket|Patient gown|Towel",
        "piece", (3, 22), (40, 150), None, ("Laundry", "Maternity"), "Whitloom Textiles",
    ),
    Stock(
        "Cleaning", "Hand sanitizer 500 ml|Surface disinfectant 5 l|Disinfectant wipes|Waste bags|Sharps container",
        "piece", (2.2, 29), (15, 60), 800, ("Central store", "Emergency"), "Clarwin Hygiene",
    ),
)  # fmt: skip


class Device(NamedTuple):
    """A kind of device: its tag, how many there are, and the days between two services."""

    kind: str
    tag: str
    pieces: int
    service_days: int


DEVICES: Final[tuple[Device, ...]] = (
    Device("Infusion pump", "PUMP", 34, 365),
    Device("Patient monitor", "MON", 24, 365),
    Device("Wheelchair", "CHAIR", 18, 540),
    Device("Ventilator", "VENT", 12, 180),
    Device("ECG machine", "ECG", 9, 365),
    Device("Ultrasound scanner", "US", 7, 270),
    Device("Defibrillator", "DEFIB", 10, 180),
)
