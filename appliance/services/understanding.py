"""Understanding: a question becomes a plan, and how sure the box is of it. The stages, in order, on one screen.

    link to the catalog -> sketches of the model for each collection it may be about -> literals looked up ->
    plans -> the likeliest that can be run -> held against the reading of code -> Understood

A sketch whose literals stand for nothing yields to the next one. What the box is not sure of is asked back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

import httpx
from msgspec.structs import replace

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm import reading, senses
from appliance.llm.candidates import Candidate, Scores, with_code
from appliance.llm.confidence import Understood, decided, likeliest, told_by
from appliance.llm.fields import holds_births, holds_starts, measured
from appliance.llm.forms import AddField, Alert, AlertCancel, Summary, check_form
from appliance.llm.interpret import Interpreted, interpret, open_literals, replaced, said_in
from appliance.llm.linking import Links
from appliance.llm.named import groups_by_itself
from appliance.llm.notation import Sketch, later, plain, read, write
from appliance.llm.outline import Outline, Seen, Sketched
from appliance.llm.plan import Query, Refuse, Select
from appliance.llm.ranks import as_sorted, by_birth, by_tenure, of_row
from appliance.llm.render import to_rest
from appliance.llm.variants import Rows, denying, variants
from appliance.llm.views import View, marks, name_of, view
from appliance.llm.words import label_words, singular
from appliance.pgflex.rest import Rest
from appliance.services import clients
from appliance.types import Catalog, Question, RoleName

LOOKED_UP: Final = 101
"""Stored values that are looked at for one literal; a condition holds at most a hundred."""
COLLECTIONS_AT_MOST: Final = 3
LED_TO_AT_MOST: Final = 1
NEAR: Final = 4.5
"""A collection whose links rank so much below the best one's is not asked about."""

_PASSING: Final = frozenset({"LLM203", "BRG406", "PGF101", "PGF102"})
"""A part of the box is away for a moment."""
_RELOADING: Final = frozenset({"PGRST200", "PGRST202", "PGRST204", "PGRST205"})
"""PostgREST has not yet heard of a new collection or field."""
VARIED: Final = -3.0
"""What a step away from what the model wrote costs, as a logarithm."""
VARIED_AT_MOST: Final = 2
TRIED: Final = 3
"""So many readings are run before one is chosen."""

Tell = Callable[[dict[str, Any]], None]
senses.ready()  # a file is not read while others wait


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
        near += _led_to(near, links, catalog)[:LED_TO_AT_MOST]
        found = await asyncio.gather(*(self._found(each, question.role, catalog) for each in near))
        views = [view(each.collection, each, before.plan.fields if before else ()) for each in near]
        asked = Outline(
            question.text,
            tuple(_seen(question.text, *each, before) for each in zip(near, views, found, strict=True)),
        )
        sketches = await clients.sketch(self._client, self._runtime, asked, question.screen, tell)
        candidates: list[Candidate] = []
        for place, (linked, seen, written) in enumerate(zip(near, views, sketches, strict=True)):
            lead = linked.rank - near[0].rank
            candidates += await self._candidates(
                question.role, linked, seen, written, lead, catalog, now, found[place], before
            )
        hits = {each.collection.name: looked for each, looked in zip(near, found, strict=True)}
        return decided(await self._tried(with_code(candidates, None if before else hits, now), question.role))

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
        for wrote, score, varied in _sketches(written, seen, links):
            sketch = replaced(wrote, said_in(links, seen)) if before else wrote
            looks = [
                await self.look(seen.collection.name, wanted, role, catalog)
                for wanted in open_literals(sketch, seen, links)
            ]
            found = [*known, *(hit for hit in looks if hit is not None)]
            meant = interpret(sketch, seen, links, found, now, before.plan if before else None)
            made += _candidate(meant, links, sketch, Scores(score, lead, varied, before is not None), catalog)
        return made

    async def _tried(self, candidates: list[Candidate], role: RoleName) -> list[Candidate]:
        """The candidates after the likeliest queries were run: what fails goes, what the others tell is noted."""
        tried = likeliest(candidates, TRIED)
        rows = await asyncio.gather(*(self._rows(each, role) for each in tried))
        failed = [each for each, told in zip(tried, rows, strict=True) if told is None]
        told = {id(each): told_by(found) for each, found in zip(tried, rows, strict=True) if found is not None}
        return [replace(each, told=told.get(id(each))) for each in candidates if each not in failed]

    async def _rows(self, each: Candidate, role: RoleName) -> list[dict[str, Any]] | None:
        """The rows of a query, None where it cannot be run."""
        assert isinstance(each.plan, Query)
        try:
            return await self._rest.get(to_rest(each.plan), role)
        except ApplianceError as error:
            if passes(error) or error.code not in ("PGF106", "PGF112"):
                raise
            return None

    async def _found(self, links: Links, role: RoleName, catalog: Catalog) -> list[reading.Found]:
        """What the words that no link explains are in the database."""
        wanted = reading.lookups(Query(links.collection.name, (Select("*"),)), links)
        looked = await asyncio.gather(*(self.look(links.collection.name, each, role, catalog) for each in wanted))
        return [hit for hit in looked if hit is not None]

    async def look(
        self, collection: str, wanted: reading.Lookup, role: RoleName, catalog: Catalog
    ) -> reading.Found | None:
        """The stored values that a literal means, in the first field that holds any."""
        spellings = (wanted.text, " ".join(map(singular, wanted.text.lower().split())))
        for field in wanted.fields:
            place = _stands_in(collection, field, catalog)
            if place is None:
                continue
            stored = await self._rest.lookup(*place, spellings, role, LOOKED_UP)
            values = tuple(value for value in stored if reading.holds(value, wanted.text))
            if len(stored) >= LOOKED_UP:
                return None  # there are more of them: some would be left out in silence
            if values:
                return reading.Found(wanted.text, field, values)
        return None


