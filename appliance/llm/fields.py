"""Fields in a question: the words that name one, those of one's family, and those that one explains beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from typing import Final

import msgspec

from appliance.llm.amounts import holds_years, is_serial, tells_amount
from appliance.llm.plan import NUMBERS, TIMES
from appliance.llm.senses import kin, nearness
from appliance.llm.words import (
    ACTS,
    BEGUN,
    IN_FULL,
    MEASURES,
    MONEY,
    NEGATIONS,
    NEVER_STORED,
    STOP,
    Word,
    dimensions,
    label_words,
    parts,
    singular,
    speaks_of,
    stem,
)
from appliance.types import Collection, Field

LONGEST_PHRASE: Final = 6
APART_AT_MOST: Final = 4
"""So many words may the two words of a label lie apart."""
KIN_FROM: Final = 5
"""A word of fewer letters has no family here."""
_PART_FROM: Final = 3
"""A word of fewer letters is no part of a label here."""
_PLACES: Final = speaks_of("live")
_PAID: Final = frozenset("pay pays paid paying payment payments".split())
_HOW_PAID: Final = frozenset("highest best most lowest least worst better".split())
_UNITS: Final = frozenset(
    map(
        stem,
        (
            "kg g mg t lb lbs km m cm mm mi ft kwh kw mw w v eur euro euros usd dollars gbp chf min mins minutes hours"
            " hrs h hr sec s days weeks months years sqm m2 m3 ha l ml litres liters percent pct c celsius mb gb tb bpm"
            " mph kmh"
        ).split(),
    )
)
_MEASURED_IN: Final = {
    unit: frozenset(map(stem, labels.split()))
    for units, labels in {
        "km kilometers kilometres kms miles mi": "mileage distance odometer range",
        "kg kilos kilograms g grams lb lbs pounds tons tonnes": "weight mass load",
        "m meters metres cm centimeters mm ft feet inches": "height length width depth size",
        "minutes mins min hours hrs seconds": "duration length time runtime",
        "litres liters l ml gallons": "volume capacity",
        "degrees celsius": "temperature temp", "years": "age", "mph kmh": "speed",
        "kwh": "energy consumption", "kw watts": "power", "percent": "rate share",
    }.items()
    for unit in units.split()
}  # fmt: skip
"""Stems of labels of what is measured in a unit."""
_CURRENCIES: Final = frozenset("euro euros eur dollar dollars usd pounds gbp chf francs bucks".split())
_OFTEN: Final = frozenset("hourly daily weekly monthly quarterly yearly".split())
_TAILS: Final = frozenset(map(stem, ("on", "at", "date", "by", "no", "time")))


class FieldMention(msgspec.Struct, frozen=True):
    """A field whose label occurs in the question at the words `at` (first, past the last).

    `kin` is True where a word of the label's family stands there: "diagnosed" for ``diagnosis``.
    """

    field: str
    at: tuple[int, int]
    kin: bool = False


def own_times(collection: Collection) -> list[Field]:
    """The days and times that rows hold themselves, apart from when the row was made."""
    return [f for f in collection.fields if f.type in TIMES and "." not in f.name and f.name != "created_at"]


_BIRTHS: Final = frozenset(map(stem, ("birth", "birthday", "born", "dob")))
_STARTS: Final = frozenset(map(stem, "hired joined join start started since employed registered enrolled".split()))


def holds_births(field: Field) -> bool:
    """Whether a field of a collection itself says when somebody was born."""
    return _is_day_of(field, _BIRTHS)


def holds_starts(field: Field) -> bool:
    """Whether a field of a collection itself says since when somebody has been there."""
    return _is_day_of(field, _STARTS)


def _is_day_of(field: Field, labels: frozenset[str]) -> bool:
    return field.type in TIMES and "." not in field.name and bool(labels & set(label_words(field.label)))


def phrases(asked: tuple[Word, ...], taken: set[int], longest: int = LONGEST_PHRASE) -> Iterator[tuple[int, int]]:
    """Every run of free words, the longest first, at most six of them."""
    for size in range(min(longest, len(asked)), 0, -1):
        for start in range(len(asked) - size + 1):
            if not any(index in taken for index in range(start, start + size)):
                yield start, start + size


def fields_said(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """Fields whose label is said, whole or short, and those that a phrase measures: "how long"."""
    labels = [(field, label_words(field.label)) for field in collection.fields if field.name != "id"]
    seen, rows = set[int](), set(label_words(collection.label))
    for start, end in phrases(asked, taken):
        if seen & set(range(start, end)):
            continue
        stems = _turned(asked[start:end])
        said = asked[start].folded
        whole = (
            field
            for field, label in labels
            if stems in (label, ("-".join(label),), _short_of(field, label, said, rows), _in_full(label))
            or (stems and stems in _short_flags(field, label))
        )
        field = next(whole, None) or measured(" ".join(word.folded for word in asked[start:end]), collection)
        if field is not None:
            seen |= set(range(start, end))
            yield FieldMention(field.name, (start, end))


def _turned(said: tuple[Word, ...]) -> tuple[str, ...]:
    """The stems of a phrase; of "type of boat" those of *boat type*."""
    folded = [word.folded for word in said]
    if len(said) in (3, 4) and folded[1] == "of" and folded[2:-1] in ([], ["the"], ["a"]):
        return (said[-1].stem, said[0].stem)
    return tuple(word.stem for word in said)


def kin_fields(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """Fields of whose label's family a free word is, where only one is: "diagnosed"; "room" of *room number*."""
    labels = [(field, label_texts(field.label)) for field in collection.fields if field.name != "id"]
    rows = set(label_words(collection.label))
    who = any(word.folded in ("who", "whose") for word in asked)
    for at, word in enumerate(asked):
        idle = word.folded in STOP or word.folded in NEVER_STORED or word.folded in _OFTEN or word.folded == "open"
        if at in taken or idle:
            continue
        found = [field for field, said in labels if any(_is_kin(word, field, one) for one in said)]
        if who and len(found) > 1:
            found = [field for field, said in labels if any(_does(word, one) for one in said)]
        own = [field for field in found if "." not in field.name]
        own = own or [field for field in found if field.type != "boolean"]
        if not found and word.stem not in rows | _HEADLESS and len(word.folded) >= _PART_FROM:
            own = [field for field, _ in labels if "." not in field.name and _has_part(field, word.stem)]
        if len(own) == 1:
            yield FieldMention(own[0].name, (at, at + 1), kin=True)


