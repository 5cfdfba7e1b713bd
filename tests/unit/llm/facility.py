"""A small catalog that the tests of the question pipeline share, and the moment they ask at."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.llm.linking import Links, link
from appliance.llm.views import widened
from appliance.types import Catalog, Collection, Field

MODEL: Final = Path(__file__).resolve().parents[3] / "models" / "ask-bootstrap-q8_0.gguf"
NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
"""A Monday."""

BEDS: Final = Collection(
    "beds",
    "beds",
    (
        Field("id", "id", "integer"),
        Field("bed", "bed", "text", examples=("C-01", "C-04", "S-02"), distinct=120),
        Field("ward", "ward", "text", ("Cardiology", "Intensive Care", "Pediatrics", "Surgery")),
        Field("floor", "floor", "integer"),
        Field("room", "room", "integer"),
        Field("kind", "kind", "text", ("cot", "isolation", "standard")),
        Field("status", "status", "text", ("cleaning", "free", "occupied", "reserved")),
        Field("patient", "patient", "text", distinct=80),
    ),
    120,
)
APPOINTMENTS: Final = Collection(
    "appointments",
    "appointments",
    (
        Field("patient", "patient", "text", distinct=400),
        Field("doctor", "doctor", "text", ("Dr. Andrés Salcedo", "Dr. Ayanda Dlomo", "Dr. Guang Shen")),
        Field("department", "department", "text", ("Cardiology", "Pediatrics")),
        Field("starts_at", "starts_at", "timestamptz"),
        Field("minutes", "minutes", "integer"),
        Field("status", "status", "text", ("cancelled", "completed", "no show", "scheduled")),
    ),
    900,
)
INVENTORY: Final = Collection(
    "inventory",
    "inventory",
    (
        Field("item", "item", "text", distinct=75),
        Field("category", "category", "text", ("Gloves", "Surgical supplies")),
        Field("quantity", "quantity", "integer"),
        Field("reorder_level", "reorder_level", "integer"),
        Field("unit_cost", "unit_cost", "numeric"),
        Field("expires_on", "expires_on", "date"),
        Field("status", "status", "text", ("low", "ok", "out")),
        Field("sterile", "sterile", "boolean"),
    ),
    160,
)
SHIFTS: Final = Collection(
    "staff_shifts",
    "staff shifts",
    (
        Field("name", "name", "text", distinct=130),
        Field("role", "role", "text", ("doctor", "nurse")),
        Field("shift", "shift", "text", ("day", "evening", "night")),
        Field("date", "date", "date"),
        Field("hours", "hours", "integer"),
    ),
    500,
)
PATIENTS: Final = Collection(
    "patients",
    "patients",
    (
        Field("patient", "patient", "text", distinct=600),
        Field("ward", "ward", "text", ("Cardiology", "Surgery")),
        Field("diagnosis", "diagnosis", "text", ("Asthma", "Pneumonia")),
        Field("birth_date", "birth_date", "date"),
        Field("admitted_on", "admitted_on", "date"),
        Field("discharged_on", "discharged_on", "date"),
        Field("status", "status", "text", ("admitted", "discharged")),
        Field("blood_type", "blood_type", "text", ("A+", "O-", "O+")),
    ),
    600,
)
SURGERIES: Final = Collection(
    "surgeries",
    "surgeries",
    (
        Field("patient", "patient", "text", distinct=80),
        Field("starts_at", "starts_at", "timestamptz"),
        Field("minutes", "minutes", "integer"),
        Field("status", "status", "text", ("completed", "scheduled")),
    ),
    140,
)
CATALOG: Final = Catalog("tests", (BEDS, APPOINTMENTS, INVENTORY, SHIFTS, PATIENTS, SURGERIES))


def linked(question: str, catalog: Catalog = CATALOG) -> Links:
    """The likeliest links of a question."""
    return link(question, catalog, NOW)[0]


def linked_to(question: str, collection: Collection) -> Links:
    """The links of a question to one collection."""
    return next(found for found in link(question, CATALOG, NOW) if found.collection == collection)


SALES: Final = Collection(
    "sales",
    "sales",
    (
        Field("saleno", "saleNo", "integer", low=20000, high=20149, distinct=150, count=150),
        Field("product", "product", "text", ("Bar Stool", "Desk Lamp"), distinct=2, count=150),
        Field("quantity", "quantity", "integer", low=1, high=6, distinct=6, count=150),
        Field("amount", "amount", "numeric", low=4, high=2094, distinct=60, count=150),
        Field("soldon", "soldOn", "date", distinct=70, count=150),
        Field("salesperson", "salesperson", "text", ("Amira", "Bruno"), distinct=2, count=150),
        Field("assignedto", "assignedTo", "text", ("Celia",), distinct=1, count=100),
        Field("customer", "customer", "text", ("Acme",), distinct=1, count=150),
        Field("gradeno", "grade", "integer", low=1, high=9, distinct=9, count=150),
        Field("paid", "paid", "boolean", distinct=2, count=150),
        Field("online", "online", "boolean", distinct=2, count=150),
        Field("next_review", "next review", "date", distinct=70, count=150),
    ),
    150,
)
"""Sales as somebody else's program calls them."""


def of_sales(question: str) -> Links:
    """The links of a question to sales."""
    return link(question, widened(Catalog("sales", (SALES,))), NOW, always="*")[0]
