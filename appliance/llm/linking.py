"""Linking: which collection, fields, stored values, times and amounts a question speaks of.

Done by code, before the model and without it. The links narrow what the model sees, correct what it
writes, and tell what of the question was *not* understood, so that the box can say so instead of guessing.

    >>> links = link("How many beds are free in cardiology?", catalog, now)[0]  # doctest: +SKIP
    >>> links.collection.name, [(m.field, m.values) for m in links.values]  # doctest: +SKIP
    ('beds', [('status', ('free',)), ('ward', ('Cardiology',))])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from appliance.llm.against import Against, against
from appliance.llm.amounts import Comparison, as_years, comparisons, in_own_unit, is_year, year_comparisons, year_field
from appliance.llm.dates import Span, spans
from appliance.llm.deeds import done_by
from appliance.llm.fields import (
    FieldMention,
    apart_fields,
    denied,
    doers_spoken_of,
    fields_said,
    head_fields,
    holds_starts,
    kin_fields,
    kinds_said,
    label_texts,
    measured,
    numbers_spoken_of,
    phrases,
    sensed_fields,
    spoken_of,
    times_begun,
    times_taken,
    type_of,
    units_said,
    words_around,
)
from appliance.llm.grouping import BucketMention, bucketed, busy, groups
from appliance.llm.kept import Kept
from appliance.llm.mentions import Closed, ValueMention, is_degree, mentioned, negation
from appliance.llm.plan import NUMBERS, TIMES, Related
from appliance.llm.senses import nearest
from appliance.llm.values import Index, slip
from appliance.llm.without import Lead, Without, without
from appliance.llm.words import (
    COLLECTION_WORDS,
    CUES,
    EARNINGS,
    MEASURES,
    NEVER_STORED,
    SENIOR,
    STOP,
    Word,
    idle,
    inside,
    label_words,
    singular,
    speaks_of,
    stem,
    words,
)
from appliance.types import Catalog, Collection, Field

SENSED_FROM: Final = 0.5
MISSED_COSTS: Final = 1.5
REACHED_COSTS: Final = 3.0


class Cue(msgspec.Struct, frozen=True):
    """A phrase that names an aggregate."""

    aggregate: str
    phrase: str
    at: tuple[int, int]


class Links(msgspec.Struct, frozen=True):
    """What a question says about one collection.

    Attributes:
        score: how likely the question is about this collection; 0 means not at all.
        named: the words at which the collection's name, or another word for it, stands.
        explained: the indices of all words that have a meaning here.
        bucket: the time that "per week" or "by month" counts by.
        denied: words that deny a field, and the field: "unassigned" of *assigned to*.
        measured: the number fields that cues measure: "revenue" of *amount*.
        against: fields that are held against each other: "over budget".
        without: rows of others that are denied: "patients without an appointment".
    """

    collection: Collection
    score: float
    words: tuple[Word, ...]
    named: tuple[int, ...]
    fields: tuple[FieldMention, ...]
    values: tuple[ValueMention, ...]
    spans: tuple[Span, ...]
    comparisons: tuple[Comparison, ...]
    cues: tuple[Cue, ...]
    group: tuple[str, ...]
    explained: frozenset[int]
    bucket: BucketMention | None = None
    denied: tuple[tuple[int, str], ...] = ()
    measured: tuple[str, ...] = ()
    against: tuple[Against, ...] = ()
    without: tuple[Without, ...] = ()

    @property
    def rank(self) -> float:
        """The score, less what stays unexplained: a collection that explains the whole question comes first.

        What is only reached from rows that nobody names is better told by the others.
        """
        around = REACHED_COSTS if self.reached and not self.named else 0.0
        return self.score - MISSED_COSTS * len(self.unexplained()) - around

    @property
    def unwritten(self) -> bool:
        """Whether it says what the model cannot write, and code alone reads."""
        return bool(self.against or self.without) or any(value.opposite for value in self.values)

    @property
    def related(self) -> tuple[Related, ...]:
        """The rows of others that a plan must not find, as it says them."""
        return tuple(each.related for each in self.without)

    @property
    def reached(self) -> frozenset[str]:
        """The fields that are spoken of and that only another field leads to."""
        said = {mention.field for mention in self.fields} | {value.field for value in self.values}
        return frozenset(name for name in said if "." in name)

    @property
    def own(self) -> frozenset[int]:
        """The words that are of the collection's own name."""
        label = set(label_words(self.collection.label))
        return frozenset(at for at, word in enumerate(self.words) if word.stem in label)

    @property
    def text(self) -> str:
        """The words of the question, folded."""
        return " ".join(word.folded for word in self.words)

    def unexplained(self, also: Iterable[int] = ()) -> list[Word]:
        """The content words that nothing explains, apart from those at the indices `also`."""
        known, stays = self.explained | set(also), _stays(self.words)
        return [
            word
            for index, word in enumerate(self.words)
            if index in stays or (index not in known and word.folded not in STOP and word.stem not in STOP)
        ]


