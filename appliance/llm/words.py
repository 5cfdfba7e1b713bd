"""Words: how a question is cut into words, and which words carry no content of their own.

>>> [stem(word) for word in ("beds", "patients", "cancelled", "batteries")]
['bed', 'patient', 'cancel', 'battery']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

# A sign ends a word only where the word is short: "A+", "O-", "C++".
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’./:][^\W_]+)*(?:(?<![^\W_]{3})(?<!\d)[-+]{1,2}(?![\w+-]))?", re.UNICODE)


class Word(msgspec.Struct, frozen=True):
    """A word of the question: as written, folded (lower case, no accents), its stem, and where it stands."""

    text: str
    folded: str
    stem: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """The words of a text, in order."""
    return tuple(
        Word(found.group(), fold(found.group()), stem(fold(found.group())), found.start(), found.end())
        for found in _WORD.finditer(text)
    )


def inside(asked: tuple[Word, ...], places: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The indices of the words that stand, at least in part, at these places of the text."""
    for start, end in places:
        yield from (index for index, word in enumerate(asked) if word.start < end and start < word.end)


def lower(text: str) -> str:
    """Lower case of the same length, so that places found in it are places in the text."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


_PLAIN: Final = str.maketrans({"’": "'", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i"})
"""Letters that do not come apart into a plain one and an accent."""


def fold(text: str) -> str:
    """Lower case, without accents, plain apostrophes, single spaces."""
    # Both ways: a capital may hide in a compatibility form, and a fold may bring out another such form.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


IRREGULAR: Final[dict[str, str]] = {
    "staff": "staff", "status": "status", "children": "child", "people": "person", "men": "man", "women": "woman",
    "is": "is", "was": "was", "has": "has", "this": "this", "bus": "bus", "gas": "gas", "lens": "lens",
    "diagnoses": "diagnosis", "diagnosis": "diagnosis", "analyses": "analysis", "analysis": "analysis",
    "took": "take", "gave": "give", "given": "give", "taught": "teach", "wrote": "write", "written": "write",
    "drove": "drive", "driven": "drive", "led": "lead", "bought": "buy", "sold": "sell",
    "held": "hold", "paid": "paid", "unpaid": "unpaid", "seen": "see", "taken": "take", "booked": "book",
    "spent": "spend",
    "born": "birth", "appt": "appointment", "appts": "appointment", "pt": "patient", "pts": "patient",
    "dept": "department", "depts": "department", "qty": "quantity", "amt": "amount", "docs": "document",
    **dict.fromkeys(("kilo", "kilos", "kilogram", "kilograms", "kgs"), "kg"),
    "meds": "medication", "mgr": "manager", "addr": "addres", "hrs": "hour", "mins": "minute", "yrs": "year",
}  # fmt: skip


_AE: Final = re.compile(r"(?:ae|(?<=rh)oe|^oe)(?=[a-z]{2})")
"""Of British spellings: "paediatrics", "diarrhoea", "oestrogen"."""
_AE_FROM: Final = 4


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """A light stem of a folded word: plural and verb endings and a last "e" go. A stem is its own stem."""
    before, word = "", _AE.sub("e", word) if len(word) > _AE_FROM else word
    while word != before:
        before, word = word, _shorter(word)
    return word


def singular(word: str) -> str:
    """A folded word in the singular: "batteries" -> "battery"."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _shorter(word: str) -> str:
    one = singular(word)
    if one != word or word in IRREGULAR:
        return one
    if word.endswith("mission") and len(word) > len("mission"):
        return word.removesuffix("mission") + "mit"  # "admissions" are of those who were admitted
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return _without_ending(word[: -len(ending)])
    # "schedule" and "scheduled" have one stem, and so have "expire" and "expiring".
    return word[:-1] if len(word) > 4 and word.endswith("e") and not word.endswith("ee") else word


def _without_ending(base: str) -> str:
    """Undouble what an ending doubled: "admitted" -> "admit" and "cancelled" -> "cancel", but "billed" -> "bill"."""
    doubled = base[-1] == base[-2] and base[-1] != "s" and (base[-1] != "l" or len(base) > 5)
    return base[:-1] if doubled else base


@lru_cache(maxsize=16_384)
def label_words(label: str) -> tuple[str, ...]:
    """The stems of a label: ``reorder_level`` -> ("reorder", "level")."""
    return tuple(word.stem for word in parts(label))


