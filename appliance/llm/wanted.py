"""Wanted: what is to be shown of the rows that a question is about: rows, a number, or numbers per group.

>>> found = wanted(query, links, conditions)  # doctest: +SKIP
>>> found.select, found.order, found.limit  # doctest: +SKIP
((Select('*', 'count'),), (), 200)
"""

from __future__ import annotations

from typing import Final

from appliance.llm.amounts import holds_years, stocked, substances, usual_amount, year_field
from appliance.llm.conditions import Conditions, Place
from appliance.llm.fields import FieldMention, holds_births, holds_starts, measured
from appliance.llm.linking import Cue
from appliance.llm.named import measures_things
from appliance.llm.people import DOERS, PEOPLE, people_of
from appliance.llm.plan import GROUPS_AT_MOST, NUMBERS, ORDERED, ROWS_AT_MOST, TIMES, Aggregate, Order, Select
from appliance.llm.ranks import falls, sorts
from appliance.llm.superlatives import AGES, BUSY, COMMON, RANKS, SIZES, SMALL, SMALLEST, TIMELY, WEAK
from appliance.llm.variants import adds_up, amounts_said, distinct_of, names_things, tells_state
from appliance.llm.views import kinds_of, name_of, named_row, title_of
from appliance.llm.words import (
    EARNINGS,
    MEASURES,
    MOST_MONEY,
    MOST_TIME,
    MOVED,
    PRICED,
    SELLING,
    SENIOR,
    SHARES,
    label_words,
    singular,
    speaks_of,
    stem,
)
from appliance.types import Field, FieldType

FIELDS_SHOWN: Final = 10
_DIFFERENT: Final = frozenset({"different", "distinct", "unique", "various"})
_THERE: Final = [
    words.split() for words in ("are there", "do we have", "exist", "do you have", "have we got", "are they")
]
_SUMS: Final = frozenset(EARNINGS)
_TRADED: Final = frozenset("sell sells sold earn earned make made take took".split())
_PIECES: Final = frozenset(map(stem, ("units", "pieces")))
_ASKS_ONE: Final = ("which", "who", "whose", "top")