_HERE: Final = frozenset("in here there inside around out away on".split())


def _stays(asked: tuple[Word, ...]) -> set[int]:
    """Where "still" says something of the rows: of "patients that are still in", not of "beds that are still free"."""
    last = len(asked) - 2
    return {last} if last > 0 and asked[last].folded == "still" and asked[-1].folded in _HERE else set()


class Asked(msgspec.Struct, frozen=True):
    """A question as every collection sees it.

    Attributes:
        names: stems that name some collection.
        labels: stems that are all there is of some label, of a field or a collection.
        timed: the indices of words of a time.
        comparisons: the amounts that something is compared with, in the unit that is said.
        idle: the indices of words that say nothing.
        leads: collection, field, and the stem of what the rows are called that the field leads to.
        to: the fields that lead somewhere.
    """

    words: tuple[Word, ...]
    times: tuple[Span, ...]
    names: frozenset[str]
    labels: frozenset[str]
    timed: frozenset[int]
    comparisons: tuple[Comparison, ...]
    idle: frozenset[int]
    leads: frozenset[tuple[str, str, str]] = frozenset()
    to: tuple[Lead, ...] = ()


def link(text: str, catalog: Catalog, now: datetime, always: str = "") -> list[Links]:
    """The links of a question to each collection it may be about, likeliest first.

    Args:
        text: the question as asked.
        catalog: what the asking role may see.
        now: the present in the facility's timezone.
        always: a collection that is told of even if nothing links to it; ``*`` is every one.
    """
    names = frozenset(word for each in catalog.collections for word in label_words(each.label)[-1:])
    said = words(text)
    times = tuple(spans(text, now))
    timed = frozenset(inside(said, [at for span in times for at in (span.at, span.apart) if at]))
    compared = tuple(comparisons(text, said, timed))
    nothing = frozenset(inside(said, idle(text)))
    labels = _whole_labels(catalog)
    asked = Asked(said, times, names, labels, timed, compared, nothing, _leads(catalog), tuple(_to(catalog)))
    links = [
        _link_one(asked, collection, index)
        for collection, index in zip(catalog.collections, _INDEXES.of(catalog), strict=True)
    ]
    return sorted(
        (found for found in links if found.score > 0 or always in ("*", found.collection.name)),
        key=lambda found: -found.rank,
    )


def _to(catalog: Catalog) -> Iterator[Lead]:
    for relation in catalog.relations:
        held = catalog.collection(relation.collection)
        if held is not None:
            yield Lead(relation.collection, relation.field, relation.target, held.label)


def _leads(catalog: Catalog) -> frozenset[tuple[str, str, str]]:
    """Fields that lead to other rows, and what those are called: *plate*, which leads to vehicles."""
    found = set()
    for relation in catalog.relations:
        target = catalog.collection(relation.target)
        noun = label_words(target.label)[-1:] if target else ()
        if noun:
            found.add((relation.collection, relation.field, noun[0]))
    return frozenset(found)


