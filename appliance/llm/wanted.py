"""Wanted: what is to be shown of the rows that a question is about: rows, a number, or numbers per group.

>>> found = wanted(query, links, conditions)  # doctest: +SKIP
>>> found.select, found.order, found.limit  # doctest: +SKIP
((Select('*', 'count'),), (), 200)
"""

from __future__ import annotations

from typing import Final

from appliance.llm.conditions import Conditions, Place, usual_amount
from appliance.llm.fields import FieldMention, measured
from appliance.llm.linking import Cue
from appliance.llm.plan import GROUPS_AT_MOST, NUMBERS, ORDERED, ROWS_AT_MOST, Aggregate, Order, Select
from appliance.llm.variants import names_things
from appliance.llm.words import MEASURES, label_words, stem
from appliance.types import Field, FieldType

FIELDS_SHOWN: Final = 10
RANKED_SHOWN: Final = 10
"""Groups that a ranking shows where no number is said: "which ward has the most"."""
_PEOPLE: Final = (
    "name", "patient", "person", "client", "employee", "doctor", "attorney", "lawyer", "staff", "tenant", "student",
)  # fmt: skip
_WEAK: Final = frozenset({"first", "last", "next", "most", "least"})
_RANKS: Final = frozenset({"most", "fewest", "least"})
_SMALLEST: Final = frozenset({"fewest", "least"})
_TIMELY: Final = frozenset(
    {"latest", "most recent", "newest", "last", "earliest", "oldest", "first", "next", "soonest"}
)
_ASKS_ONE: Final = ("which", "who", "whose", "top")
_STOCK: Final = frozenset({"quantity", "stock", "on_hand"})
_NEVER_SUMMED: Final = frozenset(
    map(stem, ("unit", "rate", "price", "level", "age", "percent", "minimum", "maximum", "floor", "room"))
)
_SMALL: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


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
        if not (self._grouped(cue) or self._extreme(cue) or self._number(cue)):
            self.select, self.order = self._shown([]), self._usual_order()
        self._drop_cues()
        self._drop_fields()
        self._drop_per()

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
            cue = next((each for each in self.links.cues if each.phrase not in _WEAK and each != ranked), None)
        measure, bucket = self._per_group(cue), self.links.bucket.bucket if self.links.bucket else None
        shown = (Select(name, bucket=bucket if name == time else None) for name in self.group)
        self.select, self.limit = (*shown, measure), GROUPS_AT_MOST
        if ranked is not None:
            self.order = (Order(measure.field, ranked.phrase not in _SMALLEST, measure.aggregate),)
            self.limit = self._said_count(ranked) or RANKED_SHOWN
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
        rows = {mention.field for mention in self.links.fields if mention.at[0] in self.links.named}
        fields = [self.collection.field(name) for name in self.links.group if name not in rows]
        return tuple(field.name for field in fields if field is not None and not (ordered and field.type in ORDERED))

    def _rank(self) -> Cue | None:
        """A cue that ranks groups: "most", or the "top" of something that the rows only name."""
        ranks = [cue for cue in self.links.cues if cue.phrase in _RANKS]
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
        after = self._text_after(cue) if cue.phrase == "top" else None
        if after is not None:
            return (after.field,)
        people = [f.name for f in self.collection.fields if f.name in _PEOPLE and f.name not in self.tested]
        return tuple(people[:1]) if self._says("who") else ()

    def _per_group(self, cue: Cue | None) -> Select:
        """What each group tells: the asked aggregate, the sum of a number that is named, or a count."""
        if cue is not None:
            made = self._aggregate(cue)
            if made is not None:
                self._used.add(cue.phrase)
                return made
        named = self._named(NUMBERS, apart=(*self.group, *self.tested))
        return Select(named.name, "sum") if named else Select("*", "count")

    # One number ------------------------------------------------------------------------------------------

    def _number(self, cue: Cue | None) -> bool:
        made = self._aggregate(cue) if cue else self._model_count()
        if made is None:
            return False
        self.select = (made,)
        self._used |= {cue.phrase} if cue else set()
        return True

    def _cue(self) -> Cue | None:
        strong = [cue for cue in self.links.cues if cue.phrase not in _WEAK]
        return next(iter(strong or self.links.cues), None)

    def _aggregate(self, cue: Cue) -> Select | None:
        if cue.aggregate == "count":
            return self._count(cue)
        kind: Aggregate = "sum" if cue.aggregate == "sum" else "avg" if cue.aggregate == "avg" else "max"
        kind = "min" if cue.aggregate == "min" else kind
        field = self._measured(cue, ORDERED if kind in ("max", "min") else NUMBERS)
        if field is None:
            return Select("*", "count") if kind == "sum" else None
        adds_up = kind != "sum" or not set(label_words(field.label)) & _NEVER_SUMMED
        return Select(field.name, kind) if adds_up else None

    def _model_count(self) -> Select | None:
        # Only a count is believed without a word for it: "number of" is often left out, "sum" never.
        counts = bool(self.query.select) and self.query.select[0].aggregate == "count"
        return Select("*", "count") if counts and self._says("number", "count", "many") else None

    def _count(self, cue: Cue) -> Select:
        after = self.links.words[cue.at[1]].stem if cue.at[1] < len(self.links.words) else ""
        for mention in self.links.fields:
            field = self.collection.field(mention.field)
            number = field is not None and field.type in NUMBERS and mention.at[0] == cue.at[1]
            if field is None or names_things(field.label, self.links.text):
                continue
            if number and after not in label_words(self.collection.label):
                return Select(field.name, "sum")
        if not self.links.named and cue.phrase == "how many":
            stocked = next((field for field in self.tests.number_fields() if field.name in _STOCK), None)
            if stocked is not None:
                return Select(stocked.name, "sum")
        return Select("*", "count")

    def _measured(self, cue: Cue, kinds: frozenset[FieldType]) -> Field | None:
        """The field that a cue is about: the named one, what the cue measures, the usual amount, the model's."""
        named = self._named(kinds, apart=tuple(self.group))
        if named is not None:
            return named
        numbers = self.tests.number_fields()
        if cue.phrase in MEASURES:
            return measured(cue.phrase, self.collection)
        fields = {field.name: field for field in self.collection.fields if field.type in kinds and field.name != "id"}
        modelled = [fields[select.field] for select in self.query.select if select.field in fields]
        return usual_amount(numbers) or next(iter(modelled), None)

    def _named(self, kinds: frozenset[FieldType], apart: tuple[str, ...]) -> Field | None:
        fields = [self.collection.field(mention.field) for mention in self.links.fields]
        return next((f for f in fields if f is not None and f.type in kinds and f.name not in apart), None)

    # Rows in order ---------------------------------------------------------------------------------------

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
        self.order, self.limit = (Order(field, descending=cue.aggregate == "max"),), self._said_count(cue) or 1
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
        births = [name for name in self.tests.time_fields() if "birth" in label_words(name)]
        if cue.phrase in ("oldest", "youngest") and births:
            return births[0]
        if cue.phrase in _TIMELY:
            return self.tests.time_field
        field = self._measured(cue, ORDERED)
        return field.name if field else None

    def _said_count(self, cue: Cue) -> int:
        """The number beside a cue, as in "top 3"; 0 where none is said."""
        for index in (cue.at[0] - 1, cue.at[1]):
            if 0 <= index < len(self.links.words):
                word = self.links.words[index].folded
                count = _SMALL.get(word) or (int(word) if word.isdecimal() and len(word) < 4 else 0)
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
        if self._says("who", "whose") and title not in _PEOPLE:
            asked += [name for name in names if name in _PEOPLE and name not in (*asked, *self.tested)][:1]
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
            twice = counted and cue.aggregate in ("count", "sum")
            if cue.phrase not in self._used and not twice and not held & set(range(*cue.at)):
                self.dropped.append(cue.at)

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
