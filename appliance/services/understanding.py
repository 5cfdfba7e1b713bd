"""Understanding: a question becomes a plan, and how sure the box is of it. The stages, in order, on one screen.

    link to the catalog -> sketches of the model for each collection it may be about -> literals looked up ->
    plans -> the likeliest that can be run -> held against the reading of code -> Understood

A sketch whose literals stand for nothing yields to the next one. What the box is not sure of is asked back.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Protocol

import httpx
import msgspec

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm import reading
from appliance.llm.forms import Acting, AddField, Alert, AlertCancel, Plan, check_form
from appliance.llm.interpret import Interpreted, interpret, open_literals
from appliance.llm.linking import Links
from appliance.llm.notation import Sketch, Test, later, plain, read, write
from appliance.llm.outline import Outline, Seen, Sketched
from appliance.llm.plan import Query, Refuse, Select
from appliance.llm.views import View, marks, view
from appliance.llm.words import label_words
from appliance.pgflex.rest import Rest
from appliance.services import clients
from appliance.types import Catalog, Question, RoleName

LOOKED_UP: Final = 101
"""Stored values that are looked at for one literal; a condition holds at most a hundred."""
COLLECTIONS_AT_MOST: Final = 3
NEAR: Final = 4.5
"""A collection whose links rank so much below the best one's is not asked about."""
RANKED: Final = 0.7
"""What a point of rank is worth against the logarithm of the model's probability."""
MISSING_COSTS: Final = 5.0
"""What a literal that stands for nothing costs, in the same measure."""
UNSAID: Final = 0.88
"""What each word that nothing explains leaves of the confidence."""
UNUSED: Final = 0.3
"""What each value, time, amount or "not" that the plan leaves out leaves of the confidence."""
# Measured on the sets of tests/ask/unseen: how often a reading of each sort was right.
AGREED: Final = 0.85
"""The least confidence where code reads the question the same way as the model's best sketch."""
IN_BEAM: Final = 0.78
"""The confidence of a reading of code that is among the model's sketches."""
BY_CODE: Final = 0.66
"""The confidence of a reading of code alone."""
ALONE: Final = 0.6
"""What remains of the model's confidence where code does not read the whole question."""
REFUSES: Final = 0.85
"""The model's confidence that the data does not tell something, from which it stands against a reading of code."""
NOTHING_COSTS: Final = 1.0
"""What a sketch that the data does not tell something costs, as a logarithm: it is asked more than it is so."""
_NEGATIONS: Final = frozenset(
    {"not", "no", "never", "without", "except", "excluding", "unless", "nor", "isnt", "arent"}
)

Tell = Callable[[dict[str, Any]], None]


class Earlier(Protocol):
    """A question of before: what the model wrote of it, and its plan."""

    @property
    def sketch(self) -> Sketch:
        """What the model wrote."""
        ...

    @property
    def plan(self) -> Query:
        """What it meant."""
        ...


class Candidate(msgspec.Struct, frozen=True):
    """A plan that a question may mean. `score` is a logarithm: higher is likelier."""

    plan: Plan
    links: Links
    sketch: Sketch
    score: float
    corrected: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


class Understood(msgspec.Struct, frozen=True):
    """How a question is understood.

    Attributes:
        best: the likeliest plan, or None where there is none that can be run.
        confidence: how sure the box is of it, 0 to 1.
        others: the next likeliest, for choices.
        unsaid: words that nothing explains.
        agreed: whether code alone reads the question the same way.
    """

    best: Candidate | None
    confidence: float = 0.0
    others: tuple[Candidate, ...] = ()
    unsaid: tuple[str, ...] = ()
    agreed: bool = False


