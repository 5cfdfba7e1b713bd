"""Variants: sketches a small step away from what the model wrote, where a word of the question says so.

"How many litres of diesel" asks for a sum where ``litres`` is a field; "the deepest berth" ranks by ``depth``. The
small model often writes the rest of such a question well, so the step is offered beside what it wrote.

    >>> [write(each) for each in variants(read("<count><all><by> driver<e>"), columns, "litres per driver", {"litres"})]
    ['<sum> litres<by> driver<e>']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec.structs import replace

from appliance.llm.fields import head
from appliance.llm.notation import BARE, Column, Group, Item, Rank, Sketch, Test
from appliance.llm.senses import kin
from appliance.llm.words import (
    ADDED_UP,
    BUSIEST,
    DONE,
    IN_STOCK,
    MONEY,
    MOVED,
    NEGATIONS,
    OWES,
    PAST,
    SHARES,
    STOCK,
    Word,
    dimensions,
    fold,
    label_words,
    parts,
    singular,
    stem,
    words,
)

_EACH: Final = frozenset("per each every by which what top".split())
_HOW_MANY: Final = re.compile(
    r"\b(?:how many|number of|count of)"
    r"(?: (?:different|distinct|unique|various))?(?: (?:kinds?|types?|sorts?) of)? (.+)"
)
_COUNTS: Final = re.compile(r"\b(how many|how often|number|count|counts|counted|many|times|total|tally)\b")
_ENDS: Final = {
    "min": "minimum|min|lowest|smallest|cheapest|shortest|earliest|least",
    "max": "maximum|max|highest|largest|biggest|longest|latest|most expensive",
    "avg": "average|mean|avg", "sum": "total|sum",
}  # fmt: skip
_PAIRS: Final = [
    (re.compile(rf"\b({_ENDS[one]})(?: \w+)? and (?:the )?({_ENDS[other]})\b"), (one, other))
    for one in _ENDS
    for other in _ENDS
    if one != other
]
_ADDED_UP: Final = re.compile(rf"\b({'|'.join(ADDED_UP)})\b")
_NUMBERED: Final = re.compile(r"\b(how many|how much|total|sum|per|each|by|altogether|overall|most|fewest|least)\b")
_STATES: Final = frozenset(map(stem, "status state condition phase result outcome stage".split()))
_SUMMED_UP: Final = frozenset("amounts costs fees charges expenses totals consumption usage".split())
_COMMONEST: Final = re.compile(
    r"\b(most|least) (?:common|popular|frequent|frequently|often|\w+ed|\w+en|sold|bought|lent|read|seen)(?: used)? (.+)"
)
_NEVER_SUMMED: Final = frozenset(
    map(
        stem,
        "unit rate price level age percent minimum maximum floor room temperature score rating grade year height weight"
        " width depth speed size gpa share margin latitude longitude".split(),
    )
)
"""Stems of labels of numbers that make no sense added up."""


class Rows(NamedTuple):
    """What rows are called: the stems of the collection's name, and the label of the field that names each."""

    stems: frozenset[str] = frozenset()
    title: str = ""

    def names(self, label: str) -> bool:
        """Whether a label only says what the rows are."""
        return label == self.title or bool(self.stems & set(label_words(label)))


def variants(sketch: Sketch, columns: Sequence[Column], text: str, named: Set[str], rows: Rows) -> list[Sketch]:
    """The sketches one step away.

    Args:
        sketch: what the model wrote.
        columns: the collection's columns.
        text: the question, in lower case.
        named: labels of columns that the question names.
        rows: what the rows are called.
    """
    if sketch.intent != "query":
        return []
    kinds = {column.label: column.kind for column in columns}
    numbers = [label for label in kinds if label in named and kinds[label] == "number"]
    times = [label for label in kinds if label in named and kinds[label] == "time"]
    groups = [label for label in kinds if kinds[label] == "text" and groups_by(label, text)]
    found = [*_sums(sketch, text, numbers), *_dimensions(sketch, kinds, text), *_times(sketch, times)]
    texts = [label for label, kind in kinds.items() if kind == "text" and not rows.names(label)]
    flags = [label for label, kind in kinds.items() if kind == "flag" and label in named]
    found += _flagged(sketch, flags, text)
    found += [*_stocked(sketch, kinds, text), *_listed(sketch, text), *_distinct(sketch, texts, text)]
    found += [*_moneyed(sketch, kinds, named), *_pieces(sketch, kinds, text)]
    found += [*_past(sketch, kinds, text), *_ranked(sketch, numbers, kinds)]
    found += [*_owing(sketch, numbers, text), *_shared(sketch, kinds, flags, text)]
    found += [*_commonest(sketch, texts, text), *_both_ends(sketch, text), *_of_each(sketch, rows.stems, text)]
    found += [
        *_ungrouped(sketch, named),
        *_busiest(sketch, kinds, text),
        *_grouped(sketch, kinds, groups),
        *_counted(sketch, named),
        *_once(sketch, text),
    ]
    return [each for each in dict.fromkeys(found) if each != sketch]


