"""The data service: schemaless writes, the catalog and the change feed, on loopback.

    POST   /flex/{collection}        a document or a list of them -> 201, the stored rows
    PUT    /flex/{collection}/{id}   all that the row holds then -> the row
    PATCH  /flex/{collection}/{id}   fields to set -> the whole row
    DELETE /flex/{collection}/{id}   -> 204
    GET    /catalog?role=            what a role may see
    GET    /changes?role=&collection=   server-sent events; resumes after the header Last-Event-ID
    GET    /changes?role=&whole=     that rows changed, not which, but for the collections listed
    GET    /v1/shape?table=          a shape, in ElectricSQL's protocol
    POST   /demo                     {"name"}: load one into a box that has none
    GET    /demo                     the demo's facility, questions and pinned questions, or nulls
    GET    /health                   503 until the service is ready, then 200; what does not answer is named

Writes act as the role in the header ``X-Role``. Events: ``change`` (data: a Change), ``moved`` (data: a Moved),
``catalog`` (data: ``{"version"}``), ``gap``, ``ready``; each that has a position carries it as its id.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.config import Runtime, Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.access.role_book import RoleBook
from appliance.pgflex.access.roles import Roles, may_act, only_admin
from appliance.pgflex.access.tokens import Tokens
from appliance.pgflex.alerts.watch import Alerts
from appliance.pgflex.catalog import FRESH_S, Catalogs
from appliance.pgflex.changes import CatalogChanged, Feed, Gap, Kept, Ready
from appliance.pgflex.database import connection, open_pool
from appliance.pgflex.demo import Demo, load_demo
from appliance.pgflex.fields import read_json, write_json
from appliance.pgflex.ledger import Ledger
from appliance.pgflex.migrate import migrations
from appliance.pgflex.outbox import Lag
from appliance.pgflex.relations.discovery import Discovery
from appliance.pgflex.seed import Seed
from appliance.pgflex.shapes.shapes import Shapes
from appliance.pgflex.watching.digest import Digests
from appliance.pgflex.watching.seasons import zone_of
from appliance.pgflex.watching.watch import Watching
from appliance.pgflex.writes.reload import Reload
from appliance.pgflex.writes.store import Store
from appliance.pgflex.writes.widening import Widening
from appliance.services import (
    data_alerts,
    data_computed,
    data_import,
    data_ledger,
    data_relations,
    data_roles,
    data_shapes,
    data_watching,
    data_writes,
)
from appliance.services.internal import STREAM_GRACE_S, Json, essential, known_role, make_app, role_of, start
from appliance.types import RoleName

__all__ = ["main", "make"]

_PING_S: Final = 10
_RETRY_S: Final = 1.0
_HEALTH_S: Final = 0.8
OWN: Final = ("/ledger", "/access")
"""What the gateway asks for itself and never for somebody."""
_DEMOS: Final = ("hospital", "lawfirm")


class DataService:
    """What the service holds while it runs: connections, the feed, the catalogs and the demo."""

    def __init__(self, runtime: Runtime) -> None:
        self.settings = runtime.settings
        self._dsn = runtime.postgres_dsn
        self.pool = open_pool(runtime.postgres_dsn)
        self.feed = Feed(runtime.postgres_dsn, _kept(runtime.settings))
        self.catalogs = Catalogs(self.pool)
        self.store = Store(self.pool, data_writes.limits(runtime.settings))
        self.shapes = Shapes(
            runtime.postgres_dsn,
            self.pool,
            self.feed,
            shapes_limit=runtime.settings.shapes_limit,
            rows_limit=runtime.settings.shape_rows_limit,
        )
        self.seed = Seed(self.store)
        self.alerts = Alerts(self.pool)
        self.watching = Watching(self.pool, zone_of(runtime.settings.timezone))
        self.digests = Digests(self.pool, self.catalogs)
        self.ledger = Ledger(self.pool)
        self.roles = Roles(self.pool)
        self.tokens = Tokens(self.pool, runtime.secret, runtime.settings.token_ttl_limit_s)
        self.book = RoleBook(runtime.postgres_dsn)
        self._newest = migrations()[-1].number
        self._zone = ZoneInfo(self.settings.timezone) if self.settings.timezone else None
        self.demo_ready = runtime.settings.demo == "none"
        self._changed = asyncio.Event()
        self._choice, self._chosen = asyncio.Event(), ""
        self.discovery = Discovery(self.pool, self._changed.set)
        self._log = logger("pgflex")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything open and every task running."""
        self.feed.watch(self._mark)
        self.feed.watch(self.discovery.mark)
        self.feed.watch(self.alerts.mark)
        self.feed.watch(self.watching.mark)
        self.book.watch(lambda: self._mark(None))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.pool)
            await stack.enter_async_context(self.feed.running())
            await stack.enter_async_context(self.shapes.running())
            await stack.enter_async_context(Reload(self._dsn).running())
            for work in (
                Widening(self.pool, self.settings.widen_rows_limit).run(),
                self._demo(),
                self._tell_catalogs(),
                self.alerts.run(),
                self.watching.run(),
                self.book.run(),
                self.discovery.run(),
            ):
                stack.push_async_callback(_stopped, essential("pgflex", work))
            yield

    async def told(self) -> dict[str, Any]:
        """What the health page shows: ``status`` (starting, ok, failing) and the state of each part."""
        live = self.feed.live  # before the database is waited for: it may be back by then
        schema, lag, problem = await self._looked()
        well = problem is None and schema == self._newest and live
        return {
            "status": "starting" if not self.demo_ready else "ok" if well else "failing",
            "database": "down" if problem else "ok",
            "problem": problem,
            "migrations": {"database": schema, "program": self._newest},
            "feed": {
                "live": live,
                "position": self.feed.position,
                "readers": self.feed.readers,
                "waiting": self.feed.waiting,
                "lag_commits": lag.commits,
                "lag_s": lag.seconds,
            },
            "shapes": {"followed": self.shapes.count, "waiting": self.shapes.waiting},
        }

    async def _looked(self) -> tuple[int | None, Lag, str | None]:
        """The migration the database is at and how far the feed is behind it, or why that cannot be said."""
        try:
            async with asyncio.timeout(_HEALTH_S), connection(self.pool) as db:
                row = await (await db.execute("select max(number) from flex.migrations")).fetchone()
                return (row[0] if row else None), await self.feed.lag(db), None
        except TimeoutError:
            return None, Lag(0, 0.0), "PostgreSQL does not answer."
        except ApplianceError as error:
            return None, Lag(0, 0.0), error.message

    def _mark(self, collection: str | None) -> None:
        self.catalogs.mark(collection)
        self._changed.set()

    async def _tell_catalogs(self) -> None:
        """Tell readers of the feed when what their role may see changed; at most once a second."""
        versions: dict[RoleName, str] = {}
        while True:
            await self._changed.wait()
            self._changed.clear()
            with suppress(ApplianceError):
                for role in self.book.state.levels:
                    version = (await self.catalogs.read(role)).version
                    if versions.setdefault(role, version) != version:
                        versions[role] = version
                        self.feed.tell(role, CatalogChanged(version))
            if self.catalogs.stale:
                self._changed.set()
            await asyncio.sleep(FRESH_S)

    async def _demo(self) -> None:
        """Load the demo once, then keep it fresh and changing; a database that is away is waited for."""
        name = await self._wanted_demo()
        demo = await asyncio.to_thread(load_demo, name, self._now().date())
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

    async def _wanted_demo(self) -> str:
        """The demo of the settings, else the one that is chosen, perhaps later."""
        if self.settings.demo != "none":
            return self.settings.demo
        while True:
            with suppress(ApplianceError):
                if self._chosen or (name := await self.seed.chosen()):
                    return self._chosen or name
                await self._choice.wait()
                continue
            await asyncio.sleep(_RETRY_S)

    async def choose_demo(self, name: str) -> None:
        """Load a demo into a box that has none, and let it live from now on.

        Raises:
            ApplianceError: BRG410, no such demo; PGF116, there is one already; as :meth:`Seed.load`.
        """
        if name not in _DEMOS:
            raise ApplianceError("BRG410", "There is no such demo.", name[:60], f"One of {', '.join(_DEMOS)}.")
        demo = await asyncio.to_thread(load_demo, name, self._now().date())
        if not await self.seed.load(demo, self._now().date()):
            raise ApplianceError("PGF116", "The box holds a demo already.", name, None)
        await self.seed.choose(name)
        self._chosen = name
        self._choice.set()

    def _now(self) -> datetime:
        return datetime.now(self._zone) if self._zone else datetime.now().astimezone()

    async def _load(self, demo: Demo) -> None:
        if await self.seed.load(demo, self._now().date()):
            self._log.info("demo loaded", name=demo.name, rows=sum(len(item.rows) for item in demo.collections))
        await self._freshen()
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

    app = make_app("pgflex", runtime, lifespan, own=OWN)
    app.state.endings = [service.feed.end_all]
    _reads(app, service)
    data_writes.install(app, service)
    data_computed.install(app, service)
    data_import.install(app, service)
    data_alerts.install(app, service)
    data_watching.install(app, service)
    data_relations.install(app, service)
    data_shapes.install(app, service)
    data_roles.install(app, service)
    data_ledger.install(app, service)
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
    async def changes(request: Request, collection: str | None = None, whole: str | None = None) -> Response:
        after = request.headers.get("last-event-id")
        role = _asked_role(request)
        if collection is not None:
            await service.roles.check_reads(role, collection)
        if whole is None:
            events = service.feed.stream(role, collection, after)
        else:
            events = service.feed.brief(role, whole.split(","), after)
        return EventSourceResponse(_stream(events), ping=_PING_S, shutdown_grace_period=STREAM_GRACE_S)

    @app.get("/version")
    async def version() -> Response:
        async with connection(service.pool) as db:
            row = await (await db.execute("show server_version")).fetchone()
        return Json(row[0] if row else None)

    @app.get("/demo")
    async def demo() -> Response:
        told = await service.seed.facility()
        return Json({name: getattr(told, name, None) for name in ("facility", "questions", "pinned")})

    @app.post("/demo")
    async def choose(request: Request) -> Response:
        only_admin(role_of(request))
        told = read_json(await request.body())
        await service.choose_demo(str(told.get("name")) if isinstance(told, dict) else "")
        return await demo()


