"""The data service's addresses of the ledger, for the gateway.

POST   /ledger/audit                       a list of entries -> the end of the chain
GET    /ledger/audit?before=&limit=&q=     entries, the newest first
POST   /ledger/audit/check                 the end as the gateway remembers it -> is the chain whole?
POST   /ledger/questions?days=             a list of questions, kept for so many days
GET    /ledger/questions?before=&limit=&q=&status=
GET    /ledger/questions/summary?zone=&day=
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import FastAPI, Query, Request, Response

from appliance.pgflex.ledger import Asked, Entry, Head
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["install"]

Limit = Annotated[int, Query(ge=1, le=1000)]


def install(app: FastAPI, service: DataService) -> None:
    """Add the addresses to the data service."""
    ledger = service.ledger

    @app.post("/ledger/audit")
    async def write(request: Request) -> Response:
        return Json(await ledger.write(msgspec.json.decode(await request.body(), type=list[Entry])))

    @app.get("/ledger/audit")
    async def audits(before: int | None = None, limit: Limit = 100, q: str = "") -> Response:
        return Json(await ledger.audits(before, limit, q))

    @app.post("/ledger/audit/check")
    async def check(request: Request) -> Response:
        return Json(await ledger.check(msgspec.json.decode(await request.body(), type=Head | None)))

    @app.post("/ledger/questions")
    async def ask(request: Request, days: int) -> Response:
        await ledger.ask(msgspec.json.decode(await request.body(), type=list[Asked]), days)
        return Json({"kept": True})

    @app.get("/ledger/questions")
    async def questions(before: int | None = None, limit: Limit = 100, q: str = "", status: str = "") -> Response:
        return Json(await ledger.questions(before, limit, q, status))

    @app.get("/ledger/questions/summary")
    async def summary(zone: str = "UTC", day: str | None = None) -> Response:
        return Json(await ledger.summary(zone, day))