def fields_of_dimensions(labels: Iterable[str], text: str) -> list[str]:
    """The labels that an adjective of a text measures by: "the deepest" -> ["depth (m)"]."""
    wanted = dimensions(text)
    return [label for label in labels if wanted & set(label_words(label))]


def _sums(sketch: Sketch, text: str, numbers: list[str]) -> list[Sketch]:
    """Counted or listed rows, where a field that can be added up is named: "drafting hours of this week"."""
    if sketch.select == (Item(None, "count"),) and _NUMBERED.search(text):
        return [replace(sketch, select=(Item(label, "sum"),)) for label in numbers if not names_things(label, text)]
    listed = not (sketch.rank or sketch.group or any(item.aggregate for item in sketch.select))
    summed = (
        numbers
        if _ADDED_UP.search(text) or "how much" in text
        else [*plurals(numbers, text), *amounts_said(numbers, text)]
    )
    return [replace(sketch, select=(Item(label, "sum"),)) for label in summed if listed]


def _moneyed(sketch: Sketch, kinds: Mapping[str, str], named: Set[str]) -> list[Sketch]:
    """An amount that is held against a number that nobody named, held against the one that is, or the price."""
    numbers = [label for label, kind in kinds.items() if kind == "number" and label in named]
    prices = (
        numbers
        if len(numbers) == 1
        else [label for label, kind in kinds.items() if kind == "number" and MONEY & set(label_words(label))]
    )
    tests = [t for t in sketch.where if kinds.get(t.field) == "number" and t.op in ("gt", "gte", "lt", "lte")]
    if len(tests) != 1 or len(prices) != 1 or tests[0].field in named or tests[0].field in prices:
        return []
    return [replace(sketch, where=tuple(_on(test, prices[0], tests) for test in sketch.where))]


def _pieces_of(kinds: Mapping[str, str]) -> str | None:
    """The label of the number that says how many there are."""
    return next((one for one in kinds if kinds[one] == "number" and set(label_words(one)) & STOCK), None)


def _pieces(sketch: Sketch, kinds: Mapping[str, str], text: str) -> list[Sketch]:
    """Pieces added up, where rows tell of several: "how many desk lamps were sold"."""
    label = _pieces_of(kinds)
    counts = sketch.select == (Item(None, "count"),) and "how many" in text and not sketch.group
    moved = {word.folded for word in words(text)} & MOVED
    return [replace(sketch, select=(Item(label, "sum"),))] if label and counts and moved else []


def _counted(sketch: Sketch, named: Set[str]) -> list[Sketch]:
    """Rows counted, where the model adds up what nobody named: "meeting rooms per floor"."""
    item = sketch.select[0]
    adds = len(sketch.select) == 1 and item.aggregate in ("sum", "avg") and item.field not in named
    return [replace(sketch, select=(Item(None, "count"),))] if adds else []


def _once(sketch: Sketch, text: str) -> list[Sketch]:
    """Without a value that says when: of "how many did we open this month" *opened on*, and not *status open* too."""
    twice = values_of_times(sketch, [word.folded for word in words(text)])
    return [replace(sketch, where=tuple(test for test in sketch.where if test not in twice))] if twice else []


def distinct_of(text: str, labels: Iterable[str]) -> str | None:
    """The label of which a folded text asks how many different ones there are: "how many departments".

    Of a longer label its noun is enough where one alone has it: "how many cities", of *office city*.
    """
    wanted = {label: stems for label in labels if (stems := label_words(label))}
    heads = [stems[-1] for stems in wanted.values()]
    for found in _HOW_MANY.finditer(text):
        behind = words(found[1])
        for label, stems in wanted.items():
            if _plural_of(behind, stems):
                return label
        for label, stems in wanted.items():
            if heads.count(stems[-1]) == 1 and _plural_of(behind, stems[-1:]):
                return label
    return None


def _plural_of(said: Sequence[Word], stems: tuple[str, ...]) -> bool:
    """Whether words begin with these stems, in the plural."""
    first = said[: len(stems)]
    plural = bool(first) and singular(first[-1].folded) != first[-1].folded
    return plural and tuple(word.stem for word in first) == stems