def _grouped_by_rows(question: Asked, collection: Collection, taken: set[int]) -> Iterator[FieldMention]:
    """The fields that lead to the rows of which each is asked about: "distance per vehicle"."""
    for held, name, noun in question.leads:
        if held != collection.name or noun in label_words(collection.label_of(name)):
            continue
        for at, word in enumerate(question.words):
            before = question.words[at - 1].folded if at else ""
            if word.stem == noun and at not in taken and before in _EACH_OF:
                yield FieldMention(name, (at, at + 1), kin=True)


def _others_named(question: Asked, collection: Collection, reached: Iterable[str]) -> set[int]:
    """Where the rows are named that fields lead to which a question speaks of: "loans by *people* from Pinewood"."""
    steps = {name.partition(".")[0] for name in reached if "." in name}
    nouns = {noun for held, name, noun in question.leads if held == collection.name and name in steps}
    called = nouns.union(*(COLLECTION_WORDS.get(noun, frozenset()) for noun in nouns))
    return {at for at, word in enumerate(question.words) if word.stem in called}


_EACH_OF: Final = frozenset("per by each every which what".split())


def _whole_labels(catalog: Catalog) -> frozenset[str]:
    said = [label for each in catalog.collections for label in (each.label, *(field.label for field in each.fields))]
    return frozenset(label[0] for label in map(label_words, said) if len(label) == 1)


_INDEXES: Final = Kept(lambda catalog: [Index(collection) for collection in catalog.collections])


