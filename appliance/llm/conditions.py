"""Conditions: which rows a question is about.

What the links say for certain (stored values, days, amounts) comes first, then what a lookup found, then
what only the model says. Words that a link explains but that no condition can express are *dropped*, and
told: the question is then asked back.

    >>> found = conditions(query, links, [], now)  # doctest: +SKIP
    >>> found.where, found.dropped  # doctest: +SKIP
    ([Condition('status', 'eq', 'free')], [])
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from appliance.llm.amounts import MINUTES, Comparison, plain_number, stocked, tells_amount, tells_nothing, usual_amount
from appliance.llm.bounds import absent, bounds, ended, filled, moment, on_clock, one_of, union
from appliance.llm.dates import Span, hours_of
from appliance.llm.fields import FieldMention, measured, own_words
from appliance.llm.linking import Links
from appliance.llm.lookup import Found, as_number, labelled, number_at
from appliance.llm.mentions import ValueMention, negation
from appliance.llm.plan import NUMBERS, TIMES, Condition, Query
from appliance.llm.time_fields import COMING, NO_TIME, place_of, time_field, time_fields, time_words
from appliance.llm.words import DONE, MONEY, NEGATIONS, OWES, PAST, STOP, fold, label_words, words
from appliance.types import Field

Place = tuple[int, int]
"""Words of the question: the first one's index, and that past the last."""

_ABSENT: Final = NEGATIONS | {"no", "nobody", "no-one", "noone"}
_ARTICLES: Final = frozenset({"a", "an", "any", "the"})
_HAVING: Final = frozenset(
    "seen been had visited take takes taking have has ever yet even got a single made signed having use uses using"
    " need needs get gets own owns".split()
)


