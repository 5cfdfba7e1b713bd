"""The board: the answers that are live on the screens.

Every question becomes ``answer.<id>.*`` signals, from the moment it is asked. When a row of an answer's
collection changes, the answer's plan runs again under the role that asked, and what differs goes out. The
board is kept on disk, so that a restart of the gateway loses no answer.

A question that is asked in a room shows in that room only. What its walls may not see as it is, they get in the form
that they may (:mod:`~appliance.services.sharing`). Whoever asked a question may stop it, and staff pin an answer to the
walls (:mod:`~appliance.services.pins`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from appliance.bridge.rooms import own_stream
from appliance.errors import ApplianceError
from appliance.llm.forms import Summary, is_confirmed, read_plan
from appliance.llm.plan import Query, collections_read
from appliance.observation import logger
from appliance.screen import cache
from appliance.services import pins
from appliance.services.assistant import Assistant, now_in
from appliance.services.clients import BridgeSource, Event
from appliance.services.heard import Heard
from appliance.services.sharing import shared
from appliance.services.trends import Point, noted, number_of, trend
from appliance.services.work import Work
from appliance.types import Answer, Question, RoleName, audience_of, rank

GATHER_S = 0.01
"""After a reading, changes that arrive within this time lead to one new reading."""
LOOK_S = 20.0
"""How often the board looks whether it is another day, or a pinned question still has no answer."""
RETRY_S = 0.4
log = logger("assistant")


class Live(msgspec.Struct):
    """An answer on the board: its question, the plan that keeps it live, and the day it was read for.

    A plan without a collection reads all of them; `reads` are the collections that it reads. `points` are what the
    number of the plan `of` was earlier.
    """

    question: Question
    plan: dict[str, Any] | None = None
    day: str = ""
    points: tuple[Point, ...] = ()
    of: dict[str, Any] | None = None
    reads: tuple[str | None, ...] = ()


def read_by(live: Live) -> tuple[str | None, ...]:
    """The collections that an answer reads, None for all of them."""
    return live.reads or ((live.plan.get("collection"),) if live.plan else ())


class Board:
    """Asks, publishes, keeps live.

    Args:
        assistant: answers questions.
        bridge: where signals go.
        file: where the board is kept.
        kept: answers that stay, besides the pinned ones.
        timezone: of the facility; decides when "today" is another day.

    Attributes:
        asked, reread: how many questions were asked, and answers read anew, since the start.
        tell: hears every question that somebody asked, what came of it, and the account where one asked.
    """

    def __init__(self, assistant: Assistant, bridge: BridgeSource, file: Path, kept: int, timezone: str) -> None:
        self._assistant, self._bridge, self._file, self._kept, self._timezone = assistant, bridge, file, kept, timezone
        self._live: dict[str, Live] = {}
        self._dirty: set[str | None] = set()
        self._more = asyncio.Event()
        self._heard = Heard(file.with_name("heard.json"))
        self._tasks: set[asyncio.Task[Any]] = set()
        self._work = Work()
        self._reading: dict[str, str] = {}
        self.asked = 0
        self.reread = 0
        self.tell: Callable[[Question, Answer, str], None] = lambda question, found, account: None

    async def ask(
        self,
        text: str,
        role: RoleName,
        screen: str,
        plan: dict[str, Any] | None = None,
        pinned: bool = False,
        room: str = "",
        by: str = "",
        account: str = "",
        ref: str = "",
    ) -> Answer:
        """Answer a question and put it on the board.

        Raises:
            ApplianceError: LLM201 or LLM202, the text is no question; it does not come on the board.
        """
        text = self._assistant.check(text)
        question = self._question(text, role, screen, plan, pinned, room, by)
        self.asked += 1
        self._begin(question)
        await self._bridge.flushed()  # the screens show the question before any work begins
        found = await self._answer(question, ref)
        if not pinned:
            self.tell(question, found, account)
        return found

    def ask_soon(self, said: Event) -> None:
        """A screen's input: answer it in the background; a text that is no question is told to the screens."""
        task = asyncio.create_task(self._from_screen(said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _from_screen(self, said: Event) -> None:
        """A screen that lost its connection sends its question again, under the same `ref`: it is asked once."""
        ref = str(said.get("ref") or "")
        if not await self._heard.begin(ref):
            if self._heard.is_done(ref):
                self._bridge.acknowledge(said)
            return
        try:
            if is_confirmed(said.get("plan")):
                await self._heard.done(ref)  # better not done than done twice
            await self._ask_for(said)
            await self._heard.done(ref)
        finally:
            self._heard.give_up(ref)
        self._bridge.acknowledge(said)

    async def _ask_for(self, said: Event) -> None:
        text, role, screen = str(said.get("question", "")), said["role"], str(said.get("screen", ""))
        plan = said.get("plan") if isinstance(said.get("plan"), dict) else None
        room, by = str(said.get("room", "")), str(said.get("name", ""))
        try:
            await self.ask(text, role, screen, plan, room=room, by=by, ref=str(said.get("ref") or ""))
        except ApplianceError as error:
            question = self._question(text[:200], role, screen, None, False, room, by)
            self._begin(question)
            self._publish(
                question,
                Answer(
                    question.id,
                    question.text,
                    "refused",
                    sentence=error.message,
                    view={"kind": "text"},
                    error=error.shape(),
                ),
            )

    def _question(
        self, text: str, role: RoleName, screen: str, plan: dict[str, Any] | None, pinned: bool, room: str, by: str
    ) -> Question:
        id_ = (
            f"{'p' if pinned else 'a'}{secrets.token_hex(4)}"  # rooms show what begins with p, see joining.NOT_IN_ROOMS
        )
        return Question(id_, text, role, self._now().isoformat(timespec="seconds"), screen, plan, pinned, room, by)

    async def _answer(self, question: Question, ref: str = "") -> Answer:
        answering = self._assistant.ask(question, lambda event: self._stage(question, event))
        found = await self._work.on(question, answering, ref)
        live = self._live.get(question.id)
        if live is not None:
            if msgspec.json.encode(live.of) != msgspec.json.encode(found.plan):  # from the disk tuples come as lists
                live.points = ()
            live.plan, live.of, live.day = found.plan, found.plan, str(self._today())
            live.reads = await self._reads(question, found.plan)
            self._note(live, found)
        self._publish(question, found)
        if live is not None:
            await self._share(question, found)
            await self._save()
        log.info(
            "asked",
            status=found.status,
            ms=found.took_ms,
            role=question.role,
            screen=question.screen or "api",
            ran=found.rest or "nothing",
        )
        return found

    # Stopping and pinning --------------------------------------------------------------------------------

    def stop(self, said: Event) -> bool:
        """Stop work on a question; see :meth:`Work.stop`."""
        return self._work.stop(said)

    async def pin(self, said: Event, rooms: dict[str, str] | None = None) -> None:
        """Pin an answer to the walls of a `room` or of the whole house, or take it `off`.

        Raises:
            ApplianceError: LLM213, this role may not; LLM216, this answer cannot be; BRG443, there is no such room.
        """
        pins.check_may_pin(said["role"])
        live = self._live.get(str(said.get("answer")))
        if live is None or not self._is_seen(live.question, said):
            raise ApplianceError("LLM216", "This answer is not there any more.", None, "Ask again, then pin it.")
        if said.get("off"):
            if pins.is_personal(live.question):
                self._drop(live.question.id)
                self._order(live.question.room)
                await self._save()
            return
        room = str(said.get("room") or "")
        pins.check_room(room, rooms)
        own, wall = await self._assistant.catalog(live.question.role), await self._assistant.catalog("wall")
        reading = str(self._reading.get(live.question.id, ""))
        there = [each.question for each in self._live.values()]
        by = str(said.get("name") or "")
        question = pins.pinned(live.question, live.plan, own, wall, reading, room, by, there)
        self._begin(question)
        await self._answer(question)

    async def close(self, room: str) -> None:
        """Take away what stands in a room that is no more: nobody sees it, and it would count as pinned."""
        for id_ in [id_ for id_, live in self._live.items() if room and live.question.room == room]:
            self._drop(id_)
        self._order(room)
        await self._save()

    def _is_seen(self, question: Question, said: Event) -> bool:
        """Whether the screen that says something of an answer sees it."""
        here = question.room in ("", str(said.get("room") or "")) or said["role"] == "admin"
        return here and rank(audience_of(question.role)) <= rank(said["role"])

    # Signals ---------------------------------------------------------------------------------------------

    def _begin(self, question: Question) -> None:
        same = [self._live[id_] for id_ in self._same(question)] or [self._live.get(question.id, Live(question))]
        for old in self._same(question):
            self._drop(old)
        self._live[question.id] = Live(question, points=same[-1].points, of=same[-1].of)
        for old in self._over(question.room):
            self._drop(old)
        self._order(question.room)
        self._set(
            question,
            {
                "question": question.text,
                "asked_at": question.asked_at,
                "role": question.role,
                "stage": "queued",
                "position": 0,
                "pinned": pins.told(question),
            },
        )

    def _same(self, question: Question) -> list[str]:
        """Earlier cards of the same question, which the new one takes the place of."""
        words = question.text.casefold()
        return [
            id_
            for id_, live in self._live.items()
            if id_ != question.id
            and (live.question.text.casefold(), live.question.role) == (words, question.role)
            and live.question.room == question.room
            and not live.question.pinned
        ]

    def _over(self, room: str) -> list[str]:
        asked = [id_ for id_, live in self._live.items() if not live.question.pinned and live.question.room == room]
        return asked[: max(0, len(asked) - self._kept)]

    def _drop(self, id_: str) -> None:
        question = self._live.pop(id_).question
        self._reading.pop(id_, None)
        self._set(question, dict.fromkeys(_SIGNALS))
        self._bridge.set({f"answer.{id_}.shared": None}, "wall", stream_of(question))

    def _order(self, room: str) -> None:
        asked = [(id_, live.question) for id_, live in self._live.items()]
        newest = [id_ for id_, question in reversed(asked) if not question.pinned and question.room == room]
        house = [id_ for id_, question in asked if question.pinned and not question.room]
        here = [id_ for id_, question in asked if question.pinned and room and question.room == room]
        self._bridge.set({"answers.order": [*newest, *house, *here]}, "wall", own_stream(room))
        self._bridge.set({"answers.pinned": house})

    def _stage(self, question: Question, event: Event) -> None:
        if event.get("event") == "queued":
            self._set(question, {"position": event["position"]})
        elif "stage" in event:
            self._set(question, {name: event[name] for name in ("stage", "reading", "source") if name in event})

    def _publish(self, question: Question, found: Answer) -> None:
        view, live = dict(found.view), self._live.get(question.id)
        self._reading[question.id] = found.reading.removeprefix("perhaps: ")
        self._set(
            question,
            {
                "stage": "done",
                "position": 0,
                "status": found.status,
                "reading": found.reading,
                "plan": found.plan,
                "rows": list(found.rows),
                "row_count": len(found.rows),
                "fields": view.pop("fields", []),
                "view": view,
                "sentence": found.sentence,
                "rest": found.rest,
                "choices": list(found.choices),
                "alternatives": list(found.alternatives) or None,
                "follows": found.follows or None,
                "trend": trend(live.points) if live else None,
                "took_ms": found.took_ms,
                "read_at": found.read_at,
                "error": found.error,
                "source": str(found.plan.get("collection") or "").replace("_", " ") if found.plan else "",
            },
        )

    def _note(self, live: Live, found: Answer) -> None:
        """Remember the number of an answer."""
        number = number_of(found.view)
        live.points = () if number is None else noted(live.points, self._now(), number)

    def _set(self, question: Question, values: dict[str, Any]) -> None:
        if question.id in self._live or all(value is None for value in values.values()):
            named = {f"answer.{question.id}.{name}": value for name, value in values.items()}
            self._bridge.set(named, audience_of(question.role), stream_of(question))

    async def _share(self, question: Question, found: Answer) -> None:
        """What the walls of the room get of it."""
        if question.room and audience_of(question.role) != "wall":
            value = await shared(self._assistant, question, found)
            if question.id in self._live:
                self._bridge.set({f"answer.{question.id}.shared": value}, "wall", stream_of(question))

    # Staying live ----------------------------------------------------------------------------------------

    def changed(self, collection: str | None) -> None:
        """A row of this collection changed; None: anything may have."""
        names = {name for live in self._live.values() for name in read_by(live)}
        self._dirty |= names if collection is None else names & {collection, None}
        if self._dirty:
            self._more.set()

    async def run(self) -> None:
        """Read answers anew when their rows change, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), LOOK_S)
            self._more.clear()
            await self._new_day()
            dirty, self._dirty = self._dirty, set()
            read = [live for live in reversed(self._live.values()) if live.plan]
            touched = [live for live in read if dirty & {*read_by(live)}]
            well = await asyncio.gather(*(self._again(live) for live in touched))
            await asyncio.sleep(GATHER_S if all(well) else RETRY_S)

    async def _reads(self, question: Question, plan: dict[str, Any] | None) -> tuple[str | None, ...]:
        """The collections that a plan reads; None where it reads all of them."""
        held = read_plan(plan) if plan else None
        if isinstance(held, Query):
            with contextlib.suppress(ApplianceError):  # an answer does not fail for what keeps it live
                return tuple(sorted(collections_read(held, await self._assistant.catalog(question.role))))
        return (plan.get("collection"),) if plan else ()

    async def _again(self, live: Live) -> bool:
        plan = read_plan(live.plan)
        assert isinstance(plan, Query | Summary)  # no other plan is kept
        try:
            found = await self._assistant.again(live.question, plan)
        except ApplianceError as error:
            if error.status < 500:  # the collection or the right to read it so is gone: no screen keeps its rows
                log.warn("an answer cannot be read as before", question=live.question.text, error=error)
                await self._answer(live.question)
                return True
            self.changed(plan.collection)
            return False
        self.reread += 1
        self._note(live, found)
        self._set(
            live.question,
            {
                "rows": list(found.rows),
                "row_count": len(found.rows),
                "sentence": found.sentence,
                "view": {name: value for name, value in found.view.items() if name != "fields"},
                "read_at": found.read_at,
                "trend": trend(live.points),
            },
        )
        await self._share(live.question, found)
        return True

    async def _new_day(self) -> None:
        """After midnight "today" is another day: questions are read anew; so are pinned ones that failed."""
        today = str(self._today())
        for live in list(self._live.values()):
            stale = live.plan is not None and live.day != today and live.question.plan is None
            failed = live.plan is None and live.question.pinned and live.day != ""
            if stale or failed:
                await self._answer(live.question)
            live.day = today if live.day else live.day

    # On disk ---------------------------------------------------------------------------------------------

    async def restore(self, pinned: tuple[str, ...]) -> None:
        """Put back what was on the board, and ask the pinned questions that are not there yet.

        What a person said yes to is not put back: it would be done again.
        """
        for live in await asyncio.to_thread(self._load):
            if is_confirmed(live.question.plan):
                continue
            if not live.question.pinned or pins.is_personal(live.question) or live.question.text in pinned:
                self._live[live.question.id] = live
        for live in list(self._live.values()):
            self._begin(live.question)
            await self._answer(live.question)
        there = {live.question.text for live in self._live.values() if live.question.pinned and not live.question.plan}
        for text in pinned:
            if text not in there:
                await self.ask(text, "wall", "", pinned=True)

    def _load(self) -> list[Live]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[Live])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            log.warn("the board of the last start cannot be read; it begins empty", file=self._file, reason=error)
            return []

    async def _save(self) -> None:
        await asyncio.to_thread(_write, self._file, msgspec.json.encode(list(self._live.values())))

    def _now(self) -> Any:
        return now_in(self._timezone)

    def _today(self) -> date:
        return now_in(self._timezone).date()


def stream_of(question: Question) -> str:
    """The stream that a question shows in: its room's, or that of the whole house."""
    return own_stream(question.room)


_SIGNALS = (
    "question",
    "asked_at",
    "role",
    "stage",
    "position",
    "status",
    "reading",
    "plan",
    "rows",
    "row_count",
    "fields",
    "view",
    "sentence",
    "rest",
    "choices",
    "took_ms",
    "read_at",
    "error",
    "source",
    "alternatives",
    "follows",
    "trend",
    "pinned",
)


def _write(file: Path, raw: bytes) -> None:
    try:
        cache.write(file, raw)
    except OSError as error:
        log.warn("the board cannot be kept", file=file, reason=error)