def _distinct(sketch: Sketch, texts: list[str], text: str) -> list[Sketch]:
    """How many different ones there are of a field, where its name stands behind "how many"."""
    label = distinct_of(text, texts)
    tested = {test.field for test in sketch.where}
    if label is None or label in tested:
        return []
    return [replace(sketch, select=(Item(label, "distinct"),), group=(), rank=None, having=None)]


def _commonest(sketch: Sketch, texts: list[str], text: str) -> list[Sketch]:
    """The value that most rows have: "most popular destination"."""
    found = _COMMONEST.search(text)
    said = [word.stem for word in words(found[2])] if found else []
    label = next((one for one in texts if said[: len(label_words(one))] == list(label_words(one))), None)
    if found is None or label is None or any(test.field == label for test in sketch.where):
        return []
    rank = Rank(found[1] == "most", None, "1")
    return [replace(sketch, select=(Item(None, "count"),), group=(Group(label),), rank=rank, having=None)]


def _past(sketch: Sketch, kinds: Mapping[str, str], text: str) -> list[Sketch]:
    """Only what is over: of "expired" what expires before now, of "overdue" what was due and is not done."""
    said = next((PAST[word.folded] for word in words(text) if word.folded in PAST), None)
    times = [label for label, kind in kinds.items() if kind == "time"]
    over = next((label for label in times if said and said & set(label_words(label))), None)
    if said is None or over is None:
        return []
    done = [label for label in times if DONE & set(label_words(label)) and "overdue" in text]
    others = tuple(
        test for test in sketch.where if test.field not in (over, *done) and not PAST.keys() & {*test.values}
    )
    items = tuple(item for item in sketch.select if item.field != over or item.aggregate) or (Item(None),)
    tests = (Test(over, "lt", ("now",)), *(Test(label, "null") for label in done[:1]))
    return [replace(sketch, select=items, where=(*others, *tests))]


def _shared(sketch: Sketch, kinds: Mapping[str, str], flags: list[str], text: str) -> list[Sketch]:
    """How many there are of each, where the part of one is asked for: "percentage of delayed trips"."""
    parts = [
        test for test in sketch.where if test.op in ("yes", "no", "eq") and kinds.get(test.field) in ("flag", "text")
    ]
    if not SHARES.search(text) or sketch.rank or not (parts or flags):
        return []
    if not parts:
        return [replace(sketch, select=(Item(None, "count"),), group=(Group(flags[0]),), having=None)]
    last = max(parts, key=lambda test: (tells_state(test.field, kinds[test.field] == "flag"), _said_at(test, text)))
    where = tuple(test for test in sketch.where if test is not last)
    return [replace(sketch, select=(Item(None, "count"),), where=where, group=(Group(last.field),), having=None)]


def _owing(sketch: Sketch, numbers: list[str], text: str) -> list[Sketch]:
    """Only who has any of a number to pay: "who owes fees"."""
    if not OWES.search(text) or len(numbers) != 1 or "how much" in text:
        return []
    others = tuple(test for test in sketch.where if test.field != numbers[0])
    test = Test(numbers[0], "gt", ("0",))
    return [replace(sketch, select=(Item(None),), where=(*others, test), group=(), rank=None, having=None)]


def _said_at(test: Test, text: str) -> int:
    return max(text.rfind(word) for word in (*test.values, test.field))


def tells_state(label: str, flag: bool) -> bool:
    """Whether a field says how a thing is, of which a part is asked for before where it is."""
    return flag or bool(_STATES & set(label_words(label)))


def _ranked(sketch: Sketch, numbers: list[str], kinds: Mapping[str, str]) -> list[Sketch]:
    """Ranked by the number that is named, where the model ranks by another."""
    rank = sketch.rank
    if rank is None or rank.field is None or kinds.get(rank.field) != "number" or rank.field in numbers:
        return []
    return [replace(sketch, rank=Rank(rank.falling, label, rank.limit)) for label in numbers[:2]]


def adds_up(label: str) -> bool:
    """Whether numbers of a label make sense added up: *visitors*, but no *temperature*."""
    return not set(label_words(label)) & _NEVER_SUMMED


def _listed(sketch: Sketch, text: str) -> list[Sketch]:
    """Rows listed, where the model counts them and nobody asked how many; and the other way."""
    if sketch.group or sketch.having:
        return []
    counted = bool(_COUNTS.search(text))
    if sketch.select == (Item(None, "count"),) and not counted:
        return [replace(sketch, select=(Item(None),))]
    lists = not sketch.rank and not any(item.aggregate for item in sketch.select)
    return [replace(sketch, select=(Item(None, "count"),))] if lists and "how many" in text else []


