"""What the box's loopback services share: who may call them, how errors look, how they are served.

Every request needs ``Authorization: Bearer <Runtime.token>``, a key that lives only in the memory of the
box's own processes. Every error leaves in the one shape of :mod:`appliance.errors`; what nobody foresaw is
logged with its place and leaves without internals.

    def make(runtime: Runtime) -> FastAPI:
        app = make_app("llm", runtime)

        @app.get("/health")
        async def health() -> Json:
            return Json({"status": "ok"})

        return app

    if __name__ == "__main__":
        start("llm", make)
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import signal
import socket
import traceback
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.observation import Logger, logger
from appliance.services.sockets import SocketProtocol
from appliance.types import ROLES, Role, RoleName

__all__ = [
    "STREAM_GRACE_S",
    "Json",
    "Server",
    "bind",
    "body_within",
    "checked_role",
    "config_of",
    "essential",
    "known_role",
    "make_app",
    "role_of",
    "serve",
    "start",
]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Guard = Callable[[Request], None]
Page = Callable[[Request, ApplianceError], Response | None]
Limit = Callable[[str], int | None]

_UNFORESEEN: Final = {"pgflex": "PGF100", "llm": "LLM200"}
_HTTP_CODES: Final = {401: "BRG401", 403: "BRG402", 404: "BRG404", 405: "BRG405", 413: "PGF109"}
_SHUTDOWN_S: Final = 1
_END_S: Final = 0.1
STREAM_GRACE_S: Final = 0.8
"""What an event stream gets to end by itself when the service stops, before it is cut off: less than a second."""


class Json(Response):
    """A JSON response written by msgspec: structs, dates and decimals (as numbers) need no help."""

    media_type = "application/json"
    _encoder = msgspec.json.Encoder(decimal_format="number")

    def render(self, content: Any) -> bytes:
        """The body."""
        return self._encoder.encode(content)


def make_app(part: str, runtime: Runtime, lifespan: Lifespan | None = None, own: tuple[str, ...] = ()) -> FastAPI:
    """A FastAPI app that checks the bearer and tells every error in the one shape.

    Args:
        part: the service's name in logs (``pgflex``, ``llm``, ``bridge``).
        runtime: holds the bearer token.
        lifespan: opens and closes what the service holds.
        own: what else than ``/end`` is of the parts among themselves, with all below it.
    """
    app = FastAPI(title=f"appliance-{part}", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    install_errors(app, part, _bearer(runtime.token, ("/end", *own)))

    @app.post("/end")
    async def end() -> Json:
        """End the process; who started it starts it anew."""
        asyncio.get_running_loop().call_later(_END_S, os.kill, os.getpid(), signal.SIGTERM)
        return Json({"ends": True})

    return app


def install_errors(
    app: FastAPI,
    part: str,
    guard: Guard,
    page: Page = lambda request, error: None,
    limit: Limit = lambda path: None,
) -> None:
    """Let `guard` look at every request first, and tell every error in the one shape.

    Args:
        app: the service's app.
        part: its name in logs.
        guard: raises ApplianceError for a request that may not come in.
        page: makes a page of an error where a person is asking, else None.
        limit: bytes a body may have that is sent to a path; None: what is there counts for itself.
    """

    async def told(request: Request, error: Exception) -> Response:
        fault, headers = _as_fault(request, error)
        return page(request, fault) or _told(fault, headers)

    app.router.route_class = _Route
    for kind in (ApplianceError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, told)
    unforeseen = _UNFORESEEN.get(part, "BRG400")
    app.add_middleware(_Guarded, guard=guard, page=page, limit=limit, log=logger(part), unforeseen=unforeseen)


def _bearer(token: str, own: tuple[str, ...]) -> Guard:
    """Only the box's own processes come in; and what they ask in somebody's name (``X-Role``) never leads to `own`."""
    expected = f"Bearer {token}".encode()
    below = tuple(f"{path}/" for path in own)

    def guard(request: Request) -> None:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, expected):
            raise ApplianceError("BRG401", "This address is for the box's own processes.", request.url.path)
        if "x-role" in request.headers and f"{request.scope['path']}/".startswith(below):
            raise ApplianceError("BRG404", "There is nothing at this address.", request.scope["path"])

    return guard


def role_of(request: Request) -> RoleName:
    """The role a request acts as: header ``X-Role``.

    Raises:
        ApplianceError: BRG410, missing or unknown.
    """
    return known_role(request, request.headers.get("x-role"))


def known_role(request: Request, name: str | None) -> RoleName:
    """`name` as a role: a built-in one, or where the app knows of declared ones (``app.state.roles``) one of those.

    Raises:
        ApplianceError: BRG410, missing or unknown.
    """
    known = getattr(request.app.state, "roles", lambda: ROLES)()
    if name is None or name not in known:
        raise _no_role(name, known)
    return name


def checked_role(name: str | None) -> Role:
    """`name` as a built-in role.

    Raises:
        ApplianceError: BRG410, missing or unknown.
    """
    if name not in ROLES:
        raise _no_role(name, ROLES)
    return name


def _no_role(name: str | None, known: Iterable[str]) -> ApplianceError:
    return ApplianceError("BRG410", "The request does not name a role.", {"role": name}, f"One of {', '.join(known)}.")


def start(
    part: str, make: Callable[[Runtime], FastAPI], serving: Callable[[FastAPI, Runtime], None] | None = None
) -> None:
    """Entry point of a service: read the runtime, serve until told to stop; `serving` in the place of :func:`serve`.

    A fault that prevents the start is told in one line on stderr and ends the process with status 1.
    """
    try:
        runtime = Runtime.from_environment()
        app = make(runtime)
        if serving is None:
            serve(app, getattr(runtime, f"{part}_url"))
        else:
            serving(app, runtime)
    except ApplianceError as error:
        logger(part).error(error.line())
        raise SystemExit(1) from None


def essential(part: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Work without which a service is of no use, as a task.

    When it fails in a way nobody foresaw, that is logged and the process ends, so that the box starts it anew.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(lambda ended: _end_with(part, ended))
    return task


def _end_with(part: str, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is None:
        return
    for cause in error.exceptions if isinstance(error, BaseExceptionGroup) else (error,):
        logger(part).error("unforeseen, starting anew", error=repr(cause), place=_place(cause))
    os.kill(os.getpid(), signal.SIGTERM)


def serve(app: FastAPI, url: str) -> None:
    """Serve `app` at the loopback address `url` until SIGTERM or SIGINT, then stop within a second.

    First the functions in ``app.state.endings`` are called, where an app that holds streams open ends them.

    Raises:
        ApplianceError: BRG407, the port is in use.
    """
    with bind(url) as bound:
        Server(config_of(app), app).run(sockets=[bound])


def config_of(app: FastAPI) -> uvicorn.Config:
    """How every service of the box is served."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else whoever is on this machine says where a request came from
        ws=SocketProtocol,
        ws_per_message_deflate=False,  # costs more time and memory for each screen than a local network takes
        lifespan="on",
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


