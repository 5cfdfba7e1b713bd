"""The gateway: the only public door. Serves the page, the API and the sockets; runs the assistant.

Everything that comes in passes the guard (:mod:`~appliance.services.door`), gets a role
(:mod:`~appliance.services.access`) and goes on to the service it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel
from pydantic import Field as BodyField

import appliance
from appliance.config import Runtime, Settings
from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.pgflex.rest import Rest
from appliance.screen.receiver import load_page
from appliance.services import (
    clients,
    door_alerts,
    door_console,
    door_import,
    door_join,
    door_listen,
    door_model,
    door_recordings,
    door_roles,
    door_screens,
    door_shapes,
    door_watching,
)
from appliance.services.access import Access
from appliance.services.admin.desk import Desk, install_doors
from appliance.services.admin.sessions import COOKIE as SIGNED_IN
from appliance.services.alarms import Alarms
from appliance.services.assistant import Assistant
from appliance.services.board import Board
from appliance.services.browsers import Known, is_browser
from appliance.services.door import COOKIE, check_meant, credential, no_session
from appliance.services.health import BoxProbe, Health
from appliance.services.internal import Json, essential, install_errors, start
from appliance.services.model_client import model_numbers
from appliance.services.notice import notice
from appliance.services.observer import Observer
from appliance.services.own_columns import with_own_columns
from appliance.services.page_files import install_parts, served, version
from appliance.services.past_zone import machine_zone
from appliance.services.proxy import forward, raw_path
from appliance.services.relay import refuse, relay
from appliance.services.tls import Keeper
from appliance.services.tls.serving import serve_door
from appliance.services.token_watch import TokenWatch
from appliance.services.viewer import Viewers
from appliance.types import ROLES, RoleName

log = logger("gateway")
HOLD_S = 5.0
"""How long the bridge is left with the signals of the last gateway while this one puts its board back."""
OPEN = frozenset({"/health", "/favicon.svg", "/api/session", "/api/setup", "/api/setup/restore"})
"""What needs no credential: it says nothing, or asks for its own."""
_NAME = re.compile(r"[A-Za-z_][\w-]{0,62}\Z")
_UPLOADS = re.compile(r"/flex/[^/]+/import|/api/admin/updates|/api/setup/restore|/api/listen")
"""Where files come in: they are written down or passed on as they come, and have limits of their own."""
BODY_LIMIT = 1024 * 1024
"""Bytes of any other request but documents: some need no credential, and all are held in memory."""


class AskBody(BaseModel):
    """The body of ``POST /api/ask``."""

    question: str = BodyField(examples=["How many beds are free in cardiology?"])
    role: str | None = BodyField(
        None, description="Act as this role; at most the credential's own.", examples=["staff"]
    )
    plan: dict[str, Any] | None = BodyField(None, description="One of the choices the box offered.")


class ErrorBody(BaseModel):
    """The one error shape."""

    code: str = BodyField(examples=["LLM201"])
    message: str = BodyField(examples=["The question is empty."])
    details: Any = None
    hint: str | None = BodyField(None, examples=["Type a question, such as: How many beds are free?"])


class Gateway(Desk):
    """What the process holds."""

    def __init__(self, runtime: Runtime) -> None:
        self.access = Access(runtime)
        self.client = clients.loopback_client(runtime)
        super().__init__(runtime, self.access, self.client)
        self.plain = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=200))
        self.rest = Rest(runtime.postgrest_url, runtime.secret)
        self.assistant = Assistant(runtime, self.client, self.rest)
        self.bridge = clients.BridgeSource(runtime, self._hear)
        file = self.settings.data / "gateway" / "board.json"
        self.board = Board(self.assistant, self.bridge, file, self.settings.answers_kept, self.settings.timezone)
        self.board.tell = self.tell_asked
        self.alarms = Alarms(self.client, runtime.pgflex_url, self.bridge)
        self.observer = Observer(self.client, runtime, self.bridge)
        self.keeper = Keeper(self.settings) if runtime.gateway_url.startswith("https:") else None
        self.health = Health(BoxProbe(runtime, self.client, self.keeper.told if self.keeper else None))
        self.timezone = self.settings.timezone or machine_zone()
        self.watch = TokenWatch(self)
        self.page = load_page()
        self.viewers = Viewers(runtime, self.page)
        self.metrics = Metrics()
        self._restored = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def _hear(self, said: clients.Event) -> None:
        if said.get("type") == "ask":
            self.board.ask_soon(said)
        elif said.get("type") == "pin":
            self._soon(self._pin(said))
        else:
            if said.get("type") == "cancel":
                self.board.stop(said)
            self.bridge.acknowledge(said)

    async def _pin(self, said: clients.Event) -> None:
        heard = self.access.browsers.heard
        try:
            await self.board.pin(said, heard.rooms if heard else None)
        except ApplianceError as error:
            self.bridge.acknowledge(said, error)
        else:
            self.bridge.acknowledge(said)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def role(self, request: Request | WebSocket) -> RoleName:
        """The role of a request's credential."""
        return self.access.role(credential(request))

    def screen(self, request: Request | WebSocket) -> Known | None:
        """The screen that a request's browser is, or None."""
        given = credential(request)
        return self.access.browsers.known(given) if is_browser(given) else None

    async def learn_browsers(self) -> None:
        """Go from now on by what the bridge knows of browsers at this moment."""
        with contextlib.suppress(httpx.HTTPError, msgspec.DecodeError):
            await door_screens.learn_browsers(self)

    async def to_data(self, request: Request, path: str, wanted: str | None, **more: str) -> Response:
        """Send a request on to the data service, under its role or the one it wants to act as; `more` are headers."""
        role = self.access.acting(self.role(request), wanted)
        headers = {"Authorization": f"Bearer {self.runtime.token}", "X-Role": role} | more
        absent = ApplianceError(
            "BRG406", "The data service does not answer.", None, "It is being restarted; try again in a moment."
        )
        url, limit = f"{self.runtime.pgflex_url}{path}", self.settings.document_limit
        return await forward(request, self.client, url, headers, limit=limit, absent=absent)

    async def run(self) -> None:
        """Everything that goes on while the door is open, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._join_bridge())
            tasks.create_task(self.board.run())
            tasks.create_task(self.alarms.run())
            tasks.create_task(self.observer.run())
            tasks.create_task(self.observer.run_digests())
            tasks.create_task(self.health.run(self._tell_health))
            tasks.create_task(self._watch_changes())
            tasks.create_task(self.watch.run())
            tasks.create_task(door_screens.follow_browsers(self))
            tasks.create_task(self.ledger.run())
            tasks.create_task(self._open())

    async def _open(self) -> None:
        await self.health.wait_well(besides="bridge")
        demo = await self.learn_demo()
        await self.alarms.loaded()
        await self.board.restore(tuple(demo.get("pinned") or ()))
        self._restored.set()

    async def learn_demo(self) -> dict[str, Any]:
        """Go by the demo that the database holds, if any."""
        self.demo = (await self.client.get(f"{self.runtime.pgflex_url}/demo")).json()
        self.tell_box()
        return self.demo

    @property
    def facility(self) -> str:
        """What the house is called."""
        return self.chosen.value("facility") or self.demo.get("facility") or self.settings.box_name

    def tell_box(self) -> None:
        """Tell the screens whose box this is."""
        told: dict[str, Any] = {"box.name": self.settings.box_name, "box.facility": self.facility}
        told["box.language"] = self.chosen.value("language")
        told |= {"box.timezone": self.timezone, "box.page": version(self.page)}
        self.bridge.set(told | {"box.suggestions": self.demo.get("questions") or []})

    async def _join_bridge(self) -> None:
        """Take the bridge over once the board is back: a restart of the gateway must not empty the screens."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._restored.wait(), HOLD_S)
        await self.bridge.run()

    def _tell_health(self) -> None:
        self.bridge.set({"box.parts": self.health.parts()})

    async def _watch_changes(self) -> None:
        async for kind, data in clients.changes(self.client, self.runtime):
            self.alarms.hear(kind, data)
            self.observer.hear(kind, data)
            if kind in ("change", "moved"):
                self.board.changed(data.get("collection"))
                self.metrics.changes.inc(data.get("n", 1))
            elif kind == "catalog":
                self.assistant.forget_catalog()
            elif kind in ("ready", "gap"):
                self.assistant.forget_catalog()
                self.board.changed(None)


