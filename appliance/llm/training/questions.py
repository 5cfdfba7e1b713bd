"""Business questions as examples: wordings of ``patterns/``, filled from ``domains/``, with what code would mark.

Nothing here is used in a box. What is random comes from one generator, so the same seed makes the same questions.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from appliance.llm.dates import spans
from appliance.llm.notation import Column, Mark, Sketch, marks_of, plain
from appliance.llm.training.conditions import Said, condition
from appliance.llm.training.domains import Collection, Domain, Field, read_domains
from appliance.llm.training.examples import Asked, Example
from appliance.llm.training.forms import Filled, Scene, ask, follow
from appliance.llm.training.wordings import forms

QUESTIONS: Final = (5, 9)
FIELDS: Final = (4, 12)
WEIGHTS: Final[dict[str, float]] = {
    "list": 5, "show": 5, "show_one": 5, "is_one": 2, "exists": 2, "distinct": 2, "top": 3, "low": 1.5, "first_top": 3,
    "first_low": 2, "latest": 1.5, "earliest": 1, "latest_n": 1, "earliest_n": 0.6, "next": 1, "sort_top": 1,
    "sort_low": 0.7, "sort_new": 0.7, "sort_old": 0.5, "count": 11, "sum": 6, "avg": 5, "min": 2, "max": 2.5,
    "min_time": 1, "max_time": 1, "sum_avg": 0.7, "count_by": 4, "sum_by": 3, "avg_by": 2.5, "max_by": 0.7,
    "min_by": 0.6, "count_by2": 0.7, "count_most": 2.5, "count_least": 1, "sum_most": 2, "sum_least": 0.8,
    "avg_most": 1.3, "avg_least": 0.8, "count_top": 1.5, "sum_top": 1.5, "avg_top": 0.7, "count_over": 1.2,
    "count_under": 0.6, "sum_over": 0.7, "avg_over": 0.5, "avg_under": 0.4, "count_per": 2, "sum_per": 1.5,
    "avg_per": 0.8, "then_where": 3, "then_when": 1, "then_by": 1.2, "then_list": 1, "then_count": 0.8,
    "then_sum": 0.8, "then_avg": 0.6, "then_top": 0.9, "then_sort": 0.6, "alert_row": 1.3, "alert_count_under": 0.9,
    "alert_count_over": 0.9, "alert_sum_under": 0.3, "alert_sum_over": 0.4, "alert_avg_under": 0.3,
    "alert_avg_over": 0.3, "alert_value_under": 0.9, "alert_value_over": 0.9, "alert_cancel": 0.8, "add_field": 0.9,
    "add_plus": 0.3, "add_minus": 0.4, "add_times": 0.3, "add_over": 0.3, "summary": 1.0, "none": 1.1,
    "none_field": 1.0, "none_why": 0.8, "none_do": 1.0, "elsewhere": 0.7,
}  # fmt: skip
"""How often each form is asked for."""
NOW: Final = datetime(2026, 11, 25, 14, 0)
_GREETINGS: Final = (
    "please ", "can you tell me ", "could you tell me ", "hey, ", "hi, ", "tell me ", "i need to know ",
    "quick question: ", "sorry, ", "um ", "so ", "ok, ", "and ", "i was wondering, ", "do you know ",
    "could you please check ",
)  # fmt: skip
_THANKS: Final = (
    " please",
    " please?",
    " thanks",
    " right now",
    " exactly",
    ", do you know?",
    " at the moment",
    "?",
    "?",
)


class Questions:
    """Examples from domains, without end."""

    def __init__(self, domains: tuple[Domain, ...]) -> None:
        self.domains = domains
        self._forms = [form for form in WEIGHTS if form in forms() or form == "elsewhere"]
        self._weights = [WEIGHTS[form] for form in self._forms]

    @classmethod
    def shipped(cls, heldout: bool) -> Questions:
        """The domains to train on, or those that are held out."""
        return cls(tuple(domain for domain in read_domains() if domain.heldout == heldout))

    def examples(self, rng: random.Random) -> Iterator[Example]:
        """Examples for ever."""
        while True:
            domain = rng.choice(self.domains)
            found = self._example(domain, rng.choice(domain.collections), rng)
            if found.asked:
                yield found

    def _example(self, domain: Domain, collection: Collection, rng: random.Random) -> Example:
        fields = chosen(domain, collection, rng)
        columns = tuple(field.column for field in fields)
        asked = []
        for _ in range(rng.randint(*QUESTIONS)):
            scene = Scene(domain, msgspec.structs.replace(collection, fields=fields), rng, collection.fields)
            found = self._asked(scene, rng.choices(self._forms, self._weights)[0], columns)
            asked += [found] if found else []
        label = collection.label if rng.random() < 0.9 else rng.choice((collection.one, *collection.also))
        return Example(label, columns, tuple(asked))

    def _asked(self, scene: Scene, form: str, columns: tuple[Column, ...]) -> Asked | None:
        if form == "elsewhere":
            return self._elsewhere(scene, columns)
        filled = follow(scene, form) if form.startswith("then_") else ask(scene, form)
        return told(filled, form, columns, scene) if filled else None

    def _elsewhere(self, scene: Scene, columns: tuple[Column, ...]) -> Asked | None:
        """A question about another collection, which this one cannot answer."""
        domain = scene.rng.choice(self.domains)
        other = scene.rng.choice(domain.collections)
        if other.label == scene.collection.label:
            return None
        form = scene.rng.choice(("count", "list", "sum", "avg", "show", "first_top", "count_by", "latest"))
        filled = ask(Scene(domain, other, scene.rng, other.fields), form)
        if filled is None or not filled.names_collection:
            return None
        nothing = Filled(filled.text, Sketch("none", ()), filled.spans)
        return told(nothing, "elsewhere", columns, scene)


def chosen(domain: Domain, collection: Collection, rng: random.Random) -> tuple[Field, ...]:
    """Some of a collection's fields and some that are reached along its relations, in a new order."""
    size = rng.randint(*FIELDS)
    title = collection.title
    others = [field for field in collection.fields if field is not title]
    rng.shuffle(others)
    fields = ([title] if title else []) + others[: size - 1]
    for ref in [field for field in fields if field.kind == "ref"]:
        fields += related(domain, ref, rng)
    unique = list({plain(field.label): field for field in fields}.values())
    rng.shuffle(unique)
    return tuple(unique)


