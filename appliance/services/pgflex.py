"""The data service: schemaless writes, the catalog and the change feed, on loopback.

    POST   /flex/{collection}        a document or a list of them -> 201, the stored rows
    PATCH  /flex/{collection}/{id}   fields to set -> the whole row
    DELETE /flex/{collection}/{id}   -> 204
    GET    /catalog?role=            what a role may see
    GET    /changes?role=&collection=   server-sent events; resumes after the header Last-Event-ID
    GET    /demo                     the demo's facility, questions and pinned questions, or nulls
    GET    /health                   503 until the service is ready, then 200; what does not answer is named

Writes act as the role in the header ``X-Role``. Events: ``change`` (data: a Change), ``catalog`` (data:
``{"version"}``), ``gap``, ``ready``; each that has a position carries it as its id.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Path, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.catalog import FRESH_S, Catalogs
from appliance.pgflex.changes import CatalogChanged, Event, Feed, Gap, Ready
from appliance.pgflex.database import connection, open_pool
from appliance.pgflex.demo import Demo, load_demo
from appliance.pgflex.fields import read_json, write_json
from appliance.pgflex.migrate import migrations
from appliance.pgflex.seed import Seed
from appliance.pgflex.store import Store
from appliance.services.internal import STREAM_GRACE_S, Json, checked_role, essential, make_app, role_of, start
from appliance.types import ROLES, Change, Role

__all__ = ["main", "make"]

_PING_S: Final = 10
_RETRY_S: Final = 1.0
_HEALTH_S: Final = 0.8
Key = Annotated[int, Path(ge=-(2**63), lt=2**63)]


class DataService:
    """What the service holds while it runs: connections, the feed, the catalogs and the demo."""

    def __init__(self, runtime: Runtime) -> None:
        self.settings = runtime.settings
        self.pool = open_pool(runtime.postgres_dsn)
        self.feed = Feed(runtime.postgres_dsn, runtime.settings.feed_rows_kept)
        self.catalogs = Catalogs(self.pool)
        self.store = Store(self.pool, runtime.settings.fields_limit)
        self.seed = Seed(self.store)
        self._newest = migrations()[-1].number
        self._zone = ZoneInfo(self.settings.timezone) if self.settings.timezone else None
        self.demo_ready = runtime.settings.demo == "none"
        self._changed = asyncio.Event()
        self._log = logger("pgflex")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything open and every task running."""
        self.feed.watch(self._mark)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.pool)
            await stack.enter_async_context(self.feed.running())
            for work in (self._demo(), self._tell_catalogs()):
                stack.push_async_callback(_stopped, essential("pgflex", work))
            yield

    async def told(self) -> dict[str, Any]:
        """What the health page shows: ``status`` (starting, ok, failing) and the state of each part."""
        live = self.feed.live  # before the database is waited for: it may be back by then
        schema, problem = await self._schema()
        well = problem is None and schema == self._newest and live
        return {
            "status": "starting" if not self.demo_ready else "ok" if well else "failing",
            "database": "down" if problem else "ok",
            "problem": problem,
            "migrations": {"database": schema, "program": self._newest},
            "feed": {"live": live, "position": self.feed.position, "readers": self.feed.readers},
        }

    async def _schema(self) -> tuple[int | None, str | None]:
        """The migration the database is at, or why that cannot be said."""
        try:
            async with asyncio.timeout(_HEALTH_S), connection(self.pool) as db:
                row = await (await db.execute("select max(number) from flex.migrations")).fetchone()
                return (row[0] if row else None), None
        except TimeoutError:
            return None, "PostgreSQL does not answer."
        except ApplianceError as error:
            return None, error.message

    def _mark(self, collection: str | None) -> None:
        self.catalogs.mark(collection)
        self._changed.set()

    async def _tell_catalogs(self) -> None:
        """Tell readers of the feed when what their role may see changed; at most once a second."""
        versions: dict[Role, str] = {}
        while True:
            await self._changed.wait()
            self._changed.clear()
            with suppress(ApplianceError):
                for role in ROLES:
                    version = (await self.catalogs.read(role)).version
                    if versions.setdefault(role, version) != version:
                        versions[role] = version
                        self.feed.tell(role, CatalogChanged(version))
            if self.catalogs.stale:
                self._changed.set()
            await asyncio.sleep(FRESH_S)

    async def _demo(self) -> None:
        """Load the demo once, then keep it fresh and changing; a database that is away is waited for."""
        if self.settings.demo == "none":
            return
        demo = await asyncio.to_thread(load_demo, self.settings.demo, self._now().date())
        rng = random.SystemRandom()
        while True:
            try:
                if not self.demo_ready:
                    await self._load(demo)
                elif self.settings.demo_tick_s > 0:
                    await self._freshen()
                    await self.seed.tick(demo, rng, self._now())
            except ApplianceError as error:
                self._log.warn("demo waits", error=error.line())
            await asyncio.sleep(
                self.settings.demo_tick_s if self.demo_ready and self.settings.demo_tick_s else _RETRY_S
            )

    def _now(self) -> datetime:
        return datetime.now(self._zone) if self._zone else datetime.now().astimezone()

    async def _load(self, demo: Demo) -> None:
        if await self.seed.load(demo, self._now().date()):
            self._log.info("demo loaded", name=demo.name, rows=sum(len(item.rows) for item in demo.collections))
        await self._freshen()
        self._newest = migrations()[-1].number
        self._zone = ZoneInfo(self.settings.timezone) if self.settings.timezone else None
        self.demo_ready = True

    async def _freshen(self) -> None:
        if days := await self.seed.freshen(self._now().date()):
            self._log.info("demo moved to today", days=days)


