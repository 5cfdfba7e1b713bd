"""Collections that a screen keeps on its own disk: followed while the box answers, shown with their age when not.

Each collection is a shape of the box's HTTP door, kept whole in a file of its own; a screen that starts again
shows what the file holds, and goes on from there once the box answers.

    shelf = Shelf(folder, ["beds", "wards"], door="http://192.0.2.7:8080", credential="...")
    await asyncio.to_thread(shelf.load)
    await shelf.run()                                    # until cancelled; shelf.items is what it holds
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from appliance.errors import ApplianceError, from_shape
from appliance.observation import logger
from appliance.pgflex.fields import collection_name
from appliance.screen import cache
from appliance.screen.trust import as_fault, verified

__all__ = ["Item", "Kept", "Shelf"]

KEEP_S: Final = 2.0
STILL_TRUE_S: Final = 60.0
BACKOFF_S: Final = (0.3, 5.0)
ANSWER_S: Final = 30.0
Values = dict[str, str | None]

_log = logger("screen")


class Kept(msgspec.Struct):
    """A collection as it lies on the disk.

    Attributes:
        door: whose it is.
        handle, offset: where its log goes on.
        columns: PostgreSQL's type by column name, in order.
        rows: columns as text, by the row's key.
        at: when it was last known to be true, seconds since 1970.
    """

    door: str
    handle: str
    offset: str
    columns: dict[str, str]
    rows: dict[str, Values]
    at: float


class Item:
    """One collection on the shelf.

    Attributes:
        name: the collection.
        live: whether the box tells its changes now.
        problem: why it does not, None while it does.
        kept: what is held, None before the first answer.
    """

    def __init__(self, name: str, path: Path, door: str) -> None:
        self.name = name
        self.live = False
        self.problem: ApplianceError | None = None
        self.kept: Kept | None = None
        self.settled = asyncio.Event()
        self._path, self._door = path, door
        self._anew = False
        self._saved_at = 0.0
        self._unsaved = False

    def age_s(self) -> float | None:
        """Seconds since the rows were last known to be true: 0 while live, None when there are none."""
        if self.kept is None:
            return None
        return 0.0 if self.live else max(0.0, time.time() - self.kept.at)

    def load(self) -> None:
        """Take up what the disk holds, if it is of this door. Blocks on the disk."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError):
            return
        if kept.door == self._door:
            self.kept, self._saved_at = kept, kept.at

    async def save(self, still_true_s: float = 0.0) -> None:
        """Write it down, if it is news, or has been true for this long since it was written."""
        kept = self.kept
        if kept is None or not (self._unsaved or kept.at - self._saved_at > still_true_s):
            return
        self._saved_at, self._unsaved = kept.at, False
        try:
            await asyncio.to_thread(cache.write, self._path, msgspec.json.encode(kept))
        except OSError as error:
            _log.warn("what the screen holds could not be kept", path=self._path, reason=error)

    async def follow(self, client: httpx.AsyncClient, told: Callable[[], None]) -> None:
        """Keep in step until cancelled; `told` is called after every change."""
        pause = BACKOFF_S[0]
        while True:
            try:
                await self._step(client)
                pause = BACKOFF_S[0]
            except ApplianceError as error:
                self.live, self.problem = False, error
                told()
                self.settled.set()
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (many screens, not a secret)
                pause = min(pause * 2, BACKOFF_S[1])
            else:
                told()

    async def _step(self, client: httpx.AsyncClient) -> None:
        kept = None if self._anew else self.kept
        query = {"table": self.name, "offset": kept.offset if kept else "-1"}
        if kept:
            query |= {"handle": kept.handle} | ({"live": "true"} if self.live else {})
        answer = await _asked(client, query)
        if answer.status_code == 409:
            self._anew = True  # what is held stays until all of it has come anew
            return
        try:
            self._take(answer, kept)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise ApplianceError("SCR501", "What answers at this address is no box.", repr(error)) from None

    def _take(self, answer: httpx.Response, kept: Kept | None) -> None:
        messages: list[dict[str, Any]] = msgspec.json.decode(answer.content)
        if kept is None:
            schema = msgspec.json.decode(answer.headers["electric-schema"])
            kept = Kept(self._door, "", "", {name: str(told["type"]) for name, told in schema.items()}, {}, 0.0)
        changed = [message for message in messages if "key" in message]
        for message in changed:
            _apply(kept.rows, message)
        kept.handle, kept.offset = answer.headers["electric-handle"], answer.headers["electric-offset"]
        self._unsaved = self._unsaved or self._anew or bool(changed)
        if self.kept is None or self._anew:
            self.kept, self._anew = kept, False
        if "electric-up-to-date" in answer.headers:
            kept.at = time.time()
            self.live, self.problem = True, None
            self.settled.set()