def _has_part(field: Field, part: str) -> bool:
    """Whether a word is of a label: "room" of *room number*, but not "kg" of *price per kg*, "fee" of *fee type*."""
    label = label_words(field.label)
    if part not in label or (field.type in TIMES and len(part) < KIN_FROM):
        return False
    if field.type == "text" and part in MONEY:
        return False
    return label[max(0, label.index(part) - 1)] != "per"


def _is_kin(word: Word, field: Field, said: str) -> bool:
    """Whether a word is of the family of a label's word; who does it is not when it was done: *published*."""
    doer = word.folded.endswith(("er", "or", "ers", "ors")) and not said.startswith(word.folded)
    doer = doer and field.type not in ("text", "boolean")
    return _does(word, said) or (len(word.folded) >= KIN_FROM and not doer and kin(word.folded, said))


def _does(word: Word, doer: str) -> bool:
    """Whether a word says what somebody of a label does: "trains", of a *trainer*."""
    return doer.endswith(("er", "or")) and doer[:-2] in (word.stem, word.stem + word.stem[-1:])


_HEADLESS: Final = frozenset(
    map(stem, "name type kind date day time number level value year month week status".split())
)
"""Heads of labels that alone say too little of what is meant."""
_AMOUNT_HEADS: Final = frozenset({stem("value")})
"""Those that say enough where a number is called so."""


def _spoken(
    asked: tuple[Word, ...], labels: Iterable[tuple[Field, Set[str]]], places: Iterable[int]
) -> Iterator[FieldMention]:
    """Fields of whose labels (as stems) the words at some places speak, where a word speaks of one alone."""
    held = list(labels)
    for at in places:
        found = [field.name for field, label in held if speaks_of(asked[at].folded) & label]
        if len(found) == 1:
            yield FieldMention(found[0], (at, at + 1), kin=True)


