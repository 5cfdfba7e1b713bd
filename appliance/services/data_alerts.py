"""The data service's addresses of alerts; the gateway has them under ``/api``.

GET    /alerts                           rules the role may know of
POST   /alerts                           a declaration -> 201, the rule; ?dry_run=true checks it and does nothing
GET    /alerts/{id}                      one rule
PATCH  /alerts/{id}                      {"enabled": false} -> the rule
DELETE /alerts/{id}                      -> 204
GET    /alerts/events?state=&limit=      what fired, the newest first
POST   /alerts/events/{id}/acknowledge   {"name": "Maria"} or nothing -> the alert
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request, Response

from appliance.errors import ApplianceError
from appliance.pgflex.fields import read_json
from appliance.services.internal import Json, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]

Which = Annotated[int, Path(ge=1, lt=2**63)]


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    _events(app, service)
    _rules(app, service)


def _events(app: FastAPI, service: DataService) -> None:
    @app.get("/alerts/events")
    async def events(
        request: Request,
        state: Literal["active", "cleared"] | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        return Json(await service.alerts.events(role_of(request), state, limit))

    @app.post("/alerts/events/{event}/acknowledge")
    async def acknowledge(event: Which, request: Request) -> Response:
        body = await request.body()
        name = _asked(read_json(body) if body else {}, "name", str, "")
        return Json(await service.alerts.acknowledge(event, name, role_of(request)))


def _rules(app: FastAPI, service: DataService) -> None:
    @app.get("/alerts")
    async def rules(request: Request) -> Response:
        return Json(await service.alerts.rules(role_of(request)))

    @app.post("/alerts")
    async def declare(request: Request, dry_run: bool = False) -> Response:
        role = role_of(request)
        told = await service.alerts.declare(read_json(await request.body()), role, dry_run)
        service.catalogs.mark("alerts")
        return Json(told, status_code=200 if dry_run else 201)

    @app.get("/alerts/{which}")
    async def rule(which: Which, request: Request) -> Response:
        return Json(await service.alerts.get(which, role_of(request)))

    @app.patch("/alerts/{which}")
    async def enable(which: Which, request: Request) -> Response:
        enabled = _asked(read_json(await request.body()), "enabled", bool, None)
        return Json(await service.alerts.enable(which, enabled, role_of(request)))

    @app.delete("/alerts/{which}")
    async def delete(which: Which, request: Request) -> Response:
        await service.alerts.delete(which, role_of(request))
        return Response(status_code=204)


def _asked(body: Any, name: str, kind: type, default: Any) -> Any:
    """The one value a body may have.

    Raises:
        ApplianceError: BRG410, it is another body.
    """
    value = body.get(name, default) if isinstance(body, dict) and body.keys() <= {name} else None
    if not isinstance(value, kind):
        raise ApplianceError("BRG410", "The request is not what this address takes.", {"takes": [name]})
    return value
