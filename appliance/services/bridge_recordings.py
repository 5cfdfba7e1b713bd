"""The bridge's addresses of recordings, for the gateway: what there is, a past moment, what followed, forks.

Whoever asks sees the past of the streams whose present it may see: a room's is for who is in it, and for the admin.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from appliance.bridge import Member
from appliance.bridge.forks import past_of
from appliance.bridge.moments import iso, moment
from appliance.bridge.recorder import now_ms
from appliance.bridge.recordings import Recorded, Recordings, nothing
from appliance.bridge.timeline import PARTS_LIMIT, days, timeline
from appliance.errors import ApplianceError
from appliance.services.internal import Json, checked_role
from appliance.services.past_zone import told_zone
from appliance.types import Role

if TYPE_CHECKING:
    from appliance.services.bridge import Bridge

__all__ = ["install"]

BATCH = 256
PARTS = 240


def install(app: FastAPI, bridge: Bridge) -> None:
    """Add the addresses to the bridge."""
    past = bridge.recorders.past

    @app.get("/recordings")
    async def recordings(request: Request) -> Json:
        member = _member(bridge, request)
        found = await asyncio.to_thread(past.overview, member.role)
        told = [_told(each) for each in found if bridge.joining.may(member, each.stream)]
        return Json({"recordings": told, "forks": bridge.forks.told(member.role)})

    @app.delete("/recordings/old")
    async def prune(days: int) -> Json:
        """Remove what is older than so many days."""
        return Json({"removed": await asyncio.to_thread(past.prune, now_ms(), days, 0)})

    @app.get("/recordings/{stream:path}/at")
    async def at(request: Request, stream: str, t: str = "now") -> Json:
        name, role = _asked(bridge, request, stream)
        found = await asyncio.to_thread(past.state_at, name, role, moment(t, now_ms(), past.zone))
        told = {"stream": found.stream, "role": found.role, "t": found.t, "at": iso(found.at), "known": found.known}
        return Json(told | {"signals": found.values})

    @app.get("/recordings/{stream:path}/timeline")
    async def line(request: Request, stream: str, day: str = "", parts: int = PARTS) -> Json:
        name, role = _asked(bridge, request, stream)
        return Json(await asyncio.to_thread(_timeline, bridge, name, role, day, min(max(1, parts), PARTS_LIMIT)))

    @app.get("/recordings/{stream:path}/frames")
    async def frames(request: Request, stream: str) -> StreamingResponse:
        name, role = _asked(bridge, request, stream)
        asked, now = request.query_params, now_ms()
        start, end = moment(asked.get("from", "10m"), now, past.zone), moment(asked.get("to", "now"), now, past.zone)
        records = _records(past, name, role, start, end)
        first = await anext(records)  # so that an error is told before the answer has begun
        return StreamingResponse(_after(first, records), media_type="application/octet-stream")

    @app.post("/recordings/{stream:path}/fork")
    async def fork(request: Request, stream: str) -> Json:
        source, role = _asked(bridge, request, stream)
        said = await request.json()
        t, name = moment(said.get("t"), now_ms(), past.zone), str(said.get("name", ""))
        begun = await asyncio.to_thread(past_of, past, name, source, role, t)
        bridge.forks.begin(begun)
        told = {"name": name, "stream": source, "t": t, "role": begun.moment.role, "signals": len(begun.signals)}
        return Json(told, 201)

    @app.delete("/recordings/forks/{name}")
    async def end(request: Request, name: str) -> Json:
        bridge.forks.end(name, _member(bridge, request).role)
        return Json({"ended": name})

    @app.get("/archives")
    async def archives(request: Request) -> Json:
        member = _member(bridge, request)
        found = await asyncio.to_thread(bridge.archive.archive.items, member.role, member.own)
        return Json({"archives": [item.told() for item in found]})


def _member(bridge: Bridge, request: Request) -> Member:
    """Who asks, as the gateway says; at most the role that it gave."""
    return bridge.browser(request.headers.get("x-screen", ""), checked_role(request.headers.get("x-role")))


def _asked(bridge: Bridge, request: Request, stream: str) -> tuple[str, Role]:
    """Whose past is meant, and as whom it is looked at; ``main`` is the asker's room, as everywhere."""
    member = _member(bridge, request)
    name = member.own if stream == "main" else stream
    if not bridge.joining.may(member, name):
        raise nothing(name, f"for the role {member.role}")
    return name, member.role


def _told(each: Recorded) -> dict[str, Any]:
    return {**msgspec.structs.asdict(each), "from": iso(each.first), "to": iso(each.last)}


def _timeline(bridge: Bridge, name: str, role: Role, day: str, parts: int) -> dict[str, Any]:
    """A day's bar; the latest day's where none is named. Blocks on the disk."""
    past, zone = bridge.recorders.past, bridge.settings.timezone
    seen = past.role_for(name, role)
    spans = past.spans(name, seen)
    there = days(spans, past.zone)
    shown = next((each for each in reversed(there) if day in ("", each.day)), None)
    if shown is None:
        raise nothing(name, day[:20])
    bar = timeline(spans, shown.first, shown.last, parts)
    told = {"stream": name, "role": seen, "day": shown.day, "days": [each.day for each in there], "now": now_ms()}
    return told | msgspec.structs.asdict(bar) | told_zone(zone, shown.last)


async def _records(past: Recordings, stream: str, role: Role, start: int, end: int) -> AsyncIterator[bytes]:
    """The records in pieces, read in a thread."""
    if end < start:
        raise ApplianceError("BRG466", "The end is before the beginning.", {"from": start, "to": end})
    found = past.frames(stream, role, start, end)
    while piece := await asyncio.to_thread(_piece, found):
        yield piece


def _piece(records: Iterator[bytes]) -> bytes:
    return b"".join(islice(records, BATCH))


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