def make(runtime: Runtime) -> FastAPI:
    """The app, ready to be served."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    service = DataService(runtime)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = make_app("pgflex", runtime, lifespan)
    app.state.endings = [service.feed.end_all]
    _reads(app, service)
    _writes(app, service)
    return app


def _reads(app: FastAPI, service: DataService) -> None:
    @app.get("/health")
    async def health() -> Response:
        told = await service.told()
        return Json(told, status_code=503 if told["status"] == "starting" else 200)

    @app.get("/catalog")
    async def catalog(request: Request) -> Response:
        return Json(await service.catalogs.read(_asked_role(request)))

    @app.get("/changes")
    async def changes(request: Request, collection: str | None = None) -> Response:
        after = request.headers.get("last-event-id")
        events = service.feed.subscribe(_asked_role(request), collection, after)
        return EventSourceResponse(_stream(events), ping=_PING_S, shutdown_grace_period=STREAM_GRACE_S)

    @app.get("/demo")
    async def demo() -> Response:
        told = await service.seed.facility()
        return Json({name: getattr(told, name, None) for name in ("facility", "questions", "pinned")})


def _writes(app: FastAPI, service: DataService) -> None:
    @app.post("/flex/{collection}")
    async def insert(collection: str, request: Request) -> Response:
        role = role_of(request)
        body = await _body(request, service.settings.document_limit)
        documents = body if isinstance(body, list) else [body]
        return Json(await service.store.insert(collection, documents, role), status_code=201)

    @app.patch("/flex/{collection}/{key}")
    async def update(collection: str, key: Key, request: Request) -> Response:
        role = role_of(request)
        body = await _body(request, service.settings.document_limit)
        return Json(await service.store.update(collection, key, body, role))

    @app.delete("/flex/{collection}/{key}")
    async def delete(collection: str, key: Key, request: Request) -> Response:
        await service.store.delete(collection, key, role_of(request))
        return Response(status_code=204)


def main() -> None:
    """Entry point of ``appliance-pgflex``."""
    start("pgflex", make)


def _asked_role(request: Request) -> Role:
    named = request.query_params.get("role")
    return role_of(request) if named is None else checked_role(named)


async def _body(request: Request, limit: int) -> Any:
    """The JSON body, refused as soon as it is over `limit` bytes.

    Raises:
        ApplianceError: PGF109 (too long), PGF103 (not JSON).
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise ApplianceError(
                "PGF109", f"The documents are over {limit} bytes.", None, "Send fewer documents per request."
            )
    return read_json(bytes(body))


async def _stream(events: AsyncGenerator[Event, None]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(events):
        try:
            async for event in events:
                yield _sent(event)
        except ApplianceError as error:
            yield ServerSentEvent(write_json(error.shape()), event="error")


def _sent(event: Event) -> ServerSentEvent:
    kinds: dict[type[Event], str] = {Change: "change", Gap: "gap", Ready: "ready", CatalogChanged: "catalog"}
    return ServerSentEvent(
        write_json(event),
        event=kinds[type(event)],
        id=getattr(event, "position", None),
    )


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
