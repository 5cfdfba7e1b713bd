"""The gateway's addresses of what screens show now: a picture of each, and "see as this screen"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError, from_shape
from appliance.services.admin.door_accounts import admin_only
from appliance.services.internal import Json
from appliance.types import ROLES

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Id = Annotated[str, Path(max_length=80, examples=["s3f9a01c2"])]
Width = Annotated[int, Query(ge=64, le=1920, description="Pixels; the height follows from the kind of screen.")]
ScreenId = Annotated[str, Query(max_length=80, description="This screen; else role and room.", examples=["s3f9a01c2"])]
RoleName = Annotated[str, Query(max_length=63, description="A role; a declared one sees what its level does.")]
Room = Annotated[str, Query(max_length=40, description="A room; empty is the whole house.", examples=["icu"])]
Surface = Annotated[Literal["wall", "tablet", "phone", "watch"], Query(description="The kind of screen.")]
PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The picture"},
    304: {"description": "It is the one that is known (If-None-Match)"},
}


class SeenAnswer(BaseModel):
    """The signals that a screen would hold now."""

    stream: str = BodyField(examples=["room/icu"])
    role: str = BodyField(examples=["wall"])
    room: str = BodyField(examples=["icu"])
    surface: str = BodyField(examples=["wall"])
    epoch: str
    version: int
    signals: dict[str, Any] = BodyField(examples=[{"box.name": "DreamStack"}])


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get(
        "/api/screens/{id_}/picture.png",
        summary="What a screen shows now, drawn by the box",
        responses=PNG,
        response_class=Response,
    )
    async def picture(id_: Id, request: Request, width: Width = 320) -> Response:
        admin_only(gateway, request)
        return await _picture(gateway, request, screen=id_, width=width)

    @app.get(
        "/api/admin/see/picture.png",
        summary="What such a screen would show now",
        responses=PNG,
        response_class=Response,
    )
    async def would(
        request: Request, role: RoleName = "wall", room: Room = "", surface: Surface = "wall", width: Width = 640
    ) -> Response:
        admin_only(gateway, request)
        return await _picture(gateway, request, role=_level(gateway, role), room=room, surface=surface, width=width)

    @app.get("/api/admin/see", summary="The signals a screen would hold now", response_model=SeenAnswer)
    async def see(request: Request, screen: ScreenId = "", role: RoleName = "wall", room: Room = "") -> Response:
        admin_only(gateway, request)
        asked = {"screen": screen} if screen else {"role": _level(gateway, role), "room": room}
        return Json((await _of_bridge(gateway, request, "/views", asked)).json())


def _level(gateway: Gateway, role: str) -> str:
    if role not in gateway.access.levels:
        raise ApplianceError("BRG410", "There is no such role.", role, f"One of {', '.join(gateway.access.levels)}.")
    level = gateway.access.levels[role]
    assert level in ROLES
    return level


async def _picture(gateway: Gateway, request: Request, **asked: Any) -> Response:
    found = await _of_bridge(gateway, request, "/views/picture", asked)
    kept = {name: found.headers[name] for name in ("etag", "cache-control") if name in found.headers}
    return Response(found.content, found.status_code, kept, found.headers.get("content-type"))


async def _of_bridge(gateway: Gateway, request: Request, path: str, asked: dict[str, Any]) -> httpx.Response:
    tag = request.headers.get("if-none-match")
    headers = {"If-None-Match": tag} if tag else {}
    try:
        url = f"{gateway.runtime.bridge_url}{path}?{urlencode(asked)}"
        answer = await gateway.client.get(url, headers=headers, timeout=20)
    except httpx.HTTPError as error:
        raise ApplianceError("BRG406", "The bridge does not answer.", str(error), "It is being restarted.") from None
    if answer.is_error:
        raise from_shape(answer.json(), "BRG406")
    return answer
