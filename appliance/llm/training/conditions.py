"""Conditions: ways to say which rows, of each kind of field, with the tests they mean."""

from __future__ import annotations

import random
from typing import Final

import msgspec

from appliance.llm.notation import Test
from appliance.llm.training.domains import Domain, Field, value_of
from appliance.llm.training.wordings import sections

VALUE: Final = "\x01{}\x02{}\x03"
"""A stored value in a text: the label of its field, and the words."""
MARKED: Final = 0.88
BEHIND: Final = ("with", "without", "that", "who", "which", "for", "in", "on", "at", "by", "not", "never", "to")
"""Phrases that begin so stand behind the noun."""
_WORDS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty")
_NUMERALS: Final = dict(zip(_WORDS, (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 20), strict=True))
_PAST: Final = (
    "today", "yesterday", "this week", "last week", "this month", "last month", "this year", "last year",
    "this quarter", "last quarter", "in the last {n} days", "in the past {n} weeks", "over the last {n} months",
    "since monday", "since friday", "since {month}", "in {month}", "in {month} {year}", "in {year}", "since {year}",
    "on {dom} {month}", "on {month} {dom}", "before {month}", "after {month} {dom}", "on monday", "last tuesday",
    "during the last {n} days", "since yesterday", "on {iso}", "since {iso}", "before {iso}", "this morning",
    "the past week", "yesterday afternoon", "since last week", "since the start of {year}",
)  # fmt: skip
_AHEAD: Final = (
    "today", "tomorrow", "this week", "next week", "next month", "this month", "in the next {n} days",
    "before friday", "by friday", "on thursday", "in {month}", "tonight", "tomorrow morning", "within {n} days",
    "until the end of the month", "this weekend", "next year", "in the next {n} weeks", "on {dom} {month}",
)  # fmt: skip
_SINGLE: Final = ("{dom} {month}", "{month} {dom}", "{iso}", "{dom} {month} {year}", "monday", "yesterday", "{month}")
_MONTHS: Final = (
    "january february march april may june july august september october november december jan feb mar apr aug sep"
    " oct nov dec"
).split()


class Said(msgspec.Struct, frozen=True):
    """A condition in words and as tests; `before` the noun or behind it."""

    text: str
    tests: tuple[Test, ...]
    before: bool = False
    spans: int = 0


def marked(label: str, said: str, rng: random.Random, always: bool = False) -> str:
    """A value in a text, marked as one of a field's unless the box happens not to find it."""
    return VALUE.format(label, said) if always or rng.random() < MARKED else said


def condition(field: Field, domain: Domain, rng: random.Random) -> Said | None:
    """A condition on a field, or None where there is none to say."""
    if rng.random() < 0.03:
        op = rng.choice(("null", "notnull"))
        test = Test(field.label, "null" if op == "null" else "some")
        return Said(_fill(op, field, rng), (test,))
    if field.kind == "flag":
        return _flag(field, rng)
    if field.number:
        return _number(field, rng)
    if field.time:
        return _time(field, rng)
    if field.kind == "note":
        return _containing(field, rng)
    return _value(field, domain, rng)


def _fill(section: str, field: Field, rng: random.Random, **slots: str) -> str:
    text = rng.choice(sections("where")[section])
    did = rng.choice(field.did) if field.did else "with " + field.label
    return text.format(F=field.said(rng), did=did, **slots)


def _flag(field: Field, rng: random.Random) -> Said:
    yes = rng.random() < 0.6
    phrases = field.yes if yes else field.no
    test = Test(field.label, "yes" if yes else "no")
    if not phrases:
        return Said(f"{'with' if yes else 'without'} {field.said(rng)}", (test,))
    phrase = rng.choice(phrases)
    behind = phrase.split()[0] in BEHIND
    if not behind and rng.random() < 0.6:
        return Said(phrase, (test,), before=True)
    if behind:
        return Said(phrase, (test,))
    return Said(_fill("flag_yes" if yes else "flag_no", field, rng, yes=phrase, no=phrase), (test,))


