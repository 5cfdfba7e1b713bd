"""The gateway's addresses of long work: ``/api/admin/jobs``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.services.admin.door_accounts import admin_only
from appliance.services.internal import STREAM_GRACE_S, Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["JobAnswer", "install"]

Id = Annotated[str, Path(min_length=1, max_length=40, examples=["j3f9a01c2de"])]


class JobAnswer(BaseModel):
    """Long work."""

    id: str = BodyField(examples=["j3f9a01c2de"])
    kind: Literal["backup", "drill", "restore", "import", "model", "update"]
    by: str = BodyField(description="Who began it.", examples=["maria"])
    state: Literal["running", "done", "failed", "cancelled"]
    progress: float | None = BodyField(description="0 to 1; null where nobody can say.", examples=[0.4])
    said: str = BodyField(description="What is being done.", examples=["The database is copied."])
    started_at: str = BodyField(examples=["2026-11-28T14:05:00.000+00:00"])
    ended_at: str | None
    result: dict[str, Any] | None = BodyField(description="What came of it.")
    error: dict[str, Any] | None = BodyField(description="The one error shape, where it failed.")


class JobsAnswer(BaseModel):
    """All long work, the newest first."""

    jobs: list[JobAnswer]


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    jobs = gateway.jobs

    @app.get("/api/admin/jobs", summary="Long work: what goes on, and what has ended", response_model=JobsAnswer)
    async def listed(request: Request) -> Response:
        admin_only(gateway, request)
        return Json({"jobs": jobs.all()})

    @app.get("/api/admin/jobs/events", summary="Changes of long work; server-sent events `job`")
    async def events(request: Request) -> EventSourceResponse:
        admin_only(gateway, request)
        return EventSourceResponse(_events(gateway), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    @app.get("/api/admin/jobs/{id_}", summary="One of them", response_model=JobAnswer)
    async def one(id_: Id, request: Request) -> Response:
        admin_only(gateway, request)
        return Json(jobs.get(id_))

    @app.delete("/api/admin/jobs/{id_}", summary="Cancel it", response_model=JobAnswer)
    async def cancel(id_: Id, request: Request) -> Response:
        admin_only(gateway, request)
        return Json(await jobs.cancel(id_))


async def _events(gateway: Gateway) -> AsyncIterator[ServerSentEvent]:
    for job in reversed(gateway.jobs.all()):
        yield ServerSentEvent(data=msgspec.json.encode(job).decode(), event="job")
    async for job in gateway.jobs.news():
        yield ServerSentEvent(data=msgspec.json.encode(job).decode(), event="job")