class Understanding:
    """Understands questions; reads the database only as the asking role."""

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, rest: Rest) -> None:
        self._runtime, self._client, self._rest = runtime, client, rest

    async def understand(
        self,
        question: Question,
        links: list[Links],
        catalog: Catalog,
        now: datetime,
        before: Earlier | None,
        tell: Tell,
    ) -> Understood:
        """How a question is understood.

        Args:
            question: the question.
            links: its links to collections of the widened catalog, likeliest first.
            catalog: what the asking role may see, as it is.
            now: the present in the facility's timezone.
            before: an earlier question of the same screen, on the one collection of `links`.
            tell: hears the model's events.

        Raises:
            ApplianceError: the model or the database does not answer.
        """
        near = [each for each in links if each.rank > links[0].rank - NEAR][:COLLECTIONS_AT_MOST]
        found = await asyncio.gather(*(self._found(each, question.role, catalog) for each in near))
        views = [view(each.collection) for each in near]
        asked = Outline(
            question.text,
            tuple(_seen(question.text, *each, before) for each in zip(near, views, found, strict=True)),
        )
        sketches = await clients.sketch(self._client, self._runtime, asked, question.screen, tell)
        candidates: list[Candidate] = []
        for place, (linked, seen, written) in enumerate(zip(near, views, sketches, strict=True)):
            lead = RANKED * (linked.rank - near[0].rank)
            candidates += await self._candidates(
                question.role, linked, seen, written, lead, catalog, now, found[place], before
            )
        return _judged(candidates, found[0], now)

    async def _candidates(
        self,
        role: RoleName,
        links: Links,
        seen: View,
        written: list[Sketched],
        lead: float,
        catalog: Catalog,
        now: datetime,
        known: list[reading.Found],
        before: Earlier | None,
    ) -> list[Candidate]:
        made = []
        for each in written:
            try:
                sketch = read(each.text)
            except ApplianceError:
                continue
            looks = [
                await self.look(seen.collection.name, wanted, role, catalog)
                for wanted in open_literals(sketch, seen, links)
            ]
            found = [*known, *(hit for hit in looks if hit is not None)]
            meant = interpret(sketch, seen, links, found, now, before.plan if before else None)
            made += _candidate(meant, links, sketch, each.score + lead, catalog)
        return made

    async def _found(self, links: Links, role: RoleName, catalog: Catalog) -> list[reading.Found]:
        """What the words that no link explains are in the database."""
        wanted = reading.lookups(Query(links.collection.name, (Select("*"),)), links)
        looked = await asyncio.gather(*(self.look(links.collection.name, each, role, catalog) for each in wanted))
        return [hit for hit in looked if hit is not None]

    async def look(
        self, collection: str, wanted: reading.Lookup, role: RoleName, catalog: Catalog
    ) -> reading.Found | None:
        """The stored values that a literal means, in the first field that holds any."""
        for field in wanted.fields:
            place = _stands_in(collection, field, catalog)
            if place is None:
                continue
            stored = await self._rest.lookup(*place, wanted.text, role, LOOKED_UP)
            values = tuple(value for value in stored if reading.holds(value, wanted.text))
            if len(stored) >= LOOKED_UP:
                return None  # there are more of them: some would be left out in silence
            if values:
                return reading.Found(wanted.text, field, values)
        return None


def _stands_in(collection: str, field: str, catalog: Catalog) -> tuple[str, str] | None:
    """The collection and the column that a field or a path of one step names."""
    step, _, last = field.partition(".")
    if not last:
        return collection, field
    relation = catalog.relation(collection, step)
    return (relation.target, last) if relation else None


def _seen(text: str, links: Links, seen: View, found: Iterable[reading.Found], before: Earlier | None) -> Seen:
    known = marks(links, seen, text, [(hit.text, hit.field) for hit in found])
    earlier = write(later(before.sketch)) if before else ""
    return Seen(links.collection.label, seen.columns, known, len(links.spans), earlier)


def _candidate(meant: Interpreted, links: Links, sketch: Sketch, score: float, catalog: Catalog) -> list[Candidate]:
    """The candidate that a meaning is, if its plan can be run."""
    if meant.plan is None or (isinstance(meant.plan, Acting) and not _CUES[type(meant.plan)].search(links_text(links))):
        return []
    try:
        if not isinstance(meant.plan, Refuse):
            check_form(meant.plan, catalog)
    except ApplianceError:
        return []
    cost = MISSING_COSTS * len(meant.missing) + NOTHING_COSTS * isinstance(meant.plan, Refuse)
    return [Candidate(meant.plan, links, sketch, score - cost, meant.corrected, meant.missing)]


_CUES: Final[dict[type, re.Pattern[str]]] = {
    Alert: re.compile(
        r"\b(alert|alarm|tell (me|us)|notify|notif\w+|warn\w*|let (me|us) know|inform|ping|remind|watch|monitor|flag|"
        r"shout|message|told|know|keep an eye|signal|raise|hear|sound|beep|show up)\b"
    ),
    AlertCancel: re.compile(
        r"\b(stop|cancel|no more|alerts?|alarms?|notif\w+|warn\w*|remind\w*|mute|silence|quiet|end|off)\b"
    ),
    AddField: re.compile(
        r"\b(add|new|field|column|record|store|track|create|compute|calculate|need|want|keep|note|capture|include|make|"
        r"introduce|set up|extend)\b|="
    ),
}
"""What a question says that wants something done: without such a word nothing is offered."""


def links_text(links: Links) -> str:
    """The words of a question, in lower case."""
    return " ".join(word.folded for word in links.words)