@lru_cache(maxsize=16_384)
def parts(label: str) -> tuple[Word, ...]:
    """The words of a label: ``reorderLevel`` and ``reorder_level`` have two."""
    return words(re.sub(r"([a-z])([A-Z])", r"\1 \2", label).replace("_", " "))


STOP: Final[frozenset[str]] = frozenset(
    """
    a an the this that these those there here it its is are was were be been being am do does did doing have has had
    having can could will would shall should may might must i me we us our ours you your yours he him his she
    her hers they them their theirs who whom whose which what when where why how and or but if than then of at by for
    with about into from to in on onto off out up down so as any some each every all both either
    please thanks thank kindly hello hi hey ok okay show tell give list display get find see look want need like know
    let lets got just only also too very really currently current presently now right still left yet ever already
    me us many much number amount what's whats who's whos where's wheres
    how's i'd we've there's whether per piece exist exists existing come comes go goes going happen happens thing
    things one ones name names named called many's entry entries record records item row rows data box
    facility hospital building firm office clinic here's today's currently available_ overall altogether together
    say says said mean means dr mr mrs ms prof doctor's pls plz thx among amongst going
    stuff sort sorted sorting arrange arranged used use uses using take takes took taking came went spend spends spent
    wich thats hows anyone anybody someone somebody kept logged coming um uh uhm erm hmm oh actually completely
    anything something quickly
    """.split()
)
"""Words that no answer depends on: they need no place in the catalog."""

IDLE_PHRASES: Final = re.compile(
    r"(?<![\w-])(?:fall(?:s|ing)?(?= due)|"
    r"at the moment|at present|at this (?:moment|point|time)|so far|to date|these days|for now|up to now|"
    r"as of (?:now|today)|"
    r"do(?:es)? (?:we|the (?:shop|store|company)) (?:sell|offer|carry|stock|keep|supply|serve|employ)|"
    r"of (?:their|its|our|your|his|her) own|(?<=looks )after|(?<=look )after|(?<=looking )after|since(?= before)|"
    r"(?:bring|brings|brought|bringing) in(?= (?:the )?(?:most money|least money|money))|"
    r"on (?:file|record|the books)|on our books|for me|if you (?:can|could)|w/)(?![\w-])"
)
"""Phrases that no answer depends on."""


def idle(text: str) -> list[tuple[int, int]]:
    """Where such phrases stand in a text."""
    return [found.span() for found in IDLE_PHRASES.finditer(lower(text))]


STATES: Final[frozenset[str]] = frozenset({"out", "off", "up", "down", "left", "right", "present", "ok", "okay"})
"""Words of :data:`STOP` that mean something where they are a stored value ("which items are out?")."""

IN_FULL: Final = {stem("min"): stem("minimum"), stem("max"): stem("maximum")}
"""Stems of words that labels cut short."""

NEGATIONS: Final = frozenset(
    """
    not except without excluding non never neither nor isn't aren't wasn't weren't don't doesn't didn't
    hasn't haven't hadn't isnt arent wasnt werent dont doesnt didnt hasnt havent hadnt
    """.split()
)
"""Words that turn what they stand before into its opposite."""

PAST: Final[dict[str, frozenset[str]]] = {
    "expired": frozenset(map(stem, ("expire", "expires", "expiry", "expiration"))),
    **dict.fromkeys(("overdue", "late", "delayed"), frozenset(map(stem, ("due", "deadline")))),
}
"""Words that say that a day is over, and the stems of the label of the field that holds such a day."""
DONE: Final = frozenset(
    map(stem, "returned paid completed closed done finished delivered settled resolved shipped received".split())
)
"""Stems of labels of when something was done: what is overdue has not been."""

NEVER_STORED: Final[frozenset[str]] = frozenset(
    """
    not no never neither nor without except excluding other another else more less fewer same different again under
    over below above between beyond before after until till since during while within against around long short old
    my mine take takes took taken last next first most least than compared percent percentage ratio share rate new
    """.split()
)
"""Words that an answer depends on but that are never looked up as part of a name."""

