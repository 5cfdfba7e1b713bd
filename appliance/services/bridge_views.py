"""The bridge's addresses of what a screen shows now, for the gateway: its signals, and a picture.

GET /views?screen=ID, or ?role=&room=            the signals
GET /views/picture?screen=ID&width=, or role, room and surface   a PNG file; answers If-None-Match
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from appliance.bridge.rooms import own_stream
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.services.internal import Json, checked_role
from appliance.services.snapshots import tag_of
from appliance.types import Role

if TYPE_CHECKING:
    from appliance.services.bridge import Bridge

__all__ = ["install"]


class Seen(NamedTuple):
    """What is looked at: a stream, as a role sees it, on such a screen."""

    stream: Stream
    role: Role
    surface: str
    room: str


def install(app: FastAPI, bridge: Bridge) -> None:
    """Add the addresses to the bridge."""

    @app.get("/views")
    async def signals(screen: str = "", role: str = "wall", room: str = "") -> Json:
        seen = _seen(bridge, screen, role, room, "wall")
        view = seen.stream.view(seen.role)
        told = {"stream": seen.stream.name, "role": seen.role, "room": seen.room, "surface": seen.surface}
        return Json(told | {"epoch": view.epoch, "version": view.version, "signals": view.values})

    @app.get("/views/picture")
    async def picture(
        request: Request,
        screen: str = "",
        role: str = "wall",
        room: str = "",
        surface: str = "wall",
        width: Annotated[int, Query(ge=64, le=1920)] = 320,
    ) -> Response:
        seen = _seen(bridge, screen, role, room, surface)
        tag = tag_of(seen.stream, seen.role, seen.surface, width)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        png = await bridge.snapshots.png(seen.stream, seen.role, seen.surface, width)
        return Response(png, media_type="image/png", headers=headers)


def _seen(bridge: Bridge, screen: str, role: str, room: str, surface: str) -> Seen:
    """A screen's own view, or that of any which would be there.

    Raises:
        ApplianceError: BRG442, no such screen; BRG443, no such room; BRG410, no such role.
    """
    registry = bridge.joining.registry
    if screen:
        known = registry.get(screen)
        kind = known.surface or known.kind
        return Seen(bridge.streams.open(own_stream(known.room)), known.role, kind, known.room)
    if room and room not in registry.rooms:
        raise ApplianceError("BRG443", "There is no such room.", room[:60], "GET /api/screens lists them.")
    return Seen(bridge.streams.open(own_stream(room)), checked_role(role), surface, room)
