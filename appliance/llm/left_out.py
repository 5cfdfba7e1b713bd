"""Left out: what a question says and a sketch does not, and whether that says which rows are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from appliance.llm.amounts import stocked
from appliance.llm.candidates import Candidate
from appliance.llm.fields import label_texts
from appliance.llm.named import tie
from appliance.llm.notation import BARE, Sketch, Test, plain, write
from appliance.llm.plan import Query
from appliance.llm.words import (
    IN_STOCK,
    NEGATIONS,
    SHARES,
    STOP,
    Word,
    dimensions,
    fold,
    label_words,
    speaks_of,
    stem,
)

_NEGATIONS: Final = NEGATIONS | {"no", "unless"}
_IS: Final = frozenset("is are was were be being been isn't aren't wasn't weren't not".split())
_SAME: Final = 0.6
"""From here on a label says what a word asks for: "town" by *city*."""
_WHAT_DO: Final = [["what", "do"], ["what", "does"], ["what", "did"]]
_IDLE: Final = frozenset(
    "different distinct single individual various separate total whole entire not make makes made done written given"
    " kept stored held recorded noted entered registered listed known placed filed raised submitted".split()
)
"""Words that stand where a word restricts and leave all rows in."""


def restricts(each: Candidate) -> bool:
    """Whether an unexplained word says which rows are meant, or what of them.

    As in "purple beds", "beds that are purple", "the phone number of the ward".
    """
    if any(test.op in BARE for test in each.sketch.where):
        return False  # "loans that are not returned" has its test
    said, unsaid = each.links.words, set(unsaid_of(each))
    wanted = _asked_for(said)
    if wanted in unsaid and tie(fold(wanted), texts(labels_in(each.sketch))) < _SAME:
        return True
    for place, word in enumerate(said):
        if word.text in unsaid and word.folded not in _IDLE and not dimensions(word.text):
            after_is = place > 0 and said[place - 1].folded in _IS and not word.folded.endswith("ing")
            if after_is or place + 1 in each.links.named or _says_what_of(place, each):
                return True
    return False


_AUXILIARIES: Final = frozenset("do does did have has had".split())


def _says_what_of(place: int, each: Candidate) -> bool:
    """Whether a word is what rows did or had done: "cases did we *win*", "customers *complained* last month"."""
    said = each.links.words
    if speaks_of(said[place].folded) or tie(said[place].folded, texts(labels_in(each.sketch))) >= _SAME:
        return False
    behind = [word for word in said[place + 1 :] if word.folded not in STOP]
    asked = bool(_AUXILIARIES & {word.folded for word in said[:place]}) and not behind
    return asked or (place - 1 in each.links.named and said[place].folded.endswith("ed"))


def _asked_for(said: tuple[Word, ...]) -> str:
    """What a question asks of a thing, or nothing.

    As in "what is the *phone* number of Blue Harbor", "what do the nurses *earn*", "what *wine* goes with it".
    """
    if [word.folded for word in said[:2]] in _WHAT_DO and said[-1].folded not in STOP:
        return said[-1].text
    if len(said) > 1 and said[0].folded in ("what", "which") and said[1].folded not in STOP:
        return said[1].text
    first = next((at for at, word in enumerate(said) if word.folded not in STOP), len(said))
    behind = [word.folded for word in said[first + 1 : first + 3]]
    asks = behind[:1] in (["of"], ["for"]) or (behind[:1] in (["number"], ["name"]) and behind[1:] in (["of"], ["for"]))
    return said[first].text if asks else ""


def unsaid_of(each: Candidate) -> tuple[str, ...]:
    """The content words that neither the links nor the sketch explain."""
    told = {stem(fold(word)) for word in re.findall(r"\w+", write(each.sketch))}
    idle = _IDLE - _NEGATIONS
    if any(test.op in ("no", "null", "neq") for test in each.sketch.where):
        idle |= _NEGATIONS
    words = each.links.unexplained()
    if each.sketch.group and SHARES.search(each.links.text):
        words = [word for word in words if not SHARES.fullmatch(word.folded)]
    return tuple(word.text for word in words if word.stem not in told and word.folded not in idle)


def left_out(each: Candidate) -> tuple[float, float]:
    """What words that nothing explains weigh against a sketch.

    Returns:
        how many there are, at most 3, each less by how far a label of the sketch explains it ("town" by *city*);
        and how far one of them rather speaks of a field that the sketch does not use.
    """
    unsaid = unsaid_of(each)
    if not unsaid:
        return 0.0, 0.0
    collection, used = each.links.collection, labels_in(each.sketch)
    held = texts(used) | set(label_texts(collection.label)[-1:])
    others = texts(field.label for field in collection.fields if field.label not in used)
    ties = [tie(fold(word), held) for word in unsaid]
    rather = max(tie(fold(word), others) - tied for word, tied in zip(unsaid, ties, strict=True))
    return min(3, sum(1 - tied for tied in ties)), rather


def texts(labels: Iterable[str]) -> set[str]:
    """The words of labels that say what they are, folded."""
    return {part for label in labels for part in label_texts(label)}


def labels_in(sketch: Sketch) -> set[str]:
    """The labels that a sketch uses."""
    shown = {item.field for item in sketch.select} | {test.field for test in sketch.where}
    shown |= {group.field for group in sketch.group} | ({sketch.rank.field} if sketch.rank else set())
    return {label for label in shown if label}


def unused(each: Candidate) -> list[str]:
    """What a question says for certain and a sketch does not: stored values, times, amounts, a "not"."""
    if not each.by_model:
        return []
    links, told = each.links, plain(write(each.sketch).replace("<", " <"))
    said = [word.text.lower() for word in links.words]
    parts = parts_asked(each)
    missed = [" ".join(said[slice(*value.at)]) for value in links.values if value.exact and not parts & {*value.fields}]
    missed = [words for words in missed if words not in told and not _names_a_field(words, each)]
    missed += [span.words for place, span in enumerate(links.spans[:2]) if f"w{place + 1}" not in told.split()]
    missed += [said[one.at[1] - 1] for one in links.comparisons if not set(said[slice(*one.at)]) & set(told.split())]
    held = stocked(links.collection) if IN_STOCK.search(links.text) else None
    if held is not None and plain(held.label) not in labels_in(each.sketch):
        missed.append("stock")
    bare = {test.field for test in each.sketch.where if test.op in ("null", "no")}
    missed += [said[at] for at, name in links.denied if plain(links.collection.label_of(name)) not in bare]
    negated = [word for word in said if word in _NEGATIONS or word.endswith("n't")]
    if (
        negated
        and not links.without
        and not any(
            test.op in ("neq", "null", "no", "lt", "lte", "eq") and _negates(test) for test in each.sketch.where
        )
    ):
        missed += negated[:1]
    return missed


def parts_asked(each: Candidate) -> set[str]:
    """The fields whose values are the parts of a whole that is asked about: *status*, of "percentage of free beds"."""
    return set(each.plan.group) if isinstance(each.plan, Query) and SHARES.search(each.links.text) else set()


def _negates(test: Test) -> bool:
    return test.op != "eq" or any(set(value.split()) & _NEGATIONS for value in test.values)


def _names_a_field(words: str, each: Candidate) -> bool:
    """Whether the words are also what a field or the collection is called."""
    labels = [each.links.collection.label, *(field.label for field in each.links.collection.fields)]
    said = label_words(words)
    return any(said == label_words(label)[: len(said)] for label in labels)