MONEY: Final = frozenset(
    map(stem, "fee price cost charge fare amount total salary wage fine balance rent eur euro usd gbp chf".split())
)
"""Stems of labels of money."""
EARNINGS: Final = ("revenue", "turnover", "income", "takings", "earnings", "proceeds")
ADDED_UP: Final = (*EARNINGS, "time spent", "time went", "how much time")
"""Phrases that ask for a sum and say of what."""
SELLING: Final = ("best selling", "best-selling", "top selling", "top-selling", "most sold")
"""Phrases that rank things by how many of them were sold."""
MOST_MONEY: Final = (
    "most money", "spent the most", "spends the most", "spend the most", "spent most", "paid the most", "pays the most",
    "brought in the most", "brings in the most", "bring in the most", "most revenue", "most income", "most turnover",
)  # fmt: skip
"""Phrases that rank by money."""

MOST_TIME: Final = ("most time", "spend the most time", "spent the most time")
SENIOR: Final = (
    "longest serving", "longest-serving", "longest standing", "longest-standing", "longest tenure", "most senior",
    "been with us longest", "been with us the longest", "with us longest", "with us the longest",
)  # fmt: skip
"""Phrases for who has been there since the earliest day."""

BEST_PAID: Final = ("best paid", "best-paid", "highest paid", "highest-paid")
WORST_PAID: Final = ("worst paid", "worst-paid", "lowest paid", "lowest-paid")

CUES: Final[dict[str, str]] = {
    "how many": "count", "number of": "count", "count of": "count", "count": "count", "how much": "sum",
    "total": "sum", "sum": "sum", "sum of": "sum", "in all": "sum",
    "average": "avg", "mean": "avg", "avg": "avg", "on average": "avg", "typical": "avg",
    **dict.fromkeys(ADDED_UP, "sum"), **dict.fromkeys(SELLING, "max"),
    "earned": "sum", "earn": "sum", "spend": "sum", "spent": "sum",
    "most common": "max", "most popular": "max", "most frequent": "max", "most often": "max", "most frequently": "max",
    "most used": "max", "least common": "min", "least popular": "min", "least often": "min",
    "highest": "max", "largest": "max", "biggest": "max", "maximum": "max", "max": "max", "greatest": "max",
    "longest": "max", "latest": "max", "most recent": "max", "newest": "max",
    "most expensive": "max", "most": "max", "last": "max",
    "top": "max",
    "lowest": "min", "smallest": "min", "minimum": "min", "min": "min", "least": "min", "shortest": "min",
    "cheapest": "min",
    "earliest": "min", "oldest": "min", "youngest": "max", "fewest": "min",
    "first": "min", "next": "min", "soonest": "min",
    **dict.fromkeys((*MOST_TIME, *MOST_MONEY), "max"), "busiest": "max", "quietest": "min",
    **dict.fromkeys(SENIOR, "min"),
    "headcount": "count", "head count": "count", "how far did": "sum", "payroll": "sum",
    "best rated": "max", "highest rated": "max", "top rated": "max", "worst rated": "min", "lowest rated": "min",
    **dict.fromkeys(BEST_PAID, "max"), **dict.fromkeys(WORST_PAID, "min"),
}  # fmt: skip
"""Phrases that name an aggregate."""

PRICED: Final = re.compile(r"\bhow much (?:is|are) (?:a|an|one|the) ")
"""What asks for the price of the thing that is named behind it."""
OWES: Final = re.compile(r"\b(?:owes?|owing)\b")
SHARES: Final = re.compile(r"\b(?:shares?|percent(?:age)?s?|proportions?|fractions?)\b")
"""What asks how large a part is, of the rows that a test tells apart from the others."""
BUSIEST: Final = re.compile(
    r"\b(?:(?:busiest|quietest) (?P<busy>hour|day|week|month|quarter|year)|"
    r"(?:which|what) (?P<which>hour|day|week|month|quarter|year)\b.* (?:most|highest|fewest|least|lowest))\b"
)
"""What asks for the time in which the most is."""

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "available": ("free", "open", "in stock"), "spare": ("free", "available"),
    "vacant": ("free",), "empty": ("free",), "unoccupied": ("free",),
    "taken": ("occupied", "in use"), "full": ("occupied",), "busy": ("occupied", "in use"),
    "canceled": ("cancelled",), "cancelled": ("canceled",), "done": ("completed", "complete", "closed"),
    "finished": ("completed", "complete", "closed"), "upcoming": ("scheduled",), "planned": ("scheduled",),
    "missed": ("no show", "overdue"), "settled": ("paid",), "late": ("overdue",),
    "outstanding": ("unpaid", "sent", "overdue"), "unpaid": ("sent", "overdue", "outstanding"),
    "running low": ("low",), "running out": ("low",), "out of stock": ("out", "sold out"), "sold out": ("out",),
    "kids": ("pediatrics",), "children's": ("pediatrics",), "icu": ("intensive care",), "er": ("emergency",),
    "maternity": ("obstetrics",), "heart": ("cardiology",), "male": ("m",), "female": ("f",), "women": ("female", "f"),
    "men": ("male", "m"), "urgent": ("critical", "high"), "abnormal": ("high", "low", "critical"),
}  # fmt: skip
"""What a word may stand for among stored values: all of these that one field holds, where any is stored."""

_OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "appointment": ("visit", "booking", "session", "consultation", "slot"), "patient": ("person",),
    "employee": ("person", "staff", "worker", "colleague"), "worker": ("person", "employee", "staff"),
    "crew": ("person", "staff", "employee", "member"), "booking": ("reservation", "ticket"),
    "reservation": ("booking",),
    "order": ("job",), "job": ("order", "task"), "task": ("job",), "delivery": ("shipment", "run", "drop"),
    "shipment": ("delivery", "consignment"), "vehicle": ("car", "van", "truck"), "trip": ("ride", "journey", "run"),
    "production": ("play", "show"), "performance": ("show",), "machine": ("machinery", "equipment"),
    "asset": ("device", "equipment", "machine"), "device": ("equipment", "machine"), "sale": ("receipt", "transaction"),
    "lot": ("batch", "catch"), "batch": ("lot",), "visit": ("appointment", "call"), "lesson": ("class", "session"),
    "learner": ("student", "pupil", "person"), "pupil": ("student", "person"), "attendee": ("guest", "person"),
    "participant": ("person", "attendee"), "donor": ("person", "giver"), "operator": ("person", "worker", "employee"),
    "technician": ("person", "engineer"), "instructor": ("teacher", "person"), "teacher": ("person",),
    "driver": ("person",), "user": ("person",), "applicant": ("person", "candidate"), "candidate": ("person",),
    "case": ("matter", "file"), "sample": ("specimen",), "repair": ("job",), "policy": ("contract",),
    "contract": ("agreement",), "property": ("flat", "house", "unit"), "room": ("bedroom",), "ship": ("boat", "vessel"),
    "boat": ("ship", "vessel", "yacht"), "vessel": ("ship", "boat"), "gift": ("donation",), "therapist": ("physio",),
    "donation": ("gift", "contribution"),
    "member": ("person",), "tenant": ("person",), "student": ("person", "pupil"), "customer": ("client", "buyer"),
    "guest": ("person",), "volunteer": ("person",), "passenger": ("person",), "resident": ("person",),
    "inventory": ("stock", "supply", "supplies", "item"),
    "staff": ("nurse", "doctor", "employee", "person", "worker", "colleague"),
    "shift": ("rota", "roster", "duty", "work"), "invoice": ("bill",),
    "matter": ("case", "file"), "lab": ("test",), "time": ("hour", "work"),
    "surgery": ("operation",), "document": ("file", "paper"), "client": ("customer", "person"),
    "deadline": ("due",), "hearing": ("court",),
}  # fmt: skip
COLLECTION_WORDS: Final[dict[str, frozenset[str]]] = {
    stem(name): frozenset(map(stem, others)) for name, others in _OTHER_NAMES.items()
}
"""Stems of other words for what a collection's name says, by its stem."""

