"""How the gateway speaks to the other parts of the box, all on loopback.

data service   catalog, change feed, lookups        (pgflex)
REST           rows, under the asking role          (PostgREST)
model          plans, as server-sent events         (llm)
bridge         signals out, screens' inputs in
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import httpx
import msgspec
import websockets
from httpx_sse import SSEError, aconnect_sse
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Decoder, FrameType, control, encode
from appliance.bridge.signals import Diff, apply, merge, written
from appliance.bridge.sources.feed import follow
from appliance.bridge.sources.writer import write
from appliance.config import Runtime
from appliance.errors import ApplianceError, from_shape
from appliance.llm.outline import Outline, Sketched
from appliance.llm.plan import Query
from appliance.llm.prompt import Task
from appliance.observation import logger
from appliance.pgflex.access.roles import Access
from appliance.types import ROLES, Catalog, Collection, Role, RoleName

Event = dict[str, Any]
FLUSH_S = 0.05
log = logger("assistant")
DONE_KEPT: Final = 500


def loopback_client(runtime: Runtime) -> httpx.AsyncClient:
    """An HTTP client for the box's own services: keeps connections, sends the bearer, uses no proxy."""
    return httpx.AsyncClient(
        headers={"Authorization": f"Bearer {runtime.token}"},
        timeout=httpx.Timeout(10.0, connect=2.0),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
        trust_env=False,
    )


async def catalog(client: httpx.AsyncClient, runtime: Runtime, role: RoleName) -> Catalog:
    """What a role may see.

    Raises:
        ApplianceError: BRG406, the data service does not answer.
    """
    return msgspec.json.decode(await _of_role(client, f"{runtime.pgflex_url}/catalog", role), type=Catalog)


async def unseen(client: httpx.AsyncClient, runtime: Runtime, role: RoleName) -> Catalog:
    """The collections that a role may not see: their names and labels, and nothing else.

    Raises:
        ApplianceError: BRG406, the data service does not answer.
    """
    told = msgspec.json.decode(await _of_role(client, f"{runtime.pgflex_url}/access", role), type=dict[str, Access])
    hidden = tuple(Collection(name, each.label, ()) for name, each in told.items() if each.columns == ())
    return Catalog(f"unseen {hash(hidden)}", hidden)


async def _of_role(client: httpx.AsyncClient, url: str, role: RoleName) -> bytes:
    """What the data service says of a role, as JSON."""
    try:
        answer = await client.get(url, params={"role": role})
    except httpx.HTTPError as error:
        raise _absent("The data service", error) from None
    if answer.status_code != 200:
        raise from_shape(_json(answer), "BRG406")
    return answer.content


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _absent(part: str, error: Exception) -> ApplianceError:
    reason = str(error) or type(error).__name__
    return ApplianceError("BRG406", f"{part} does not answer.", reason, "It is being restarted; try again in a moment.")


async def plan(
    client: httpx.AsyncClient, runtime: Runtime, task: Task, screen: str, tell: Callable[[Event], None]
) -> Query:
    """The model's query for a task; `tell` hears its events (queued, started, token).

    Raises:
        ApplianceError: LLM203, the model does not answer; LLM2xx as the worker says.
    """
    said = await _asked(client, runtime, "plan", {"task": task, "screen": screen}, tell)
    return msgspec.convert(said["plan"], type=Query)


async def sketch(
    client: httpx.AsyncClient, runtime: Runtime, outline: Outline, screen: str, tell: Callable[[Event], None]
) -> list[list[Sketched]]:
    """The small model's sketches of a question, a list for each collection, best first.

    Raises:
        ApplianceError: LLM203, the model does not answer; LLM2xx as the worker says.
    """
    said = await _asked(client, runtime, "sketches", {"outline": outline, "screen": screen}, tell)
    return msgspec.convert(said["sketches"], type=list[list[Sketched]])


_PATHS: Final = {"plan": "/plan", "sketches": "/sketch"}


async def _asked(
    client: httpx.AsyncClient, runtime: Runtime, last: str, asked: dict[str, Any], tell: Callable[[Event], None]
) -> Event:
    """The last event of a task that the model is asked."""
    body = msgspec.json.encode({**asked, "deadline_s": runtime.settings.answer_timeout_s})
    try:
        async with aconnect_sse(client, "POST", runtime.llm_url + _PATHS[last], content=body) as feed:
            if feed.response.status_code != 200:
                await feed.response.aread()
                raise from_shape(_json(feed.response), "LLM203")
            async for event in feed.aiter_sse():
                said: Event = msgspec.json.decode(event.data)
                if event.event == last:
                    return said
                if event.event == "error":
                    raise from_shape(said["error"], "LLM200")
                tell(said)
    except (httpx.HTTPError, SSEError) as error:
        raise _no_model(error) from None
    raise _no_model(None)


def _no_model(error: Exception | None) -> ApplianceError:
    reason = (str(error) or type(error).__name__) if error else "it stopped in the middle"
    return ApplianceError(
        "LLM203", "The model does not answer.", reason, "It is being restarted; ask again in a moment."
    )


MAIN: Final = "main"
"""The stream of the whole house."""


