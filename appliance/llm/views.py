"""Views: a collection as the small model sees it, with what is reached along its relations.

A field that leads to another collection is shown as that collection's name of a row, and a few of its fields beside
it: ``order`` has ``customer``, ``customer city``. Their names in a plan are paths: ``customer_id.city``.

    >>> [shown.column.label for shown in view(orders)]  # doctest: +SKIP
    ['total', 'customer', 'customer city']
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from appliance.llm.amounts import is_serial
from appliance.llm.linking import Links
from appliance.llm.notation import Column, Kind, Mark, marks_of, plain
from appliance.llm.plan import NUMBERS, TIMES, Condition
from appliance.llm.words import idle, label_words, parts
from appliance.types import Catalog, Collection, Field, Relation

COLUMNS_AT_MOST: Final = 32
REACHED_AT_MOST: Final = 6
"""Fields of one other collection that are shown, beside those that a question speaks of."""
KNOWN_AT_MOST: Final = 24
"""Fields of one other collection that a question may speak of."""
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ALONE: Final = 0.9
"""A text of so many distinct values a row may name one; now and then two have one name."""
SEVERAL: Final = 2
"""A text that stands in so many rows on average names none of them."""
_NAMES: Final = ("name", "title", "label", "full_name", "description", "code", "number")


class Shown(msgspec.Struct, frozen=True):
    """A field under the label that the model sees."""

    column: Column
    field: Field


class View(msgspec.Struct, frozen=True):
    """A collection, its own fields and those it reaches, as the model sees them."""

    collection: Collection
    shown: tuple[Shown, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the model sees of the fields."""
        return tuple(each.column for each in self.shown)

    def field(self, label: str) -> Field | None:
        """The field of a label."""
        return next((each.field for each in self.shown if each.column.label == label), None)

    def label(self, name: str) -> str | None:
        """The label of a field."""
        return next((each.column.label for each in self.shown if each.field.name == name), None)


def with_clocks(catalog: Catalog) -> Catalog:
    """The catalog in which texts that are all times of the facility's clock are times, to ask for as others."""

    def timed(field: Field) -> Field:
        return msgspec.structs.replace(field, type="timestamptz", values=(), examples=()) if field.clock else field

    return msgspec.structs.replace(
        catalog,
        collections=tuple(
            msgspec.structs.replace(each, fields=tuple(map(timed, each.fields))) for each in catalog.collections
        ),
    )


def widened(catalog: Catalog) -> Catalog:
    """The catalog in which every collection also has, by their paths, the fields that its relations reach."""
    return msgspec.structs.replace(
        catalog,
        version=f"{catalog.version} wide",
        collections=tuple(_wide(collection, catalog) for collection in catalog.collections),
    )


def _wide(collection: Collection, catalog: Catalog) -> Collection:
    reached = [
        field
        for relation in catalog.relations
        if relation.collection == collection.name and relation.target != collection.name
        for field in _reached(relation, collection, catalog)
    ]
    own = tuple(msgspec.structs.replace(field, label=apart(field.label)) for field in collection.fields)
    return msgspec.structs.replace(collection, fields=(*own, *reached))


def apart(label: str) -> str:
    """A label with its words apart: ``jobTitle`` -> ``job title``."""
    return _CAMEL.sub(" ", label).lower() if _CAMEL.search(label) else label


def _reached(relation: Relation, collection: Collection, catalog: Catalog) -> list[Field]:
    target, by = catalog.collection(relation.target), collection.field(relation.field)
    if target is None or by is None:
        return []
    prefix = _without_id(apart(by.label)) or target.label
    title = title_of(target)
    names = [title] if title is not None and title.name != relation.target_field else []
    own = [field for field in target.fields if field.name not in ("id", relation.target_field) and field is not title]
    leads = {each.field for each in catalog.relations if each.collection == target.name}
    names += [field for field in own if field.type != "jsonb" and field.name not in leads][: KNOWN_AT_MOST - 1]
    return [
        msgspec.structs.replace(
            field,
            name=f"{relation.field}.{field.name}",
            label=prefix if field is title else _of(prefix, plain(apart(field.label))),
        )
        for field in names
    ]


def _of(prefix: str, label: str) -> str:
    """What a field of other rows is called: *ward floor*; *boat type*, and not "boat boat type"."""
    return label if label.split(" ")[:1] == prefix.split(" ")[-1:] else f"{prefix} {label}"


def _without_id(label: str) -> str:
    return re.sub(r"[\s_-]*\b(id|no|nr|ref|code|key|name|number|title)$", "", plain(label)).strip()


def title_of(collection: Collection) -> Field | None:
    """The field that says what a row is called: one of the usual names, else its first text."""
    texts = [field for field in collection.fields if field.type == "text" and "." not in field.name]
    called = {field.name: "_".join(word.folded for word in parts(field.label)) for field in texts}
    usual = [field for name in _NAMES for field in texts if name in (field.name, called[field.name])]
    ending = [field for field in texts if called[field.name].endswith(("_name", "_title"))]
    return next(iter([*usual, *ending, *texts]), None)