_PRICES: Final = tuple(
    map(
        stem,
        "total amount price cost fee charge fare rate eur euro usd gbp chf dollar spent expense premium value".split(),
    )
)
_LENGTHS: Final = tuple(map(stem, "minute min hour duration length page night day week month".split()))
_STAYS: Final = tuple(map(stem, ("night", "day", "los", "length", "duration")))
_DISTANCES: Final = tuple(map(stem, ("distance", "km", "kilometer", "kilometre", "mile", "mileage")))
_WAGES: Final = tuple(map(stem, ("salary", "wage", "pay")))
_RATINGS: Final = tuple(map(stem, ("rating", "score", "stars", "grade", "satisfaction")))
MEASURES: Final[dict[str, tuple[str, ...]]] = {
    "most expensive": _PRICES, "cheapest": _PRICES, "how much money": _PRICES, "money": _PRICES, "price": _PRICES,
    "cost": _PRICES, "costs": _PRICES, **dict.fromkeys(EARNINGS, _PRICES), "earned": _PRICES, "earn": _PRICES,
    "spend": _PRICES, "spent": _PRICES, "best rated": _RATINGS, "highest rated": _RATINGS, "top rated": _RATINGS,
    "time spent": _LENGTHS, "time went": _LENGTHS, "how much time": _LENGTHS, "longest": _LENGTHS,
    **dict.fromkeys(MOST_TIME, _LENGTHS), **dict.fromkeys(MOST_MONEY, _PRICES), "length of stay": _STAYS,
    "shortest": _LENGTHS, "how long": _LENGTHS, "how far": _DISTANCES,
    "how far did": _DISTANCES,
    "payroll": _WAGES, **dict.fromkeys((*BEST_PAID, *WORST_PAID), _WAGES),
    "worst rated": _RATINGS, "lowest rated": _RATINGS,
}  # fmt: skip
"""Phrases that say what is measured: the stems of labels of the fields that may be meant, best first."""

_DIMENSIONS: Final[dict[str, str]] = {
    "deep deeper deepest": "depth", "wide wider widest broad broadest narrow narrowest": "width breadth",
    "long longer longest short shorter shortest":
    "length duration hour hrs hr minute min time distance len week night",
    "heavy heavier heaviest light lighter lightest weigh weighs weighed": "weight wt kg mass gram tonne",
    "high higher highest tall taller tallest": "height elevation altitude", "fast faster fastest": "speed tempo bpm",
    "slow slower slowest": "speed tempo bpm", "quick quicker quickest": "minute min duration time",
    "old older young younger": "age",
    "oldest youngest": "age birth birthday born dob",
    "left remaining": "stock inventory left remaining remain",
    "big bigger biggest large larger largest small smaller smallest": "size area capacity volume seat",
    "hot hotter hottest warm warmer warmest cold colder coldest": "temperature temp",
    "strong stronger strongest weak weaker weakest": "strength power", "loud louder loudest": "volume decibel",
    "worth valuable": "value",
    "expensive pricey pricier priciest dear dearer dearest cheap cheaper cheapest cost costs costing":
    "price cost fee charge fare rate rent",
}  # fmt: skip
_DIMENSION_OF: Final[dict[str, frozenset[str]]] = {
    word: frozenset(map(stem, labels.split())) for said, labels in _DIMENSIONS.items() for word in said.split()
}


