"""The gateway's addresses of recordings: ``/api/recordings``, and of finished ones, ``/api/archives``.

A role sees what was recorded of its own view, or of a less trusted one; a room's past is for the screens in it, and for
the admin. Roles that the facility declared have no view
of streams, so nothing is recorded for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError
from appliance.services.proxy import forward
from appliance.types import ROLES, rank

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Stream = Annotated[str, Path(max_length=100)]
When = Annotated[str, Query(description="ISO 8601, ms since 1970, 14:05, 10m or now.")]
Early = Annotated[str, Query(alias="from", description="As `t`.")]
Day = Annotated[str, Query(max_length=10, description="Such as 2026-11-28; the latest where none is named.")]
Parts = Annotated[int, Query(ge=1, le=1000, description="Into how many parts the changes are counted.")]


class ForkBody(BaseModel):
    """The body of ``POST /api/recordings/{stream}/fork``."""

    t: int | str = BodyField(description="ISO 8601, ms since 1970, 14:05 or 10m.", examples=["2026-11-28T14:05:00Z"])
    name: str = BodyField(description="What to call the new stream.", examples=["what-if"])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/recordings", summary="What was recorded that this role may see, and the forks")
    async def recordings(request: Request) -> Response:
        return await _from_bridge(gateway, request, "/recordings")

    @app.get("/api/recordings/{stream:path}/at", summary="The signals of a stream at a past moment")
    async def at(request: Request, stream: Stream, t: When = "now") -> Response:
        return await _from_bridge(gateway, request, f"/recordings/{quote(stream, safe='')}/at")

    @app.get("/api/recordings/{stream:path}/timeline", summary="When a day was recorded, and how much happened when")
    async def timeline(request: Request, stream: Stream, day: Day = "", parts: Parts = 240) -> Response:
        return await _from_bridge(gateway, request, f"/recordings/{quote(stream, safe='')}/timeline")

    @app.get("/api/recordings/{stream:path}/frames", summary="What was recorded between two moments, as records")
    async def frames(request: Request, stream: Stream, begin: Early = "10m", to: When = "now") -> Response:
        return await _from_bridge(gateway, request, f"/recordings/{quote(stream, safe='')}/frames")

    @app.post("/api/recordings/{stream:path}/fork", summary="A new stream that goes on from a past moment; staff")
    async def fork(request: Request, stream: Stream, body: ForkBody) -> Response:
        return await _from_bridge(gateway, request, f"/recordings/{quote(stream, safe='')}/fork", at_least="staff")

    @app.delete("/api/recordings/forks/{name}", summary="End a fork; staff")
    async def end(request: Request, name: Stream) -> Response:
        return await _from_bridge(gateway, request, f"/recordings/forks/{quote(name, safe='')}", at_least="staff")

    @app.get("/api/archives", summary="Finished recordings with their hashes")
    async def archives(request: Request) -> Response:
        return await _from_bridge(gateway, request, "/archives")


async def _from_bridge(gateway: Gateway, request: Request, path: str, at_least: str = "wall") -> Response:
    acting = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
    role = next((role for role in ROLES if role == acting), None)
    if role is None or rank(role) < ROLES.index(at_least):
        raise ApplianceError("BRG402", f"The role {acting} may not do that.", None, f"One of {', '.join(ROLES)}.")
    headers = {"Authorization": f"Bearer {gateway.runtime.token}", "X-Role": role}
    if known := gateway.screen(request):
        headers["X-Screen"] = known.id
    absent = ApplianceError(
        "BRG406", "The bridge does not answer.", None, "It is being restarted; try again in a moment."
    )
    limit, url = gateway.settings.document_limit, f"{gateway.runtime.bridge_url}{path}"
    return await forward(request, gateway.client, url, headers, limit=limit, absent=absent)
