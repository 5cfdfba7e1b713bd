"""The data service's addresses of roles, conditions, masks and tokens; the gateway has them under ``/api``.

GET    /roles                            every role (the admin), or the asker's own
GET    /roles/{role}                     one of them
PUT    /roles/{role}                     {"label": "Nurse", "level": "staff"} -> the role
DELETE /roles/{role}                     -> 204
PUT    /roles/{role}/collections/{collection}                  {"where": [...], "access": "read"}
DELETE /roles/{role}/collections/{collection}                  -> 204
PUT    /roles/{role}/collections/{collection}/fields/{field}   {"mask": "initials"}
DELETE /roles/{role}/collections/{collection}/fields/{field}   -> 204
PUT    /collections/{collection}         {"audience": "wall", "fields": ["Ward"]}
GET    /tokens                           the asker's role's tokens, the admin's all
POST   /tokens                           {"role": "nurse", "ttl_s": 900, "label": ""} -> 201, the token
DELETE /tokens/{jti}                     -> 204
DELETE /roles/{role}/tokens              {"revoked": 3}
GET    /access?role=                     for the gateway: what the role may read, by collection
GET    /access/state, /access/events     for the gateway: roles and revoked tokens, once or as events
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.errors import ApplianceError
from appliance.pgflex.access.role_book import RoleBook
from appliance.pgflex.access.roles import may_act, only_admin
from appliance.pgflex.access.tokens import TTL_S
from appliance.pgflex.fields import read_json
from appliance.services.internal import STREAM_GRACE_S, Json, known_role, role_of
from appliance.types import Role, RoleName

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]

_PING_S = 10


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that asks for a token."""

    role: RoleName
    ttl_s: int = TTL_S
    label: str = ""


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    app.state.roles = lambda: service.book.state.levels
    _roles(app, service)
    _rights(app, service)
    _tokens(app, service)
    _access(app, service.book, service)


def _roles(app: FastAPI, service: DataService) -> None:
    roles = service.roles

    @app.get("/roles")
    async def listed(request: Request) -> Response:
        by = role_of(request)
        return Json(await roles.listed() if by == "admin" else [await roles.get(by)])

    @app.get("/roles/{role}")
    async def one(role: str, request: Request) -> Response:
        by = role_of(request)
        if by != role:
            only_admin(by)
        return Json(await roles.get(role))

    @app.put("/roles/{role}")
    async def declare(role: str, request: Request) -> Response:
        told = await roles.declare(role, read_json(await request.body()), role_of(request))
        await service.book.reload()
        return Json(told)

    @app.delete("/roles/{role}")
    async def remove(role: str, request: Request) -> Response:
        await roles.remove(role, role_of(request))
        await service.book.reload()
        return Response(status_code=204)


def _rights(app: FastAPI, service: DataService) -> None:
    roles, whose = service.roles, "/roles/{role}/collections/{collection}"

    @app.put(whose)
    async def permit(role: str, collection: str, request: Request) -> Response:
        return Json(await roles.permit(role, collection, read_json(await request.body()), role_of(request)))

    @app.delete(whose)
    async def unpermit(role: str, collection: str, request: Request) -> Response:
        await roles.unpermit(role, collection, role_of(request))
        return Response(status_code=204)

    @app.put(whose + "/fields/{field:path}")
    async def mask(role: str, collection: str, field: str, request: Request) -> Response:
        return Json(await roles.mask(role, collection, field, read_json(await request.body()), role_of(request)))

    @app.delete(whose + "/fields/{field:path}")
    async def unmask(role: str, collection: str, field: str, request: Request) -> Response:
        await roles.unmask(role, collection, field, role_of(request))
        return Response(status_code=204)

    @app.put("/collections/{collection}")
    async def show(collection: str, request: Request) -> Response:
        return Json(await roles.show(collection, read_json(await request.body()), role_of(request)))


def _tokens(app: FastAPI, service: DataService) -> None:
    tokens = service.tokens

    @app.get("/tokens")
    async def listed(request: Request) -> Response:
        return Json(await tokens.listed(role_of(request)))

    @app.post("/tokens")
    async def issue(request: Request) -> Response:
        by, asked = role_of(request), _asked(read_json(await request.body()))
        _check_may_act(by, asked.role, service.book.state.levels)
        parent = request.headers.get("x-token")
        return Json(await tokens.issue(asked.role, by, asked.ttl_s, asked.label, parent), status_code=201)

    @app.delete("/tokens/{jti}")
    async def revoke(jti: str, request: Request) -> Response:
        await tokens.revoke(jti, role_of(request))
        await service.book.reload()
        return Response(status_code=204)

    @app.delete("/roles/{role}/tokens")
    async def revoke_all(role: str, request: Request) -> Response:
        only_admin(role_of(request))
        told = {"revoked": await tokens.revoke_all(role)}
        await service.book.reload()
        return Json(told)


def _check_may_act(by: RoleName, wanted: RoleName, levels: dict[RoleName, Role]) -> None:
    """The door has looked at that already; a token is too much to give out on its word alone."""
    if wanted in levels and not may_act(by, wanted, levels):
        raise ApplianceError("BRG402", f"The role {by} may not act as {wanted}.", None, f"Ask as {by}.")


def _access(app: FastAPI, book: RoleBook, service: DataService) -> None:
    app.state.endings.append(book.end)

    @app.get("/access")
    async def access(request: Request, role: str) -> Response:
        return Json(await service.roles.access(known_role(request, role)))

    @app.get("/access/state")
    async def state() -> Response:
        await book.reload()
        return Json(book.state)

    @app.get("/access/events")
    async def events() -> Response:
        return EventSourceResponse(_states(book), ping=_PING_S, shutdown_grace_period=STREAM_GRACE_S)


async def _states(book: RoleBook) -> AsyncIterator[Any]:
    async with aclosing(book.states()) as states:
        async for state in states:
            yield ServerSentEvent(msgspec.json.encode(state).decode(), event="access")


def _asked(body: Any) -> _Asked:
    try:
        return msgspec.convert(body, _Asked)
    except msgspec.ValidationError as error:
        raise ApplianceError(
            "PGF151", "This does not ask for a token.", str(error), 'Send {"role": "nurse", "ttl_s": 900}.'
        ) from None
