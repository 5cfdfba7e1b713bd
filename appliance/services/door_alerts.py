"""The gateway's addresses of alerts, ``/api/alerts``: documented here, answered by the data service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as BodyField

from appliance.services.proxy import raw_path

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Which = Annotated[int, Path(ge=1, lt=2**63)]


class ConditionBody(BaseModel):
    """A condition on a field."""

    field: str = BodyField(examples=["kind"])
    op: Literal["eq", "neq", "gt", "gte", "lt", "lte", "like", "in", "null"] = BodyField(examples=["eq"])
    value: Any = BodyField(examples=["gloves"])


class AggregateBody(BaseModel):
    """A number over rows; the field ``*`` counts the rows themselves."""

    op: Literal["count", "sum", "avg", "min", "max"] = BodyField(examples=["sum"])
    field: str = BodyField("*", examples=["units"])


class AlertBody(BaseModel):
    """The body of ``POST /api/alerts``."""

    model_config = ConfigDict(extra="allow")
    name: str = BodyField(examples=["Low stock"])
    collection: str = BodyField(examples=["stock"])
    message: str = BodyField(
        description="{value}, {threshold}, {subject}, {rule} and fields are filled in.",
        examples=["Only {value} units left in {ward}."],
    )
    where: list[ConditionBody] = BodyField([], description="Conditions that must all hold for a row to count.")
    aggregate: AggregateBody | None = BodyField(None, description="Watch this number, for each group.")
    field: str | None = BodyField(None, description="Watch this number in each row.")
    group: list[str] = BodyField([], examples=[["ward"]])
    direction: Literal["below", "above"] | None = BodyField(
        None, description="On which side of the threshold it fires."
    )
    threshold: float | None = BodyField(None, examples=[50])
    clear_at: float | None = BodyField(
        None, description="The value at which it is over; the threshold when left out.", examples=[60]
    )
    audience: Literal["wall", "staff", "admin"] = BodyField("staff", description="The least trusted role it is told.")


class EnableBody(BaseModel):
    """The body of ``PATCH /api/alerts/{which}``."""

    enabled: bool


class AcknowledgeBody(BaseModel):
    """The body of ``POST /api/alerts/events/{event}/acknowledge``."""

    name: str = BodyField("", description="Who has seen it.", examples=["Maria"])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    _events(app, gateway)
    _rules(app, gateway)


async def _on(gateway: Gateway, request: Request) -> Response:
    """Send a request on to the data service, under the role it acts as."""
    return await gateway.to_data(request, raw_path(request, "/api"), request.headers.get("x-role"))


def _events(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/alerts/events", summary="What fired, the newest first")
    async def events(
        request: Request,
        state: Literal["active", "cleared"] | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        return await _on(gateway, request)

    @app.post("/api/alerts/events/{event}/acknowledge", summary="Say that somebody has seen an alert")
    async def acknowledge(event: Which, request: Request, body: AcknowledgeBody | None = None) -> Response:
        return await _on(gateway, request)


def _rules(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/alerts", summary="The rules this role may know of")
    async def rules(request: Request) -> Response:
        return await _on(gateway, request)

    @app.post("/api/alerts", summary="Declare an alert", status_code=201)
    async def declare(request: Request, body: AlertBody, dry_run: bool = False) -> Response:
        return await _on(gateway, request)

    @app.get("/api/alerts/{which}", summary="One rule")
    async def rule(which: Which, request: Request) -> Response:
        return await _on(gateway, request)

    @app.patch("/api/alerts/{which}", summary="Stop a rule or let it go on")
    async def enable(which: Which, request: Request, body: EnableBody) -> Response:
        return await _on(gateway, request)

    @app.delete("/api/alerts/{which}", summary="Remove a rule; its history stays", status_code=204)
    async def delete(which: Which, request: Request) -> Response:
        return await _on(gateway, request)