class Metrics:
    """The numbers behind ``/metrics``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.asked = Counter("dreamstack_questions", "Questions by outcome.", ["status"], registry=self.registry)
        self.took = Histogram("dreamstack_answer_seconds", "Question to answer.", registry=self.registry)
        self.changes = Counter("dreamstack_changes", "Changes heard from the feed.", registry=self.registry)
        self.part = Gauge("dreamstack_part_up", "1 when a part of the box is well.", ["part"], registry=self.registry)
        self.reread = Gauge("dreamstack_answers_reread", "Answers read anew since the start.", registry=self.registry)

    def text(self, gateway: Gateway) -> bytes:
        """The numbers as Prometheus reads them."""
        for finding in gateway.health.findings:
            self.part.labels(finding.name).set(finding.state != "down")
        self.reread.set(gateway.board.reread)
        return generate_latest(self.registry)


def make(runtime: Runtime) -> FastAPI:
    """The gateway's app."""
    gateway = Gateway(runtime)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(gateway.load)
        task = essential("gateway", gateway.run())
        yield
        await gateway.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await gateway.client.aclose()
        await gateway.plain.aclose()
        await shapes.close()

    app = FastAPI(
        title="DreamStack Appliance",
        version=appliance.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses={status: {"model": ErrorBody, "description": "Any error"} for status in ("4XX", "5XX", 422)},
    )
    install_errors(app, "gateway", Guard(gateway), notice, lambda path: body_limit(path, gateway.settings))
    app.state.keeper = gateway.keeper
    _pages(app, gateway)
    _api(app, gateway)
    door_console.install(app, gateway)
    door_alerts.install(app, gateway)
    door_watching.install(app, gateway)
    door_roles.install(app, gateway)
    door_listen.install(app, gateway)
    door_model.install(app, gateway)
    door_recordings.install(app, gateway)
    door_import.install(app, gateway)
    door_screens.install(app, gateway)
    door_join.install(app, gateway)
    install_doors(app, gateway)
    shapes = door_shapes.install(app, gateway)
    _data(app, gateway)
    return app


