"""What the bridge tells the gateway of screens, rooms, tickets and composed streams. Loopback, for the box's own."""

from __future__ import annotations

import secrets
import time
from typing import Final, Literal

import msgspec
from fastapi import FastAPI, Request
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.bridge.invitations import Invitation
from appliance.bridge.invitations import write as write_invitation
from appliance.bridge.mixing import Mix, Part
from appliance.bridge.registry import Caller, checked
from appliance.errors import ApplianceError
from appliance.services.internal import Json
from appliance.services.joining import Joining

WAIT_LIMIT_S: Final = 25.0
DAY_S: Final = 86_400.0


Surface = Literal["auto", "wall", "tablet", "phone", "watch", "text"]


class KnockBody(BaseModel):
    """An unknown browser."""

    key: str
    kind: str = ""
    address: str = ""
    ticket: str = ""


class ApproveBody(BaseModel):
    """The body of ``POST /api/screens/codes/{code}``."""

    name: str = BodyField("", description="What people call it; made up when left out.", examples=["Wall by the door"])
    room: str = BodyField("", description="The room it shows; empty is the whole house.", examples=["icu"])
    role: Literal["wall", "staff", "admin"] = BodyField("wall", description="What it acts as.")


class ChangeBody(BaseModel):
    """The body of ``PATCH /api/screens/{id}``; what is left out stays."""

    name: str | None = None
    room: str | None = None
    role: Literal["wall", "staff", "admin"] | None = None
    surface: Surface | None = BodyField(None, description="How it is laid out; auto: as it thinks itself.")


class MessageBody(BaseModel):
    """The body of ``POST /api/screens/{id}/message``."""

    text: str = BodyField(min_length=1, max_length=500, examples=["Please call the front desk."])
    seconds: float = BodyField(60.0, ge=0, le=86_400, description="How long it is shown; 0 takes it away.")


class RoomBody(BaseModel):
    """The body of ``PUT /api/rooms/{room}``."""

    label: str = BodyField(description="What people call it.", examples=["Intensive care"])


class TicketBody(BaseModel):
    """The body of ``POST /api/tickets``."""

    room: str = ""
    role: Literal["wall", "staff", "admin"] = "wall"
    uses: int = BodyField(1, ge=1, le=10_000, description="For how many screens it is good.")
    days: float = BodyField(30.0, gt=0, le=3650, description="How long it is good.")


class PartBody(BaseModel):
    """What a composed stream takes from another one."""

    stream: str = BodyField(examples=["main"])
    signals: list[str] = BodyField(["*"], description="Names it takes; * stands for any letters.", max_length=200)
    without: list[str] = BodyField([], description="Names it does not take, of those.", max_length=200)
    rename: dict[str, str] = BodyField({}, description="Beginnings of names, and what stands for them here.")
    audience: Literal["wall", "staff", "admin"] = "wall"


class MixBody(BaseModel):
    """The body of ``PUT /api/streams/{name}``."""

    parts: list[PartBody]
    audience: Literal["wall", "staff", "admin"] = BodyField("wall", description="The least role that may read it.")


def install(app: FastAPI, joining: Joining) -> None:
    """Add the addresses to the bridge's app."""
    _joining(app, joining)
    _screens(app, joining)
    _rooms(app, joining)
    _streams(app, joining)


def _joining(app: FastAPI, joining: Joining) -> None:
    registry = joining.registry

    @app.post("/screens/knock")
    async def knock(body: KnockBody) -> Json:
        caller = Caller(body.key, body.kind, body.address)
        if body.ticket:
            joining.by_ticket(caller, body.ticket)
            return Json({"state": "approved"})
        if registry.find(body.key) is not None:
            return Json({"state": "approved"})
        waits = joining.knock(caller)
        left = round(waits.left_s(time.time()))
        return Json({"state": waits.state, "code": waits.code, "expires_s": left})

    @app.post("/screens/codes/{code}")
    async def approve(code: str, body: ApproveBody) -> Json:
        return Json(registry.approve(code, body.name, body.room, body.role))

    @app.delete("/screens/codes/{code}")
    async def refuse(code: str) -> Json:
        registry.refuse(code)
        return Json({"refused": code})