def number(field: Field, rng: random.Random) -> str:
    """A number in the range of a field, as somebody says it."""
    value = rng.uniform(field.low, field.high)
    if field.whole or rng.random() < 0.7:
        value = round(value) if value < 200 or rng.random() < 0.3 else round(value, -(len(str(int(value))) - 1))
    else:
        value = round(value, rng.choice((1, 1, 2)))
    if value in _NUMERALS.values() and rng.random() < 0.2:
        return next(word for word, meant in _NUMERALS.items() if meant == value)
    return f"{value:,}" if rng.random() < 0.15 else f"{value:g}" if abs(value) < 1e6 else str(value)


def _number(field: Field, rng: random.Random) -> Said:
    first, last = number(field, rng), number(field, rng)
    kind = rng.choice(("gt", "gt", "gte", "lt", "lt", "lte", "eq", "between", "over", "under"))
    unit = f" {field.unit}" if field.unit and rng.random() < 0.3 else ""
    if kind == "between":
        tests = (Test(field.label, "gte", (first,)), Test(field.label, "lte", (last,)))
        return Said(_fill("number_between", field, rng, v=first, v2=last + unit), tests)
    phrases = field.over if kind == "over" else field.under
    if kind in ("over", "under") and phrases:
        text = _fill(kind, field, rng, v=first + unit, over=rng.choice(phrases), under=rng.choice(phrases))
        return Said(text, (Test(field.label, "gt" if kind == "over" else "lt", (first,)),))
    kind = {"over": "gt", "under": "lt"}.get(kind, kind)
    return Said(_fill(f"number_{kind}", field, rng, v=first + unit), (Test(field.label, kind, (first,)),))


def moment(field: Field | None, rng: random.Random, single: bool = False) -> str:
    """A phrase that names a span of time."""
    ahead = field is not None and field.ahead and rng.random() < 0.7
    pattern = rng.choice(_SINGLE if single else _AHEAD if ahead else _PAST)
    iso = f"{rng.randint(2023, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return pattern.format(
        n=rng.choice((str(rng.randint(2, 30)), rng.choice(_WORDS[:9]))),
        month=rng.choice(_MONTHS),
        dom=rng.randint(1, 28),
        year=rng.randint(2019, 2026),
        iso=iso,
    )


def _time(field: Field, rng: random.Random) -> Said:
    test = (Test(field.label, "when", ("w1",)),)
    kind = rng.choice(("in", "in", "in", "in", "before", "after", "between"))
    if kind == "in":
        return Said(_fill("time_in", field, rng, when=moment(field, rng)), test, spans=1)
    text = _fill(f"time_{kind}", field, rng, when=moment(field, rng, True), when2=moment(field, rng, True))
    return Said(text, test, spans=1)


def _containing(field: Field, rng: random.Random) -> Said | None:
    said = [word for text in field.texts for word in text.lower().strip(".").split() if len(word) > 4]
    if not said:
        return None
    word = rng.choice(said)
    return Said(_fill("like", field, rng, text=word), (Test(field.label, "like", (word,)),))


def _value(field: Field, domain: Domain, rng: random.Random) -> Said:
    said, stored = value_of(field, domain, rng)
    value = marked(field.label, said, rng) if stored or rng.random() < 0.6 else said
    section = "place" if field.place else {"name": "name", "person": "person", "code": "code"}.get(field.kind, "choice")
    if section == "person" and not field.did:
        section = "name"
    way = rng.random()
    if section in ("choice", "place") and way < 0.1:
        return Said(_fill(f"{section}_neq", field, rng, V=value), (Test(field.label, "neq", (said,)),))
    if section in ("choice", "place") and way < 0.18:
        other, known = value_of(field, domain, rng)
        if other != said:
            text = _fill(f"{section}_in", field, rng, V=value, V2=marked(field.label, other, rng) if known else other)
            return Said(text, (Test(field.label, "eq", (said, other)),))
    test = (Test(field.label, "eq", (said,)),)
    if field.adjective and said.split()[0] not in BEHIND and rng.random() < 0.65:
        return Said(value, test, before=True)
    return Said(_fill(f"{section}_eq", field, rng, V=value), test)
