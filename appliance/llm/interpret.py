"""Interpret: a sketch, in the words of the question, becomes a plan over the stored values.

Literals become the values they mean, words become numbers, spans become days; what cannot be resolved is told as
missing, so that another sketch may be taken.

    >>> number_of("1,200"), number_of("five"), number_of("2.5k"), number_of("many")
    (1200, 5, 2500, None)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

import msgspec

from appliance.llm.amounts import is_serial, plain_number
from appliance.llm.bounds import absent, bounds, moment, on_clock, one_of
from appliance.llm.dates import Span, hours_of
from appliance.llm.forms import AddField, Alert, AlertCancel, Measure, Plan, Summary
from appliance.llm.linking import Links
from appliance.llm.lookup import Found, Lookup, holds, ordinal
from appliance.llm.named import half_said
from appliance.llm.notation import Rank, Sketch, Test
from appliance.llm.plan import (
    GROUPS_AT_MOST,
    NUMBERS,
    ROWS_AT_MOST,
    TIMES,
    Condition,
    Having,
    Operator,
    Order,
    Query,
    Refuse,
    Select,
)
from appliance.llm.values import Index
from appliance.llm.views import View, named_row, title_of
from appliance.llm.words import PAST, fold, words
from appliance.types import Field, FieldType

FIELDS_SHOWN: Final = 10
ALIKE_AT_MOST: Final = 20
"""So many stored values may contain the words of a literal; more are none of them."""
_NUMERALS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
_TENS: Final = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "dozen": 12, "thousand": 1000}
_NUMBER: Final = re.compile(r"[^\d-]*(-?\d[\d,]*(?:\.\d+)?)\s*([km])?\b.*", re.DOTALL)
_AMOUNTS: Final = frozenset(
    "amount price cost weight height margin total quantity qty count rate score number fee budget".split()
)
_SIGNS: Final = {"plus": "+", "minus": "-", "times": "*", "over": "/"}


class Interpreted(msgspec.Struct, frozen=True):
    """What a sketch means.

    Attributes:
        plan: the plan, or None where it means nothing that can be run.
        missing: literals that stand for no stored value.
        corrected: literals as asked and as stored, where they differ.
    """

    plan: Plan | None
    missing: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


def number_of(text: str) -> int | float | None:
    """The number that words say, or None."""
    said = text.lower().strip()
    if said in _NUMERALS:
        return _NUMERALS.index(said)
    if (place := ordinal(said)) is not None:
        return place
    if said.removeprefix("a ") in _TENS:
        return _TENS[said.removeprefix("a ")]
    found = _NUMBER.fullmatch(said)
    if found is None:
        return None
    return plain_number(float(found[1].replace(",", "")) * {"k": 1e3, "m": 1e6}.get(found[2] or "", 1))


def open_literals(sketch: Sketch, seen: View, links: Links) -> list[Lookup]:
    """The literals of a sketch that must be looked for in the database."""
    wanted = []
    for test in sketch.where:
        field = seen.field(test.field)
        if field is None or field.type != "text" or test.op not in ("eq", "neq"):
            continue
        for said in test.values:
            if _known(said, field, links) is None and not field.values:
                wanted.append(Lookup(said, (field.name,)))
    return wanted


def _known(said: str, field: Field, links: Links) -> tuple[str, ...] | None:
    """The stored values of a field that words mean, as far as the catalog and the links tell."""
    folded = fold(said)
    index, size = Index(msgspec.structs.replace(links.collection, fields=(field,))), len(folded.split())
    if (whole := index.whole(folded, size)) is not None:
        return whole.values
    alike = tuple(value for value in field.values if holds(value, said))
    if 0 < len(alike) <= ALIKE_AT_MOST:
        return alike
    for mention in links.values:
        if (
            not mention.opposite
            and field.name in mention.fields
            and folded == " ".join(w.folded for w in links.words[slice(*mention.at)])
        ):
            return mention.values
    hit = index.near(folded, size) or index.part(folded, size)
    return hit.values if hit else None


class _Meaning:
    """The making of one plan."""

    def __init__(
        self, sketch: Sketch, seen: View, links: Links, found: Iterable[Found], now: datetime, before: Query | None
    ) -> None:
        self.sketch, self.seen, self.links, self.now, self.before = sketch, seen, links, now, before
        self.found = {(hit.field, fold(hit.text)): hit.values for hit in found}
        self.missing: list[str] = []
        self.corrected: list[tuple[str, str]] = []

    def plan(self) -> Plan | None:
        name = self.seen.collection.name
        if self.sketch.intent == "none":
            return Refuse("LLM214", "The data of this box does not tell that.")
        if self.sketch.intent == "add":
            return self._addition()
        where = tuple(dict.fromkeys(condition for test in self.sketch.where for condition in self._conditions(test)))
        if self.sketch.intent == "cancel":
            return AlertCancel(name, where)
        if self.sketch.intent == "alert":
            return self._alert((*where, *self._against(where)))
        if self.sketch.intent == "summary":
            return self._summary(where)
        query = self._query((*where, *self._against(where)))
        return msgspec.structs.replace(query, related=self.links.related) if query else None

    def _against(self, where: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Fields that are held against each other, which no sketch tells."""
        return tuple(each.condition for each in self.links.against if each.condition not in where)

    # Tests -----------------------------------------------------------------------------------------------

    def _conditions(self, test: Test) -> list[Condition]:
        field = self.seen.field(test.field)
        if field is None:
            self.missing.append(test.field)
            return []
        if test.op in ("null", "some"):
            return [absent(field, self.seen.collection.count, test.op == "null")]
        if test.op in ("yes", "no"):
            return [Condition(field.name, "eq", test.op == "yes")]
        if test.op == "when":
            return self._when(field, test.values[0])
        if test.op == "like":
            return [Condition(field.name, "like", test.values[0])]
        if field.type in TIMES:
            over = any(word.folded in PAST for word in self.links.words)  # what is due today is not overdue
            op: Operator = "gte" if test.op == "gt" else "lt" if over else "lte"
            return [Condition(field.name, op, moment(field, self.now, self.now))]
        if field.type in NUMBERS:
            return self._number(field, test)
        if test.op not in ("eq", "neq"):
            self.missing.append(" ".join(test.values))
            return []
        stored = [self._stored(field, said) for said in test.values]
        return (
            one_of(field.name, [each for values in stored for each in values], test.op == "neq") if all(stored) else []
        )

    def _stored(self, field: Field, said: str) -> tuple[str, ...]:
        values = self.found.get((field.name, fold(said))) or _known(said, field, self.links)
        if not values:
            if said not in self.missing:
                self.missing.append(said)
            return ()
        correction = (said, " or ".join(values[:3]))
        if [fold(said)] != [fold(value) for value in values] and correction not in self.corrected:
            self.corrected.append(correction)
        return values

    def _number(self, field: Field, test: Test) -> list[Condition]:
        numbers = [number_of(said) for said in test.values]
        if any(number is None for number in numbers):
            self.missing += [said for said, number in zip(test.values, numbers, strict=True) if number is None]
            return []
        op: Any = test.op
        values = [_whole(number, op) if field.type == "integer" else number for number in numbers if number is not None]
        if len(values) > 1:
            return [Condition(field.name, "in", tuple(values))]
        return [Condition(field.name, op, values[0])]

    def _when(self, field: Field, name: str) -> list[Condition]:
        place = int(name[1]) - 1
        if place < len(self.links.spans):
            return span_tests(field, self.links.spans[place], self.now)
        held = [condition for condition in self.before.where if condition.field == field.name] if self.before else []
        if not held:
            self.missing.append(name)
        return held

    # Queries ---------------------------------------------------------------------------------------------

    def _query(self, where: tuple[Condition, ...]) -> Query | None:
        items = self._items()
        if items is None:
            return None
        measures = [select for select in items if select.aggregate]
        groups = self._groups()
        if groups is None or (measures and len(measures) < len(items)):
            return None
        if groups:
            return self._grouped(where, groups, measures or [Select("*", "count")])
        name = self.seen.collection.name
        if measures:
            return Query(name, tuple(measures), where)
        order, limit = self._order(self.sketch.rank)
        limits = (self._ranked_time(order, where), limit) if order else ((), limit)
        shown = self._shown([select.field for select in items if select.field != "*"], where, order)
        return Query(name, shown, (*where, *limits[0]), order=order or self._usual(where), limit=limit)

    def _items(self) -> list[Select] | None:
        found = []
        for item in self.sketch.select:
            aggregate: Any = item.aggregate
            if item.field is None or aggregate == "count":
                found.append(Select("*", aggregate))
                continue
            field = self.seen.field(item.field)
            if field is None or (aggregate in ("sum", "avg") and field.type not in NUMBERS):
                self.missing.append(item.field)
                return None
            found.append(Select(field.name, aggregate))
        return list(dict.fromkeys(found))

    def _groups(self) -> list[Select] | None:
        found = []
        for group in self.sketch.group:
            field = self.seen.field(group.field)
            if field is None:
                self.missing.append(group.field)
                return None
            bucket: Any = group.bucket
            if field.type in TIMES and bucket is None and field.type == "timestamptz":
                bucket = "day"
            if bucket == "hour" and field.type == "date":
                bucket = "day"
            found.append(Select(field.name, bucket=bucket if field.type in TIMES else None))
        return found

    def _grouped(self, where: tuple[Condition, ...], groups: list[Select], measures: list[Select]) -> Query:
        names, first = tuple(dict.fromkeys(group.field for group in groups)), measures[0]
        having: tuple[Having, ...] = ()
        if self.sketch.having:
            op, said = self.sketch.having
            limit = number_of(said)
            if limit is None:
                self.missing.append(said)
            else:
                comparison: Any = op
                having = (Having(first.field, first.aggregate or "count", comparison, limit),)
        order: tuple[Order, ...] = ()
        limit_rows = GROUPS_AT_MOST
        rank = self.sketch.rank
        if rank:
            where = (*where, *self._with_value(names))
            order = (Order(first.field, rank.falling, first.aggregate),)
            limit_rows = self._first_groups(rank)
        elif groups[0].bucket:
            order = (Order(groups[0].field),)
        zone = getattr(self.now.tzinfo, "key", "") if any(group.bucket for group in groups) else ""
        return Query(
            self.seen.collection.name, (*groups, *measures), where, names, order, limit_rows, having, timezone=zone
        )

    def _first_groups(self, rank: Rank) -> int:
        """How many groups come first."""
        return self._limit(rank, GROUPS_AT_MOST)

    def _with_value(self, names: tuple[str, ...]) -> list[Condition]:
        """Rows without a value are nobody's: they do not rank."""
        fields = [self.seen.collection.field(name) for name in names]
        rows = self.seen.collection.count
        return [
            Condition(f.name, "null", False) for f in fields if f is not None and "." not in f.name and f.count < rows
        ]

    def _order(self, rank: Rank | None) -> tuple[tuple[Order, ...], int]:
        if rank is None:
            return (), ROWS_AT_MOST
        field = self.seen.field(rank.field) if rank.field else None
        if rank.field and field is None:
            self.missing.append(rank.field)
        if field and rank.limit and field.type not in (*NUMBERS, *TIMES):
            self.missing.append(field.label)  # the highest of names says nothing
        order = (Order(field.name, rank.falling),) if field else ()
        return order, self._limit(rank, ROWS_AT_MOST)

    def _limit(self, rank: Rank, most: int) -> int:
        number = number_of(rank.limit) if rank.limit else most
        return max(1, min(int(number or most), most))

    def _ranked_time(self, order: tuple[Order, ...], where: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """The last one has been, where the field also holds times to come."""
        field = self.seen.collection.field(order[0].field)
        said = {word.folded for word in self.links.words}
        tested = {condition.field for condition in where}
        if field is None or field.type not in TIMES or not order[0].descending or field.name in tested:
            return ()
        ahead = field.high is None or str(field.high) > self.now.date().isoformat()
        if self.sketch.rank and self.sketch.rank.limit and ahead and said & {"last", "recent", "recently", "latest"}:
            return (Condition(field.name, "lte", moment(field, self.now, self.now)),)
        return ()

    def _shown(self, asked: list[str], where: tuple[Condition, ...], order: tuple[Order, ...]) -> tuple[Select, ...]:
        """What is shown of rows: their name and what is asked; all fields where none is asked."""
        own = [field.name for field in self.seen.collection.fields if field.type != "jsonb" and field.name != "id"]
        title = title_of(self.seen.collection)
        asked = [name for name in asked if self._says(name)]
        if {*asked} <= {test.field for test in where}:
            asked = []  # "is bed C-04 free?" asks more of the row than its name
        serial = [field.name for field in self.seen.collection.fields if field.name in own[:2] and is_serial(field)]
        chosen = dict.fromkeys([title.name] if title else own[:1])
        if not (self.sketch.rank or named_row(where, self.seen.collection)):
            chosen |= dict.fromkeys(serial)  # rows of one customer are told apart by their number
        chosen |= dict.fromkeys(asked)
        chosen |= dict.fromkeys(each.field for each in order if each.field != "id")
        if not asked:
            chosen |= dict.fromkeys(name for test in where for name in (test.field, test.other) if name)
            chosen |= dict.fromkeys(name for name in own if "." not in name)
        return (Select("id"), *(Select(name) for name in list(chosen)[: max(FIELDS_SHOWN, len(asked) + 1)]))

    def _says(self, name: str) -> bool:
        """Whether a question speaks of a field: what nobody asked for is no reason to leave out the rest of a row."""
        field = self.seen.collection.field(name)
        return (
            field is None
            or any(
                mention.field == name and not set(range(*mention.at)) <= set(self.links.named)
                for mention in self.links.fields
            )
            or half_said(field, self.links)
        )

    def _usual(self, where: tuple[Condition, ...]) -> tuple[Order, ...]:
        times = {field.name for field in self.seen.collection.fields if field.type in TIMES}
        by = next((condition.field for condition in where if condition.field in times), None)
        return (Order(by or "id"),)

    # Other forms -----------------------------------------------------------------------------------------

    def _alert(self, where: tuple[Condition, ...]) -> Alert | None:
        name, item = self.seen.collection.name, self.sketch.select[0]
        if self.sketch.having is None:
            last = where[-1] if where else None
            field = self.seen.collection.field(last.field) if last else None
            bounded = last is not None and last.op in ("gt", "gte", "lt", "lte") and not last.other
            if last is None or field is None or field.type not in NUMBERS or not bounded:
                return Alert(name, where)
            op: Any = last.op
            return Alert(name, where[:-1], Measure(last.field), op, last.value)
        comparison: Any = self.sketch.having[0]
        limit = number_of(self.sketch.having[1])
        measured = self.seen.field(item.field) if item.field else None
        if limit is None or (item.field and measured is None):
            self.missing.append(self.sketch.having[1])
            return None
        aggregate: Any = item.aggregate or "count"
        measure = Measure(measured.name if measured and aggregate != "count" else "*", aggregate)
        return Alert(name, where, measure, comparison, limit)

    def _addition(self) -> AddField | None:
        name, label = self.seen.collection.name, self.sketch.new
        if self.sketch.formula is None:
            return AddField(name, label, _type_of(label))
        first, sign, last = self.sketch.formula
        fields = self.seen.field(first), self.seen.field(last)
        if any(field is None or "." in field.name for field in fields):
            return None
        return AddField(name, label, formula=f"{fields[0].name} {_SIGNS[sign]} {fields[1].name}")  # type: ignore[union-attr]

    def _summary(self, where: tuple[Condition, ...]) -> Summary | None:
        """A summary of a span of time; it cannot be of some rows only."""
        times = {field.name for field in self.seen.collection.fields if field.type in TIMES}
        if any(condition.field not in times or condition.op not in ("gte", "lt") for condition in where):
            return None
        start = next((condition.value for condition in where if condition.op == "gte"), None)
        end = next((condition.value for condition in where if condition.op == "lt"), None)
        return Summary(self.seen.collection.name, start, end)


Said = tuple[tuple[str, ...], str]
"""Words that stand for a stored value, behind the labels of the fields that hold it."""


def replaced(sketch: Sketch, said: Iterable[Said]) -> Sketch:
    """A sketch that follows up another: a new value of a field takes the place of the old one.

    Args:
        sketch: what the model wrote, with both or with the old one only.
        said: the values that the question says.
    """
    last = {(test.field, test.op): place for place, test in enumerate(sketch.where) if test.op in ("eq", "when")}
    kept = [test for place, test in enumerate(sketch.where) if last.get((test.field, test.op), place) == place]
    new: dict[str, tuple[str, ...]] = {}
    for labels, value in said:
        for test in kept:
            if test.op == "eq" and test.field in labels and value not in new.get(test.field, ()):
                new[test.field] = (*new.get(test.field, ()), value)
                break
    where = (
        msgspec.structs.replace(test, values=new[test.field])
        if test.op == "eq" and not set(test.values) & set(new.get(test.field, test.values))
        else test
        for test in kept
    )
    return msgspec.structs.replace(sketch, where=tuple(where))


def said_in(links: Links, seen: View) -> list[Said]:
    """The stored values that a question says for certain, and none of them with "not"."""
    return [
        (
            tuple(label for name in mention.fields if (label := seen.label(name))),
            " ".join(word.text.lower() for word in links.words[slice(*mention.at)]),
        )
        for mention in links.values
        if mention.exact and not mention.negated
    ]


def _whole(number: int | float, op: Operator) -> int | float:
    """A bound of whole numbers: over 2.5 is over 2, under 2.5 is under 3."""
    if float(number).is_integer():
        return int(number)
    return math.floor(number) if op in ("gt", "lte") else math.ceil(number)


def _type_of(label: str) -> FieldType:
    """The type of a new field, by its name."""
    said = {word.folded for word in words(label)}
    if said & {"date", "day", "due", "deadline", "birthday", "on"}:
        return "date"
    if said & _AMOUNTS:
        return "numeric"
    return "text"


def span_tests(field: Field, span: Span, now: datetime) -> list[Condition]:
    """The conditions that put a time field into a span."""
    hours = hours_of(span, now)
    if hours is not None and field.type == "timestamptz":
        return bounds(field.name, *(on_clock(field, hour) for hour in hours))
    return bounds(field.name, _at(field, span.start, now), _at(field, span.end, now))


def _at(field: Field, day: date | None, now: datetime) -> str | None:
    return None if day is None else moment(field, day, now)


def interpret(
    sketch: Sketch, seen: View, links: Links, found: Iterable[Found], now: datetime, before: Query | None = None
) -> Interpreted:
    """The plan that a sketch means.

    Args:
        sketch: what the model wrote.
        seen: how it saw the collection.
        links: the question's links to the collection.
        found: what the lookups of :func:`open_literals` found.
        now: the present in the facility's timezone.
        before: the plan of the question that this one follows up.
    """
    meaning = _Meaning(sketch, seen, links, found, now, before)
    plan = meaning.plan()
    return Interpreted(plan, tuple(dict.fromkeys(meaning.missing)), tuple(meaning.corrected))