def _screens(app: FastAPI, joining: Joining) -> None:
    registry = joining.registry

    @app.get("/screens")
    async def screens(since: int = -1, wait_s: float = 0.0) -> Json:
        await joining.news(since, min(wait_s, WAIT_LIMIT_S))
        return Json(joining.told())

    @app.get("/screens/keys")
    async def keys(since: int = -1, wait_s: float = 0.0) -> Json:
        """Browsers by key and rooms by name, for the door."""
        await joining.news(since, min(wait_s, WAIT_LIMIT_S))
        known = {
            screen.key: [screen.id, screen.role, screen.room]
            for screen in registry.screens.values()
            if screen.key.startswith("web:")
        }
        told = {"version": registry.version, "join": joining.policy, "keys": known, "rooms": dict(registry.rooms)}
        return Json(told)

    @app.patch("/screens/{id_}")
    async def change(id_: str, body: ChangeBody) -> Json:
        return Json(registry.change(id_, body.name, body.room, body.role, body.surface))

    @app.post("/screens/{id_}/message")
    async def message(id_: str, body: MessageBody) -> Json:
        return Json(joining.signs.message(registry.get(id_), body.text, body.seconds))

    @app.post("/screens/{id_}/identify")
    async def identify(id_: str) -> Json:
        return Json(joining.signs.identify(registry.get(id_)))

    @app.delete("/screens/{id_}")
    async def revoke(id_: str) -> Json:
        registry.revoke(id_)
        return Json({"revoked": id_})


def _rooms(app: FastAPI, joining: Joining) -> None:
    registry = joining.registry

    @app.put("/rooms/{room}")
    async def label(room: str, body: RoomBody) -> Json:
        registry.label_room(room, body.label)
        return Json({"name": room, "label": registry.rooms[room]})

    @app.delete("/rooms/{room}")
    async def drop(room: str) -> Json:
        if room not in registry.rooms:
            raise ApplianceError("BRG443", "There is no such room.", room[:60], "GET /api/rooms lists them.")
        registry.drop_room(room)
        return Json({"dropped": room})

    @app.post("/tickets")
    async def invite(body: TicketBody, request: Request) -> Json:
        assert joining.identity is not None
        addresses = request.headers.get("x-addresses", "")
        _, room, role = checked("", body.room, body.role)
        id_, places = f"t{secrets.token_hex(4)}", tuple(place for place in addresses.split(",") if place)
        until = time.time() + body.days * DAY_S
        ticket = Invitation(id_, joining.identity.endpoint_id, places, room, role, until, body.uses)
        registry.count_ticket(id_, 0)
        if room:
            registry.label_room(room, registry.rooms.get(room, room))
        return Json({"id": id_, "ticket": write_invitation(ticket, joining.identity), "expires": until})

    @app.delete("/tickets/{id_}")
    async def take_back(id_: str) -> Json:
        if id_ not in registry.tickets:
            raise ApplianceError("BRG444", "There is no such ticket.", id_[:40], "GET /api/screens lists them.")
        registry.count_ticket(id_, -1)
        return Json({"taken_back": id_})


def _streams(app: FastAPI, joining: Joining) -> None:
    @app.get("/streams")
    async def streams() -> Json:
        return Json({"streams": joining.streams(), "declared": joining.mixer.declared()})

    @app.put("/streams/{name:path}")
    async def declare(name: str, body: MixBody) -> Json:
        parts = tuple(
            Part(part.stream, tuple(part.signals), tuple(part.without), part.rename, part.audience)
            for part in body.parts
        )
        joining.declare(Mix(name, parts, body.audience))
        await joining.save()
        return Json(msgspec.to_builtins(joining.mixer.find(name)))

    @app.delete("/streams/{name:path}")
    async def undeclare(name: str) -> Json:
        if joining.mixer.find(name) is None:
            raise ApplianceError("BRG408", "There is no such declaration.", name[:80], "GET /api/streams lists them.")
        joining.undeclare(name)
        await joining.save()
        return Json({"removed": name})