class Server(uvicorn.Server):
    """A server that ends the app's streams before it waits for its connections to finish."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._served = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then do as uvicorn does."""
        for end in getattr(self._served.state, "endings", ()):
            end()
        await super().shutdown(sockets)


def bind(url: str) -> socket.socket:
    """A TCP socket bound to the address of `url`.

    Raises:
        ApplianceError: BRG407, the port is in use.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 0
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say they are TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ApplianceError("BRG407", f"Port {port} is in use.", str(error), "Stop the other program.") from None
    return bound


def _as_fault(request: Request, error: Exception) -> tuple[ApplianceError, Any]:
    """Any error of the framework as one of ours, and the headers it is told with."""
    if isinstance(error, ApplianceError):
        return error, None
    if isinstance(error, RequestValidationError):
        seen = [{"at": ".".join(map(str, item["loc"])), "problem": item["msg"]} for item in error.errors()]
        return ApplianceError("BRG410", "The request is not what this address takes.", seen), None
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "BRG400")
    messages = {
        "BRG404": "There is nothing at this address.",
        "BRG405": "This address does not take that method.",
        "PGF109": "The request is over the limit.",
    }
    return ApplianceError(code, messages.get(code, str(error.detail)), request.url.path), error.headers


def _told(error: ApplianceError, headers: Any = None) -> Json:
    return Json(error.shape(), status_code=error.status, headers=headers)


class _Strict(Request):
    """A request whose body is JSON in UTF-8, or none: half a surrogate pair is no text, and could not be told on."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class _Route(APIRoute):
    """A route that reads bodies strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_Strict(request.scope, request.receive))

        return strict


class _Guarded:
    """Refuses what the guard refuses and what is too long, and answers for exceptions nobody foresaw.

    Plain ASGI rather than a Starlette ``BaseHTTPMiddleware``, which would buffer and hold event streams.
    """

    def __init__(self, app: ASGIApp, guard: Guard, page: Page, limit: Limit, log: Logger, unforeseen: str) -> None:
        self._app = app
        self._guard = guard
        self._page = page
        self._limit = limit
        self._log = log
        self._unforeseen = unforeseen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        await self._guarded(scope, receive if limit is None else _counted(receive, limit), send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            refused = self._refusal(Request(scope))
            await (refused or self._app)(scope, receive, watched)
        except Exception as error:
            self._log.error("unforeseen", path=scope["path"], error=repr(error), place=_place(error))
            if begun:
                raise
            fault = ApplianceError(
                self._unforeseen, "Something failed that nobody foresaw.", None, "See the box's log."
            )
            await _told(fault)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        """The answer to a request that the guard refuses."""
        try:
            self._guard(request)
        except ApplianceError as refused:
            headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
            return self._page(request, refused) or _told(refused, headers)
        return None


async def body_within(request: Request, limit: int, too_long: ApplianceError) -> bytes:
    """A request's body, refused as soon as it is over `limit` bytes.

    Raises:
        ApplianceError: `too_long`.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_long
    return bytes(body)


def _counted(receive: Receive, limit: int) -> Receive:
    """A body that ends with 413 once it is longer, so that nobody fills the memory; who reads it hears of that."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413)  # the one error that the framework lets through while it reads a body
        return message

    return counted


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-4:]))