def _both_ends(sketch: Sketch, text: str) -> list[Sketch]:
    """Two numbers of one field: "minimum and maximum salary"."""
    pair = next((pair for pattern, pair in _PAIRS if pattern.search(text)), None)
    item = sketch.select[0]
    if pair is None or len(sketch.select) != 1 or item.field is None or item.aggregate not in pair or sketch.rank:
        return []
    return [replace(sketch, select=tuple(Item(item.field, aggregate) for aggregate in pair))]


def _of_each(sketch: Sketch, own: Set[str], text: str) -> list[Sketch]:
    """Not grouped, where "per" stands before the name of the rows: "average price per sale"."""
    said = words(text)
    each = any(one.folded in ("per", "each") and other.stem in own for one, other in pairwise(said))
    return [replace(sketch, group=(), having=None)] if each and sketch.group and not sketch.rank else []


def both_ends(text: str) -> tuple[str, ...]:
    """The aggregates of which a folded text asks for two at once, or none."""
    return next((pair for pattern, pair in _PAIRS if pattern.search(text)), ())


def _flagged(sketch: Sketch, flags: list[str], text: str) -> list[Sketch]:
    """Only what is so, where a yes-or-no is named and only shown: "which plants are toxic"."""
    said = words(text)
    found = []
    for label in flags:
        named = label_words(label)
        whole = {word.folded for word in parts(label)}  # "treat all hives" does not ask for those that are *treated*
        places = [at for at, word in enumerate(said) if word.stem in named and (at or word.folded in whole)]
        before = [said[at - 1].folded if at else "" for at in places]
        if sketch.group or sketch.rank or not before or any(test.field == label for test in sketch.where):
            continue
        test = Test(label, "no" if set(before) & NEGATIONS else "yes")
        items = tuple(item for item in sketch.select if item.field != label) or (Item(None),)
        found.append(replace(sketch, select=items, where=(*sketch.where, test)))
    return found


def denying(sketch: Sketch, denied: Iterable[Column], said: Iterable[str], valued: bool = True) -> list[Sketch]:
    """Only what lacks what a word denies: of "unassigned tickets" those of which *assigned to* is empty.

    Args:
        sketch: what the model wrote.
        denied: the fields that are denied.
        said: the words that deny them, which are no values.
        valued: whether the question names any stored value.
    """
    tested = {test.field for test in sketch.where}
    tests = [Test(each.label, "no" if each.kind == "flag" else "null") for each in denied if each.label not in tested]
    others = [test for test in sketch.where if not set(test.values) & set(said)]
    if not tests or sketch.intent != "query":
        return []
    bare = [replace(sketch, where=tuple(tests))] if others and not valued else []
    return [replace(sketch, where=(*others, *tests)), *bare]


def _stocked(sketch: Sketch, kinds: Mapping[str, str], text: str) -> list[Sketch]:
    """Only what is in stock, or what is not."""
    said = IN_STOCK.search(text)
    label = _pieces_of(kinds)
    if said is None or label is None or any(test.field == label for test in sketch.where):
        return []
    test = Test(label, "gt" if said[1] == "in" else "lte", ("0",))
    return [replace(sketch, where=(*sketch.where, test), rank=None)]


def values_of_times(sketch: Sketch, said: Sequence[str]) -> list[Test]:
    """The tests for a value whose word is said once, and names the field of a time."""
    times = {word.folded for test in sketch.where if test.op == "when" for word in parts(test.field)[:1]}

    def names_a_time(value: str) -> bool:
        return said.count(value) == 1 and any(stem(value) == stem(label) or kin(value, label) for label in times)

    valued = [test for test in sketch.where if test.op not in ("when", *BARE)]
    return [test for test in valued if any(names_a_time(fold(word)) for each in test.values for word in each.split())]


def plurals(labels: Iterable[str], text: str) -> list[str]:
    """The labels whose noun a text says in the plural: of "hours by lawyer" the label *hours*."""
    many = _many(text)
    return [label for label in labels if head(label) in many]


def _many(text: str) -> set[str]:
    """The stems of what a text says in the plural."""
    return {word.stem for word in words(text) if singular(word.folded) != word.folded}


def amounts_said(labels: Iterable[str], text: str) -> list[str]:
    """The labels of numbers that a text says as something to add up: "hours by lawyer", "toll costs"."""
    costs = {one.stem for one, other in pairwise(words(text)) if other.folded in _SUMMED_UP}
    held = list(labels)
    many = [label for label in plurals(held, text) if not names_things(label, text)]
    return [label for label in held if adds_up(label) and (label in many or head(label) in costs)]


