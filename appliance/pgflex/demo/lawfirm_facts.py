"""What is true of the demo law firm before anybody works there: practice areas, papers, courts, rooms.

Tables only; :mod:`appliance.pgflex.demo.lawfirm` fills them with people and days. All names are invented.

    >>> AREA["Family"].courts
    ('Family Court',)
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Area(NamedTuple):
    """A practice area: matter titles (with ``{other}`` for an opponent), deadlines as (title, kind), papers, courts."""

    name: str
    titles: tuple[str, ...]
    deadlines: tuple[tuple[str, str], ...]
    papers: tuple[tuple[str, str], ...]
    courts: tuple[str, ...] = ()


AREAS: Final[tuple[Area, ...]] = (
    Area(
        "Litigation",
        ("Claim against {other}", "Defense against {other}", "Supply dispute with {other}",
         "Warranty claim of {other}"),
        (("File statement of defense", "filing"), ("File reply brief", "filing"), ("Serve witness list", "court"),
         ("Answer document request", "court"), ("File notice of appeal", "filing"), ("Pay court fee", "court")),
        (("Statement of claim", "brief"), ("Reply brief", "brief"), ("Witness statement", "evidence"),
         ("Settlement offer", "letter"), ("Expert report", "evidence")),
        ("District Court", "Court of Appeal"),
    ),
    Area(
        "Corporate",
        ("Purchase of {other}", "Joint venture with {other}", "Share issue", "Reorganization", "Annual meeting"),
        (("Sign share purchase agreement", "contract"), ("Register new directors", "filing"),
         ("Close due diligence", "internal"), ("File annual report", "filing"), ("Board resolution", "contract")),
        (("Share purchase agreement", "contract"), ("Due diligence report", "memo"), ("Board minutes", "minutes"),
         ("Articles of association", "contract"), ("Disclosure letter", "letter")),
    ),
    Area(
        "Employment",
        ("Dismissal dispute", "Works agreement", "Discrimination claim", "Bonus dispute", "Non-compete review"),
        (("Answer dismissal claim", "filing"), ("End of notice period", "contract"), ("File tribunal bundle", "court"),
         ("Sign settlement agreement", "contract")),
        (("Employment contract", "contract"), ("Settlement agreement", "contract"), ("Warning letter", "letter"),
         ("Tribunal bundle", "evidence")),
        ("Employment Tribunal",),
    ),
    Area(
        "Real Estate",
        ("Lease with {other}", "Sale of an office building", "Building permit", "Purchase of land", "Rent review"),
        (("Exercise lease option", "contract"), ("Register land charge", "filing"), ("Object to permit", "filing"),
         ("Hand over keys", "contract"), ("Pay transfer tax", "filing")),
        (("Lease agreement", "contract"), ("Purchase deed", "contract"), ("Title report", "memo"),
         ("Rent review letter", "letter")),
    ),
    Area(
        "Family",
        ("Divorce", "Custody", "Maintenance", "Adoption", "Estate of a parent"),
        (("File divorce petition", "filing"), ("Disclose income", "court"), ("Submit custody plan", "court"),
         ("Accept inheritance", "filing")),
        (("Divorce petition", "brief"), ("Custody plan", "memo"), ("Maintenance calculation", "memo"),
         ("Marital agreement", "contract")),
        ("Family Court",),
    ),
    Area(
        "Intellectual Property",
        ("Trademark filing", "Patent opposition by {other}", "License for {other}", "Copyright notice to {other}"),
        (("Renew trademark", "filing"), ("Answer patent office action", "filing"), ("File opposition", "filing"),
         ("Sign license agreement", "contract")),
        (("License agreement", "contract"), ("Patent specification", "brief"), ("Trademark search", "memo"),
         ("Cease and desist letter", "letter")),
        ("Patent Court",),
    ),
    Area(
        "Tax",
        ("Tax audit", "Cross-border structure", "Objection to assessment", "Transfer pricing study"),
        (("File tax return", "filing"), ("Object to assessment", "filing"), ("Hand in audit papers", "court"),
         ("Pay advance tax", "filing")),
        (("Tax opinion", "memo"), ("Objection letter", "letter"), ("Transfer pricing file", "memo"),
         ("Tax return", "brief")),
        ("Tax Court",),
    ),
)  # fmt: skip

AREA: Final[dict[str, Area]] = {area.name: area for area in AREAS}

TITLES: Final[tuple[tuple[str, tuple[int, int]], ...]] = (
    ("partner", (46, 60)),
    ("senior associate", (32, 42)),
    ("associate", (21, 29)),
)
"""The lawyers of each area and their hourly rates, in tens."""

ACTIVITIES: Final[dict[str, float]] = {
    "drafting": 30, "research": 18, "client call": 14, "review": 16, "meeting": 8, "correspondence": 10, "hearing": 4,
}  # fmt: skip

STEMS: Final[str] = (
    "Norvale Quillmere Tarnbrook Bluefern Castellane Drumhallow Everwick Farrowgate Glenmarch Hollowell Ivorstone "
    "Jarrowfen Kestrelby Larkmoor Mosswater Netherby Ottervale Pinemarrow Quarrylane Rookhaven Silverfen Thistlecombe "
    "Umberfield Vintara Westermark Yarrowdale Zephyrine Ambrosel Brackenfold Cinderford Dovemere Elmsworth Fennimore "
    "Greyhollow Harrowgate Inglemoor Jessamere Knollwood Lindenau Marlstone"
)
"""Stems of invented firms."""

INDUSTRIES: Final[tuple[tuple[str, str], ...]] = (
    ("Logistics", "Logistics"),
    ("Foods", "Food"),
    ("Dental Group", "Health"),
    ("Energy", "Energy"),
    ("Software", "Technology"),
    ("Builders", "Construction"),
    ("Textiles", "Retail"),
    ("Hotels", "Hospitality"),
    ("Machine Works", "Manufacturing"),
    ("Insurance Brokers", "Finance"),
)
"""The second word of a firm's name, and its industry."""

CITIES: Final[tuple[str, ...]] = ("Port Hollis", "Eastmere", "Granby Falls", "Kingsbarrow", "Lower Tarn", "Wexley")

ROOMS: Final[tuple[tuple[str, int, int, str | None], ...]] = (
    ("Alder", 1, 4, None),
    ("Ash", 1, 4, "phone"),
    ("Aspen", 1, 6, "screen"),
    ("Beech", 1, 8, "video"),
    ("Birch", 1, 8, "video"),
    ("Cedar", 1, 14, "video"),
    ("Cherry", 2, 4, None),
    ("Chestnut", 2, 4, "phone"),
    ("Cypress", 2, 6, "screen"),
    ("Elm", 2, 6, "screen"),
    ("Fir", 2, 8, "video"),
    ("Hazel", 2, 2, "phone"),
    ("Juniper", 2, 2, "phone"),
    ("Larch", 3, 4, None),
    ("Linden", 3, 6, "screen"),
    ("Maple", 3, 10, "video"),
    ("Oak", 3, 20, "video"),
    ("Olive", 3, 4, "screen"),
    ("Pine", 4, 4, None),
    ("Poplar", 4, 6, "screen"),
    ("Rowan", 4, 8, "video"),
    ("Spruce", 4, 2, "phone"),
    ("Willow", 4, 12, "video"),
    ("Yew", 4, 2, "phone"),
)
"""Meeting rooms: name, floor, seats, equipment."""