def body_limit(path: str, settings: Settings) -> int | None:
    """Bytes that a request to a path may have; None: what takes it counts for itself."""
    if _UPLOADS.fullmatch(path):
        return None
    return settings.document_limit if path.startswith(("/flex/", "/rest/")) else BODY_LIMIT


class Guard:
    """What every request passes first, whatever it asks for."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, request: Request) -> None:
        """Raise unless the request is meant for this box and, with ``--lan``, carries a credential."""
        check_meant(request, self._gateway.settings)
        path = request.url.path
        keyed = path == "/" and "key" in request.query_params
        joins = path in door_join.PATHS or door_join.wants_to_join(self._gateway, request)
        if path not in OPEN and not keyed and not joins and not door_console.is_open(path):
            self._gateway.role(request)


def _pages(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        key = request.query_params.get("key")
        if key:
            return _signed_in(request, gateway, key)
        return (
            door_join.join_page(gateway)
            if _is_unknown(request, gateway)
            else served(request, gateway.page, microphone=gateway.settings.listening)
        )

    @app.get("/favicon.svg", include_in_schema=False)
    async def icon() -> Response:
        return Response(gateway.page.icon, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})

    install_parts(app)

    @app.get("/s/{stream}", include_in_schema=False)
    async def stream_page(request: Request, stream: str) -> Response:
        if _is_unknown(request, gateway):
            return door_join.join_page(gateway)
        known, own = gateway.screen(request), gateway.role(request)
        role = next((role for role in ROLES if role == own), ROLES[0])
        return served(request, await gateway.viewers.page(stream, role, known.id if known else "viewer"))

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        try:
            check_meant(websocket, gateway.settings)
            role = gateway.access.screen_role(credential(websocket), websocket.query_params.get("role"))
            known = gateway.screen(websocket)
        except ApplianceError as error:
            began = SIGNED_IN in websocket.cookies or is_browser(credential(websocket))
            await refuse(websocket, error, told=began)
            return
        await relay(websocket, gateway.runtime, role, known.id if known else "")


def _is_unknown(request: Request, gateway: Gateway) -> bool:
    try:
        gateway.role(request)
    except ApplianceError as error:
        if error.code != "BRG401":
            raise
        return True
    return False


def _is_known(request: Request, gateway: Gateway) -> bool:
    """Whether a request may know more than that the box is well: versions, folders and parts are nobody else's."""
    with contextlib.suppress(ApplianceError):
        gateway.role(request)
        return True
    return False


