"""Around every request: whose session it came with, that the box's own page sent it, and what it did for the audit.

Plain ASGI, so that streams and WebSockets go through untouched.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.errors import ApplianceError
from appliance.services.admin.ledger import Deed
from appliance.services.admin.sessions import COOKIE, csrf_of, signed_out
from appliance.services.browsers import is_browser
from appliance.services.door import SESSION, credential
from appliance.services.ending import serve_until
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["Audited", "Signed", "address_of", "note", "who"]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN: Final = frozenset({"/api/session", "/api/setup", "/api/setup/restore"})
"""Where somebody signs in: what proves them is in the request."""
_QUIET: Final = re.compile(r"/api/(session|ask|prose|join|setup)\b")
"""What is no admin's work, or is told by itself."""
_FLEX_WORK: Final = re.compile(r"/flex/[^/]+/(import\Z|fields/|relations/)")
"""What changes a collection itself, or brings a file; rows that programs write are in the change feed, not here."""
_TAKEN_ALONG: Final = re.compile(r"/api/admin/backups/[^/]+\Z")
"""What is only read, and is all that the box knows."""
_PASSIVE: Final = re.compile(r"/(picture\.png|events)\Z")


class Signed:
    """Finds a request's session, refuses what another page may have sent, and ends with the session."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        token = self._token(scope) if scope["type"] in ("http", "websocket") else ""
        if not token:
            await self._app(scope, receive, send)
            return
        scope[SESSION] = token
        if scope["type"] == "http" and not is_proved(Request(scope), token):
            error = ApplianceError(
                "BRG482", "The request does not prove that the box's own page sent it.", None, "Send X-CSRF-Token."
            )
            await Json(error.shape(), error.status)(scope, receive, send)
            return
        sessions = self._gateway.sessions
        if scope.get("method", "GET") in SAFE:
            await serve_until(self._app, scope, receive, send, sessions.gone(token), signed_out())
        else:  # it may be what ends the session, and is answered still
            await self._app(scope, receive, send)
        await sessions.keep()

    def _token(self, scope: Scope) -> str:
        connection = HTTPConnection(scope)
        token = connection.cookies.get(COOKIE, "")
        if not token or connection.headers.get("authorization", "").casefold().startswith("bearer "):
            return ""
        return token if self._gateway.sessions.find(token, used=is_use(scope, connection)) else ""


def is_use(scope: Scope, connection: HTTPConnection) -> bool:
    """Whether somebody does something, or a page only keeps itself up to date."""
    if scope["type"] != "http" or "x-background" in connection.headers:
        return False
    return _PASSIVE.search(scope["path"]) is None


def is_proved(request: Request, token: str) -> bool:
    """Whether a request only reads, or carries what only the box's own page knows."""
    if request.method in SAFE or (request.url.path in OPEN and request.method == "POST"):
        return True
    given = request.headers.get("x-csrf-token", "").encode("latin-1")
    return hmac.compare_digest(given, csrf_of(token).encode())


class Audited:
    """Writes down what changes something: by whom, from where, and how it was answered."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _is_work(scope):
            await self._app(scope, receive, send)
            return
        status, detail = 500, dict[str, Any]()
        scope.setdefault("state", {})["audit"] = detail

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._write(scope, status, detail)

    def _write(self, scope: Scope, status: int, detail: dict[str, Any]) -> None:
        request = Request(scope)
        try:
            name, role = who(self._gateway, request)
        except ApplianceError:
            return  # nobody the box knows: it was refused at the door
        route = scope.get("route")
        path = getattr(route, "path", "") or scope["path"]
        given = {key: str(value)[:200] for key, value in (scope.get("path_params") or {}).items()}
        deed = Deed(
            who=name,
            role=role,
            address=address_of(request),
            action=f"{scope['method']} {path.replace(':path}', '}')}",
            what=getattr(route, "summary", None) or "",
            target="/".join(given.values()),
            status=status,
            detail=detail,
        )
        self._gateway.ledger.did(deed)


def _is_work(scope: Scope) -> bool:
    path: str = scope["path"]
    if scope["method"] in SAFE:
        return _TAKEN_ALONG.match(path) is not None
    if path.startswith("/api/"):
        return _QUIET.match(path) is None
    if path.startswith(("/flex/", "/rest/")):
        return SESSION in scope or _FLEX_WORK.match(path) is not None
    return False


def note(request: Request, **told: Any) -> None:
    """Have the audit say more of a request; nothing secret."""
    detail = getattr(request.state, "audit", None)
    if detail is not None:
        detail.update({name: value for name, value in told.items() if value not in (None, "")})


def who(gateway: Gateway, request: Request) -> tuple[str, str]:
    """Who sent a request, for the audit, and its role.

    Raises:
        ApplianceError: nobody the box knows.
    """
    role = gateway.role(request)
    token = request.scope.get(SESSION)
    if token and (session := gateway.sessions.find(token)) is not None:
        return session.name, role
    given = credential(request)
    if not given:
        return "this machine", role
    if is_browser(given):
        return gateway.access.browsers.known(given).id, role
    found = gateway.access.token(given)
    return (f"token {found.jti[:8]}" if found else f"{role} key"), role


def address_of(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else ""
