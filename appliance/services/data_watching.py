"""The data service's addresses of what is unusual and of digests; the gateway has them under ``/api``.

GET    /unusual?state=&limit=        what was told, the newest first
POST   /unusual/{id}/acknowledge     {"name": "Maria"} or nothing -> it
GET    /digest?collection=&since=&until=   what happened, a line for each collection
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import FastAPI, Path, Query, Request, Response

from appliance.errors import ApplianceError
from appliance.pgflex.fields import read_json
from appliance.pgflex.watching.seasons import day_so_far
from appliance.services.internal import Json, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]

Which = Annotated[int, Path(ge=1, lt=2**63)]
LONGEST = timedelta(days=100)


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""

    @app.get("/unusual")
    async def unusual(
        request: Request,
        state: Literal["active", "over"] | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        await service.watching.round()
        return Json(await service.watching.events(role_of(request), state, limit))

    @app.post("/unusual/{which}/acknowledge")
    async def acknowledge(which: Which, request: Request) -> Response:
        body = await request.body()
        told = read_json(body) if body else {}
        name = told.get("name", "") if isinstance(told, dict) and told.keys() <= {"name"} else None
        if not isinstance(name, str):
            raise ApplianceError("BRG410", "The request is not what this address takes.", {"takes": ["name"]})
        return Json(await service.watching.acknowledge(which, name, role_of(request)))

    @app.get("/digest")
    async def digest(
        request: Request, collection: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Response:
        await service.watching.round()
        now = service.watching.now
        start, end = (
            each.replace(tzinfo=now.tzinfo) if each and each.tzinfo is None else each for each in (since, until)
        )
        end = min(end.astimezone(now.tzinfo), now) if end else now
        start = start.astimezone(now.tzinfo) if start else day_so_far(end).start
        if not timedelta() < end - start <= LONGEST:
            raise ApplianceError(
                "BRG410",
                "A digest begins before it ends, and is of at most 100 days.",
                {"since": start.isoformat(), "until": end.isoformat()},
                "Give since and until as ISO 8601; a plus sign in an address is written %2B.",
            )
        return Json(await service.digests.tell(role_of(request), start, end, collection))