def kinds_of(collection: Collection) -> list[Field]:
    """The texts that tell rows apart into kinds: a collection's own, but for what a row is called."""
    title, own = name_of(collection), set(label_words(collection.label))
    texts = [field for field in collection.fields if field.type == "text" and "." not in field.name]
    return [field for field in texts if field is not title and not own & set(label_words(field.label))]


def name_of(collection: Collection) -> Field | None:
    """The field that names each row, or None where the first text is told of several rows: of visits, the *member*."""
    title = title_of(collection)
    often = title is not None and 0 < title.distinct * SEVERAL <= title.count
    return None if often and title is not None and title.name not in _NAMES else title


def named_row(where: Iterable[Condition], collection: Collection) -> Condition | None:
    """The test that holds a row to what it is called, if there is one; what several rows are called names none."""
    title = title_of(collection)
    if title is not None and title.distinct < _ALONE * title.count:
        return None
    return next((test for test in where if title and test.field == title.name and test.op == "eq"), None)


def view(collection: Collection, links: Links | None = None, also: Iterable[str] = ()) -> View:
    """How the model sees a collection of a widened catalog.

    Args:
        collection: the collection.
        links: of a question; where it says nothing of the rows that a text leads to, only the text is shown.
        also: fields of which an earlier question spoke.
    """
    shown: dict[str, Shown] = {}
    paths = {field.name.partition(".")[0] for field in collection.fields if "." in field.name}
    silent = (_silent(collection, links) | _further(collection, links)) - set(also)
    for field in collection.fields:
        hidden = field.name in ("id", "created_at") or field.type == "jsonb" or field.name in silent
        number_that_leads = field.name in paths and field.type != "text"
        label = plain(field.label) or field.name
        if not hidden and not number_that_leads and len(shown) < COLUMNS_AT_MOST:
            if label in shown:
                label = f"{label} {len(shown)}"
            shown[label] = Shown(Column(label, kind_of(field)), field)
    return View(collection, tuple(shown.values()))


def _further(collection: Collection, links: Links | None) -> frozenset[str]:
    """The fields of other rows beyond the first few that a question does not speak of."""
    steps = Counter[str]()
    spoken, further = links.reached if links is not None else frozenset(), set[str]()
    for step, name in ((field.name.partition(".")[0], field.name) for field in collection.fields if "." in field.name):
        steps[step] += 1
        if steps[step] > REACHED_AT_MOST and name not in spoken:
            further.add(name)
    return frozenset(further)


def _silent(collection: Collection, links: Links | None) -> frozenset[str]:
    """The fields along texts that say themselves what they lead to, where a question speaks of none of them."""
    if links is None:
        return frozenset()
    spoken = {name.partition(".")[0] for name in links.reached}
    texts = {field.name: plain(field.label) for field in collection.fields if field.type == "text"}
    return frozenset(
        field.name
        for field in collection.fields
        if (step := field.name.partition(".")[0]) != field.name
        and step in texts
        and step not in spoken
        and plain(field.label) != _without_id(texts[step])
    )


def kind_of(field: Field) -> Kind:
    """What a field holds, as the model knows it."""
    if field.type in NUMBERS:
        return "text" if is_serial(field) else "number"
    if field.type in TIMES:
        return "time"
    return "flag" if field.type == "boolean" else "text"


def marks(links: Links, seen: View, text: str, found: Iterable[tuple[str, str]] = ()) -> tuple[Mark, ...]:
    """What code knows of a question, for the model.

    Args:
        links: the question's links to the collection.
        seen: how the model sees the collection.
        text: the question.
        found: what was found in the database: words of the question, and the field that holds them.
    """
    known: list[Mark] = []
    for mention in links.values:
        labels = [label for name in mention.fields if (label := seen.label(name))]
        if labels:
            place = links.words[mention.at[0]].start, links.words[mention.at[1] - 1].end
            known.append(Mark("value", *place, tuple(labels[:3])))
    for words, field in found:
        label, at = seen.label(field), text.lower().find(words.lower())
        if label and at >= 0:
            known.append(Mark("value", at, at + len(words), (label,)))
    known += [Mark("w2" if place else "w1", *span.at) for place, span in enumerate(links.spans[:2])]
    known += [Mark("idle", *span.apart) for span in links.spans[:2] if span.apart]
    known += [Mark("idle", *place) for place in idle(text)]
    for named in links.fields:
        label = seen.label(named.field)
        if named.kin and label:
            known.append(Mark("field", links.words[named.at[0]].start, links.words[named.at[1] - 1].end, (label,)))
    return marks_of(text, seen.columns, _apart(known))


def _apart(marks: list[Mark]) -> list[Mark]:
    """The marks that overlap no earlier one."""
    kept: list[Mark] = []
    for mark in marks:
        if not any(mark.start < other.end and other.start < mark.end for other in kept):
            kept.append(mark)
    return kept