def _link_one(question: Asked, collection: Collection, index: Index) -> Links:
    asked = question.words
    kinds = {field.type for field in collection.fields}
    time_words = set(question.timed)
    amounts = tuple(in_own_unit(found, asked, collection) for found in question.comparisons)
    years, times = year_field(collection), question.times
    if years is not None and _speaks_of_years(asked):  # "built after 2019"
        yearly = {at for at, word in enumerate(asked) if word.folded.isdecimal() and len(word.folded) == 4}
        times = tuple(span for span in times if not yearly & set(inside(asked, [span.at])))
        time_words = set(inside(asked, [at for span in times for at in (span.at, span.apart) if at]))
    timed = time_words if kinds & TIMES else set[int]()
    if years is not None:
        amounts = tuple(as_years(found, asked) for found in amounts)
        amounts += tuple(year_comparisons(asked, timed | {at for one in amounts for at in range(*one.at)}))
    compared = {index for found in amounts for index in range(*found.at)}
    own, also, certainty = _name(asked, collection)
    held = tuple(each for each in against(asked, collection) if not compared & set(range(*each.at)))
    compared |= {index for found in held for index in range(*found.at)}
    denies_others = () if times or not own | also else tuple(without(asked, collection.name, question.to))
    compared |= {index for found in denies_others for index in range(*found.at)}
    cues = tuple(
        cue for cue in _cues(asked, time_words | compared) if not _of_nothing(cue, collection, question.labels)
    )
    closed = Closed(
        time_words | compared | question.idle,
        own,
        {at for cue in cues for at in range(*cue.at)},
        question.names,
        question.labels,
    )
    shut = closed.taken
    found_values = mentioned(asked, collection, index, closed)
    values = tuple(value for value in found_values if not is_degree(asked, value))
    fields = tuple(FieldMention(value.field, value.at) for value in found_values if value not in values)
    fields += tuple(fields_said(asked, collection, time_words | compared | question.idle))
    if years is not None and not any(mention.field == years for mention in fields):
        fields += tuple(FieldMention(years, (one.at[1] - 1, one.at[1])) for one in amounts if is_year(one.number))[:1]
    placed = {index for place in _places(values, fields) for index in range(*place)}
    fields += tuple(kin_fields(asked, collection, shut | own | placed | closed.cued))
    placed |= {index for mention in fields for index in range(*mention.at)}
    fields += tuple(head_fields(asked, collection, shut | own | placed | closed.cued))
    placed |= {index for mention in fields for index in range(*mention.at)}
    fields += tuple(kinds_said(asked, collection, shut | own | placed | closed.cued))
    placed |= {index for mention in fields for index in range(*mention.at)}
    fields += tuple(_grouped_by_rows(question, collection, own | placed))
    placed |= {index for mention in fields for index in range(*mention.at)}
    apart = list(apart_fields(asked, collection, shut | own | placed | closed.cued))
    fields += tuple(mention for mention, _ in apart)
    placed |= {index for mention, _ in apart for index in range(*mention.at)}
    fields += tuple(units_said(asked, collection, [one.at[1] for one in amounts if one.at[1] not in placed]))
    fields += tuple(numbers_spoken_of(asked, collection, shut | own | placed | closed.cued))
    fields += tuple(times_taken(asked, collection, own | placed | closed.cued))
    fields += tuple(doers_spoken_of(asked, collection, closed.taken | placed | closed.cued))
    fields += tuple(times_begun(asked, collection, shut | own | placed | closed.cued))
    placed |= {index for mention in fields for index in range(*mention.at)}
    fields += tuple(sensed_fields(asked, collection, shut | own | also | placed | closed.cued))
    whole = [set(range(*mention.at)) for mention in fields if mention.at[1] - mention.at[0] > 1]
    ends = ("min", "max")
    cues = tuple(
        cue for cue in cues if cue.aggregate not in ends or not any(set(range(*cue.at)) < label for label in whole)
    )  # "minimum stock"
    denies = denied(asked, collection, closed.taken | {at for each in values for at in range(*each.at)})
    grouped = [mention for mention in fields if not (mention.kin and type_of(collection, mention.field) in NUMBERS)]
    group, group_words = groups(asked, grouped, own)  # "pay per month" tells the *monthly fee*, and groups nothing
    bucket = busy(asked) or bucketed(asked, closed.taken | {at for mention in fields for at in range(*mention.at)})
    group_words |= set(range(*bucket.at)) if bucket and kinds & TIMES else set()
    explained = own | also | closed.cued | denies.keys() | group_words | _beside(asked, values, collection)
    explained |= {second for _, second in apart} | spoken_of(asked, collection)
    explained |= {at for at, word in enumerate(asked) if word.folded in _NEW and times and kinds & TIMES}
    explained |= done_by(asked, values, fields, bool(own))
    spoken = [mention.field for mention in fields] + [value.field for value in values]
    explained |= _others_named(question, collection, spoken)
    explained |= question.idle | words_around(asked, fields, own | also, collection)
    explained |= {index for place in _places(values, fields) for index in range(*place)}
    explained |= time_words if kinds & TIMES else set()
    explained |= compared if kinds & NUMBERS else {at for each in held for at in range(*each.at)}
    explained |= {at for each in denies_others for at in range(*each.at)}
    tenured = any(cue.phrase in SENIOR for cue in cues) and any(map(holds_starts, collection.fields))
    measures = tuple(field.name for cue in cues if (field := measured(cue.phrase, collection)))
    return Links(
        collection,
        certainty
        + _evidence(values, fields)
        + 0.5 * (bool(measures) or tenured)
        + 0.8 * len(denies)
        + len(held)
        + 2 * len(denies_others)
        + (0.0 if certainty else _sensed(asked, collection, explained)),
        asked,
        tuple(sorted(own | also)),
        fields,
        values,
        times if kinds & TIMES else (),
        amounts,
        cues,
        group,
        frozenset(explained),
        bucket if kinds & TIMES else None,
        tuple(denies.items()),
        measures,
        held,
        denies_others,
    )


_NEW: Final = frozenset({"new", "newly"})
"""Of "new members this month", *joined on* says that they are new."""


def _speaks_of_years(asked: tuple[Word, ...]) -> bool:
    return any(stem("year") in speaks_of(word.folded) for word in asked)


def _places(values: Iterable[ValueMention], fields: Iterable[FieldMention]) -> list[tuple[int, int]]:
    return [value.at for value in values] + [field.at for field in fields]


def _evidence(values: tuple[ValueMention, ...], fields: tuple[FieldMention, ...]) -> float:
    """How much values and fields speak for a collection; long phrases more than short ones."""
    valued = {index for value in values for index in range(*value.at)}
    score = sum((2.0 if v.exact else 1.2) + 0.3 * (v.at[1] - v.at[0]) for v in values)
    return score + sum((0.5 if m.kin else 0.8) * (m.at[1] - m.at[0]) for m in fields if m.at[0] not in valued)