def related(domain: Domain, ref: Field, rng: random.Random) -> list[Field]:
    """Fields of the collection that a field leads to, called after both."""
    target = domain.collection(ref.to)
    own = (
        [field for field in target.fields if field.kind not in ("ref", "note") and field is not target.title]
        if target
        else []
    )
    prefix = re.sub(r" (id|no|number|ref)$", "", ref.label)
    found = []
    for field in rng.sample(own, min(len(own), rng.choice((0, 0, 1, 2, 3)))):
        say = (field.label, *field.say, f"{prefix}'s {field.label}") if rng.random() < 0.5 else ()
        found.append(msgspec.structs.replace(field, label=f"{prefix} {field.label}", say=say))
    return found


_VALUE: Final = re.compile("\x01([^\x02]*)\x02([^\x03]*)\x03")


def told(filled: Filled, form: str, columns: tuple[Column, ...], scene: Scene) -> Asked | None:
    """A filled pattern as a question with its marks, or None where code would read its times otherwise."""
    rng = scene.rng
    text = noisy(filled.text, rng)
    values: list[Mark] = []
    clear, at = "", 0
    labels = {column.label for column in columns}
    for found in _VALUE.finditer(text):
        clear += text[at : found.start()]
        fields = _held_in(found[1], scene, rng)
        if found[1] in labels:
            values.append(Mark("value", len(clear), len(clear) + len(found[2]), fields))
        clear, at = clear + found[2], found.end()
    clear += text[at:]
    times = [span for span in spans(clear, NOW) if not any(span.at[0] < v.end and v.start < span.at[1] for v in values)]
    if len(times) != filled.spans and filled.sketch.intent != "none":
        return None
    known = [*values, *(Mark("w2" if place else "w1", *span.at) for place, span in enumerate(times[:2]))]
    known += _by_chance(clear, known, scene)
    return Asked(clear, marks_of(clear, columns, known), filled.sketch, filled.before, form)


def _held_in(label: str, scene: Scene, rng: random.Random) -> tuple[str, ...]:
    """The fields that code says hold a value: the right one, sometimes beside another."""
    others = [field.label for field in scene.collection.fields if field.column.kind == "text" and field.label != label]
    if not others or rng.random() > 0.07:
        return (label,)
    both = [label, rng.choice(others)]
    rng.shuffle(both)
    return tuple(both)


def _by_chance(text: str, known: list[Mark], scene: Scene) -> list[Mark]:
    """Stored values that happen to stand in the question."""
    found: list[Mark] = []
    lower = text.lower()
    for field in scene.collection.fields:
        for value in field.stored() if field.kind == "choice" else ():
            for place in re.finditer(rf"(?<!\w){re.escape(value.lower())}(?!\w)", lower):
                if not any(place.start() < mark.end and mark.start < place.end() for mark in [*known, *found]):
                    found.append(Mark("value", place.start(), place.end(), (field.label,)))
    return found


def noisy(text: str, rng: random.Random) -> str:
    """A text as somebody in a hurry says it."""
    text = re.sub(r"\s+([,.?:;])", r"\1", " ".join(text.split())).strip(" ,;:")
    if rng.random() < 0.16:
        text = rng.choice(_GREETINGS) + text
    if rng.random() < 0.16:
        text = text.rstrip("?.") + rng.choice(_THANKS)
    if rng.random() < 0.1:
        text = _slipped(text, rng)
    return text if rng.random() < 0.5 else text.rstrip("?.")


def _slipped(text: str, rng: random.Random) -> str:
    """A text with a slip in one of its longer words."""
    inside = [found.span() for found in _VALUE.finditer(text)]
    words = [
        found
        for found in re.finditer(r"[a-z]{5,}", text)
        if not any(start <= found.start() < end for start, end in inside)
    ]
    if not words:
        return text
    word = rng.choice(words)
    place = word.start() + rng.randint(1, len(word.group()) - 2)
    kind = rng.choice(("swap", "drop", "double"))
    if kind == "swap":
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + text[place + 1 :] if kind == "drop" else text[:place] + text[place] + text[place:]


__all__ = ["Questions", "Said", "chosen", "condition", "noisy", "told"]
