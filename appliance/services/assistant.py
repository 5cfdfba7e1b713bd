"""The assistant: a question becomes an answer. The stages, in order, on one screen.

    check the words -> link them to the catalog -> the model's sketches become plans (understanding) ->
    sure of one? -> check the plan -> run it as the asking role -> say it in a sentence

What cannot be answered is refused or asked back with choices; nothing is guessed and nothing is run then.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.llm import answer, linking, reading
from appliance.llm.candidates import Candidate
from appliance.llm.confidence import Understood
from appliance.llm.form_words import form_words
from appliance.llm.forms import Acting, Plan, Summary, check_form, read_plan
from appliance.llm.linking import Links, link
from appliance.llm.plan import Clarify, Query, Refuse, validate
from appliance.llm.render import to_rest, to_words
from appliance.llm.spelling import spelled
from appliance.llm.views import widened, with_clocks
from appliance.llm.words import WRITE_VERBS, orders, stem, words
from appliance.pgflex.rest import Rest
from appliance.services import clients
from appliance.services.acting import Actor
from appliance.services.earlier import Before, Earlier
from appliance.services.second_opinion import with_second_opinion
from appliance.services.summaries import digest
from appliance.services.understanding import Understanding, passes
from appliance.types import Answer, Catalog, Collection, Question, RoleName

Tell = Callable[[dict[str, Any]], None]
RETRY_S = 0.25
VALUES_MEANT = 5
SURE = 0.55
"""A reading of this confidence is answered; below it the box asks back."""
TOLD_AS_SURE = 0.7
"""Below this confidence the reading says "perhaps"."""
REFUSED = 0.8
"""That the data does not tell something is said with this confidence; below it the box asks back."""
SURE_OF_LITTLE = 0.5
"""A question that names nothing is answered from this confidence of the model."""
SURE_OF_NEXT = 0.4
"""A question that follows up another is answered from this confidence: it has few words to be sure of."""
CHOICES = 3


class Assistant:
    """Answers questions. `tell` of :meth:`ask` hears the stages: stage, position, reading."""

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, rest: Rest) -> None:
        self._runtime, self._client, self._rest = runtime, client, rest
        self._settings = runtime.settings
        self._catalogs: dict[RoleName, Catalog] = {}
        self._widened: dict[str, Catalog] = {}
        self._earlier = Earlier()
        self._understanding = Understanding(runtime, client, rest)
        self._actor = Actor(runtime, client, lambda: self._now().date())

    def forget_catalog(self) -> None:
        """The catalog changed: read it anew with the next question."""
        self._catalogs.clear()

    async def catalog(self, role: RoleName) -> Catalog:
        """What a role may see, as last read."""
        if role not in self._catalogs:
            self._catalogs[role] = with_clocks(await clients.catalog(self._client, self._runtime, role))
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
                if passes(error) and time.perf_counter() < deadline:
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
            return await self._run(question, read_plan(question.plan), catalog, tell, clock)
        self._refuse_writing(text, catalog)
        before = self._earlier.of(question, self._now())
        text, slips = spelled(text, catalog)
        asked = msgspec.structs.replace(question, text=text)
        links = await self._links(text, catalog, question.role, before)
        clock.mark("link")
        understand = self._understanding.understand
        if links:
            understood = await understand(asked, links, catalog, self._now(), before, tell)
        else:
            understood = await understand(asked, self._any(text, catalog), catalog, self._now(), None, tell)
            if isinstance(understood.best and understood.best.plan, Refuse) or understood.confidence < SURE_OF_LITTLE:
                raise self._nothing(catalog, question.role)
        if understood.confidence < SURE and not before:
            understood = await with_second_opinion(self._client, self._runtime, asked, understood, catalog, tell)
        clock.mark("model")
        found = await self._decided(question, understood, catalog, tell, clock)
        found = msgspec.structs.replace(found, corrected=(*slips, *found.corrected))
        follows = before.text if before and understood.best and understood.best.scores.follows else ""
        return msgspec.structs.replace(found, follows=follows)

    async def _links(self, text: str, catalog: Catalog, role: RoleName, before: Before | None) -> list[Links]:
        """The collections that a question may be about; one that follows up is about the same as the one before.

        Raises:
            ApplianceError: LLM212, the role may not see it.
        """
        wide, now = self._wide(catalog), self._now()
        if before is not None and before.followed_by(text):
            return [
                each for each in link(text, wide, now, before.collection) if each.collection.name == before.collection
            ]
        links = link(text, wide, now)
        if not links:
            await self._refuse_unseen(text, role)
            links = await self._by_value(text, catalog, role)
        return links

    def _any(self, text: str, catalog: Catalog) -> list[Links]:
        """The largest collections, where a question names none: the model may know what it is about.

        Raises:
            ApplianceError: LLM204, the role may see none.
        """
        links = link(text, self._wide(catalog), self._now(), "*") if linking.open_words(text) else []
        if not links:
            raise self._nothing(catalog, "")
        return sorted(links, key=lambda each: -each.collection.count)

    def _wide(self, catalog: Catalog) -> Catalog:
        if catalog.version not in self._widened:
            self._widened = {catalog.version: widened(catalog)}
        return self._widened[catalog.version]

    async def _decided(
        self, question: Question, understood: Understood, catalog: Catalog, tell: Tell, clock: _Clock
    ) -> Answer:
        """Answer what the box is sure of; refuse what the data does not tell; ask back else."""
        best = understood.best
        if best is None:
            raise self._nothing(catalog, question.role)
        if isinstance(best.plan, Refuse):
            if understood.confidence >= REFUSED:
                raise _untold(understood)
            return self._asked_back(question, _unsure(understood), _readings(understood))
        if understood.confidence < (SURE_OF_NEXT if best.scores.follows else SURE):
            return self._asked_back(question, _unsure(understood), _readings(understood))
        found = await self._run(question, best.plan, catalog, tell, clock)
        if isinstance(best.plan, Query):
            self._earlier.keep(question, best, self._now())
        sure, reading_ = round(understood.confidence, 3), found.reading
        if reading_ and sure < TOLD_AS_SURE:
            reading_ = f"perhaps: {reading_}"
        others = self._choices([each for each in understood.others if isinstance(each.plan, Query)])
        others = tuple(each for each in others if each["label"] != found.reading)
        found = msgspec.structs.replace(found, confidence=sure, corrected=best.corrected, reading=reading_)
        return msgspec.structs.replace(found, alternatives=others)

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
        look = self._understanding.look
        looks = [look(name, reading.Lookup(stem(word), (field,)), role, catalog) for name, field, word in places]
        for (name, field, _), hit in zip(places, await asyncio.gather(*looks), strict=True):
            if hit is not None:
                found[name, field] = (*found.get((name, field), ()), *hit.values)
        return link(text, linking.with_values(self._wide(catalog), found), self._now()) if found else []

    async def _run(self, question: Question, plan: Plan, catalog: Catalog, tell: Tell, clock: _Clock) -> Answer:
        if not isinstance(plan, Query):
            tell({"stage": "looking"})
            return await self._run_form(question, plan, catalog)
        collection = validate(plan, catalog)
        words_of_plan = to_words(plan, collection, self._now().date())
        tell({"stage": "looking", "reading": words_of_plan, "source": collection.label.replace("_", " ")})
        rows = await self.rows(plan, question.role)
        clock.mark("rest")
        return self._answered(question, plan, collection, words_of_plan, rows)

    async def _run_form(self, question: Question, plan: Plan, catalog: Catalog) -> Answer:
        """What comes of a plan that is no query: a summary is read, all else is offered, or done after a yes."""
        collection = check_form(plan, catalog)
        if isinstance(plan, Summary):
            return await self._summary(question, plan, catalog)
        assert isinstance(plan, Acting) and collection is not None
        return await self._actor.run(question, plan, collection)

    async def _summary(self, question: Question, plan: Summary, catalog: Catalog) -> Answer:
        async def read(query: Query) -> list[dict[str, Any]]:
            return await self.rows(query, question.role)

        found = await digest(question, plan, catalog, read, self._now().date())
        return msgspec.structs.replace(found, read_at=self._now().isoformat(timespec="milliseconds"))

    async def rows(self, plan: Query, role: RoleName) -> list[dict[str, Any]]:
        """The rows of a plan, read as a role."""
        return answer.arrange(plan, await self._rest.get(to_rest(answer.with_level(plan)), role))

    async def again(self, question: Question, plan: Query | Summary) -> Answer:
        """The answer of a known plan, read anew; the question's wording does not matter.

        Raises:
            ApplianceError: the rows cannot be read now.
        """
        catalog = await self.catalog(question.role)
        if isinstance(plan, Summary):
            check_form(plan, catalog)
            return await self._summary(question, plan, catalog)
        collection = validate(plan, catalog)
        rows = await self.rows(plan, question.role)
        return self._answered(question, plan, collection, to_words(plan, collection, self._now().date()), rows)

    def _answered(
        self, question: Question, plan: Query, collection: Collection, words_of_plan: str, rows: list[dict[str, Any]]
    ) -> Answer:
        view = answer.view(plan, collection, rows, question.text)
        return Answer(
            question.id,
            question.text,
            "answered",
            words_of_plan,
            msgspec.to_builtins(plan),
            tuple(rows[: self._settings.row_limit]),
            answer.say(plan, collection, rows, self._now().date(), question.text),
            f"/rest{to_rest(answer.as_shown(plan, rows))}",
            view=view | {"fields": answer.fields(plan, collection)},
            read_at=self._now().isoformat(timespec="milliseconds"),
        )

    def _told(self, question: Question, error: ApplianceError) -> Answer:
        refused = error.code in (
            "LLM201",
            "LLM202",
            "LLM204",
            "LLM205",
            "LLM206",
            "LLM207",
            "LLM212",
            "LLM213",
            "LLM214",
        )
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

    def _asked_back(self, question: Question, error: ApplianceError, readings: list[Candidate]) -> Answer:
        return Answer(
            question.id,
            question.text,
            "clarify",
            sentence=error.message,
            choices=self._choices(readings),
            view={"kind": "text"},
            error=error.shape(),
        )

    def _choices(self, readings: list[Candidate]) -> tuple[dict[str, Any], ...]:
        """Readings to choose from, each as it is said and its plan."""
        today = self._now().date()
        labels = [_plan_words(each, today) for each in readings]
        return tuple(
            {"label": label, "plan": msgspec.to_builtins(each.plan)}
            for label, each in zip(labels, readings, strict=True)
            if label
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


def _untold(understood: Understood) -> ApplianceError:
    return ApplianceError(
        "LLM214",
        "The data of this box does not tell that.",
        {"unsaid": list(understood.unsaid), "confidence": round(understood.confidence, 3)},
        "Ask what is stored; the fields of a collection are listed under it on the page.",
    )


def _unsure(understood: Understood) -> ApplianceError:
    """Why the box asks back: words it does not know, or readings it cannot choose between."""
    best = understood.best
    missed = (best.missing if best else ()) or understood.unsaid
    named = " or ".join(f"“{word}”" for word in missed)
    return ApplianceError(
        "LLM207",
        f"I do not know what {named} means here." if missed else "I am not sure how to read that.",
        {"missed": list(missed), "confidence": round(understood.confidence, 3)},
        "Choose a reading, or ask in other words.",
    )


def _readings(understood: Understood) -> list[Candidate]:
    """The readings to choose from."""
    found = [understood.best, *understood.others]
    return [each for each in found if each is not None and not isinstance(each.plan, Refuse | Acting)][:CHOICES]


def _plan_words(candidate: Candidate, today: date) -> str:
    if isinstance(candidate.plan, Query):
        return to_words(candidate.plan, candidate.links.collection, today)
    if isinstance(candidate.plan, Clarify | Refuse):
        return ""
    return form_words(candidate.plan, candidate.links.collection, today)


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
