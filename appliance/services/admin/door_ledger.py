"""The gateway's addresses of the audit and of the questions that were asked: the admin's."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.door_setup import machine_timezone
from appliance.services.clients import told_by_data
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Before = Annotated[int | None, Query(ge=1, lt=2**63, description="Older than the entry of this id.", examples=[1200])]
Limit = Annotated[int, Query(ge=1, le=1000, description="So many at most.")]
Text = Annotated[str, Query(max_length=200, description="What hold this text, in any case.", examples=["maria"])]
Status = Annotated[
    Literal["", "answered", "clarify", "confirm", "refused", "failed"], Query(description="What came of this.")
]


class DeedAnswer(BaseModel):
    """An entry of the audit; what is empty is left out."""

    id: int = BodyField(examples=[41])
    at: str = BodyField(examples=["2026-11-28T14:05:00.000+00:00"])
    who: str = BodyField(description="An account, a screen's id, or which key.", examples=["maria"])
    role: str = BodyField("", examples=["admin"])
    address: str = BodyField("", examples=["192.0.2.7"])
    action: str = BodyField(examples=["DELETE /api/screens/{id_}"])
    what: str = BodyField("", examples=["Take a screen out; its connection ends at once"])
    target: str = BodyField("", examples=["s3f9a01c2"])
    status: int = BodyField(description="How it was answered: 200 and so on, or refused.", examples=[200])
    detail: dict[str, Any] = BodyField({}, examples=[{"room": "icu"}])
    hash: str = BodyField(description="Over the entry and the one before it.")


class AuditAnswer(BaseModel):
    """Entries of the audit, the newest first; `next` goes on as `before`."""

    entries: list[DeedAnswer]
    next: int | None


class CheckAnswer(BaseModel):
    """Whether the chain of hashes is whole."""

    ok: bool
    entries: int = BodyField(examples=[1200])
    head: str = BodyField(description="The last entry's hash.")
    problem: str | None = BodyField(examples=[None])


class AskedAnswer(BaseModel):
    """A question, and what the box made of it."""

    id: int = BodyField(examples=[7])
    at: str
    screen: str = BodyField(description="The screen's id; empty: a program or the console.", examples=["s3f9a01c2"])
    account: str = BodyField(examples=["maria"])
    role: str = BodyField(examples=["staff"])
    room: str = BodyField(examples=["icu"])
    question: str = BodyField(examples=["How many beds are free in cardiology?"])
    reading: str = BodyField(examples=["number of beds where status is free and ward is Cardiology"])
    plan: dict[str, Any] | None
    rest: str = BodyField(examples=["/rest/beds?select=id.count()&status=eq.free&ward=eq.Cardiology"])
    status: str = BodyField(examples=["answered"])
    took_ms: int = BodyField(examples=[71])
    timings: dict[str, float] = BodyField(examples=[{"link": 8.8, "model": 51.1, "rest": 10.4}])
    confidence: float | None = BodyField(examples=[0.974])
    rows: int = BodyField(examples=[1])
    error: str | None = BodyField(description="The code, unless it was answered.", examples=[None])


class QuestionsAnswer(BaseModel):
    """Questions, the newest first; `next` goes on as `before`."""

    questions: list[AskedAnswer]
    next: int | None


class CountAnswer(BaseModel):
    """How many were asked, and what came of them; times are milliseconds."""

    count: int
    answered: int
    asked_back: int
    refused: int
    failed: int
    p50_ms: int | None
    p95_ms: int | None


class HourAnswer(CountAnswer):
    """An hour of it."""

    hour: int = BodyField(ge=0, le=23)


class SummaryAnswer(CountAnswer):
    """A day, and each of its hours in which something was asked."""

    day: str = BodyField(examples=["2026-11-28"])
    hours: list[HourAnswer]


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    _audit(app, gateway)
    _questions(app, gateway)


def _audit(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/admin/audit", summary="Who did what, when and from where", response_model=AuditAnswer)
    async def audit(request: Request, before: Before = None, limit: Limit = 100, q: Text = "") -> Response:
        admin_only(gateway, request)
        found = await _read(gateway, "/ledger/audit", before=before, limit=limit, q=q)
        return Json({"entries": found, "next": _next(found, limit)})

    @app.get("/api/admin/audit/check", summary="Whether nothing was taken out of the audit", response_model=CheckAnswer)
    async def check(request: Request) -> Response:
        admin_only(gateway, request)
        await gateway.ledger.settled()
        head = msgspec.to_builtins(gateway.ledger.head)
        return Json(await told_by_data(gateway.client, gateway.runtime, "POST", "/ledger/audit/check", None, head, 60))


def _questions(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/admin/questions", summary="Who asked what, and what ran", response_model=QuestionsAnswer)
    async def questions(
        request: Request, before: Before = None, limit: Limit = 100, q: Text = "", status: Status = ""
    ) -> Response:
        admin_only(gateway, request)
        found = await _read(gateway, "/ledger/questions", before=before, limit=limit, q=q, status=status)
        return Json({"questions": found, "next": _next(found, limit)})

    @app.get("/api/admin/questions/summary", summary="A day's questions by the hour", response_model=SummaryAnswer)
    async def summary(request: Request, day: date | None = None) -> Response:
        admin_only(gateway, request)
        zone = gateway.settings.timezone or machine_timezone()
        query = {"zone": zone} | ({"day": day.isoformat()} if day else {})
        return Json(await _read(gateway, "/ledger/questions/summary", **query))


async def _read(gateway: Gateway, path: str, **query: Any) -> Any:
    await gateway.ledger.settled()
    text = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return await told_by_data(gateway.client, gateway.runtime, "GET", f"{path}?{text}", None)


def _next(found: list[dict[str, Any]], limit: int) -> int | None:
    return int(found[-1]["id"]) if len(found) == limit else None