def _beside(asked: tuple[Word, ...], values: Iterable[ValueMention], collection: Collection) -> set[int]:
    """Words that values explain: the "not" before one, and the field's own words next to one ("fixed fee")."""
    found = set()
    for value in values:
        found |= set(negation(asked, value.at[0]))
        label = {part for name in value.fields for part in label_words(collection.label_of(name))}
        found |= {at for at in (value.at[0] - 1, value.at[1]) if 0 <= at < len(asked) and asked[at].stem in label}
    return found


def _name(asked: tuple[Word, ...], collection: Collection) -> tuple[set[int], set[int], float]:
    """Where the collection's own name stands, where another word for it stands, and how sure that makes it."""
    stems = label_words(collection.label)
    own = {index for index, word in enumerate(asked) if word.stem in stems}
    others = {other for name in stems for other in COLLECTION_WORDS.get(name, ())}
    also = {index for index, word in enumerate(asked) if word.stem in others} - own
    found = {asked[index].stem for index in own}
    if found:
        return own, also, 4.0 if len(found) == len(set(stems)) else 2.5 if stems[-1] in found else 1.5
    if also:
        return own, also, 1.5
    open_words = [(index, word) for index, word in enumerate(asked) if word.folded not in STOP]
    slips = {index for index, word in open_words if any(slip(word.stem, name) for name in stems)}
    return slips, also, 2.5 if slips else 0.0


def _cues(asked: tuple[Word, ...], taken: set[int]) -> Iterator[Cue]:
    seen: set[int] = set()
    for start, end in phrases(asked, taken):
        phrase = " ".join(word.folded for word in asked[start:end])
        if phrase in CUES and not seen & set(range(start, end)):
            seen |= set(range(start, end))
            yield Cue(CUES[phrase], phrase, (start, end))


def _of_nothing(cue: Cue, collection: Collection, labels: frozenset[str]) -> bool:
    """Whether a word asks for money, as "earn" does, that these rows do not tell of, or is what a field is called."""
    if cue.phrase in EARNINGS and stem(cue.phrase) in labels:
        return True
    return cue.aggregate == "sum" and cue.phrase in MEASURES and measured(cue.phrase, collection) is None


def _sensed(asked: tuple[Word, ...], collection: Collection, explained: set[int]) -> float:
    """What a word that is near the name of the rows speaks for them: "songs" for tracks."""
    name = label_texts(collection.label)[-1:]
    free = [word.folded for at, word in enumerate(asked) if at not in explained and word.folded not in STOP]
    near = max((nearest(singular(word), map(singular, name)) for word in free), default=0.0)
    return near if near >= SENSED_FROM else 0.0


def open_words(text: str) -> list[str]:
    """The content words of a question: what to look for among stored values when nothing else links."""
    idle = STOP | NEVER_STORED
    found = [word for word in words(text) if word.folded not in idle and word.stem not in idle and len(word.folded) > 2]
    return list({word.folded: word.text for word in found}.values())


def with_values(catalog: Catalog, found: dict[tuple[str, str], tuple[str, ...]]) -> Catalog:
    """The catalog with stored values that a lookup found, by (collection, field)."""

    def known(collection: Collection, field: Field) -> Field:
        values = found.get((collection.name, field.name))
        return msgspec.structs.replace(field, values=values) if values else field

    return Catalog(
        f"{catalog.version}+{hash(tuple(sorted(found.items())))}",
        tuple(
            msgspec.structs.replace(each, fields=tuple(known(each, field) for field in each.fields))
            for each in catalog.collections
        ),
    )


def narrow(links: Links, most: int = 9) -> tuple[Field, ...]:
    """The fields of a collection that a model of short context is shown: the linked ones, then the others in order."""
    wanted = [value.field for value in links.values] + [mention.field for mention in links.fields] + list(links.group)
    first = dict.fromkeys(wanted)
    plain = [field for field in links.collection.fields if field.name != "id" and field.type != "jsonb"]
    chosen = sorted(plain, key=lambda field: field.name not in first)[:most]
    return tuple(field for field in plain if field in chosen)
