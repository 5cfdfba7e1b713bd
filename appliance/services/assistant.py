"""The assistant: a question becomes an answer. The stages, in order, on one screen.

    check the words -> link them to the catalog -> the model writes a query -> look up its literals ->
    read both as one plan -> check the plan -> run it as the asking role -> say it in a sentence

What cannot be answered is refused or asked back with choices; nothing is guessed and nothing is run then.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm import answer, linking, reading
from appliance.llm.linking import Links, link, narrow
from appliance.llm.plan import Query, read_query, validate
from appliance.llm.prompt import Task
from appliance.llm.render import to_rest, to_words
from appliance.llm.words import WRITE_VERBS, orders, stem, words
from appliance.pgflex.rest import Rest
from appliance.services import clients
from appliance.types import Answer, Catalog, Collection, Question, RoleName

Tell = Callable[[dict[str, Any]], None]
RETRY_S = 0.25
LOOKED_UP = 101
"""Stored values that are looked at for one literal; a condition holds at most a hundred."""
VALUES_MEANT = 5
_PASSING = frozenset({"LLM203", "BRG406", "PGF101", "PGF102"})
"""A part of the box is away for a moment."""
_RELOADING = frozenset({"PGRST200", "PGRST202", "PGRST204", "PGRST205"})
"""PostgREST has not yet heard of a new collection or field."""
CLOSE = 0.75
"""A second collection that scores this share of the first makes a question ambiguous."""


class Assistant:
    """Answers questions. `tell` of :meth:`ask` hears the stages: stage, position, reading."""

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, rest: Rest) -> None:
        self._runtime, self._client, self._rest = runtime, client, rest
        self._settings = runtime.settings
        self._catalogs: dict[RoleName, Catalog] = {}

    def forget_catalog(self) -> None:
        """The catalog changed: read it anew with the next question."""
        self._catalogs.clear()

    async def catalog(self, role: RoleName) -> Catalog:
        """What a role may see, as last read."""
        if role not in self._catalogs:
            self._catalogs[role] = await clients.catalog(self._client, self._runtime, role)
        return self._catalogs[role]

    def check(self, text: str) -> str:
        """The question without white space around it.

        Raises:
            ApplianceError: LLM201, it is empty; LLM202, it is too long.
        """
        text = " ".join(text.replace("\0", " ").split())
        if not words(text):
            raise ApplianceError(
                "LLM201", "The question is empty.", None, "Type a question, such as: How many beds are free?"
            )
        if len(text) > self._settings.question_limit:
            limit = self._settings.question_limit
            raise ApplianceError(
                "LLM202",
                "The question is too long.",
                {"characters": len(text), "limit": limit},
                f"Ask it in at most {limit} characters.",
            )
        return text

    async def ask(self, question: Question, tell: Tell) -> Answer:
        """The answer to a question; faults become an answer that says so.

        While a part of the box is being restarted the question waits, as long as a question may take.
        """
        began, clock = time.perf_counter(), _Clock()
        deadline = began + self._settings.answer_timeout_s
        while True:
            try:
                found = await self._answer(question, tell, clock)
            except ApplianceError as error:
                if _passes(error) and time.perf_counter() < deadline:
                    tell({"stage": "queued"})
                    await asyncio.sleep(RETRY_S)
                    continue
                found = self._told(question, error)
            took = round((time.perf_counter() - began) * 1000)
            return msgspec.structs.replace(found, took_ms=took, timings=clock.shares())

    async def _answer(self, question: Question, tell: Tell, clock: _Clock) -> Answer:
        text = self.check(question.text)
        catalog = await self.catalog(question.role)
        tell({"stage": "reading"})
        if question.plan is not None:
            return await self._run(question, read_query(question.plan), catalog, tell, clock)
        self._refuse_writing(text, catalog)
        links = link(text, catalog, self._now())
        clock.mark("link")
        if not links:
            await self._refuse_unseen(text, question.role)
            links = await self._by_value(text, catalog, question.role)
            clock.mark("lookup")
        if not links:
            raise self._nothing(catalog, question.role)
        rivals = _rivals(links)
        if len(rivals) > 1:
            return await self._which(question, rivals, clock)
        found = await self._read(question, links[0], tell, clock)
        if found.missed:
            return self._partly(question, links[0], found)
        return await self._run(question, found.plan, catalog, tell, clock)

    async def _read(self, question: Question, links: Links, tell: Tell, clock: _Clock) -> reading.Reading:
        collection = links.collection
        task = Task(question.text, collection.name, collection.label, narrow(links))
        query = await clients.plan(self._client, self._runtime, task, question.screen, tell)
        clock.mark("model")
        found = [await self._look(collection.name, wanted, question.role) for wanted in reading.lookups(query, links)]
        clock.mark("lookup")
        return reading.read(query, links, [hit for hit in found if hit is not None], self._now())

    async def _look(self, collection: str, wanted: reading.Lookup, role: RoleName) -> reading.Found | None:
        for field in wanted.fields:
            stored = await self._rest.lookup(collection, field, wanted.text, role, LOOKED_UP)
            values = tuple(value for value in stored if reading.holds(value, wanted.text))
            if len(stored) >= LOOKED_UP:
                return None  # there are more of them: some would be left out in silence
            if values:
                return reading.Found(wanted.text, field, values)
        return None

    async def _by_value(self, text: str, catalog: Catalog, role: RoleName) -> list[Links]:
        """No collection or field is named: perhaps a stored value is ("how many masks do we have?")."""
        places = [
            (collection.name, field.name, word)
            for word in linking.open_words(text)[:VALUES_MEANT]
            for collection in catalog.collections
            for field in collection.fields
            if field.type == "text" and not field.values
        ]
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        looks = [self._look(name, reading.Lookup(stem(word), (field,)), role) for name, field, word in places]
        for (name, field, _), hit in zip(places, await asyncio.gather(*looks), strict=True):
            if hit is not None:
                found[name, field] = (*found.get((name, field), ()), *hit.values)
        return link(text, linking.with_values(catalog, found), self._now()) if found else []

    async def _run(self, question: Question, plan: Query, catalog: Catalog, tell: Tell, clock: _Clock) -> Answer:
        collection = validate(plan, catalog)
        words_of_plan = to_words(plan, collection, self._now().date())
        tell({"stage": "looking", "reading": words_of_plan, "source": collection.label.replace("_", " ")})
        rows = await self.rows(plan, question.role)
        clock.mark("rest")
        return self._answered(question, plan, collection, words_of_plan, rows)

    async def rows(self, plan: Query, role: RoleName) -> list[dict[str, Any]]:
        """The rows of a plan, read as a role."""
        return answer.arrange(plan, await self._rest.get(to_rest(plan), role))

    async def again(self, question: Question, plan: Query) -> Answer:
        """The answer of a known plan, read anew; the question's wording does not matter.

        Raises:
            ApplianceError: the rows cannot be read now.
        """
        collection = validate(plan, await self.catalog(question.role))
        rows = await self.rows(plan, question.role)
        return self._answered(question, plan, collection, to_words(plan, collection, self._now().date()), rows)

    def _answered(
        self, question: Question, plan: Query, collection: Collection, words_of_plan: str, rows: list[dict[str, Any]]
    ) -> Answer:
        view = answer.view(plan, collection, rows)
        return Answer(
            question.id,
            question.text,
            "answered",
            words_of_plan,
            msgspec.to_builtins(plan),
            tuple(rows[: self._settings.row_limit]),
            answer.say(plan, collection, rows, self._now().date()),
            f"/rest{to_rest(plan)}",
            view=view | {"fields": answer.fields(plan, collection)},
            read_at=self._now().isoformat(timespec="milliseconds"),
        )

    def _told(self, question: Question, error: ApplianceError) -> Answer:
        refused = error.code in ("LLM201", "LLM202", "LLM204", "LLM205", "LLM206", "LLM207", "LLM212")
        return Answer(
            question.id,
            question.text,
            "refused" if refused else "failed",
            sentence=error.message,
            view={"kind": "text"},
            error=error.shape(),
        )

    # Not answering ---------------------------------------------------------------------------------------

    def _refuse_writing(self, text: str, catalog: Catalog) -> None:
        verbs = [word for word in words(text) if word.folded in WRITE_VERBS and not _is_stored(word.folded, catalog)]
        verbs += orders(text)
        if verbs or _COMMENT.search(text):
            raise ApplianceError(
                "LLM205",
                "A question can only read; it cannot change or command anything.",
                {"words": [word.text for word in verbs]},
                "Ask what you want to know. Nothing was run.",
            )

    async def _refuse_unseen(self, text: str, role: RoleName) -> None:
        """Say so when a question names a collection that the role may not see; its label is all that is told of it."""
        hidden = await clients.unseen(self._client, self._runtime, role)
        labels = sorted(links.collection.label for links in link(text, hidden, self._now()) if links.named)
        if labels:
            raise ApplianceError(
                "LLM212",
                f"This screen may not see {labels[0]}.",
                {"collection": labels[0], "role": role},
                "Ask on a screen that may, or ask the admin for the right to.",
            )

    def _nothing(self, catalog: Catalog, role: RoleName) -> ApplianceError:
        held = ", ".join(item.label for item in catalog.collections) or "nothing yet"
        return ApplianceError(
            "LLM204",
            "I found nothing in this box that the question is about.",
            {"holds": [item.name for item in catalog.collections], "role": role},
            f"I can answer about: {held}.",
        )

    def _partly(self, question: Question, links: Links, found: reading.Reading) -> Answer:
        missed = " or ".join(f"“{word}”" for word in found.missed)
        error = ApplianceError(
            "LLM207",
            f"I do not know what {missed} means here.",
            {"missed": list(found.missed)},
            "Choose a reading, or ask in other words.",
        )
        return self._asked_back(question, error, [(found.plan, links.collection)])

    async def _which(self, question: Question, rivals: list[Links], clock: _Clock) -> Answer:
        readings = [(await self._read(question, links, lambda _: None, clock), links) for links in rivals[:3]]
        labels = " or ".join(links.collection.label for links in rivals[:3])
        error = ApplianceError(
            "LLM207",
            f"This could be about {labels}.",
            {"collections": [r.collection.name for r in rivals[:3]]},
            "Choose one.",
        )
        return self._asked_back(question, error, [(found.plan, links.collection) for found, links in readings])

    def _asked_back(self, question: Question, error: ApplianceError, plans: list[tuple[Query, Collection]]) -> Answer:
        choices = tuple(
            {"label": to_words(plan, collection, self._now().date()), "plan": msgspec.to_builtins(plan)}
            for plan, collection in plans
        )
        return Answer(
            question.id,
            question.text,
            "clarify",
            sentence=error.message,
            choices=choices,
            view={"kind": "text"},
            error=error.shape(),
        )

    def _now(self) -> datetime:
        return now_in(self._settings.timezone)


_COMMENT = re.compile(r";\s*--|--\s*$|/\*|\bunion\s+select\b", re.IGNORECASE)


def _is_stored(folded: str, catalog: Catalog) -> bool:
    """Whether a word is one of the facility's own: part of a label or of a stored value ("Discharge update")."""
    texts = (
        text
        for item in catalog.collections
        for field in item.fields
        for text in (item.label, field.label, *field.values)
    )
    return any(word.folded == folded for text in texts for word in words(text))


def now_in(timezone: str) -> datetime:
    """The present in a timezone, the machine's when it is empty or unknown."""
    try:
        return datetime.now(ZoneInfo(timezone)) if timezone else datetime.now().astimezone()
    except (ZoneInfoNotFoundError, ValueError):
        return datetime.now().astimezone()


def _passes(error: ApplianceError) -> bool:
    theirs = error.details.get("code") if isinstance(error.details, dict) else None
    return error.code in _PASSING or (error.code == "PGF112" and theirs in _RELOADING)


def _rivals(links: list[Links]) -> list[Links]:
    """The collections that a question may be about equally well."""
    best = links[0]
    near = [other for other in links[1:] if other.rank >= CLOSE * best.rank > 0]
    fewer_missed = len(best.unexplained())
    return [best, *(other for other in near if not best.named and len(other.unexplained()) <= fewer_missed)]


class _Clock:
    """Where the time went: milliseconds by stage."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._spent: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self._spent[stage] = self._spent.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now

    def shares(self) -> dict[str, float]:
        return {stage: round(spent, 2) for stage, spent in self._spent.items()}