_DOERS: Final[dict[str, str]] = {
    "handle handles handling handled": "lawyer attorney handler adjuster agent assigned caseworker technician mechanic",
    "teach teaches teaching taught": "teacher instructor tutor trainer coach",
    "treats treating treated": "doctor therapist physician vet dentist",
    "drives driving drove": "driver chauffeur", "leads leading led": "lead leader guide host",
    "supplies supplying supplied": "supplier vendor", "manages managing managed": "manager supervisor",
    "looking looks look": "carer nurse keeper worker manager caretaker",
}  # fmt: skip
ACTS: Final = frozenset(" ".join(_DOERS).split())
"""Verbs that speak of who does it."""
_BEGIN: Final = "begin begins began begun start starts started join joined"
BEGUN: Final = frozenset(_BEGIN.split())
"""Verbs that speak of the day on which something or somebody began."""
_SPEAKS_OF: Final[dict[str, str]] = {
    **_DOERS, _BEGIN: "start begin starts time date hired joined hire join employed enrolled",
    "stored kept placed": "shelf cellar storage warehouse bin rack location room place store depot cabinet fridge",
    "live lives lived living reside resides residing based located situated lie lies lying stand stands":
    "city town village address country location place region area district street state home berth room house building"
    " ward unit enclosure habitat tenant resident office",
    "come comes from originally": "city town village country region state home origin",
    "earn earns earned earning revenue turnover income takings proceeds": "price total amount fee revenue income cost"
    " salary wage earning pay",
    "spend spends spent spending pay pays paid paying payment payments":
    "price total amount fee charge cost paid payment salary wage eur euro usd gbp chf dollar",
    "sell sells sold selling": "sale sold sell", "buy buys bought buying purchase purchases purchased purchasing":
    "sale sold order purchase customer buyer client", "customers buyers": "customer buyer client",
    "released published issued built produced made manufactured": "year date released published built produced",
    "shown showing screened played plays playing": "start begin starts time date",
    "work works worked working job employed": "job role position department company employer shift hours",
    "write writes wrote written": "author writer", "duration lasts lasted": "minute hour duration length min",
    "length": "minute hour duration", "energy electricity": "kwh wh consumption", "power": "kw watt",
    "distance": "km mile kilometer", "weight": "kg gram lb tonne", "calories calorie": "kcal calorie",
    "mileage": "km mile odometer kilometer", "aged": "age",
    "sent send sends shipped dispatched went": "destination recipient receiver",
    "reports report reporting": "manager supervisor boss",
    "gave given gives donated donate donates contributed": "amount donor donation sum",
    "travel travels travelled traveled": "distance km mile mileage destination",
    "bill bills billed invoice invoiced": "total amount fee price cost value",
    "salesperson salespeople seller sellers salesman": "sold seller salesperson cashier clerk",
    "owe owes owed owing": "balance due outstanding debt owed owing",
    "charge charges charged charging": "rate price fee charge cost tariff",
    "talk speak contact reach call ring": "contact phone mobile email",
    "value worth": "value amount total price cost",
    "standing": "location place area room bay",
    "born": "birth born", "weigh weighs weighed": "weight kg", "units pieces": "quantity qty units",
}  # fmt: skip
_SPOKEN_OF: Final[dict[str, frozenset[str]]] = {
    word: frozenset(map(stem, labels.split())) for said, labels in _SPEAKS_OF.items() for word in said.split()
}


def speaks_of(word: str) -> frozenset[str]:
    """The stems of labels of which a folded word that is no label may speak: "lives" -> {"city", "town", ...}."""
    return _SPOKEN_OF.get(word, frozenset())


_LEAST: Final = frozenset("quickest shortest lightest slowest coldest weakest narrowest smallest".split())
_ENDS: Final = {  # "tallest", as "cheapest" above
    word: tuple(map(stem, labels.split()))
    for said, labels in _DIMENSIONS.items()
    for word in said.split()
    if word.endswith("est") and word not in CUES
}
CUES.update({word: "min" if word in _LEAST else "max" for word in _ENDS})
MEASURES.update(_ENDS)


IN_STOCK: Final = re.compile(r"\b(in|out of) stock\b")
MOVED: Final = frozenset("sold sell ordered order bought buy delivered shipped used rented returned".split())
"""What is done with pieces: "how many desk lamps were sold" adds up how many each row tells of."""
STOCK: Final = frozenset(map(stem, ("stock", "quantity", "qty")))
"""Stems of labels that say how many there are of a thing."""


def dimensions(text: str) -> frozenset[str]:
    """The stems of labels that the adjectives of a text measure by: "the deepest" -> {"depth"}."""
    return frozenset().union(*(_DIMENSION_OF.get(word.folded, frozenset()) for word in words(text)))


WRITE_VERBS: Final[frozenset[str]] = frozenset(
    "drop delete remove insert update alter truncate create grant revoke erase wipe destroy overwrite modify".split()
)
"""A question that tells the box to do one of these is refused: questions only read."""

_ORDERS: Final[frozenset[str]] = frozenset(
    """
    add admit approve assign book cancel change close discharge edit fill mark move order pay put register rename
    reopen replace reschedule reserve reset schedule send set stop transfer write
    """.split()
)
_OBJECTS: Final[frozenset[str]] = frozenset(
    "a an the this that these those all every any some my our me us him her it them new another dr mr mrs ms".split()
)


def orders(text: str) -> list[Word]:
    """The verbs with which a text tells the box to do something: "please cancel all appointments"."""
    found = []
    for sentence in re.split(r"[.;!?\n]+", lower(text)):
        said = words(sentence)
        first = next((index for index, word in enumerate(said) if word.folded not in STOP), len(said))
        told = {word.folded for word in said[first : first + 1]} & _ORDERS
        if told and {word.folded for word in said[first + 1 : first + 2]} & _OBJECTS:
            found.append(said[first])
    return found