class Shelf:
    """The collections a screen keeps.

    Args:
        folder: where their files go.
        collections: their names.
        door: the box's HTTP address.
        credential: the key of the role it acts as; may be empty on the box's own machine.
        verify: whom to trust behind https; None trusts what :func:`~appliance.screen.trust.verified` does.

    Attributes:
        items: the collections, in the order given.
        listeners: called after every change.

    Raises:
        ApplianceError: PGF105, a name that no collection has; SCR504, the door is no address.
    """

    def __init__(
        self,
        folder: Path,
        collections: Iterable[str],
        *,
        door: str,
        credential: str = "",
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._door, self._credential, self._verify = _address(door), credential, verify
        names = dict.fromkeys(collection_name(name) for name in collections)
        self.items = [Item(name, folder / f"{name}.json", self._door) for name in names]
        self.listeners: list[Callable[[], None]] = []

    @property
    def live(self) -> bool:
        """Whether the box tells every change of every collection now."""
        return all(item.live for item in self.items)

    @property
    def holds(self) -> bool:
        """Whether there is anything to show."""
        return any(item.kept is not None for item in self.items)

    def load(self) -> None:
        """Take up what the disk holds. Blocks on the disk."""
        for item in self.items:
            item.load()

    async def settled(self) -> None:
        """Return when for every collection the box has answered, or failed to."""
        for item in self.items:
            await item.settled.wait()

    async def run(self) -> None:
        """Follow every collection until cancelled."""
        headers = {b"Authorization": f"Bearer {self._credential}".encode()} if self._credential else {}
        timeout = httpx.Timeout(ANSWER_S, connect=3.0)
        verify = await asyncio.to_thread(verified) if self._verify is None else self._verify
        try:
            async with (
                httpx.AsyncClient(
                    base_url=self._door, headers=headers, timeout=timeout, trust_env=False, verify=verify
                ) as client,
                asyncio.TaskGroup() as tasks,
            ):
                for item in self.items:
                    tasks.create_task(item.follow(client, self._tell))
                tasks.create_task(self._keep())
        finally:
            for item in self.items:
                await item.save()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_S)
            for item in self.items:
                await item.save(STILL_TRUE_S)


def _address(door: str) -> str:
    try:
        url = httpx.URL(door.strip().rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ApplianceError(
            "SCR504", "This is no address of a box.", door[:200], "Give one such as --door http://192.0.2.7:8080"
        )
    return str(url)


async def _asked(client: httpx.AsyncClient, query: dict[str, str]) -> httpx.Response:
    """What the box says: its rows, or 409.

    Raises:
        ApplianceError: SCR501, no answer; SCR505, it is not trusted here; else as the box says.
    """
    try:
        answer = await client.get("/shape", params=query)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        fault = as_fault(str(client.base_url).rstrip("/"), error)
        raise fault or ApplianceError(
            "SCR501", "The box does not answer.", reason, "It is asked again by itself."
        ) from None
    if answer.status_code in (200, 409):
        return answer
    try:
        raise from_shape(answer.json(), "SCR501")
    except ValueError:
        raise ApplianceError("SCR501", "What answers at this address is no box.", answer.status_code) from None


def _apply(rows: dict[str, Values], message: dict[str, Any]) -> None:
    key, value = message["key"], message["value"]
    match message["headers"]["operation"]:
        case "insert":
            rows[key] = value
        case "update":
            rows[key] = rows.get(key, {}) | value
        case "delete":
            rows.pop(key, None)
