"""Forms: what can be asked of a collection, each a pattern to fill and the sketch that it means."""

from __future__ import annotations

import random
import re
from typing import Final

import msgspec

from appliance.llm.notation import BUCKETS, NONE, Group, Item, Rank, Sketch, Test, later, plain
from appliance.llm.training.conditions import Said, condition, marked, moment, number
from appliance.llm.training.domains import Collection, Domain, Field, value_of
from appliance.llm.training.wordings import forms, lines

_NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LY: Final = {
    "day": "daily",
    "hour": "hourly",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly",
}


class Scene(msgspec.Struct, frozen=True):
    """A collection of which some fields are shown, and all the fields it has."""

    domain: Domain
    collection: Collection
    rng: random.Random
    all_fields: tuple[Field, ...]

    def some(self, kind: str) -> Field | None:
        """A field that can fill a slot: ``M`` a number, ``G`` a group, ``T`` a time, ``F`` anything to show."""
        fields = self.collection.fields
        found = {
            "M": [field for field in fields if field.number],
            "A": [field for field in fields if field.kind == "amount"] or [field for field in fields if field.number],
            "G": [field for field in fields if field.kind in ("choice", "ref", "person")],
            "T": [field for field in fields if field.time],
            "F": [field for field in fields if field.kind != "note"],
        }[kind]
        return self.rng.choice(found) if found else None


class Filled(msgspec.Struct, frozen=True):
    """A filled pattern: its text, what it means, and how many spans of time it names."""

    text: str
    sketch: Sketch
    spans: int = 0
    before: Sketch | None = None
    names_collection: bool = True


def ask(scene: Scene, form: str) -> Filled | None:
    """A question of a form, or None where the collection has no fields for it."""
    pattern = scene.rng.choice(forms()[form])
    return _Filling(scene, form, pattern).filled()