class Conditions:
    """What :func:`conditions` found.

    Attributes:
        where: the conditions.
        explained: indices of words that have a meaning here beyond what the links explain.
        dropped: places of words that the links explain but that no condition expresses.
        placed: where the words of a test stand, and its field.
        corrected: literals as asked and as stored, where they differ.
        time_field: the field that the question's times are about, or None.
    """

    def __init__(self, query: Query, links: Links, now: datetime) -> None:
        self.query, self.links, self.now = query, links, now
        self.collection = links.collection
        self.where: list[Condition] = []
        self.explained: set[int] = set()
        self.dropped: list[Place] = []
        self.corrected: list[tuple[str, str]] = []
        self.placed: list[tuple[Place, str]] = []
        self.time_field = time_field(links, now)
        self.explained |= time_words(links, self.time_field)

    @property
    def tested(self) -> set[str]:
        """The fields that have a condition."""
        return {condition.field for condition in self.where}

    def find(self, found: Iterable[Found]) -> None:
        """Make every condition; the surest first."""
        self._stored_values()
        self._against()
        self._looked_up(found)
        self._flags()
        self._times()
        self._over()
        self._amounts()
        self._labelled_numbers()
        self._in_stock()
        self._owing()
        self._model_numbers()
        self._present()
        self._drop_or()

    def _add(self, at: Place, *made: Condition) -> None:
        self.where += made
        self.placed.append((at, made[0].field))

    def _against(self) -> None:
        """Fields of a row that are held against each other: "over budget"."""
        for each in self.links.against:
            self._add(each.at, each.condition)

    # Values ----------------------------------------------------------------------------------------------

    def _stored_values(self) -> None:
        by_field: dict[tuple[str, bool], list[str]] = {}
        for mention in self.links.values:
            if self._dates_it(mention):
                self.dropped += [mention.at] if mention.negated else []
                continue
            if self._apart(mention):
                self.dropped.append(mention.at)
                continue
            field = self._preferred(mention.fields)
            self.placed.append((mention.at, field))
            by_field.setdefault((field, mention.negated), []).extend(mention.values)
            self._correct(" ".join(word.text for word in self.links.words[slice(*mention.at)]), mention.values)
        for (field, negated), values in by_field.items():
            self.where += one_of(field, values, negated)

    def _correct(self, asked: str, stored: tuple[str, ...]) -> None:
        if [fold(asked)] != [fold(value) for value in stored]:
            self.corrected.append((asked, " or ".join(stored)))

    def _dates_it(self, mention: ValueMention) -> bool:
        """Whether a value is a time's verb: "admitted this week" is about ``admitted_on``, not about a state."""
        said = {word.stem for word in self.links.words[slice(*mention.at)]}
        verb = own_words(self.collection, self.time_field)[:1] if self.time_field else ()
        return bool(self.links.spans and said & set(verb))

    def _apart(self, mention: ValueMention) -> bool:
        """Whether a value is not joined to the one before in its field: "free in surgery and occupied in oncology"."""
        before = [v for v in self.links.values if v.field == mention.field and v.at < mention.at]
        if not before or before[-1].negated != mention.negated:
            return False
        between = range(before[-1].at[1], mention.at[0])
        said = {self.links.words[at].folded for at in between}
        sure = mention.exact and before[-1].exact
        joined = all(at in self.links.named or self.links.words[at].folded in STOP | NEGATIONS for at in between)
        return not joined or not (sure or not said or said & {"and", "or"})

    def _preferred(self, fields: tuple[str, ...]) -> str:
        named = {mention.field for mention in self.links.fields}
        modelled = {condition.field for condition in self.query.where}
        return next((f for f in fields if f in named), next((f for f in fields if f in modelled), fields[0]))

    def _looked_up(self, found: Iterable[Found]) -> None:
        """Two finds in one field must agree, or the second stays unexplained."""
        held: dict[str, tuple[str, ...]] = {}
        certain = self.tested
        for hit in found:
            values = tuple(value for value in hit.values if value in held.get(hit.field, hit.values))
            if hit.field in certain or not values:
                continue
            held[hit.field] = values
            self._correct(hit.text, values)
            self._explain(hit)
        for field, values in held.items():
            at = next(place for place, name in self.placed if name == field)
            before = negation(self.links.words, at[0])
            self.explained |= set(before)
            self.where += one_of(field, list(values), bool(before))

    def _explain(self, hit: Found) -> None:
        said = {word.folded for word in words(hit.text)}
        places = [index for index, word in enumerate(self.links.words) if word.folded in said]
        self.explained |= set(places)
        self.placed.append(((places[0], places[-1] + 1) if places else (0, 0), hit.field))

    def _flags(self) -> None:
        """Booleans ("confidential", "not confidential") and fields that must be empty ("without a diagnosis")."""
        for mention in self.links.fields:
            field = self.collection.field(mention.field)
            if field is None or field.name in self.tested | set(self.links.group):
                continue
            before = self._absent_before(mention.at[0])
            if field.type == "boolean":
                self._add(mention.at, Condition(field.name, "eq", not before))
            elif before and self.links.spans and field.name == self.time_field:
                continue  # "not serviced in the last 90 days" has been serviced before
            elif before and not self._valued(mention):
                over = ended(field, self.now) if len(before) > 1 else None  # "out of warranty", of *warranty until*
                self._add(mention.at, over or absent(field, self.collection.count, True))
            else:
                continue
            self.explained |= set(before)
        for at, name in self.links.denied:
            field = self.collection.field(name)
            if field is not None and name not in self.tested:
                false = Condition(name, "eq", False)
                empty = absent(field, self.collection.count, True)
                self._add((at, at + 1), false if field.type == "boolean" else empty)

    def _present(self) -> None:
        """Fields that must not be empty: "beds with a patient"."""
        for mention in self.links.fields:
            before = [word.folded for word in self.links.words[max(0, mention.at[0] - 2) : mention.at[0]]]
            owned = before[-2:-1] == ["with"] and before[-1] in ("a", "an", "any")
            field = self.collection.field(mention.field)
            counted = field is not None and field.type in NUMBERS and field.low == 0 and before[-1:] == ["with"]
            if counted and field is not None and field.name not in self.tested and not self.links.comparisons:
                self._add(mention.at, absent(field, self.collection.count, False))  # "calls with injuries"
            elif owned and mention.field not in self.tested | set(self.links.group) and not self._valued(mention):
                self._add(mention.at, Condition(mention.field, "null", False))

    def _absent_before(self, first: int) -> list[int]:
        at = first - 1
        while at > 0 and self.links.words[at].folded in _ARTICLES | _HAVING:
            at -= 1
        if at >= 1 and [word.folded for word in self.links.words[at - 1 : at + 1]] == ["out", "of"]:
            return [at - 1, at]  # "analysers that are out of use"
        return [at] if at >= 0 and self.links.words[at].folded in _ABSENT else []

    def _valued(self, mention: FieldMention) -> bool:
        """Whether a value stands at or beside the mention: "not in ward 3" is about the 3."""
        return any(value.at[0] <= mention.at[1] and mention.at[0] <= value.at[1] for value in self.links.values)

    # Times -----------------------------------------------------------------------------------------------

    def _times(self) -> None:
        spans = self.links.spans
        if not spans:
            return
        never = self._denied_time()
        if self.time_field is None or (spans[0].words.startswith(_FOR_LONG) and not never):
            self.dropped += [self.place(span) for span in spans]
            return
        start, end, left = union(spans)
        if never and not left:  # "not serviced in the last 90 days" is before them
            self.explained |= set(never)
            start, end = (None, start) if start is not None else (start, end)
        self.dropped += [self.place(span) for span in left]
        first, last = self._moment(start), self._moment(end)
        if (spans[0].part or spans[0].clock) and not left:
            first, last = self._part_of_day(spans[0], first, last)
        self.where += bounds(self.time_field, first, last)
        self.placed += [(self.place(span), self.time_field) for span in spans if span not in left]

    def _denied_time(self) -> list[int]:
        """The words that deny the time's verb: "not serviced", "has not donated"."""
        label = set(own_words(self.collection, self.time_field)) - NO_TIME if self.time_field else set()
        said = [mention.at[0] for mention in self.links.fields if mention.field == self.time_field]
        said += [at for at, word in enumerate(self.links.words) if word.stem in label]
        return next((before for at in said if (before := self._absent_before(at))), [])

    def _over(self) -> None:
        """As in "expired items": the day is over, or, as in "updated documents", there is one."""
        for mention in () if self.links.spans else self.links.fields:
            said = self.links.words[mention.at[0]].folded
            if mention.field not in self.time_fields() or mention.field in self.tested or self._asks_when():
                continue
            if said in PAST:
                today = moment(self.collection.field(mention.field), self.now, self.now)
                self._add(mention.at, Condition(mention.field, "lt", today))
                self._undone(said)
            elif said.endswith("ed") and not self._valued(mention) and not self._filled(mention.field):
                self._add(mention.at, Condition(mention.field, "null", False))
        self._overdue()

    def _undone(self, said: str) -> None:
        """What is overdue has not been done, where a day says when it was: *returned on*, *paid on*."""
        own = [field for field in self.collection.fields if "." not in field.name and field.name != "created_at"]
        done = [field for field in own if DONE & set(label_words(field.label))]
        field = next((f for kinds in (TIMES, {"boolean"}) for f in done if f.type in kinds), None)
        if said == "expired" or field is None or field.name in self.tested:
            return
        if field.type == "boolean":
            self.where.append(Condition(field.name, "eq", False))
        elif not self._filled(field.name):
            self.where.append(Condition(field.name, "null", True))

    def _filled(self, name: str) -> bool:
        field = self.collection.field(name)
        return field is not None and "." not in name and filled(field, self.collection.count)

    def _overdue(self) -> None:
        label_of = {name: set(own_words(self.collection, name)) for name in self.time_fields()}
        for index, word in enumerate(self.links.words):
            names = [name for name, label in label_of.items() if PAST.get(word.folded, frozenset()) & label]
            due = bool(names)
            if word.folded == "overdue" and not names:  # "overdue for service" is before its *next service*
                said = {each.stem for each in self.links.words}
                names = [name for name, label in label_of.items() if COMING & label and said & (label - COMING)]
            if names and index not in self.links.explained and names[0] not in self.tested:
                label = label_of[names[0]]
                self.explained |= {index} | {at for at, each in enumerate(self.links.words) if each.stem in label}
                today = moment(self.collection.field(names[0]), self.now, self.now)
                self._add((index, index + 1), Condition(names[0], "lt", today))
                if due:
                    self._undone(word.folded)

    def _asks_when(self) -> bool:
        return any(word.folded == "when" for word in self.links.words)

    def place(self, span: Span) -> Place:
        """The words of a time."""
        return place_of(span, self.links)

    def _part_of_day(self, span: Span, first: str | None, last: str | None) -> tuple[str | None, str | None]:
        """Hours where the field holds times; a stored value of that name ("night") where it holds days."""
        hours = hours_of(span, self.now)
        if self._holds_days() or hours is None:
            named = next((f for f in self.collection.fields if span.part in map(fold, f.values)), None)
            if named is None or named.name in self.tested:
                self.dropped.append(self.place(span))
            else:
                self._add(
                    self.place(span), *one_of(named.name, [v for v in named.values if fold(v) == span.part], False)
                )
            return first, last
        field = self.collection.field(self.time_field or "")
        return on_clock(field, hours[0]), on_clock(field, hours[1])

    def _holds_days(self) -> bool:
        field = self.collection.field(self.time_field or "")
        return field is not None and field.type == "date"

    def _moment(self, day: date | None) -> str | None:
        if day is None or self.time_field is None:
            return None
        return moment(self.collection.field(self.time_field), day, self.now)

    def time_fields(self) -> list[str]:
        """The fields that hold days or times, apart from when the row was made."""
        return time_fields(self.collection)

    # Amounts ---------------------------------------------------------------------------------------------

    def _amounts(self) -> None:
        fields: dict[Place, Field | None] = {}
        for comparison in self.links.comparisons:
            before = next((place for place in fields if place[1] == comparison.at[0]), None)
            if before:
                field = fields[before]  # "between 5 and 10" is of one number
            else:
                field = None if self._counts_rows(comparison) else self._compared_field(comparison)
            fields[comparison.at] = field
            if field is None:
                self.dropped.append(comparison.at)
            else:
                number = comparison.number * comparison.scale
                self._add(comparison.at, Condition(field.name, comparison.op, plain_number(number)))

    def _counts_rows(self, comparison: Comparison) -> bool:
        """As in "wards with more than 2 free beds" compares a number of rows, which a plan cannot."""
        valued = {index for value in self.links.values for index in range(*value.at)}
        for index in range(comparison.at[1], len(self.links.words)):
            if index not in valued and self.links.words[index].folded not in STOP:
                return index in self.links.named
        return False

    def _compared_field(self, comparison: Comparison) -> Field | None:
        numbers = {field.name: field for field in self.number_fields()}
        any_number = {field.name: field for field in self.collection.fields if field.type in NUMBERS}
        if comparison.scale != 1:
            return next(field for field in numbers.values() if MINUTES & set(label_words(field.label)))
        named = [mention for mention in self.links.fields if mention.field in any_number]
        if named:
            return any_number[min(named, key=lambda mention: _apart(mention.at, comparison.at)).field]
        price = measured("money", self.collection) if comparison.money else None
        if price is not None:
            return price
        ends = [one for one in self.links.comparisons if one.at[0] == comparison.at[1] or one is comparison]
        telling = {name: f for name, f in numbers.items() if not tells_nothing(f, *ends)}
        meant = list((telling or numbers).values())
        pieces, money = stocked(self.collection), any(MONEY & set(label_words(field.label)) for field in meant)
        unsaid = not _PIECES & {word.folded for word in self.links.words}
        if unsaid and money and pieces in meant:
            return None
        for condition in self.query.where:
            if condition.field in (telling or numbers) and as_number(str(condition.value)) == comparison.number:
                return numbers[condition.field]
        return usual_amount(meant)

    def number_fields(self) -> list[Field]:
        """The fields that hold numbers which tell how much."""
        return [field for field in self.collection.fields if tells_amount(field) and field.name != "id"]

    def _labelled_numbers(self) -> None:
        """Numbers behind a number field's label: "floor 3", "grades 5 and 6"."""
        held: dict[str, dict[int, float]] = {}
        for at, field in labelled(self.links).items():
            number = number_at(self.links.words[at].folded)
            if field.name not in self.tested and number is not None:
                held.setdefault(field.name, {})[at] = number
        for name, numbers in held.items():
            self.explained |= numbers.keys()
            values = tuple(map(plain_number, numbers.values()))
            test = Condition(name, "in", values) if len(values) > 1 else Condition(name, "eq", values[0])
            self._add((min(numbers), max(numbers) + 1), test)

    def _model_numbers(self) -> None:
        """A bare number that the model puts into a field; a number beside "top" or "last" counts rows."""
        known = self.links.explained | {at for cue in self.links.cues for at in (cue.at[0] - 1, cue.at[1])}
        for condition in self.query.where:
            field = self.collection.field(condition.field)
            number = as_number(str(condition.value))
            if field is None or field.type not in NUMBERS or field.name in self.tested or number is None:
                continue
            free = [i for i, word in enumerate(self.links.words) if word.folded == fold(str(condition.value))]
            if free and condition.op == "eq" and not set(free) & (known | self.explained):
                self.explained |= set(free)
                self._add((free[0], free[-1] + 1), Condition(field.name, "eq", plain_number(number)))

    def _owing(self) -> None:
        """Who owes a number has more than nothing of it; how much is owed adds up."""
        at = next((at for at, word in enumerate(self.links.words) if OWES.fullmatch(word.folded)), None)
        numbers = {field.name for field in self.number_fields()}
        named = [each.field for each in self.links.fields if each.field in numbers - self.tested]
        if at is not None and len(set(named)) == 1 and "how much" not in self.links.text:
            self.explained.add(at)
            self._add((at, at + 1), Condition(named[0], "gt", 0))

    def _in_stock(self) -> None:
        """What is in stock, and what is not."""
        field, said = stocked(self.collection), [word.folded for word in self.links.words]
        for at in range(1, len(said)):
            there = said[at - 1 : at + 1] == ["in", "stock"]
            first = at - 1 if there else at - 2
            if field is None or field.name in self.tested or not (there or said[max(0, first) : at + 1] == _OUT):
                continue
            if not any(value.at[0] <= at < value.at[1] for value in self.links.values):
                self.explained |= set(range(first, at + 1))
                if not (there and "how many" in self.links.text):  # how many there are adds up
                    self._add((first, at + 1), Condition(field.name, "gt" if there else "lte", 0))

    # "or" ------------------------------------------------------------------------------------------------

    def _drop_or(self) -> None:
        """A plan's conditions hold all together: "free or in surgery" is not what it can ask."""
        for index, word in enumerate(self.links.words):
            if word.folded != "or" or any(at[0] <= index < at[1] for at, _ in self.placed):
                continue
            before = [(at, field) for at, field in self.placed if at[1] <= index]
            after = [(at, field) for at, field in self.placed if at[0] > index]
            if before and after and max(before)[1] != min(after)[1]:
                self.dropped.append((index, index + 1))


def conditions(query: Query, links: Links, found: Iterable[Found], now: datetime) -> Conditions:
    """The conditions of a question.

    Args:
        query: what the model wrote.
        links: what the question says for certain.
        found: what lookups found.
        now: the present in the facility's timezone.
    """
    made = Conditions(query, links, now)
    made.find(found)
    return made


_PIECES: Final = frozenset("left remaining remain remains stock stocked hand pieces units".split())
_FOR_LONG: Final = tuple(f"{first} {last}" for first in ("for", "in") for last in ("more than", "over", "at least"))
_OUT: Final = ["out", "of", "stock"]


def _apart(one: Place, other: Place) -> int:
    return min(abs(one[1] - other[0]), abs(one[0] - other[1]))
