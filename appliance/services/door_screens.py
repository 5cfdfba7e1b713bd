"""Screens, rooms, tickets and composed streams at the public door: the admin's, told to the bridge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import msgspec
import segno
from fastapi import FastAPI, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from appliance.errors import ApplianceError
from appliance.observation import logger
from appliance.services.address import own_address
from appliance.services.bridge_screens import ApproveBody, ChangeBody, MessageBody, MixBody, RoomBody, TicketBody
from appliance.services.browsers import Heard
from appliance.services.internal import Json
from appliance.services.proxy import forward, raw_path

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

Id = Annotated[str, Path(max_length=80)]
PAUSE_S = 0.3
WAIT_S = 20.0
log = logger("gateway")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    _screens(app, gateway)
    _rooms(app, gateway)
    _streams(app, gateway)


async def to_bridge(gateway: Gateway, request: Request, **more: str) -> Response:
    """Send an admin's request on to the same address of the bridge, without its `/api`; `more` are headers.

    Raises:
        ApplianceError: BRG402, it is not the admin's.
    """
    role = gateway.access.acting(gateway.role(request), request.headers.get("x-role"))
    if role != "admin":
        raise ApplianceError(
            "BRG402", "Only the admin sees to screens and rooms.", None, "Come in with the admin's key."
        )
    headers = {"Authorization": f"Bearer {gateway.runtime.token}"} | more
    absent = ApplianceError("BRG406", "The bridge does not answer.", None, "It is being restarted; try again.")
    url = f"{gateway.runtime.bridge_url}{raw_path(request, '/api')}"
    return await forward(request, gateway.client, url, headers, limit=65_536, absent=absent)


def _screens(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/screens", summary="Screens, those that wait, and rooms")
    async def screens(
        request: Request,
        since: Annotated[int, Query(description="Wait for a newer version than this.")] = -1,
        wait_s: Annotated[float, Query(ge=0, le=25)] = 0.0,
    ) -> Response:
        return await to_bridge(gateway, request)

    @app.post("/api/screens/codes/{code}", summary="Let in the screen that shows this code")
    async def approve(code: Id, request: Request, body: ApproveBody) -> Response:
        return await to_bridge(gateway, request)

    @app.delete("/api/screens/codes/{code}", summary="Refuse the screen that shows this code")
    async def refuse(code: Id, request: Request) -> Response:
        return await to_bridge(gateway, request)

    @app.patch("/api/screens/{id_}", summary="Rename or move a screen, or give it another role")
    async def change(id_: Id, request: Request, body: ChangeBody) -> Response:
        return await to_bridge(gateway, request)

    @app.post("/api/screens/{id_}/message", summary="Show a text on a screen for a while")
    async def message(id_: Id, request: Request, body: MessageBody) -> Response:
        return await to_bridge(gateway, request)

    @app.post("/api/screens/{id_}/identify", summary="Have a screen show for ten seconds which one it is")
    async def identify(id_: Id, request: Request) -> Response:
        return await to_bridge(gateway, request)

    @app.delete("/api/screens/{id_}", summary="Take a screen out; its connection ends at once")
    async def revoke(id_: Id, request: Request) -> Response:
        return await to_bridge(gateway, request)


def _rooms(app: FastAPI, gateway: Gateway) -> None:
    @app.put("/api/rooms/{room}", summary="Declare a room, or say what it is called")
    async def label(room: Id, request: Request, body: RoomBody) -> Response:
        return await to_bridge(gateway, request)

    @app.delete("/api/rooms/{room}", summary="Take a room away; its screens show the whole house")
    async def drop(room: Id, request: Request) -> Response:
        answer = await to_bridge(gateway, request)
        if answer.status_code < 300:
            await gateway.board.close(room)
        return answer

    @app.post("/api/tickets", summary="Make a ticket that screens join with by themselves")
    async def invite(request: Request, body: TicketBody) -> Response:
        told = (await gateway.client.get(f"{gateway.runtime.bridge_url}/health")).json()
        own = f"{own_address()}:{told['addresses'][0].rpartition(':')[2]}" if told.get("addresses") else ""
        places = dict.fromkeys([*told.get("addresses", []), *([own] if gateway.settings.lan else [])])
        answer = await to_bridge(gateway, request, **{"X-Addresses": ",".join(places)})
        return await _with_code(request, answer)

    @app.delete("/api/tickets/{id_}", summary="Take a ticket back; who came with it stays")
    async def take_back(id_: Id, request: Request) -> Response:
        return await to_bridge(gateway, request)


def _streams(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/api/streams", summary="Streams, and how those are composed that are")
    async def streams(request: Request) -> Response:
        return await to_bridge(gateway, request)

    @app.put("/api/streams/{name:path}", summary="Compose a stream of others")
    async def declare(name: str, request: Request, body: MixBody) -> Response:
        return await to_bridge(gateway, request)

    @app.delete("/api/streams/{name:path}", summary="Take a composition back")
    async def undeclare(name: str, request: Request) -> Response:
        return await to_bridge(gateway, request)


async def _with_code(request: Request, answer: Response) -> Response:
    """A ticket's answer with an address that a browser joins at, and that as a code for a camera."""
    if answer.status_code != 200 or not isinstance(answer, StreamingResponse):
        return answer
    pieces = [piece if isinstance(piece, bytes) else bytes(str(piece), "utf-8") async for piece in answer.body_iterator]
    told = msgspec.json.decode(b"".join(pieces))
    url = f"{request.url.scheme}://{request.headers.get('host', '')}/#ticket={told['ticket']}"
    code = segno.make(url, error="l").svg_data_uri(border=2, dark="#0e1f1d", light="#fff")
    return Json({**told, "url": url, "qr": code})


async def learn_browsers(gateway: Gateway, since: int = -1, wait_s: float = 0.0) -> int:
    """Ask the bridge which browsers are screens; returns the version of what it told.

    Raises:
        httpx.HTTPError, msgspec.DecodeError: it does not tell.
    """
    query: dict[str, Any] = {"since": since, "wait_s": wait_s}
    answer = await gateway.client.get(f"{gateway.runtime.bridge_url}/screens/keys", params=query, timeout=wait_s + 5)
    answer.raise_for_status()
    heard = msgspec.json.decode(answer.content, type=Heard)
    gateway.access.browsers.heard = heard
    rooms = [{"name": name, "label": label} for name, label in sorted(heard.rooms.items())]
    gateway.bridge.set({"box.rooms": rooms}, "staff")
    return heard.version


async def follow_browsers(gateway: Gateway) -> None:
    """Keep the door's knowledge of browsers that of the bridge, until cancelled."""
    version = -1
    while True:
        try:
            version = await learn_browsers(gateway, version, WAIT_S)
        except (httpx.HTTPError, msgspec.DecodeError):
            version = -1  # what was known goes on to hold: who was let in may stay
            await asyncio.sleep(PAUSE_S)