class _Filling:
    """The filling of one pattern."""

    def __init__(self, scene: Scene, form: str, pattern: str) -> None:
        self.scene, self.form, self.rng = scene, form, scene.rng
        self.pattern = pattern.replace("{when}", "{when}", 1)
        self.slots = set(re.findall(r"{(\w+)}", pattern))
        self.words = set(re.findall(r"[a-z]+", pattern.lower()))
        self.text: dict[str, str] = {}
        self.tests: list[Test] = []
        self.spans = 0
        self.used: set[str] = set()

    def filled(self) -> Filled | None:
        sketch = self._sketch()
        if sketch is None or not self._fill_rest():
            return None
        if sketch.intent not in ("none", "add"):
            sketch = msgspec.structs.replace(sketch, where=(*sketch.where, *self.tests))
        text = self.pattern.format(**self.text)
        named = bool(self.slots & {"C", "c"})
        return Filled(text, sketch, self.spans, names_collection=named)

    # What is asked for -----------------------------------------------------------------------------------

    def _sketch(self) -> Sketch | None:
        name, _, rest = self.form.partition("_")
        if self.form in ("list", "exists", "count"):
            return (
                Sketch(select=(Item(None, None if self.form == "list" else "count"),)) if self._about_people() else None
            )
        if self.form in ("show", "show_one"):
            return self._show()
        if self.form == "is_one":
            test = self._one()
            return Sketch(where=(test,)) if test and self._about_people() else None
        if self.form == "distinct":
            group = self._group("G")
            return Sketch(select=(Item(group.label),), group=(Group(group.label),)) if group else None
        if self.form in ("min_time", "max_time"):
            time = self._time()
            return Sketch(select=(Item(time.label, name),)) if time else None
        if self.form in ("sum", "avg", "min", "max", "sum_avg"):
            return self._numbers([name, rest] if rest else [name])
        if name in ("top", "low", "first", "latest", "earliest", "next", "sort"):
            return self._ranked(name, rest)
        if name in ("count", "sum", "avg", "max", "min"):
            return self._grouped(name, rest)
        if name in ("alert", "add", "summary"):
            return self._order(name, rest)
        return self._none(rest)

    def _about_people(self) -> bool:
        """A wording with "who" is about rows that are people."""
        if "who" not in self.words or self.slots & {"G", "Gs"}:
            return True
        title = self.scene.collection.title
        return title is not None and title.kind == "person"

    def _show(self) -> Sketch | None:
        wanted = {"who": "person", "where": "place", "when": "time"}
        need = next((kind for word, kind in wanted.items() if word in self.words), "")
        fields = [field for field in self.scene.collection.fields if _suits(field, need) and field.kind != "note"]
        if not fields:
            return None
        first = self.rng.choice(fields)
        shown = [first]
        self.used.add(first.label)
        self.text["F"] = first.said(self.rng)
        if "F2" in self.slots:
            others = [field for field in self.scene.collection.fields if field is not first]
            if not others:
                return None
            shown.append(self.rng.choice(others))
            self.text["F2"] = shown[1].said(self.rng)
        tests: tuple[Test, ...] = ()
        if self.form == "show_one":
            test = self._one()
            if test is None or test.field in {field.label for field in shown}:
                return None
            tests = (test,)
        return Sketch(select=tuple(Item(field.label) for field in shown), where=tests)

    def _one(self) -> Test | None:
        title = self.scene.collection.title
        if title is None:
            return None
        said, _ = value_of(title, self.scene.domain, self.rng)
        self.text["V"] = marked(title.label, said, self.rng)
        self.used.add(title.label)
        return Test(title.label, "eq", (said,))

    def _number_field(self, amounts: bool = False) -> Field | None:
        """The field of ``{M}`` or of a superlative."""
        ways = self.slots & {"most", "least"}
        if ways:
            way = next(iter(ways))
            fields = [f for f in self.scene.collection.fields if f.number and (f.most if way == "most" else f.least)]
            found = self.rng.choice(fields) if fields else None
            if found:
                self.text[way] = self.rng.choice(found.most if way == "most" else found.least)
        else:
            found = self.scene.some("A" if amounts else "M")
        if found:
            self.text["M"] = found.said(self.rng)
            self.used.add(found.label)
        return found

    def _group(self, slot: str, not_this: str = "") -> Field | None:
        kinds = [field for field in self.scene.collection.fields if field.kind in ("choice", "ref", "person")]
        if not self.slots & {"G", "Gs"} and slot == "G":
            need = "person" if "who" in self.words else "place" if "where" in self.words else "none"
            kinds = [field for field in kinds if _suits(field, need)]
        kinds = [field for field in kinds if field.label != not_this]
        if not kinds:
            return None
        group = self.rng.choice(kinds)
        said = group.said(self.rng)
        self.text[slot], self.text[slot + "s"] = said, plural(said)
        self.used.add(group.label)
        return group

    def _time(self) -> Field | None:
        time = self.scene.some("T")
        if time:
            self.text["T"] = time.said(self.rng)
            self.text["did"] = self.rng.choice(time.did) if time.did else f"with {time.label}"
            self.used.add(time.label)
        return time

    def _numbers(self, aggregates: list[str]) -> Sketch | None:
        measured = self._number_field(aggregates[0] == "sum")
        return Sketch(select=tuple(Item(measured.label, name) for name in aggregates)) if measured else None

    def _ranked(self, name: str, rest: str) -> Sketch | None:
        if not self._about_people():
            return None
        limit = "1"
        if "n" in self.slots:
            limit = self.text["n"] = self._count()
        falling = name in ("top", "latest") or rest in ("top", "new")
        by = self._time() if name in ("latest", "earliest", "next") or rest in ("new", "old") else self._number_field()
        if by is None:
            return None
        rank = Rank(falling, by.label, None if name == "sort" else limit)
        tests = (Test(by.label, "gt", ("now",)),) if name == "next" else ()
        return Sketch(where=tests, rank=rank)

    def _count(self) -> str:
        return self.rng.choice(_NUMBERS) if self.rng.random() < 0.3 else str(self.rng.randint(2, 20))

    def _grouped(self, name: str, rest: str) -> Sketch | None:
        measured = self._number_field(name == "sum") if name != "count" else None
        if name != "count" and measured is None:
            return None
        item = Item(measured.label if measured else None, name)
        if rest == "per":
            time = self._time()
            bucket = self.rng.choice(BUCKETS if time and time.kind == "moment" else BUCKETS[1:])
            self.text |= {"bucket": bucket, "buckets": bucket + "s", "bucketly": _LY[bucket]}
            return Sketch(select=(item,), group=(Group(time.label, bucket),)) if time else None
        group = self._group("G")
        if group is None:
            return None
        groups = [Group(group.label)]
        if rest == "by2":
            second = self._group("G2", group.label)
            if second is None:
                return None
            groups.append(Group(second.label))
        having = None
        if rest in ("over", "under"):
            self.text["v"] = self._limit(measured)
            having = ("gt" if rest == "over" else "lt", self.text["v"])
        rank = None
        if rest in ("most", "least", "top"):
            limit = "1"
            if "n" in self.slots:
                limit = self.text["n"] = self._count()
            rank = Rank(rest != "least", None, limit)
        return Sketch(select=(item,), group=tuple(groups), having=having, rank=rank)

    def _limit(self, measured: Field | None) -> str:
        return number(measured, self.rng) if measured else str(self.rng.choice((2, 3, 5, 10, 12, 20, 50, 100)))

    def _order(self, name: str, rest: str) -> Sketch | None:
        if name == "summary":
            time = self._time()
            if time is None:
                return None
            self.text["when"] = moment(time, self.rng)
            self.spans += 1
            return Sketch("summary", where=(Test(time.label, "when", ("w1",)),))
        if name == "add":
            return self._addition(rest)
        if rest == "cancel":
            return Sketch("cancel")
        if rest == "row":
            return Sketch("alert")
        kind, _, way = rest.partition("_")
        op = "lt" if way == "under" else "gt"
        if kind == "count":
            self.text["v"] = self._limit(None)
            return Sketch("alert", (Item(None, "count"),), having=(op, self.text["v"]))
        measured = self._number_field(kind == "sum")
        if measured is None:
            return None
        self.text["v"] = number(measured, self.rng)
        if kind != "value":
            return Sketch("alert", (Item(measured.label, kind),), having=(op, self.text["v"]))
        one: tuple[Test, ...] = ()
        if "V" in self.slots:
            test = self._one()
            if test is None:
                return None
            one = (test,)
        return Sketch("alert", where=(*one, Test(measured.label, op, (self.text["v"],))))

    def _addition(self, rest: str) -> Sketch | None:
        names = [
            name for name in lines("new_fields") if not any(name == field.label for field in self.scene.all_fields)
        ]
        new = self.text["new"] = self.rng.choice(names)
        if rest == "field":
            return Sketch("add", (), new=new)
        numbers = [field for field in self.scene.collection.fields if field.number]
        if len(numbers) < 2:
            return None
        first, last = self.rng.sample(numbers, 2)
        self.text |= {"M": first.said(self.rng), "M2": last.said(self.rng)}
        return Sketch("add", (), new=new, formula=(first.label, rest, last.label))

    def _none(self, rest: str) -> Sketch | None:
        if "V" in self.slots:
            self._one()
            self.text.setdefault("V", "this one")
        if "X" in self.slots:
            hidden = {plain(field.label) for field in self.scene.all_fields} - {
                plain(field.label) for field in self.scene.collection.fields
            }
            known = {
                word for field in self.scene.all_fields for said in (field.label, *field.say) for word in said.split()
            }
            unknown = [line for line in lines("unknown") if not known & set(line.split())]
            self.text["X"] = (
                self.rng.choice(sorted(hidden)) if hidden and self.rng.random() < 0.35 else self.rng.choice(unknown)
            )
        if rest == "why":
            self._number_field()
        return NONE

    # Nouns and conditions --------------------------------------------------------------------------------

    def _fill_rest(self) -> bool:
        """Fill the slots of nouns, conditions and times; False where one cannot be filled."""
        said = self._conditions()
        if "when" in self.slots and "when" not in self.text and not self._when():
            return False
        if "did" in self.slots and "did" not in self.text and self._time() is None:
            return False
        before = " ".join(each.text for each in said if each.before)
        behind = " ".join(each.text for each in said if not each.before)
        if not (self.slots & {"C", "c"}) and before:
            behind, before = f"{before} {behind}", ""
        collection = self.scene.collection
        many, one = collection.label, collection.one
        if collection.also and self.rng.random() < 0.45:
            many = self.rng.choice(collection.also)
            one = many[:-1] if many.endswith("s") else one
        tail = "" if "W" in self.slots else behind
        self.text |= {
            "C": f"{before} {many} {tail}".strip(),
            "c": f"{before} {one} {_singly(tail)}".strip(),
            "W": behind if "C" in self.slots or not self.slots & {"c"} else _singly(behind),
        }
        return all(slot in self.text for slot in self.slots)

    def _conditions(self) -> list[Said]:
        seldom = self.form in ("show_one", "is_one", "none", "alert_cancel", "distinct", "summary")
        if self.form.startswith("add_") or not self.slots & {"C", "c", "W"} or (seldom and self.rng.random() < 0.85):
            return []
        count = self.rng.choices((0, 1, 2, 3), (30, 48, 19, 3))[0]
        fields = [field for field in self.scene.collection.fields if field.label not in self.used]
        self.rng.shuffle(fields)
        fields.sort(key=lambda field: field.kind in ("name", "code") and self.rng.random() < 0.6)
        found: list[Said] = []
        for field in fields[:count]:
            said = condition(field, self.scene.domain, self.rng)
            if said is None or (said.spans and (self.spans or "when" in self.slots)):
                continue
            found.append(said)
            self.spans += said.spans
            self.tests += said.tests
        found.sort(key=lambda said: said.before, reverse=True)
        self.tests = [test for said in found for test in said.tests]
        return found

    def _when(self) -> bool:
        time = next((f for f in self.scene.collection.fields if f.time and f.label in self.used), None) or self._time()
        if time is None or self.spans:
            return False
        if "did" in self.slots and "did" not in self.text:
            self.text["did"] = self.rng.choice(time.did) if time.did else f"with {time.label}"
        self.text["when"] = moment(time, self.rng)
        self.spans += 1
        self.tests.append(Test(time.label, "when", ("w1",)))
        return True