class BridgeSource:
    """The assistant's road to the bridge: a state per stream and audience that the bridge is kept in step with.

    Whatever happens to the bridge, :meth:`set` never waits and never fails: on every new connection the
    whole state goes first, after that only what changed.
    """

    def __init__(self, runtime: Runtime, hear: Callable[[Event], Awaitable[None]]) -> None:
        self._url = runtime.bridge_url.replace("http", "ws", 1) + "/source/assistant?stream=main"
        self._headers = {"Authorization": f"Bearer {runtime.token}"}
        self._limit = runtime.settings.frame_limit
        self._hear = hear
        self._values: dict[tuple[str, Role], dict[str, Any]] = {(MAIN, role): {} for role in ROLES}
        self._pending: dict[tuple[str, Role], Diff] = {}
        self._done: deque[Event] = deque(maxlen=DONE_KEPT)
        self._more = asyncio.Event()
        self._sent = asyncio.Event()
        self.connected = False

    def set(self, values: dict[str, Any], audience: Role = "wall", stream: str = MAIN) -> None:
        """Set signals of a stream; a value of None removes one."""
        where = (stream, audience)
        now = self._values.get(where, {})
        gone = [name for name, value in values.items() if value is None]
        change = written(now, {name: value for name, value in values.items() if value is not None}, gone)
        if change:
            self._values[where] = apply(now, change)
            self._pending[where] = merge(self._pending.get(where, Diff({})), change)
            self._more.set()

    def acknowledge(self, said: Event, error: ApplianceError | None = None) -> None:
        """Tell the screen that its input is done, where it asked for that, or why it cannot be."""
        if said.get("ack") and said.get("ref"):
            told: Event = {"ref": str(said["ref"]), "screen": str(said.get("screen", ""))}
            self._done.append(told | ({"error": error.shape()} if error else {}))
            self._more.set()

    async def flushed(self) -> None:
        """Return when what was set is on its way, at once when there is no bridge."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                while self.connected and self._pending:
                    await self._sent.wait()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers=self._headers,
                    max_size=None,
                    compression=None,
                    proxy=None,
                    ping_interval=5,
                    ping_timeout=5,
                ) as socket:
                    await self._serve(socket)
            except (OSError, websockets.WebSocketException, TimeoutError):
                pass
            finally:
                self.connected = False
            await asyncio.sleep(0.15)

    async def _serve(self, socket: ClientConnection) -> None:
        for (stream, audience), values in list(self._values.items()):
            self._pending.pop((stream, audience), None)
            await socket.send(write(FrameType.SIGNAL_SYNC, values, audience, stream=stream))
        self.connected = True
        upward = asyncio.create_task(self._inputs(socket))
        try:
            while not upward.done():
                more = asyncio.create_task(self._more.wait())
                await asyncio.wait({more, upward}, return_when=asyncio.FIRST_COMPLETED)
                more.cancel()
                await self._flush(socket)
            upward.result()
        finally:
            upward.cancel()
            await asyncio.gather(upward, return_exceptions=True)

    async def _flush(self, socket: ClientConnection) -> None:
        self._more.clear()
        pending, self._pending = self._pending, {}
        for (stream, audience), change in pending.items():
            await socket.send(write(FrameType.SIGNAL_DIFF, change.values, audience, list(change.gone), stream))
        while self._done:
            await socket.send(encode(control("ack", **self._done.popleft())))
        self._sent.set()
        self._sent = asyncio.Event()

    async def _inputs(self, socket: ClientConnection) -> None:
        decoder = Decoder(self._limit)
        async for message in socket:
            for frame in decoder.feed(message if isinstance(message, bytes) else message.encode()):
                if frame.type == FrameType.INPUT:
                    await self._hear(frame.json())
                elif frame.type == FrameType.CONTROL and frame.json().get("type") == "error":
                    log.warn("the bridge refused signals", **from_shape(frame.json()).shape())


async def changes(client: httpx.AsyncClient, runtime: Runtime) -> AsyncIterator[tuple[str, Event]]:
    """The change feed in brief as (event, data), from now on, changes of alerts whole.

    ``lost`` comes when it breaks, ``ready`` when it is live again.
    """
    async for event in follow(client, f"{runtime.pgflex_url}/changes?role=admin&whole=alerts"):
        yield event.event, msgspec.json.decode(event.data) if event.data.startswith("{") else {}


async def told_by_data(
    client: httpx.AsyncClient,
    runtime: Runtime,
    method: str,
    path: str,
    role: RoleName | None,
    body: Any = None,
    timeout_s: float = 10.0,
) -> Any:
    """What the data service answers to a request of a role, or of the box itself; None where it has nothing to say.

    Raises:
        ApplianceError: BRG406, it does not answer; else what it refuses with.
    """
    headers = {"Content-Type": "application/json"} | ({"X-Role": role} if role is not None else {})
    content = None if body is None else msgspec.json.encode(body)
    timeout = httpx.Timeout(timeout_s, connect=2.0)
    try:
        answer = await client.request(
            method, runtime.pgflex_url + path, headers=headers, content=content, timeout=timeout
        )
    except httpx.HTTPError as error:
        raise _absent("The data service", error) from None
    if answer.is_error:
        raise from_shape(_json(answer), "BRG406")
    return _json(answer)
