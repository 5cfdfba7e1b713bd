"""The gateway's address of logs, ``/api/admin/logs``: what the parts wrote down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.logs import PARTS, from_files, from_journal, pick
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Part = Annotated[
    Literal["", "box", "gateway", "bridge", "pgflex", "llm", "postgres", "postgrest", "assistant"],
    Query(description="Only what this part wrote."),
]
Level = Annotated[Literal["", "info", "warning", "error"], Query(description="As grave as this, or graver.")]
Text = Annotated[str, Query(max_length=200, description="Only what holds this text, in any case.")]
Before = Annotated[int | None, Query(ge=0, le=2**53, description="Older than this, in ms since 1970.")]
Limit = Annotated[int, Query(ge=1, le=2000, description="So many at most, about.")]


class LineAnswer(BaseModel):
    """A line; `at` is milliseconds since 1970."""

    at: int = BodyField(examples=[1795913237512])
    part: str = BodyField(examples=["bridge"])
    level: Literal["info", "warning", "error"]
    text: str = BodyField(examples=["source connected  source=assistant stream=main"])


class LogsAnswer(BaseModel):
    """Lines, the newest first; `next` goes on as `before`."""

    source: Literal["files", "journal", "none"]
    said: str = BodyField(description="Why there is nothing to read here, and where there is.")
    parts: list[str]
    lines: list[LineAnswer]
    next: int | None


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the address to the gateway."""

    @app.get("/api/admin/logs", summary="What the parts wrote down", response_model=LogsAnswer)
    async def logs(
        request: Request, part: Part = "", level: Level = "", q: Text = "", before: Before = None, limit: Limit = 200
    ) -> Response:
        admin_only(gateway, request)
        source, lines = "files", []
        if gateway.runtime.profile == "embedded":
            lines = await asyncio.to_thread(from_files, gateway.settings.data / "logs")
        else:
            source, found = "journal", await from_journal()
            lines, source = found or [], source if found else "none"
        page, further = await asyncio.to_thread(pick, lines, part, level, q, before, limit)
        said = "" if source != "none" else "The parts write to the system: journalctl -u 'dreamstack-*'"
        told: dict[str, Any] = {"source": source, "said": said, "parts": list(PARTS)}
        return Json(told | {"lines": msgspec.to_builtins(page), "next": further})