class Wanted:
    """What :func:`wanted` found.

    Attributes:
        select, group, order, limit: the parts of the plan.
        coming: the rows wanted are the next ones (True), the last ones so far (False), or any (None).
        explained: indices of words that have a meaning here.
        dropped: places of words that the links explain but that the plan does not express.
    """

    def __init__(self, tests: Conditions, about: tuple[str, ...]) -> None:
        self.tests, self.links, self.query, self.about = tests, tests.links, tests.query, about
        self.collection = tests.links.collection
        self.tested = [condition.field for condition in tests.where]
        self.select: tuple[Select, ...] = ()
        self.group: tuple[str, ...] = ()
        self.order: tuple[Order, ...] = ()
        self.limit = ROWS_AT_MOST
        self.coming: bool | None = None
        self.explained: set[int] = set()
        self.dropped: list[Place] = []
        self._used: set[str] = set()

    def find(self) -> None:
        """Decide for groups, rows in order, one number, or rows."""
        cue = self._cue()
        if not (
            self._shared()
            or self._sorted()
            or self._grouped(cue)
            or self._extreme(cue)
            or self._number(cue)
            or self._distinct()
        ):
            self.select, self.order = self._shown([]), self._usual_order()
        self._drop_cues()
        self._drop_fields()
        self._drop_per()

    def _shared(self) -> bool:
        """As in "percentage of delayed trips": how many there are of each, of what the last test tells apart."""
        said = SHARES.search(self.links.text)
        fields = {field.name: field for field in self.collection.fields if field.type in ("boolean", "text")}
        placed = [(at, fields[name]) for at, name in self.tests.placed if name in fields]
        placed.sort(key=lambda one: (tells_state(one[1].label, one[1].type == "boolean"), one[0]))
        parts = [field.name for _, field in placed]
        tests = [test for test in self.tests.where if parts and test.field == parts[-1] and test.op == "eq"]
        if said is None or len(tests) != 1 or self.links.group:
            return False
        self.tests.where.remove(tests[0])
        self.explained |= {at for at, word in enumerate(self.links.words) if SHARES.fullmatch(word.folded)}
        self._used |= {cue.phrase for cue in self.links.cues if cue.aggregate == "count"}
        self.group, self.limit = (tests[0].field,), GROUPS_AT_MOST
        self.select = (Select(tests[0].field), Select("*", "count"))
        return True

    # Groups ----------------------------------------------------------------------------------------------

    def _grouped(self, cue: Cue | None) -> bool:
        ranked = self._rank()
        time = self._bucketed()
        self.group = self._groups(cue) or (self._ranked_group(ranked) if ranked and not time else ())
        self.group = tuple(dict.fromkeys([*self.group, time])) if time else self.group
        if not self.group:
            return False
        if ranked is not None:
            self._used.add(ranked.phrase)
            others = [each for each in self.links.cues if each.phrase not in WEAK and each != ranked]
            cue = None if ranked.phrase in COMMON | BUSY else next(iter(others), None)
        measure, bucket = self._per_group(cue), self.links.bucket.bucket if self.links.bucket else None
        shown = (Select(name, bucket=bucket if name == time else None) for name in self.group)
        self.select, self.limit = (*shown, measure), GROUPS_AT_MOST
        if ranked is not None:
            self.order = (Order(measure.field, ranked.phrase not in SMALLEST, measure.aggregate),)
            self.limit = self._said_count(ranked) or 1
        elif time:
            self.order = (Order(time),)
        return True

    def _bucketed(self) -> str | None:
        """The time that "per week" is about; days have no hours."""
        mention = self.links.bucket
        field = self.collection.field(self.tests.time_field or "") if mention else None
        if mention is None or field is None:
            return None
        if (mention.bucket, field.type) != ("hour", "date"):
            return field.name
        self.dropped.append(mention.at)
        return None

    def _groups(self, cue: Cue | None) -> tuple[str, ...]:
        ordered = cue is not None and cue.aggregate in ("max", "min")  # "top 5 by cost" orders, it does not group
        rows = {mention.field for mention in self.links.fields if mention.at[0] in self.links.own}
        fields = [self.collection.field(name) for name in self.links.group if name not in rows]
        return tuple(field.name for field in fields if field is not None and not (ordered and field.type in ORDERED))

    def _rank(self) -> Cue | None:
        """A cue that ranks groups: "most", or the "top" of something that the rows only name."""
        ranks = [cue for cue in self.links.cues if cue.phrase in RANKS]
        top = next((cue for cue in self.links.cues if cue.phrase == "top" and self._text_after(cue)), None)
        return next(iter(ranks), top)

    def _text_after(self, cue: Cue) -> FieldMention | None:
        for mention in self.links.fields:
            field = self.collection.field(mention.field)
            near = mention.at[0] in (cue.at[1], cue.at[1] + 1) and mention.at[0] not in self.links.named
            if near and field is not None and field.type == "text" and field.name not in self.tested:
                return mention
        return None

    def _ranked_group(self, cue: Cue) -> tuple[str, ...]:
        """As in "which ward has the most free beds": one group per ward; "who": one per person."""
        for mention in self.links.fields:
            field = self.collection.field(mention.field)
            before = field is not None and mention.at[0] < cue.at[0] and field.name not in self.tested
            if field is not None and before and field.type == "text" and self._says("which", "what", "who", "where"):
                return (field.name,)
        behind = self.links.words[cue.at[1]].folded if cue.at[1] < len(self.links.words) else ""
        done = cue.phrase in ("most", "least") and behind.endswith(("ed", "en"))  # "most borrowed book"
        after = self._text_after(cue) if cue.phrase == "top" or cue.phrase in COMMON or done else None
        if after is not None:
            return (after.field,)
        verbs = frozenset[str]().union(*(speaks_of(word.folded) for word in self.links.words))
        spoken = [field.name for field in self._texts() if verbs & DOERS & set(label_words(field.label))]
        if self._says("who") and spoken:
            return (spoken[0],)
        if cue.phrase in SELLING:
            return self._sold()
        return tuple(people_of(self.collection, self.tested)[:1]) if self._says("who") else ()

    def _sold(self) -> tuple[str, ...]:
        """What is sold: the field that says so, where rows are of one sale each."""
        fields = [f for f in self.collection.fields if f.type == "text" and 0 < f.distinct < f.count]
        title = title_of(self.collection)
        named = [mention.field for mention in self.links.fields]
        best = sorted(fields, key=lambda f: (f.name not in named, f is not title))
        return tuple(field.name for field in best[:1])

    def _per_group(self, cue: Cue | None) -> Select:
        """What each group tells: the asked aggregate, the sum of a number that is named, or a count."""
        if cue is not None:
            made = self._aggregate(cue)
            if made is not None:
                self._used.add(cue.phrase)
                return made
        named = self._named(NUMBERS, apart=(*self.group, *self.tested))
        for phrases in (MOST_TIME, MOST_MONEY):
            if named is None and any(each.phrase in phrases for each in self.links.cues):
                named = measured(phrases[0], self.collection)
        if named is None and any(each.phrase in SELLING for each in self.links.cues):
            named = stocked(self.collection)
        return (
            Select(named.name, "sum")
            if named and adds_up(named.label) and not holds_years(named)
            else Select("*", "count")
        )

    # One number ------------------------------------------------------------------------------------------

    def _number(self, cue: Cue | None) -> bool:
        if cue is not None and self._costs(cue):
            return True
        made = self._aggregate(cue) if cue else self._added_up() or self._model_count()
        if made is None:
            return False
        self.select = (made,)
        self._used |= {cue.phrase} if cue else set()
        return True

    def _costs(self, cue: Cue) -> bool:
        """As in "how much does the ficus cost": what the one thing that is named has of a number."""
        one = cue.phrase == "how much" and named_row(self.tests.where, self.collection) is not None
        field = self._named(NUMBERS, apart=()) if one else None
        if one and field is None and PRICED.search(self.links.text):  # "how much is a japanese maple"
            field = measured("price", self.collection)
        if field is None:
            return False
        self._used.add(cue.phrase)
        self.select, self.order = self._shown([field.name]), self._usual_order()
        return True

    def _cue(self) -> Cue | None:
        strong = [cue for cue in self.links.cues if cue.phrase not in WEAK]
        numbers = {field.name for field in self.tests.number_fields()}
        begins = {mention.at[0] for mention in self.links.fields if mention.field in numbers}
        strong = [cue for cue in strong if cue.aggregate != "count" or cue.at[1] not in begins] or strong
        money = [cue for cue in strong if cue.aggregate == "sum" and measured(cue.phrase, self.collection)]
        return next(iter(money or strong or self.links.cues), None)

    def _aggregate(self, cue: Cue) -> Select | None:
        if cue.aggregate == "count":
            return self._count(cue)
        kind: Aggregate = "sum" if cue.aggregate == "sum" else "avg" if cue.aggregate == "avg" else "max"
        kind = "min" if cue.aggregate == "min" else kind
        field = self._measured(cue, ORDERED if kind in ("max", "min") else NUMBERS)
        if field is None:
            return Select("*", "count") if kind == "sum" and cue.phrase not in MEASURES else None
        priced = cue.phrase in _SUMS and stocked(self.collection) is None  # rows are of one sale each
        return Select(field.name, kind) if kind != "sum" or priced or adds_up(field.label) else None

    def _added_up(self) -> Select | None:
        """The sum of a number that is asked for in the plural and not of rows: "visitors last month"."""
        fields = [self.collection.field(mention.field) for mention in self.links.fields]
        numbers = [f for f in fields if f is not None and f.type in NUMBERS and f.name not in self.tested]
        named = {field.name: field for field in numbers if amounts_said([field.label], self.links.text)}
        if self.links.own or len(named) != 1 or self._says(*_ASKS_ONE, "what", "where", "when", "show", "list"):
            return None
        return Select(next(iter(named)), "sum")

    def _model_count(self) -> Select | None:
        # Only a count is believed without a word for it: "number of" is often left out, "sum" never.
        counts = bool(self.query.select) and self.query.select[0].aggregate == "count"
        return Select("*", "count") if counts and self._says("number", "count", "many") else None

    def _count(self, cue: Cue) -> Select:
        after = self.links.words[cue.at[1]].stem if cue.at[1] < len(self.links.words) else ""
        valued_words = {at for value in self.links.values for at in range(*value.at)}
        for mention in self.links.fields:
            field = self.collection.field(mention.field)
            between = set(range(cue.at[1], mention.at[0])) <= valued_words  # "how many sick days"
            number = field is not None and field.type in NUMBERS and cue.at[1] <= mention.at[0] and between
            if field is None or names_things(field.label, self.links.text):
                continue
            if number and after not in label_words(self.collection.label):
                return Select(field.name, "sum")
        label = distinct_of(self.links.text, [field.label for field in self._texts()])
        if label is not None:
            self.explained |= {at for at, word in enumerate(self.links.words) if word.folded in _DIFFERENT}
            return Select(next(field.name for field in self._texts() if field.label == label), "distinct")
        held = stocked(self.collection) if cue.phrase == "how many" else None
        behind = [value.at[1] for value in self.links.values if value.at[0] == cue.at[1]]
        valued = any(at not in self.links.named for at in behind)
        if held is not None and valued and self._says(*MOVED):
            return Select(held.name, "sum")
        if held is not None and after in _PIECES:
            return Select(held.name, "sum")
        if held is not None and (not self.links.named or "in stock" in self.links.text):
            return Select(held.name, "sum")
        return Select("*", "count")

    def _texts(self) -> list[Field]:
        """The texts that tell rows apart into kinds, and are not tested."""
        title = name_of(self.collection)
        called = set(label_words(title.label)) if title else set()
        kinds = [field for field in kinds_of(self.collection) if field.name not in self.tested]
        return [field for field in kinds if not called & set(label_words(field.label))]

    def _measured(self, cue: Cue, kinds: frozenset[FieldType]) -> Field | None:
        """The field that a cue is about: the named one, what the cue measures, the usual amount, the model's."""
        named = self._named(kinds, apart=tuple(self.group))
        if named is not None:
            return named
        numbers = self.tests.number_fields()
        much, money = cue.phrase == "how much", cue.phrase == "how much" and self._says(*_TRADED)
        if much and not money and measures_things(self.links):  # "how much cement"
            numbers = [field for field in substances(self.collection) if field in numbers] or numbers
        if cue.phrase in MEASURES or (money and measured("money", self.collection)):
            return measured("money" if money else cue.phrase, self.collection)
        fields = {field.name: field for field in self.collection.fields if field.type in kinds and field.name != "id"}
        modelled = [fields[select.field] for select in self.query.select if select.field in fields]
        return usual_amount(numbers) or next(iter(modelled), None)

    def _named(self, kinds: frozenset[FieldType], apart: tuple[str, ...]) -> Field | None:
        fields = [self.collection.field(mention.field) for mention in self.links.fields]
        return next((f for f in fields if f is not None and f.type in kinds and f.name not in apart), None)

    def _distinct(self) -> bool:
        """As in "what brands do we have": each value of a field once."""
        for mention in self.links.fields:
            field, word = self.collection.field(mention.field), self.links.words[mention.at[1] - 1]
            before = self.links.words[mention.at[0] - 1].folded if mention.at[0] else ""
            listed = not self.links.named and before in ("", "the", "all", "list", "every")
            asked = listed or before in ("what", "which", *_DIFFERENT)
            plural = singular(word.folded) != word.folded and mention.at[0] not in self.links.named
            if field is None:
                continue
            told = asked and plural and field.type == "text" and field.name not in self.tested
            if told or self._asks_kinds(field, mention):
                self.group, self.limit = (field.name,), GROUPS_AT_MOST
                self.select = (Select(field.name), Select("*", "count"))
                return True
        return False

    def _asks_kinds(self, field: Field, mention: FieldMention) -> bool:
        """As in "which clubs are there" of rows that tell who is in which: what they are called is told often."""
        before = self.links.words[mention.at[0] - 1].folded if mention.at[0] else ""
        often = field is title_of(self.collection) and 0 < field.distinct < field.count
        behind = [word.folded for word in self.links.words[mention.at[1] :]]
        return often and before in ("which", "what") and behind in _THERE

    # Rows in order ---------------------------------------------------------------------------------------

    def _sorted(self) -> bool:
        """As in "sort the patients by age": all rows, in order of what stands behind "by"."""
        by = next((at for at, word in enumerate(self.links.words) if word.folded == "by"), None)
        mention = next((each for each in self.links.fields if by is not None and each.at[0] == by + 1), None)
        if by is None or mention is None or not sorts(self.links.text) or mention.field in self.tested:
            return False
        self.explained.add(by)
        self._used |= {cue.phrase for cue in self.links.cues if cue.aggregate in ("max", "min")}
        self.select, self.order = self._shown([mention.field]), (Order(mention.field, falls(self.links.text)),)
        return True

    def _extreme(self, cue: Cue | None) -> bool:
        """As in "the three largest invoices", "which item has the lowest quantity": rows in order, not a number."""
        if cue is None or cue.aggregate not in ("max", "min"):
            return False
        beside = self._beside_rows(cue)
        if not beside and cue.phrase != "next" and not self._says(*_ASKS_ONE):
            return False
        field = self._ordered_by(cue)
        if field is None:
            return False
        self._used.add(cue.phrase)
        descending = (cue.aggregate == "max") != (cue.phrase in AGES and self._is_age(field))
        self.order, self.limit = (Order(field, descending),), self._said_count(cue) or 1
        self.select = self._shown([field])
        if field in self.tests.time_fields():
            self.coming = {"next": True, "soonest": True, "last": False, "most recent": False}.get(cue.phrase)
        return True

    def _beside_rows(self, cue: Cue) -> bool:
        """Whether the cue stands at the rows: "largest invoice", "cheapest gloves", "invoice with the lowest fees"."""
        rows = set(self.links.named) | {index for value in self.links.values for index in range(*value.at)}
        if rows & set(range(cue.at[0] - 2, cue.at[1] + 3)):
            return True
        before = [index for index in rows if index < cue.at[0]]
        between = self.links.words[max(before) : cue.at[0]] if before else ()
        return any(word.folded in ("with", "has", "having") for word in between)

    def _ordered_by(self, cue: Cue) -> str | None:
        births = [field.name for field in self.collection.fields if holds_births(field)]
        if cue.phrase in ("oldest", "youngest") and births:
            return births[0]
        ages = [field.name for field in self.tests.number_fields() if stem("age") in label_words(field.label)]
        years = year_field(self.collection)
        if cue.phrase in AGES and (ages or years):
            return ages[0] if ages else years
        if cue.phrase in SENIOR:
            return self._since()
        if cue.phrase in (*TIMELY, *AGES):
            return self.tests.time_field if cue.phrase in TIMELY else None
        field = self._measured(cue, NUMBERS if cue.phrase in SIZES else ORDERED)
        return field.name if field else None

    def _since(self) -> str | None:
        """The field that says since when somebody has been there."""
        return next((field.name for field in self.collection.fields if holds_starts(field)), None)

    def _is_age(self, name: str) -> bool:
        field = self.collection.field(name)
        return field is not None and field.type in NUMBERS and not holds_years(field)

    def _said_count(self, cue: Cue) -> int:
        """The number beside a cue, as in "top 3"; 0 where none is said."""
        for index in (cue.at[0] - 1, cue.at[1]):
            if 0 <= index < len(self.links.words):
                word = self.links.words[index].folded
                count = SMALL.get(word) or (int(word) if word.isdecimal() and len(word) < 4 else 0)
                if count:
                    self.explained.add(index)
                    return min(count, ROWS_AT_MOST)
        return 0

    # Rows ------------------------------------------------------------------------------------------------

    def _shown(self, also: list[str]) -> tuple[Select, ...]:
        names = [field.name for field in self.collection.fields if field.type != "jsonb"]
        mentioned = [mention.field for mention in self.links.fields]
        asked = [name for name in mentioned if name not in self.tested and name in names]
        title = next((name for name in names if name != "id"), "id")
        if self._says("who", "whose") and title not in PEOPLE:
            asked += [name for name in names if name in PEOPLE and name not in (*asked, *self.tested)][:1]
        chosen = dict.fromkeys([title, *asked, *self.about, *also, *self.tested])
        if not self.about and not (asked and self._says("what", "which", "who", "when", "where", "whose")):
            chosen |= dict.fromkeys(names)
        kept = [name for name in names if name != "id" and name in list(chosen)[:FIELDS_SHOWN]]
        return (Select("id"), *(Select(name) for name in kept))

    def _usual_order(self) -> tuple[Order, ...]:
        field = self.tests.time_field if self.links.spans else None
        return (Order(field or "id"),)

    def _says(self, *wanted: str) -> bool:
        """Whether one of these words is said, other than as part of a time."""
        times = {index for span in self.links.spans for index in range(*self.tests.place(span))}
        said = [word for index, word in enumerate(self.links.words) if index not in times]
        return any(word.folded in wanted or word.stem in wanted for word in said)

    # What the plan leaves out ----------------------------------------------------------------------------

    def _drop_cues(self) -> None:
        """Of "average and total" a plan tells only one; "how many in total" says the same twice."""
        counted = any(select.aggregate in ("count", "sum") for select in self.select)
        places = [mention.at for mention in self.links.fields] + [value.at for value in self.links.values]
        held = {index for place in places for index in range(*place)}
        for cue in self.links.cues:
            if cue.phrase in _SUMS and cue.phrase not in self._used:
                self.dropped.append(cue.at)  # it names the field too, which alone is no answer
                continue
            twice = (counted and cue.aggregate in ("count", "sum")) or self._of_number(cue)
            if cue.phrase not in self._used and not twice and not held & set(range(*cue.at)):
                self.dropped.append(cue.at)

    def _of_number(self, cue: Cue) -> bool:
        """Whether "number of" only begins what a field is called: "the average number of tickets sold"."""
        shown = {select.field for select in self.select if select.aggregate} | {order.field for order in self.order}
        behind = [mention.field for mention in self.links.fields if mention.at[0] == cue.at[1]]
        return cue.aggregate == "count" and bool(shown & set(behind))

    def _drop_fields(self) -> None:
        """A field that is named must be shown, tested, grouped or ordered by, unless it names the rows."""
        if not self._aggregated():
            return
        used = {*self.tested, *self.group, *(select.field for select in self.select), *self.links.group}
        for mention in self.links.fields:
            if mention.field not in used and not self._names_rows(mention):
                self.dropped.append(mention.at)

    def _drop_per(self) -> None:
        """Rows have no groups of their own: what "shifts per doctor" wants of shifts is not told by a list of them."""
        said = self.links.words
        for at in range(len(said) - 1):
            if said[at].folded == "per" and at + 1 in self.links.named and not self.group and not self._aggregated():
                self.dropped.append((at, at + 2))

    def _aggregated(self) -> bool:
        return any(select.aggregate for select in self.select)

    def _names_rows(self, mention: FieldMention) -> bool:
        at = set(range(*mention.at))
        field = self.collection.field(mention.field)
        short = field is not None and mention.at[1] - mention.at[0] < len(label_words(field.label))
        if field is not None and short and field.type in TIMES and not self.links.spans:
            return True  # "were sold" tells what rows are of, not when
        valued = any(at & set(range(*value.at)) for value in self.links.values)
        return valued or bool(at & set(self.links.named)) or bool(at & self.tests.explained)


def wanted(tests: Conditions, about: tuple[str, ...] = ()) -> Wanted:
    """What is to be shown.

    Args:
        tests: the conditions of the question.
        about: fields that the question asks the value of ("is bed C-04 free?" asks its status).
    """
    made = Wanted(tests, about)
    made.find()
    return made