def _suits(field: Field, need: str) -> bool:
    if need == "person":
        return field.kind == "person"
    if need == "place":
        return field.place
    return field.time if need == "time" else need == ""


_PLURALS: Final = (
    ("that are ", "that is "),
    ("which are ", "which is "),
    ("that have ", "that has "),
    ("aren't", "isn't"),
)


def _singly(text: str) -> str:
    for many, one in _PLURALS:
        text = text.replace(many, one)
    return text


def plural(noun: str) -> str:
    """The plural of a noun."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


# Second questions ------------------------------------------------------------------------------------------

_FIRST: Final = (
    "list",
    "count",
    "count",
    "sum",
    "avg",
    "count_by",
    "sum_by",
    "show",
    "top",
    "first_top",
    "count_most",
    "max",
)


def follow(scene: Scene, form: str) -> Filled | None:
    """A second question and the first one it follows."""
    first = ask(scene, scene.rng.choice(_FIRST))
    if first is None:
        return None
    before = later(first.sketch)
    filling = _Filling(scene, form, scene.rng.choice(forms()[form]))
    sketch = _changed(filling, before, form)
    if sketch is None or not filling._fill_rest():
        return None
    if filling.tests:
        fields = {test.field for test in filling.tests}
        sketch = msgspec.structs.replace(
            sketch, where=(*(test for test in sketch.where if test.field not in fields), *filling.tests)
        )
    elif form in ("then_where", "then_when"):
        return None
    return Filled(filling.pattern.format(**filling.text), sketch, filling.spans, before)


def _changed(filling: _Filling, before: Sketch, form: str) -> Sketch | None:
    """What a second question makes of the first one."""
    change = msgspec.structs.replace
    whole = change(before, group=(), rank=None, having=None)
    if form in ("then_where", "then_when"):
        return before
    if form == "then_list":
        return change(whole, select=(Item(None),))
    if form == "then_count":
        return change(whole, select=(Item(None, "count"),))
    if form == "then_by":
        group = filling._group("G")
        counted = tuple(item for item in before.select if item.aggregate) or (Item(None, "count"),)
        return change(whole, select=counted, group=(Group(group.label),)) if group else None
    if form == "then_top" and not filling.slots & {"M", "most"}:
        if not (before.rank or before.group):
            return None
        limit = filling.text["n"] = filling._count()
        return change(before, rank=change(before.rank or Rank(True), limit=limit))
    measured = filling._number_field(form == "then_sum")
    if measured is None:
        return None
    if form in ("then_sum", "then_avg"):
        return change(whole, select=(Item(measured.label, form[5:]),))
    shown = before.select if not any(item.aggregate for item in before.select) else (Item(None),)
    if form == "then_top":
        limit = "1"
        if "n" in filling.slots:
            limit = filling.text["n"] = filling._count()
        return change(whole, select=shown, rank=Rank(True, measured.label, limit))
    return change(whole, select=shown, rank=Rank(True, measured.label))
