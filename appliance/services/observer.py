"""The observer: what is unusual and what happened, as signals on the screens that may see them.

    row changed -> change feed -> observer -> unusual.<collection>.<what>
    the hour of `digest_at`            -> digest.<collection>

It hears the change feed and asks the data service, which counts (:mod:`appliance.pgflex.watching`), what is unusual
then; the sentence is made here, its numbers are the database's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import httpx
import msgspec

from appliance.config import Runtime
from appliance.errors import ApplianceError, from_shape
from appliance.llm.plan import Condition, Order, Query, Select
from appliance.observation import logger
from appliance.pgflex.watching.seasons import zone_of
from appliance.services.clients import BridgeSource, Event
from appliance.services.telling import digest_rows, digest_sentence, told
from appliance.types import ROLES, Role, RoleName

__all__ = ["Observer", "digest", "digests", "unusual"]

GATHER_S: Final = 1.0
"""Changes that arrive within this time lead to one look."""
LOOK_S: Final = 20.0
"""How often it looks though no row changed: a number can be unusual, or usual again, by time alone."""
RETRY_S: Final = 0.5
_HALF_MINUTE: Final = 30.0
log = logger("gateway")


async def digest(
    client: httpx.AsyncClient, runtime: Runtime, collection: str, start: datetime, end: datetime, role: RoleName
) -> dict[str, Any]:
    """What happened in a collection from `start` up to `end`, as a role sees it.

    Returns:
        ``sentence``; ``rows``, each with what, count, usual, percent; ``plan`` and ``rest``, the newest rows behind it,
        null where there are none; and what the data service says: counts, usual, sums, groups.

    Raises:
        ApplianceError: PGF104 (no such collection for this role), BRG410 (the times), BRG406 (no data service).
    """
    asked = {"collection": collection, "since": start.isoformat(), "until": end.isoformat()}
    [line] = await digests(client, runtime, role, asked)
    return line


async def digests(
    client: httpx.AsyncClient, runtime: Runtime, role: RoleName, asked: dict[str, str]
) -> list[dict[str, Any]]:
    """As :func:`digest` for each collection of the role; `asked`: collection, since, until, each may be left out.

    Raises:
        ApplianceError: as :func:`digest`.
    """
    zone = zone_of(runtime.settings.timezone)
    lines = await _asked(client, f"{runtime.pgflex_url}/digest", role, asked)
    return [_digested(line, zone) for line in lines]


async def unusual(
    client: httpx.AsyncClient, runtime: Runtime, role: RoleName, asked: dict[str, str]
) -> list[dict[str, Any]]:
    """What was told as unusual, each with its sentence and the rows behind it; `asked`: state, limit.

    Raises:
        ApplianceError: BRG410 (what is asked), BRG406 (no data service).
    """
    zone = zone_of(runtime.settings.timezone)
    events = await _asked(client, f"{runtime.pgflex_url}/unusual", role, asked)
    return [_event(event, zone) for event in events]


async def _asked(client: httpx.AsyncClient, url: str, role: RoleName, asked: dict[str, str]) -> list[dict[str, Any]]:
    try:
        answer = await client.get(url, params=asked, headers={"X-Role": role})
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise ApplianceError("BRG406", "The data service does not answer.", reason, "Try again in a moment.") from None
    if answer.status_code != 200:
        with contextlib.suppress(ValueError):
            raise from_shape(answer.json(), "BRG406")
        raise from_shape(None, "BRG406")
    found: list[dict[str, Any]] = answer.json()
    return found


class Observer:
    """Keeps the signals of what is unusual, and of the last digest.

    Args:
        client: reaches the data service.
        runtime: where it is, and the settings.
        bridge: where signals go.
    """

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime, bridge: BridgeSource) -> None:
        self._client, self._runtime, self._bridge = client, runtime, bridge
        self._zone = zone_of(runtime.settings.timezone)
        self._shown: dict[str, Role] = {}
        self._digested: dict[str, Role] = {}
        self._more = asyncio.Event()

    def hear(self, kind: str, data: Event) -> None:
        """Take in an event of the change feed."""
        if kind in ("moved", "ready", "gap", "catalog"):
            self.look()

    def look(self) -> None:
        """Say that something may be different now."""
        self._more.set()

    async def run(self) -> None:
        """Look at what is unusual whenever rows changed, until cancelled."""
        while True:
            self._more.clear()
            well = await self._looked()
            await asyncio.sleep(GATHER_S if well else RETRY_S)
            if well:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._more.wait(), LOOK_S)

    async def _looked(self) -> bool:
        """Show just what is unusual now; whether that could be read."""
        try:
            active = await unusual(self._client, self._runtime, "admin", {"state": "active", "limit": "1000"})
        except ApplianceError as error:
            log.warn("what is unusual cannot be read yet", reason=error.message)
            return False
        self._shown = self._show({f"unusual.{each['collection']}.{each['what']}": each for each in active}, self._shown)
        return True

    def _show(self, values: dict[str, dict[str, Any]], shown: dict[str, Role]) -> dict[str, Role]:
        """Set signals, each for its audience, and remove those that were shown and are gone or are for others now."""
        wanted: dict[str, Role] = {name: value["audience"] for name, value in values.items()}
        for name, audience in shown.items():
            if wanted.get(name) != audience:
                self._bridge.set({name: None}, audience)
        for name, value in values.items():
            self._bridge.set({name: value}, wanted[name])
        return wanted

    # On schedule -----------------------------------------------------------------------------------------

    async def run_digests(self) -> None:
        """Tell what happened in each collection in the day up to each `digest_at`, until cancelled."""
        at = self._runtime.settings.digest_at
        done: datetime | None = None
        while at:
            due = last_due(datetime.now(self._zone), at)
            if due != done and await self._digest(due):
                done = due
            await asyncio.sleep(_HALF_MINUTE if due == done else RETRY_S)

    async def _digest(self, due: datetime) -> bool:
        start = due - timedelta(days=1)
        began = time.perf_counter()
        try:
            lines = [line async for line in self._lines(start, due)]
        except ApplianceError as error:
            log.warn("the digest waits", reason=error.message)
            return False
        self._digested = self._show({f"digest.{line['collection']}": line for line in lines}, self._digested)
        log.info("digest", collections=len(lines), ms=round((time.perf_counter() - began) * 1000))
        return True

    async def _lines(self, start: datetime, end: datetime) -> AsyncIterator[dict[str, Any]]:
        """A line for each collection in which something happened, as the least trusted role sees it that is told."""
        asked = {"since": start.isoformat(), "until": end.isoformat()}
        for role in ROLES:
            for line in await digests(self._client, self._runtime, role, asked):
                if line["audience"] == role and any(line["counts"].values()):
                    yield line


def last_due(now: datetime, at: str) -> datetime:
    """The last time by the clock that it was `at` (``"07:00"``)."""
    hour, minute = map(int, at.split(":"))
    due = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)


def _event(event: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    named = ("id", "collection", "what", "side", "scale", "state", "value", "usual", "percent", "basis", "days")
    since = datetime.fromisoformat(event["start"]).astimezone(zone).isoformat()
    at = {"since": since, "told_at": event["told_at"], "over_at": event["over_at"]}
    seen = {name: event[name] for name in ("acknowledged_at", "audience")}
    facts = {name: event[name] for name in named}
    return {"sentence": told(event, zone)} | facts | at | seen | _behind(event["collection"], event["keys"])


def _digested(line: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    keys = line.pop("keys")
    said = {"sentence": digest_sentence(line, zone), "rows": digest_rows(line)}
    return said | line | _behind(line["collection"], keys)


def _behind(collection: str, keys: Iterable[int]) -> dict[str, Any]:
    """The rows behind a number: a plan, and a request that gives each role the columns it may read."""
    ids = list(keys)
    if not ids:
        return {"plan": None, "rest": None}
    plan = Query(collection, (Select("*"),), (Condition("id", "in", ids),), order=(Order("id", descending=True),))
    rest = f"/rest/{collection}?id=in.({','.join(map(str, ids))})&order=id.desc"
    return {"plan": msgspec.to_builtins(plan), "rest": rest}