def _signed_in(request: Request, gateway: Gateway, key: str) -> Response:
    gateway.access.role(no_session(key))
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, key, max_age=30 * 86400, httponly=True, samesite="lax", path="/", secure=secure)
    return answer


def _api(app: FastAPI, gateway: Gateway) -> None:
    @app.post("/api/ask", summary="Ask in plain words")
    async def ask(request: Request, body: AskBody) -> Json:
        role = gateway.access.acting(gateway.role(request), body.role)
        began = time.perf_counter()
        known = gateway.screen(request)
        screen, room = (known.id, known.room) if known else ("", "")
        account = gateway.account(request)
        found = await gateway.board.ask(body.question, role, screen, body.plan, room=room, account=account)
        gateway.metrics.asked.labels(found.status).inc()
        gateway.metrics.took.observe(time.perf_counter() - began)
        return Json(found)

    @app.get("/api/catalog", summary="What this role may see")
    async def catalog(request: Request, role: str | None = None) -> Json:
        return Json(await gateway.assistant.catalog(gateway.access.acting(gateway.role(request), role)))

    @app.get("/health", summary="How the box is")
    async def health(request: Request) -> Json:
        known = _is_known(request, gateway)
        findings = await (gateway.health.look() if known else gateway.health.recent())
        told = [
            {"name": f.name, "state": f.state, "sentence": f.sentence, "fix": f.fix, "took_ms": f.took_ms}
            for f in findings
        ]
        well = gateway.health.well and gateway.bridge.connected
        more = {"version": appliance.__version__, "checks": told} if known else {}
        return Json({"status": "ok" if well else "degraded", **more}, 200 if well else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        told = gateway.metrics.text(gateway) + await model_numbers(gateway.client, gateway.runtime)
        return PlainTextResponse(told, media_type=CONTENT_TYPE_LATEST)


def _data(app: FastAPI, gateway: Gateway) -> None:
    settings, runtime = gateway.settings, gateway.runtime
    no_rest = ApplianceError(
        "PGF102", "Rows cannot be read or written just now.", None, "It is being restarted; try again in a moment."
    )

    @app.api_route(
        "/rest/{path:path}", methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"], include_in_schema=False
    )
    async def rest(request: Request, path: str) -> Response:
        role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
        headers = {"Authorization": f"Bearer {gateway.rest.token(role)}"}
        target = f"{runtime.postgrest_url}/{raw_path(request, '/rest/')}"
        request = await with_own_columns(request, path, role, gateway.watch)
        return await forward(request, gateway.plain, target, headers, limit=settings.document_limit, absent=no_rest)

    @app.api_route("/flex/{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"], include_in_schema=False)
    async def flex(request: Request, path: str) -> Response:
        return await gateway.to_data(request, f"/flex/{raw_path(request, '/flex/')}", request.headers.get("x-role"))

    @app.get("/changes", include_in_schema=False)
    async def changes(request: Request) -> Response:
        role = gateway.access.acting(gateway.role(request), request.query_params.get("role"))
        collection = request.query_params.get("collection")
        if collection is not None and not _NAME.match(collection):
            raise ApplianceError("BRG410", "This is no collection's name.", collection[:80])
        query = f"role={role}" + (f"&collection={collection}" if collection else "")
        request.scope["query_string"] = query.encode()
        return await gateway.to_data(Request(request.scope, request.receive), "/changes", role)


def main() -> None:
    """Entry point of ``appliance-gateway``."""
    start("gateway", make, serve_door)


if __name__ == "__main__":
    main()
