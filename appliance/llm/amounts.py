"""Amounts: what a question compares a number with: "over 5", "at least 3", "longer than 2 hours".

>>> [(found.op, found.number) for found in comparisons("more than 1,500", words("more than 1,500"), set())]
[('gt', 1500.0)]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Final

import msgspec

from appliance.llm.plan import NUMBERS, Condition, Operator
from appliance.llm.words import STOCK, Word, inside, label_words, lower, stem
from appliance.types import Collection, Field

_SIGNS: Final = "$€£"
_SPELLED: Final = {
    "half an": 0.5, "half a": 0.5, "an": 1.0, "a": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0,
    "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "twelve": 12.0,
}  # fmt: skip
"""Numbers that are said in words before hours, and before hundreds, thousands and millions."""
_SCALES: Final = {"hundred": 1e2, "thousand": 1e3, "million": 1e6}
_NUMBER: Final = (
    r"(?:(?:half an|an|a|one|two|three|four)(?= hours?\b)|"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|twelve)(?= or (?:more|fewer|less)\b)|"
    r"(?<=than )(?:two|three|four|five|six|seven|eight|nine|ten|twelve)(?! hours?\b| hundred\b| thousand\b| million\b)|"
    r"(?:half a|a|one|two|three|four|five|[0-9][0-9,]{0,17}(?:\.[0-9]{1,9})?) (?:hundred|thousand|million)\b|"
    r"[-+]?[$€£]?[0-9][0-9,]{0,17}(?:\.[0-9]{1,9})?(?:[km](?![a-z]))?)"
)
_THOUSANDS: Final = {"k": 1e3, "m": 1e6}
_HOUR, _MINUTE = stem("hour"), stem("minute")
MINUTES: Final = frozenset({_MINUTE, stem("min"), stem("mins")})
_HOURS: Final = frozenset({"hour", "hours", "hrs", "hr", "h"})
_MORE: Final = "more|greater|higher|larger|longer|bigger|older|later|newer|heavier|taller|warmer|hotter|faster"
_LESS: Final = "less|fewer|lower|smaller|shorter|younger|cheaper|earlier|lighter|colder|cooler|slower"
_COMPARISONS: Final[tuple[tuple[str, Operator], ...]] = (
    (rf"(?:{_MORE}) than (?P<n>{_NUMBER})", "gt"),
    (rf"(?:over|above|exceeding|exceeds?|beyond) (?P<n>{_NUMBER})", "gt"),
    (rf"(?:at least|no less than|not less than|minimum of|from) (?P<n>{_NUMBER})", "gte"),
    (rf"(?P<n>{_NUMBER}) or (?:more|above|over|higher)", "gte"),
    (rf"(?:{_LESS}) than (?P<n>{_NUMBER})", "lt"),
    (rf"(?:under|below|beneath) (?P<n>{_NUMBER})", "lt"),
    (rf"(?:at most|no more than|not more than|up to|maximum of) (?P<n>{_NUMBER})", "lte"),
    (rf"(?P<n>{_NUMBER}) or (?:less|fewer|below|under|lower)", "lte"),
    (rf"(?P<n>{_NUMBER})\+", "gte"),
    (rf"(?:>=) ?(?P<n>{_NUMBER})", "gte"),
    (rf"(?:<=) ?(?P<n>{_NUMBER})", "lte"),
    (rf"(?:>) ?(?P<n>{_NUMBER})", "gt"),
    (rf"(?:<) ?(?P<n>{_NUMBER})", "lt"),
    (rf"(?:equal to|equals|exactly|=) ?(?P<n>{_NUMBER})", "eq"),
)


_BETWEEN: Final = re.compile(rf"(?<![\w.-])between (?P<n>{_NUMBER}) and (?P<m>{_NUMBER})(?![\w-])")


class Comparison(msgspec.Struct, frozen=True):
    """An amount that something is compared with.

    Attributes:
        scale: 60 where hours are said and minutes are held.
        money: it bears the sign of a currency.
    """

    op: Operator
    number: float
    at: tuple[int, int]
    scale: int = 1
    money: bool = False


def comparisons(text: str, asked: tuple[Word, ...], taken: Set[int]) -> Iterator[Comparison]:
    """The amounts in a text whose words are `asked`; words at the indices `taken` mean something else."""
    seen, text = set[int](), lower(text)
    for found in _BETWEEN.finditer(text):
        at = list(inside(asked, [found.span()]))
        low, high = sorted((_amount(found["n"]), _amount(found["m"])))
        if not set(at) & taken:
            seen |= set(at)
            last = next(inside(asked, [found.span("m")]))
            yield Comparison("gte", low, (at[0], last), money=_is_money(found["n"] + found["m"]))
            yield Comparison("lte", high, (last, at[-1] + 1), money=_is_money(found["n"] + found["m"]))
    for pattern, op in _COMPARISONS:
        for found in re.finditer(rf"(?<![\w.-]){pattern}(?![\w-])", text):
            at = list(inside(asked, [found.span()]))
            if not at or set(at) & (taken | seen):
                continue
            seen |= set(at)
            yield Comparison(op, _amount(found["n"]), (at[0], at[-1] + 1), money=_is_money(found["n"]))


_YEARS: Final = range(1000, 2100)
_OF_TODAY: Final = range(1900, 2100)
"""Numbers of four digits that are years even where no word says so."""
_BEFORE_YEARS: Final[dict[str, Operator]] = {
    "in": "eq", "from": "eq", "of": "eq", "year": "eq", "after": "gt", "since": "gte", "before": "lt", "until": "lte",
}  # fmt: skip


def is_year(number: float) -> bool:
    """Whether a number may be a year."""
    return number in _YEARS


_YEARLY: Final = frozenset(
    map(stem, "year published released built founded established manufactured made vintage opened constructed".split())
)
"""Stems of labels of fields that may hold years as numbers."""


def holds_years(field: Field) -> bool:
    """Whether a field holds years as numbers."""
    ends = (field.low, field.high)
    named = field.type in NUMBERS and bool(_YEARLY & set(label_words(field.label)))
    return named and all(isinstance(end, int | float) and is_year(end) for end in ends)


_NUMBERED: Final = frozenset(
    map(stem, "no nr number num id code ref reference key serial postcode zip phone tracking".split())
)
_PLACED: Final = frozenset(map(stem, "rank place position level order score week day month hour".split()))
_DENSE_FROM: Final = 20


def is_serial(field: Field) -> bool:
    """Whether a field's numbers are names, which nobody adds up or ranks by: an order number, a count of rows."""
    label, (low, high) = label_words(field.label), (field.low, field.high)
    if field.type not in NUMBERS or holds_years(field):
        return False
    if label[-1:] and label[-1] in _NUMBERED:
        return True
    counted = isinstance(low, int) and isinstance(high, int) and high - low + 1 == field.distinct == field.count
    return counted and field.count >= _DENSE_FROM and not _PLACED & set(label)