def main() -> None:
    """Entry point of ``appliance-pgflex``."""
    start("pgflex", make)


def _asked_role(request: Request) -> RoleName:
    """The role of the query, else of the header; where both are there, the one may act as the other."""
    named = request.query_params.get("role")
    if named is None:
        return role_of(request)
    role = known_role(request, named)
    if "x-role" in request.headers and not may_act(role_of(request), role, request.app.state.roles()):
        raise ApplianceError("BRG402", f"This role may not act as {role}.", None, None)
    return role


def _kept(settings: Settings) -> Kept:
    return Kept(settings.feed_rows_kept, settings.feed_days_kept, settings.feed_bytes_kept)


async def _stream(events: AsyncGenerator[bytes | Gap | Ready | CatalogChanged, None]) -> AsyncIterator[Any]:
    async with aclosing(events):
        try:
            async for event in events:
                yield event if isinstance(event, bytes) else _sent(event)
        except ApplianceError as error:
            yield ServerSentEvent(write_json(error.shape()), event="error")


def _sent(event: Gap | Ready | CatalogChanged) -> ServerSentEvent:
    kinds: dict[type, str] = {Gap: "gap", Ready: "ready", CatalogChanged: "catalog"}
    return ServerSentEvent(write_json(event), event=kinds[type(event)], id=getattr(event, "position", None))


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
