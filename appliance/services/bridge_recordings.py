"""The bridge's addresses of recordings, for the gateway: what there is, a past moment, what followed, forks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from appliance.bridge.forks import past_of
from appliance.bridge.moments import iso, moment
from appliance.bridge.recorder import now_ms
from appliance.bridge.recordings import Recorded, Recordings
from appliance.errors import ApplianceError
from appliance.services.internal import Json, checked_role
from appliance.types import Role

if TYPE_CHECKING:
    from appliance.services.bridge import Bridge

__all__ = ["install"]

BATCH = 256


def install(app: FastAPI, bridge: Bridge) -> None:
    """Add the addresses to the bridge."""
    past = bridge.recorders.past

    @app.get("/recordings")
    async def recordings(request: Request) -> Json:
        role = _role(request)
        found = await asyncio.to_thread(past.overview, role)
        return Json({"recordings": [_told(each) for each in found], "forks": bridge.forks.told(role)})

    @app.get("/recordings/{stream}/at")
    async def at(request: Request, stream: str, t: str = "now") -> Json:
        asked = moment(t, now_ms())
        found = await asyncio.to_thread(past.state_at, stream, _role(request), asked)
        told = {"stream": found.stream, "role": found.role, "t": found.t, "at": iso(found.at), "known": found.known}
        return Json(told | {"signals": found.values})

    @app.get("/recordings/{stream}/frames")
    async def frames(request: Request, stream: str) -> StreamingResponse:
        asked, now = request.query_params, now_ms()
        start, end = moment(asked.get("from", "10m"), now), moment(asked.get("to", "now"), now)
        records = _records(past, stream, _role(request), start, end)
        first = await anext(records)  # so that an error is told before the answer has begun
        return StreamingResponse(_after(first, records), media_type="application/octet-stream")

    @app.post("/recordings/{stream}/fork")
    async def fork(request: Request, stream: str) -> Json:
        said = await request.json()
        t, name = moment(said.get("t"), now_ms()), str(said.get("name", ""))
        begun = await asyncio.to_thread(past_of, past, name, stream, _role(request), t)
        bridge.forks.begin(begun)
        told = {"name": name, "stream": stream, "t": t, "role": begun.moment.role, "signals": len(begun.signals)}
        return Json(told, 201)

    @app.delete("/recordings/forks/{name}")
    async def end(request: Request, name: str) -> Json:
        bridge.forks.end(name, _role(request))
        return Json({"ended": name})

    @app.get("/archives")
    async def archives(request: Request) -> Json:
        found = await asyncio.to_thread(bridge.archive.archive.items, _role(request))
        return Json({"archives": [item.told() for item in found]})


def _role(request: Request) -> Role:
    return checked_role(request.headers.get("x-role"))


def _told(each: Recorded) -> dict[str, Any]:
    return {**msgspec.structs.asdict(each), "from": iso(each.first), "to": iso(each.last)}


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