def tells_amount(field: Field) -> bool:
    """Whether a field holds numbers that tell how much."""
    return field.type in NUMBERS and not is_serial(field)


def is_plain(field: Field | None) -> bool:
    """Whether a field's numbers are written without thousands apart: years, and numbers that are names."""
    return field is not None and (holds_years(field) or is_serial(field))


def year_field(collection: Collection) -> str | None:
    """The one field that holds years as numbers."""
    years = [field.name for field in collection.fields if holds_years(field)]
    return years[0] if len(years) == 1 else None


def year_comparisons(asked: tuple[Word, ...], taken: Set[int]) -> Iterator[Comparison]:
    """The years in a question: "from 2023", "released after 2023"."""
    for at, word in enumerate(asked):
        if at not in taken and word.folded.isdecimal() and len(word.folded) == 4 and is_year(int(word.folded)):
            before = _BEFORE_YEARS.get(asked[at - 1].folded) if at else None
            if before is None and int(word.folded) not in _OF_TODAY:
                continue
            yield Comparison(before or "eq", float(word.folded), (at - bool(before), at + 1))


_AGED: Final[dict[str, Operator]] = {"older": "lt", "earlier": "lt", "younger": "gt", "newer": "gt", "later": "gt"}


def as_years(comparison: Comparison, asked: tuple[Word, ...]) -> Comparison:
    """The comparison of what is held in years: "older than 2018" is before it."""
    said = _AGED.get(asked[comparison.at[0]].folded)
    return msgspec.structs.replace(comparison, op=said) if said and is_year(comparison.number) else comparison


