"""The gateway's addresses of what is unusual and of digests: ``/api/unusual`` and ``/api/digest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.services import observer
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Which = Annotated[int, Path(ge=1, lt=2**63)]
Moment = Annotated[str | None, Query(description="ISO 8601; without an offset it is the facility's time.")]


class SeenBody(BaseModel):
    """The body of ``POST /api/unusual/{which}/acknowledge``."""

    name: str = BodyField("", description="Who has seen it.", examples=["Maria"])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/unusual", summary="What was told as unusual, the newest first")
    async def unusual(
        request: Request,
        state: Literal["active", "over"] | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
        asked = _given(state=state, limit=limit)
        return Json(await observer.unusual(gateway.client, gateway.runtime, role, asked))

    @app.post("/api/unusual/{which}/acknowledge", summary="Say that somebody has seen it")
    async def acknowledge(which: Which, request: Request, body: SeenBody | None = None) -> Response:
        answer = await gateway.to_data(request, f"/unusual/{which}/acknowledge", request.headers.get("x-role"))
        gateway.observer.look()
        return answer

    @app.get("/api/digest", summary="What happened in a collection, or in each that this role may read")
    async def digest(
        request: Request, collection: str | None = None, since: Moment = None, until: Moment = None
    ) -> Response:
        role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
        asked = _given(collection=collection, since=since, until=until)
        return Json(await observer.digests(gateway.client, gateway.runtime, role, asked))


def _given(**values: Any) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