def doers_spoken_of(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The one text field that holds who does what is asked: "who is teaching Yuki", of an *instructor*."""
    if {word.folded for word in asked[:1]} & {"who", "which", "whose"}:
        texts = [field for field in collection.fields if field.type == "text" and "." not in field.name]
        places = [at for at, word in enumerate(asked) if word.folded in ACTS and at not in taken]
        yield from _spoken(asked, ((field, set(label_words(field.label))) for field in texts), places)


def head_fields(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """Fields of whose longer label only the noun is said, where one alone has it: "salary", of *annual salary*."""
    denies = bool(NEGATIONS & {word.folded for word in asked})
    longer = [field for field in collection.fields if field.name != "id" and len(label_words(field.label)) > 1]
    for at, word in enumerate(asked):
        if at in taken or word.folded in STOP or word.folded in NEVER_STORED:
            continue
        found = [field for field in longer if head(field.label) == word.stem or (denies and _begins(field, word))]
        if word.stem in _HEADLESS and not (word.stem in _AMOUNT_HEADS and all(f.type in NUMBERS for f in found)):
            continue
        own = [field for field in found if "." not in field.name] or found
        if len(own) == 1:
            yield FieldMention(own[0].name, (at, at + 1), kin=True)


def _begins(field: Field, word: Word) -> bool:
    """Whether a word begins the label of a time: of "never seen a vet" the *vet visit*."""
    return field.type in TIMES and label_words(field.label)[0] == word.stem


def head(label: str) -> str:
    """The stem of the noun of a label: "salary" of *annual salary*, "distance" of *trip distance km*."""
    stems = label_words(label)
    nouns = [one for one in stems if one not in _TAILS and one not in _UNITS]
    return next(iter((*nouns[-1:], *stems[-1:])), "")


def apart_fields(
    asked: tuple[Word, ...], collection: Collection, taken: set[int]
) -> Iterator[tuple[FieldMention, int]]:
    """Fields of a label of two words that are said apart, and where the second one is: "tickets were sold"."""
    for field in collection.fields:
        label = label_words(field.label)
        if len(label) != 2 or "." in field.name or set(label) & _TAILS:
            continue
        first, second = (
            [at for at, word in enumerate(asked) if word.stem == part and at not in taken] for part in label
        )
        if len(first) == len(second) == 1 and 1 < abs(first[0] - second[0]) <= APART_AT_MOST:
            at, other = sorted((first[0], second[0]))
            yield FieldMention(field.name, (at, at + 1)), other


_KIND_HEADS: Final = frozenset(map(stem, "type kind category species genre class sort variety breed group".split()))


def kinds_said(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The one field that tells kinds of rows apart: "kind of fish", of lots with a *species*."""
    texts = [f for f in collection.fields if f.type == "text" and "." not in f.name]
    kinds = [field for field in texts if {*label_words(field.label)[-1:]} & _KIND_HEADS]
    for at in range(len(asked) - 2):
        if asked[at].folded not in KINDS or asked[at + 1].folded != "of" or {at, at + 1, at + 2} & taken:
            continue
        called = [field for field in kinds if asked[at + 2].stem in label_words(field.label)] or kinds
        if len(called) == 1:
            yield FieldMention(called[0].name, (at, at + 3), kin=True)


_ASKED: Final = frozenset("which what per each every by".split())
_ROLES: Final = frozenset(
    """
    judge lawyer attorney doctor nurse surgeon physician dentist vet teacher instructor trainer coach driver pilot
    captain skipper chef cook waiter manager boss supervisor officer clerk engineer technician mechanic electrician
    plumber operator therapist patient customer client buyer seller supplier owner tenant guest member student pupil
    learner author artist player actor director speaker volunteer donor
    """.split()
)
"""Words for people: "which judge" does not ask for a *court*."""
_SENSED_FROM: Final = 0.65
_SENSED_APART: Final = 0.1


def sensed_fields(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The text field whose noun is nearest in meaning to what is asked for: "which boat", of lots with a *vessel*."""
    rows = label_texts(collection.label)[-1:]
    texts = [f for f in collection.fields if f.type == "text" and "." not in f.name and label_texts(f.label)]
    for at, word in enumerate(asked[1:], 1):
        if at in taken or asked[at - 1].folded not in _ASKED or word.folded in STOP or word.folded in NEVER_STORED:
            continue
        held = [field for field in texts if not {word.folded, label_texts(field.label)[-1]} & _ROLES]
        spoken = speaks_of(word.folded)
        near = sorted(
            (
                (1.0 if spoken & set(label_words(f.label)) else nearness(word.folded, label_texts(f.label)[-1]), f.name)
                for f in held
            ),
            reverse=True,
        )
        others = [near[1][0]] if len(near) > 1 else []
        others += [nearness(word.folded, singular(noun)) for noun in rows]
        if near and near[0][0] >= _SENSED_FROM and near[0][0] > max(others, default=0.0) + _SENSED_APART:
            yield FieldMention(near[0][1], (at, at + 1), kin=True)


def times_begun(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The one day on which somebody began: "when did Greta start", of *joined on*."""
    times = ((field, set(label_words(field.label)[:1])) for field in own_times(collection))
    yield from _spoken(asked, times, [at for at, word in enumerate(asked) if word.folded in BEGUN and at not in taken])


_WAITS: Final = frozenset(map(stem, ("minute", "hour", "duration")))


def times_taken(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The one number of minutes or hours, where a time is told by what it is spent on: "total cooking time"."""
    numbers = [
        field.name for field in collection.fields if tells_amount(field) and _WAITS & set(label_words(field.label))
    ]
    own = [name for name in numbers if "." not in name]
    for at in range(1, len(asked)):
        doing = asked[at].folded in ("time", "times") and asked[at - 1].folded.endswith("ing")
        if doing and len(own) == 1 and not {at - 1, at} & taken:
            yield FieldMention(own[0], (at - 1, at + 1), kin=True)


def spoken_of(asked: tuple[Word, ...], collection: Collection) -> set[int]:
    """The words that speak of some field or of the rows and name neither: "live", of patients with a *city*."""
    labels = {part for field in collection.fields if "." not in field.name for part in label_words(field.label)}
    labels |= set(label_words(collection.label))
    return {at for at, word in enumerate(asked) if (speaks_of(word.folded) | dimensions(word.folded)) & labels}


def numbers_spoken_of(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The one number field of which a free word speaks: "earns", of employees with a *salary*."""
    numbers = [f for f in collection.fields if tells_amount(f) and not holds_years(f) and "." not in f.name]
    paid = {
        at for at, word in enumerate(asked) if word.folded in _PAID and not (at and asked[at - 1].folded in _HOW_PAID)
    }
    places = [at for at in range(len(asked)) if at not in taken | paid]
    yield from _spoken(asked, ((field, set(label_words(field.label)) - _PLACES) for field in numbers), places)


def units_said(asked: tuple[Word, ...], collection: Collection, places: Iterable[int]) -> Iterator[FieldMention]:
    """The one number field in whose unit an amount is said, by the word behind it: of "over 20 kg" *amount_kg*."""
    numbers = [(f, {*label_words(f.label), *label_words(f.unit)}) for f in collection.fields if f.type in NUMBERS]
    for end in places:
        if end < len(asked) and asked[end].folded in _CURRENCIES and (money := measured("money", collection)):
            yield FieldMention(money.name, (end, end + 1))
        elif end < len(asked) and asked[end].folded not in STOP:
            found = [field.name for field, label in numbers if asked[end].stem in label and "." not in field.name]
            typical = _MEASURED_IN.get(asked[end].folded, frozenset())
            found = found or [field.name for field, label in numbers if typical & label and "." not in field.name]
            if len(found) > 1:  # "taller than 10 metres" is of a height
                wanted = frozenset[str]().union(*(dimensions(word.folded) for word in asked))
                found = [field.name for field, label in numbers if field.name in found and wanted & label]
            if len(found) == 1:
                yield FieldMention(found[0], (end, end + 1))


@lru_cache(maxsize=16_384)
def label_texts(label: str) -> tuple[str, ...]:
    """The words of a label that say what it is, folded: ``admitted_on`` -> ("admitted",)."""
    return tuple(word.folded for word in parts(label) if word.stem not in _TAILS)


def own_words(collection: Collection, name: str) -> tuple[str, ...]:
    """The stems of a field's label, ``openedAt`` -> ("open", "at"); of a path only what its own name says."""
    return label_words(name if "." in name else collection.label_of(name))


def measured(phrase: str, collection: Collection) -> Field | None:
    """The number field that a phrase measures: "how long" is told by ``minutes``, "cheapest" by ``unit_cost``."""
    numbers = [(field, label_words(field.label)) for field in collection.fields if tells_amount(field)]
    numbers.sort(key=lambda one: "." in one[0].name)
    return next((field for word in MEASURES.get(phrase, ()) for field, label in numbers if word in label), None)


def _short_of(field: Field, label: tuple[str, ...], said: str, rows: set[str]) -> tuple[str, ...]:
    """A short label, unless it is what the rows are called and the field only numbers them: of sales, ``sale_no``."""
    return () if label[:1] and label[0] in rows and is_serial(field) else _short_label(label, said)


_BEGINS_FLAGS: Final = frozenset(map(stem, "is has was are had have can".split()))


def _short_flags(field: Field, label: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """``is_external`` is meant by "external", ``first_aid_certified`` by "first aid"."""
    if field.type != "boolean":
        return ()
    short = label[1:] if label[0] in _BEGINS_FLAGS else label
    return (short, short[:-1] if len(short) > 2 else (), short[1:] if len(short) > 2 else ())


def _in_full(label: tuple[str, ...]) -> tuple[str, ...]:
    """``min_stock`` is meant by "minimum stock"."""
    return (IN_FULL[label[0]], *label[1:]) if len(label) > 1 and label[0] in IN_FULL else ()


def _short_label(label: tuple[str, ...], said: str) -> tuple[str, ...]:
    """``admitted_on`` is meant by "admitted", ``energy_kwh`` by "energy", ``ordered_by`` not by "order"."""
    if (label[-1:] == (stem("by"),) and not said.endswith("ed")) or said == "open":  # what is open is not yet closed
        return ()
    if len(label) > 1 and label[-1] in _UNITS:
        return label[:-1]
    return label[:1] if len(label) == 2 and label[1] in _TAILS else ()


_DENIES: Final = ("un", "non-", "not-", "in")
_OPPOSITES: Final = {
    word: tuple(others.split())
    for words, others in {
        "offline": "online", "disabled": "enabled", "absent missing": "present", "dead": "alive",
        "rejected refused declined": "accepted approved", "denied": "approved granted", "failed": "passed",
        "open ongoing": "closed finished completed resolved done", "broken": "working", "dirty": "clean",
        "private": "public", "lost": "won",
    }.items()
    for word in words.split()
}  # fmt: skip
"""Words that say that a flag is not set, and what such flags are called."""
_DENIED_FROM: Final = 4


def denied(asked: tuple[Word, ...], collection: Collection, taken: set[int]) -> dict[int, str]:
    """Words that deny a field of their own, and the field: "unassigned" says that *assigned to* is empty."""
    fields = [field for field in collection.fields if field.type not in NUMBERS and "." not in field.name]
    found = {}
    for at, word in enumerate(asked):
        rest = next((word.folded.removeprefix(each) for each in _DENIES if word.folded.startswith(each)), "")
        opposites = _OPPOSITES.get(word.folded, ())
        wanted = {stem(each) for each in (opposites or (rest,)) if len(each) >= _DENIED_FROM}
        if at in taken or not wanted:
            continue
        only_flags = bool(opposites) or word.folded.startswith("in")
        labels = [(f.name, label_words(f.label)) for f in fields if f.type == "boolean" or not only_flags]
        meant = [name for name, label in labels if wanted & {*label[:1], *label[-1:]}]
        if len(meant) == 1:
            found[at] = meant[0]
    return found


_TIME_NOUNS: Final = frozenset({"date", "dates", "day", "days", "time", "times"})
KINDS: Final = frozenset({"kind", "kinds", "type", "types", "sort", "sorts"})
_AMOUNTS_BEHIND: Final = frozenset(
    "amount amounts cost costs fee fees charge charges expense expenses total totals value values figure figures level"
    " levels usage consumption".split()
)
"""Words behind the name of a number that say what it is anyway: "toll costs"."""
_BEHIND: Final = frozenset(
    {
        "form",
        "number",
        "numbers",
        "address",
        "addresses",
        "details",
        "needs",
        "requirements",
        "kind",
        "kinds",
        "type",
        "types",
        "method",
        "methods",
        "name",
        "names",
    }
)


def words_around(
    asked: tuple[Word, ...], fields: Iterable[FieldMention], named: set[int], collection: Collection
) -> set[int]:
    """Words that a field or the rows' name explains: the "date" of "discharge date", the "kind" of "kind of test"."""
    timed = {at for one in fields if type_of(collection, one.field) in TIMES for at in (one.at[0] - 1, one.at[1])}
    if any(field.type in TIMES for field in collection.fields):
        timed |= {at + step for at in named for step in (-1, 1)}
    found = {at for at in timed if 0 <= at < len(asked) and asked[at].folded in _TIME_NOUNS}
    found |= {one.at[1] for one in fields if one.at[1] < len(asked) and asked[one.at[1]].folded in _BEHIND}
    numbers = [one for one in fields if type_of(collection, one.field) in NUMBERS and one.at[1] < len(asked)]
    found |= {one.at[1] for one in numbers if asked[one.at[1]].folded in _AMOUNTS_BEHIND}
    starts = {one.at[0] for one in fields} | named
    for at, word in enumerate(asked[:-2]):
        if word.folded in KINDS and asked[at + 1].folded == "of" and {at + 2, at + 3} & starts:
            found.add(at)
    return found


def type_of(collection: Collection, name: str) -> str:
    """The type of a field, or nothing where there is none of the name."""
    field = collection.field(name)
    return field.type if field else ""