def names_things(label: str, text: str) -> bool:
    """Whether a number of this label is a thing's name rather than how many there are: of "how many rooms", *room*.

    Who keeps how many there are calls it in the plural: *seats*, *nights*, *hours*.
    """
    last = parts(label)[-1:]
    return (
        bool(last)
        and not MONEY & set(label_words(label))
        and singular(last[0].folded) == last[0].folded
        and last[0].stem in _many(text)
    )


def _dimensions(sketch: Sketch, kinds: Mapping[str, str], text: str) -> list[Sketch]:
    """Another field to rank or to test by, where an adjective says which."""
    fields = [label for label in fields_of_dimensions(kinds, text) if kinds[label] == "number"]
    found = []
    for label in fields:
        if sketch.rank and sketch.rank.field and kinds.get(sketch.rank.field) == "number":
            found.append(replace(sketch, rank=Rank(sketch.rank.falling, label, sketch.rank.limit)))
        item = sketch.select[0]
        if len(sketch.select) == 1 and item.field and kinds.get(item.field) == "number":
            found.append(replace(sketch, select=(Item(label, item.aggregate),)))
        tests = [test for test in sketch.where if kinds.get(test.field) == "number"]
        if len(tests) == 1:
            found.append(replace(sketch, where=tuple(_on(test, label, tests) for test in sketch.where)))
    return found


def groups_by(label: str, text: str) -> bool:
    """Whether a text speaks of each of a label: "per ward", "which ward", "top 3 wards"."""
    said, wanted = words(text), label_words(label)
    for first in range(1, len(said) - len(wanted) + 1):
        if tuple(word.stem for word in said[first : first + len(wanted)]) == wanted:
            before = said[first - 1].folded
            numbered = first > 1 and said[first - 2].folded in ("top", "first", "bottom", "best", "worst")
            if before in _EACH or numbered:
                return True
    return False


def _grouped(sketch: Sketch, kinds: Mapping[str, str], groups: list[str]) -> list[Sketch]:
    """Groups, where each of something is asked about and the model did not group."""
    if sketch.group or len(sketch.select) != 1:
        return []
    item, rank = sketch.select[0], sketch.rank
    counted = item if item.aggregate else Item(None, "count")
    found = []
    for label in groups:
        of_number = rank is not None and rank.field is not None and kinds.get(rank.field) == "number"
        ranked = Rank(rank.falling, None, rank.limit) if rank else None
        if any(test.field == label for test in sketch.where):
            continue
        found.append(replace(sketch, select=(counted,), group=(Group(label),), rank=ranked))
        if of_number and rank and rank.field:
            found.append(replace(sketch, select=(Item(rank.field, "sum"),), group=(Group(label),), rank=ranked))
    return found


def _ungrouped(sketch: Sketch, named: Set[str]) -> list[Sketch]:
    """Rows ranked by a number, where the model ranks groups of what nobody named: "who earns the most"."""
    item, rank = sketch.select[0], sketch.rank
    ranks = rank is not None and rank.field is None and item.aggregate in ("sum", "avg", "max", "min")
    if not ranks or rank is None or any(group.bucket or group.field in named for group in sketch.group):
        return []
    return [replace(sketch, select=(Item(None),), group=(), rank=Rank(rank.falling, item.field, rank.limit))]


def _busiest(sketch: Sketch, kinds: Mapping[str, str], text: str) -> list[Sketch]:
    """The time of the most rows, or of the highest sum: "busiest month", "which day had the most visitors"."""
    found = BUSIEST.search(text)
    times = [group.field for group in sketch.group if kinds.get(group.field) == "time"]
    times += [label for label, kind in kinds.items() if kind == "time"]
    if found is None or not times:
        return []
    bucket = found["busy"] or found["which"]
    item = sketch.select[0] if sketch.select[0].aggregate in ("sum", "avg", "count") else Item(None, "count")
    rank = Rank(found["busy"] is None or "quiet" not in found[0], None, "1")
    where = tuple(test for test in sketch.where if test.op != "when" or test.field != times[0])
    return [replace(sketch, select=(item,), where=where, group=(Group(times[0], bucket),), rank=rank, having=None)]


def _times(sketch: Sketch, times: list[str]) -> list[Sketch]:
    """Another time, where one is named."""
    tests = [test for test in sketch.where if test.op == "when"]
    if len(tests) != 1:
        return []
    return [replace(sketch, where=tuple(_on(test, label, tests) for test in sketch.where)) for label in times]


def _on(test: Test, label: str, moved: list[Test]) -> Test:
    return replace(test, field=label) if test in moved else test
