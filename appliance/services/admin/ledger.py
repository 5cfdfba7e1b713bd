"""What was done and asked, on its way into the ledger: nothing is lost while the data service is away.

ledger.did(Deed(who="maria", ...))      # returns at once
await ledger.settled()                  # it is in the database, or that has to wait
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from appliance.observation import logger
from appliance.pgflex.ledger import Asked, Entry, Head
from appliance.screen import cache

__all__ = ["Deed", "LedgerWriter"]

LIMIT: Final = 20_000
BATCH: Final = 200
RETRY_S: Final = 1.0
SETTLE_S: Final = 2.0
log = logger("gateway")


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done.

    Attributes:
        who: the account's name; for what has none what it came in with: ``admin key``, ``token nurse``, a screen's id.
        role: it acted as.
        address: where from.
        action: what was asked of the box: ``DELETE /api/screens/{id_}``, ``sign in``.
        what: the same in words.
        target: what of: the path's last parts.
        status: the HTTP status it was answered with.
        detail: more of it; nothing secret.
    """

    who: str
    role: str
    address: str
    action: str
    what: str
    target: str = ""
    status: int = 200
    detail: dict[str, Any] = {}


class Waiting(msgspec.Struct):
    """What waits to be written."""

    deeds: list[Entry] = []
    asked: list[Asked] = []
    head: Head | None = None
    lost: int = 0


class LedgerWriter:
    """Hands entries to the data service, in order, each once.

    Args:
        client, url: of the data service.
        path: where what waits is kept, and the end of the chain of hashes.
        days: how long questions are kept.

    Attributes:
        head: the end of the chain as last heard.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, path: Path, days: Callable[[], int]) -> None:
        self._client, self._url, self._path, self._days = client, url, path, days
        self._waiting = Waiting()
        self._more, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()
        self._keeping = asyncio.Lock()

    @property
    def head(self) -> Head | None:
        """The end of the chain of hashes, as last heard."""
        return self._waiting.head

    def load(self) -> None:
        """Take up what waited when the gateway ended. Blocks on the disk."""
        try:
            self._waiting = msgspec.json.decode(self._path.read_bytes(), type=Waiting)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            log.error("what waited for the audit cannot be read", file=self._path, reason=error)
        self._wake()

    def did(self, deed: Deed) -> None:
        """Add to the audit; where too much waits it is only counted, as nobody may push out what they did before."""
        if len(self._waiting.deeds) >= LIMIT:
            self._waiting.lost += 1
            return
        self._waiting.deeds.append(_entry(deed))
        self._wake()

    def asked(self, asked: Asked) -> None:
        """Add a question."""
        self._waiting.asked.append(asked)
        self._wake()

    async def settled(self) -> None:
        """Return once everything is written, or that takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self._empty.wait()

    def _wake(self) -> None:
        if self._waiting.deeds or self._waiting.asked:
            self._empty.clear()
            self._more.set()

    async def run(self) -> None:
        """Write until cancelled."""
        failing = False
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                while self._waiting.deeds or self._waiting.asked:
                    await self._send()
            except (httpx.HTTPError, msgspec.DecodeError) as error:
                if not failing:
                    log.warn("the audit waits for the data service", reason=repr(error))
                failing = True
                self._tidy()
                await self.keep()
                await asyncio.sleep(RETRY_S)
                self._more.set()
                continue
            failing = False
            self._empty.set()
            await self.keep()

    async def _send(self) -> None:
        if deeds := self._waiting.deeds[:BATCH]:
            answer = await self._client.post(f"{self._url}/ledger/audit", content=msgspec.json.encode(deeds))
            answer.raise_for_status()
            self._waiting.head = msgspec.json.decode(answer.content, type=Head)
            del self._waiting.deeds[: len(deeds)]
            self._own_up()
        if asked := self._waiting.asked[:BATCH]:
            query = {"days": self._days()}
            url, body = f"{self._url}/ledger/questions", msgspec.json.encode(asked)
            (await self._client.post(url, params=query, content=body)).raise_for_status()
            del self._waiting.asked[: len(asked)]

    def _tidy(self) -> None:
        """A database that stays away for long must not fill the memory: the oldest questions go first."""
        del self._waiting.asked[: max(0, len(self._waiting.asked) - LIMIT)]

    def _own_up(self) -> None:
        """Have the audit say where something is missing, as soon as there is room again."""
        if lost := self._waiting.lost:
            self._waiting.lost = 0
            what = f"{lost} entries were lost while the data service was away"
            self.did(Deed(who="this box", role="", address="", action="lost", what=what, detail={"entries": lost}))

    async def keep(self) -> None:
        """Write down what waits."""
        async with self._keeping:
            body = msgspec.json.encode(self._waiting)
            try:
                await asyncio.to_thread(cache.write, self._path, body)
            except OSError as error:
                log.warn("what waits for the audit cannot be kept", reason=error)


def _entry(deed: Deed) -> Entry:
    told = {name: value for name, value in msgspec.to_builtins(deed).items() if value not in ("", {})}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Entry(secrets.token_hex(8), {"at": at, **told})