def _judged(candidates: list[Candidate], found: list[reading.Found], now: datetime) -> Understood:
    """The likeliest candidate and how sure the box may be of it."""
    ranked = _ranked(candidates)
    if not ranked:
        return Understood(None)
    best, top = ranked[0], ranked[0].score
    share = 1 / sum(math.exp(each.score - top) for each in ranked)
    confidence = share * math.exp(min(0.0, top) / 4)
    unsaid = _unsaid(best)
    confidence *= UNSAID ** len(unsaid) * UNUSED ** len(unused(best))
    by_code = _by_code(ranked, found, now)
    if by_code is None:
        sure = confidence if isinstance(best.plan, Refuse) else ALONE * confidence
        return Understood(best, 0.0 if best.missing else sure, tuple(ranked[1:3]), unsaid)
    same = next((each for each in ranked if _alike(by_code.plan, each.plan)), None)
    others = tuple(each for each in ranked if each is not same)[:2]
    if isinstance(best.plan, Refuse) and confidence > REFUSES:
        return Understood(by_code, confidence * ALONE, others, unsaid)
    if same is best:
        return Understood(best, AGREED + (1 - AGREED) * confidence, others, unsaid, True)
    if same is not None:
        return Understood(same, IN_BEAM, others, (), True)
    if best.missing or not ALONE * confidence > BY_CODE:
        return Understood(by_code, BY_CODE, others)
    return Understood(best, ALONE * confidence, (by_code, *ranked[1:2]), unsaid)


def _ranked(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates, likeliest first, those of one plan made one."""
    merged: dict[bytes, Candidate] = {}
    for each in sorted(candidates, key=lambda one: -one.score):
        key = msgspec.json.encode([type(each.plan).__name__, each.plan])
        held = merged.get(key)
        score = _added(held.score, each.score) if held else each.score
        merged[key] = msgspec.structs.replace(held or each, score=score)
    return sorted(merged.values(), key=lambda one: -one.score)


def _added(one: float, other: float) -> float:
    """The logarithm of the sum of two probabilities."""
    high, low = max(one, other), min(one, other)
    return high + math.log1p(math.exp(low - high))


def _unsaid(best: Candidate) -> tuple[str, ...]:
    """The content words that neither the links nor the sketch explain."""
    told = set(re.findall(r"\w+", write(best.sketch).lower()))
    return tuple(word.text for word in best.links.unexplained() if word.folded not in told and word.stem not in told)


def unused(best: Candidate) -> list[str]:
    """What a question says for certain and a plan does not express: stored values, times, amounts, a "not"."""
    if isinstance(best.plan, Refuse):
        return []
    links, told = best.links, plain(write(best.sketch).replace("<", " <"))
    said = [word.text.lower() for word in links.words]
    missed = [" ".join(said[slice(*value.at)]) for value in links.values if value.exact]
    missed = [words for words in missed if words not in told and not _names_a_field(words, best)]
    missed += [span.words for place, span in enumerate(links.spans[:2]) if f"w{place + 1}" not in told.split()]
    missed += [said[each.at[1] - 1] for each in links.comparisons if not set(said[slice(*each.at)]) & set(told.split())]
    negated = [word for word in said if word in _NEGATIONS or word.endswith("n't")]
    if negated and not any(
        test.op in ("neq", "null", "no", "lt", "lte", "eq") and _negates(test) for test in best.sketch.where
    ):
        missed += negated[:1]
    return missed


def _negates(test: Test) -> bool:
    return test.op != "eq" or any(set(value.split()) & _NEGATIONS for value in test.values)


def _names_a_field(words: str, best: Candidate) -> bool:
    """Whether the words are also what a field or the collection is called."""
    labels = [best.links.collection.label, *(field.label for field in best.links.collection.fields)]
    said = label_words(words)
    return any(said == label_words(label)[: len(said)] for label in labels)


def _by_code(ranked: list[Candidate], found: list[reading.Found], now: datetime) -> Candidate | None:
    """What code reads, told only which field and number the model wants; None unless it understands every word."""
    first = next((each for each in ranked if isinstance(each.plan, Query)), None)
    if first is None or not isinstance(first.plan, Query):
        return None
    try:
        told = reading.read(msgspec.structs.replace(first.plan, order=(), having=()), first.links, found, now)
    except (ApplianceError, StopIteration, IndexError):
        return None
    if told.missed:
        return None
    return Candidate(told.plan, first.links, first.sketch, first.score, told.corrected)


def _alike(one: Plan, other: Plan) -> bool:
    """Whether two queries tell the same of the same rows; which other fields are shown beside does not matter."""
    if not (isinstance(one, Query) and isinstance(other, Query)):
        return False
    measures = [tuple(select for select in plan.select if select.aggregate) for plan in (one, other)]
    ordered = [
        tuple(order for order in plan.order if order.field != "id" and plan.limit < 200) for plan in (one, other)
    ]
    tests = [sorted(msgspec.json.encode(test) for test in plan.where) for plan in (one, other)]
    return measures[0] == measures[1] and tests[0] == tests[1] and one.group == other.group and ordered[0] == ordered[1]