def _led_to(near: list[Links], links: list[Links], catalog: Catalog) -> list[Links]:
    """The collections that fields lead to of whose rows a question speaks: they tell it themselves, and better."""
    held = {each.collection.name for each in near}
    paths = [(each.collection.name, name) for each in near for name in each.reached]
    targets = [relation.target for one, path in paths if (relation := catalog.relation(one, path.partition(".")[0]))]
    return [each for each in links if each.collection.name in set(targets) - held]


def passes(error: ApplianceError) -> bool:
    """Whether a fault passes by itself: a part is away for a moment, or has not yet heard of what is new."""
    theirs = error.details.get("code") if isinstance(error.details, dict) else None
    return error.code in _PASSING or (error.code == "PGF112" and theirs in _RELOADING)


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


def _sketches(written: list[Sketched], seen: View, links: Links) -> list[tuple[Sketch, float, bool]]:
    """What the model wrote and the variants of its best, each with its score and whether it is a variant."""
    told: list[tuple[Sketch, float]] = []
    for each in written:
        with suppress(ApplianceError):
            told.append((read(each.text), each.score))
    named = [*(mention.field for mention in links.fields), *links.measured]
    money = measured("money", links.collection) if any(cue.phrase == "how much" for cue in links.cues) else None
    labels = {seen.label(name) or "" for name in (*named, *([money.name] if money else []))}
    title = name_of(links.collection)
    text, rows = links.text, Rows(frozenset(label_words(links.collection.label)), plain(title.label) if title else "")
    found = [(sketch, score, False) for sketch, score in told]
    births = next((each.column.label for each in seen.shown if holds_births(each.field)), None)
    starts = next((each.column.label for each in seen.shown if holds_starts(each.field)), None)
    words = [links.words[at].folded for at, _ in links.denied]
    denied = [each.column for each in seen.shown if each.field.name in dict(links.denied).values()]
    for sketch, score in told[:VARIED_AT_MOST]:
        steps = variants(sketch, seen.columns, text, labels, rows)
        steps += [*of_row(sketch, links), *by_birth(sketch, links, births), *by_tenure(sketch, links, starts)]
        steps += [*denying(sketch, denied, words, bool(links.values))]
        found += [(step, score + VARIED, True) for step in steps]
    return [(as_sorted(sketch, links), score, step) for sketch, score, step in found]


def _candidate(meant: Interpreted, links: Links, sketch: Sketch, scores: Scores, catalog: Catalog) -> list[Candidate]:
    """The candidate that a meaning is, if its plan can be run."""
    cue = _CUES.get(type(meant.plan))
    if meant.plan is None or (cue and not cue.search(links.text)):
        return []
    try:
        if not isinstance(meant.plan, Refuse):
            check_form(meant.plan, catalog)
    except ApplianceError:
        return []
    if isinstance(meant.plan, Query) and groups_by_itself(meant.plan, links):
        return []
    return [Candidate(meant.plan, links, sketch, scores, meant.corrected, meant.missing)]


_CUES: Final[dict[type, re.Pattern[str]]] = {
    Alert: re.compile(
        r"\b(alert|alarm|tell (me|us)|notify|notif\w+|warn\w*|let (me|us) know|inform|ping|remind|watch|monitor|flag|"
        r"shout|message|told|know|keep an eye|signal|raise|hear|sound|beep|show up)\b"
    ),
    AlertCancel: re.compile(
        r"\b(stop|cancel|no more|alerts?|alarms?|notif\w+|warn\w*|remind\w*|mute|silence|quiet|end|off)\b"
    ),
    Summary: re.compile(
        r"\b(summar\w+|overview|digest|recap|report|happen\w*|went on|going on|been going|news|new|update|up to date|"
        r"catch me up|brief\w*|bring me|fill me in|how (did|was|were|is|are|has|have)|run ?down|gist|what\W*s up|"
        r"in short|the story|tell me about|what was|developments?|miss|missed|nutshell|sum|speed|how it went|things)\b"
    ),
    AddField: re.compile(
        r"\b(add|new|field|column|record|store|track|create|compute|calculate|need|want|keep|note|capture|include|make|"
        r"introduce|set up|extend)\b|="
    ),
}
"""What a question says that wants something done: without such a word nothing is offered."""