def _is_money(text: str) -> bool:
    return bool(set(text) & set(_SIGNS))


def _amount(text: str) -> float:
    if text in _SPELLED:
        return _SPELLED[text]
    number, _, scale = text.rpartition(" ")
    if scale in _SCALES:
        return _amount(number) * _SCALES[scale]
    text = text.translate(str.maketrans("", "", _SIGNS))
    return float(text.replace(",", "").rstrip("km")) * _THOUSANDS.get(text[-1], 1)


def in_own_unit(comparison: Comparison, asked: tuple[Word, ...], collection: Collection) -> Comparison:
    """The comparison in minutes, where hours are said of a collection that holds minutes."""
    labels = {part for field in collection.fields if field.type in NUMBERS for part in label_words(field.label)}
    said = asked[comparison.at[1]].folded if comparison.at[1] < len(asked) else ""
    if said not in _HOURS or _HOUR in labels or not MINUTES & labels:
        return comparison
    return msgspec.structs.replace(comparison, scale=60, at=(comparison.at[0], comparison.at[1] + 1))


AMOUNTS: Final = tuple(
    map(
        stem,
        "amount total quantity stock count hour minute value price cost fee charge litre liter kg kilo kwh ton tonne"
        " gallon piece unit".split(),
    )
)
"""Stems of the label words of what an amount is about when nothing else says it, likeliest first."""


_PHYSICAL: Final = frozenset(
    map(stem, "litre liter ml kg kilo kwh ton tonne gallon weight volume quantity gram lb".split())
)


def stocked(collection: Collection) -> Field | None:
    """The number field that says how many there are of a thing."""
    return next((field for field in _own_numbers(collection) if set(label_words(field.label)) & STOCK), None)


def substances(collection: Collection) -> list[Field]:
    """The number fields that say how much of something there is by weight, volume or energy."""
    numbers = _own_numbers(collection)
    return [field for field in numbers if {*label_words(field.label), *label_words(field.unit)} & _PHYSICAL]


def _own_numbers(collection: Collection) -> list[Field]:
    return [field for field in collection.fields if field.type in NUMBERS and "." not in field.name]


def tells_nothing(field: Field, *tests: Comparison | Condition) -> bool:
    """Whether every row passes tests of a number, or none does: no stock of 0 to 15 is "under 1000" by accident."""
    passed = [_passes(field, test) for test in tests]
    return all(whole for whole, _ in passed) or not all(some for _, some in passed)


def _passes(field: Field, test: Comparison | Condition) -> tuple[bool, bool]:
    """Whether every value between a field's ends passes a test, and whether some may."""
    number, low, high = test.number if isinstance(test, Comparison) else test.value, field.low, field.high
    if not (isinstance(number, int | float) and isinstance(low, int | float) and isinstance(high, int | float)):
        return False, True
    return {
        "gt": (low > number, high > number),
        "gte": (low >= number, high >= number),
        "lt": (high < number, low < number),
        "lte": (high <= number, low <= number),
        "eq": (low == high == number, low <= number <= high),
    }.get(test.op, (False, True))


def usual_amount(fields: list[Field]) -> Field | None:
    """The field that an amount without a name is about, or None."""
    if len(fields) == 1:
        return fields[0]
    return next((f for word in AMOUNTS for f in fields if word in label_words(f.label)), None)


def plain_number(number: float) -> int | float:
    """A whole number as an integer."""
    return int(number) if number.is_integer() else number
