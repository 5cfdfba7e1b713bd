"""Shapes over HTTP, in the protocol of ElectricSQL, whose client follows them unchanged.

    GET /v1/shape?table=beds&offset=-1                      the rows, and where they stand
    GET /v1/shape?table=beds&offset=815..9_0&handle=...     what changed since
    GET ...&live=true                                       the same, held until something changes, 20 s at most
    GET ...&live=true&live_sse=true                         the same, as a stream of events, a minute long
    GET /shape-access?table=beds&where=...                  for the gateway, where a real Electric serves them

A message is a JSON object; an answer is a list of them that ends in ``up-to-date``. Values are texts as PostgreSQL
writes them; the header ``electric-schema`` names their types. 409 means: begin anew, under the handle it names.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from appliance.errors import ApplianceError
from appliance.pgflex.shapes.shape import Definition, Entry, Shape, inserted
from appliance.pgflex.shapes.shapes import Shapes
from appliance.pgflex.shapes.where import read_names
from appliance.services.internal import Json, role_of

if TYPE_CHECKING:
    from appliance.services.pgflex import DataService

__all__ = ["definition_of", "install"]

LIVE_S: Final = 20.0
STREAM_S: Final = 60.0
BEAT_S: Final = 10.0
_TABLE: Final = re.compile(r'(?:(?:api|"api")\.)?(?:([a-z][a-z0-9_]{0,62})|"([a-z][a-z0-9_]{0,62})")', re.ASCII)
_OFFSET: Final = re.compile(r"(\d{1,40})_\d{1,20}", re.ASCII)
_PARAMETER: Final = re.compile(r"params\[(\d{1,4})\]", re.ASCII)
_REFETCH: Final = b'[{"headers":{"control":"must-refetch"}}]'


class _Asked(msgspec.Struct, frozen=True):
    """A request: what of, from where, and how it wants to wait. `start` is ``-1``, ``now`` or empty."""

    definition: Definition
    start: str
    offset: int
    handle: str
    live: bool
    stream: bool


def install(app: FastAPI, service: DataService) -> None:
    """The routes of shapes."""
    shapes = service.shapes
    app.state.endings.append(shapes.end_waits)

    @app.get("/v1/shape")
    async def shape(request: Request) -> Response:
        asked = _asked(request)
        async with _forbidden_or_absent(service, asked.definition):
            return await _answer(shapes, asked)

    @app.get("/shape-access")
    async def access(request: Request) -> Response:
        definition = definition_of(request)
        async with _forbidden_or_absent(service, definition):
            columns, where = await shapes.access(definition)
        return Json({"columns": columns, "where": where})


@asynccontextmanager
async def _forbidden_or_absent(service: DataService, definition: Definition) -> AsyncIterator[None]:
    """Tells a collection that the role may not read from one that is not there; only then is it asked for."""
    try:
        yield
    except ApplianceError as error:
        if error.code == "PGF104":
            await service.roles.check_reads(definition.role, definition.collection)
        raise


async def _answer(shapes: Shapes, asked: _Asked) -> Response:
    shape = await shapes.open(asked.definition)
    if asked.start == "-1":
        return await _rows(shapes, shape)
    if asked.start == "now":
        return _told(shape, shape.handle, await shapes.now(), [], live=False)
    if asked.handle not in shape.handles:
        return _refetch(shape)
    if not shape.holds(asked.offset):
        shape.renew()
        return _refetch(shape)
    if asked.live and asked.stream:
        return _streamed(shape, asked)
    entries = await shape.wait(asked.offset, LIVE_S) if asked.live else shape.after(asked.offset)
    if not shape.holds(asked.offset) and not shapes.stopping:
        return _refetch(await shapes.open(asked.definition))
    return _told(shape, asked.handle, asked.offset, entries, live=asked.live)


async def _rows(shapes: Shapes, shape: Shape) -> Response:
    collection, handle = shape.definition.collection, shape.handle
    schema = _schema(shape)
    reading = await shapes.read(shape)
    messages = [inserted(collection, key, row) for key, row in reading.rows]
    body = "[" + ",\n".join([*messages, _up_to_date(reading.offset)]) + "]"
    headers = _headers(handle, reading.offset) | {"electric-schema": schema}
    return Response(body, media_type="application/json", headers=headers)


def _told(shape: Shape, handle: str, offset: int, entries: list[Entry], *, live: bool) -> Response:
    reached = entries[-1].offset if entries else offset
    body = b"[" + b",\n".join([*(entry.body for entry in entries), _up_to_date(reached).encode()]) + b"]"
    more = {"electric-cursor": _cursor()} if live else {"electric-schema": _schema(shape)}
    return Response(body, media_type="application/json", headers=_headers(handle, reached) | more)


def _streamed(shape: Shape, asked: _Asked) -> Response:
    headers = _headers(asked.handle, asked.offset) | {"electric-cursor": _cursor(), "X-Accel-Buffering": "no"}
    del headers["electric-up-to-date"]
    return StreamingResponse(_events(shape, asked.offset), media_type="text/event-stream", headers=headers)


async def _events(shape: Shape, offset: int) -> AsyncIterator[bytes]:
    """The log as events: after each batch how far it goes, so that a reader resumes there; the end after a minute."""
    until = time.monotonic() + STREAM_S
    yield _event([_up_to_date(offset).encode()]) if not shape.after(offset) else b": hello\n\n"
    while shape.holds(offset) and not shape.released and time.monotonic() < until:
        entries = await shape.wait(offset, BEAT_S)
        if entries:
            offset = entries[-1].offset
            yield _event([*(entry.body for entry in entries), _up_to_date(offset).encode()])
        else:
            yield b": still here\n\n"


def _event(messages: Iterable[bytes]) -> bytes:
    return b"".join(b"data: " + message + b"\n\n" for message in messages)


def _refetch(shape: Shape) -> Response:
    headers = {"electric-handle": shape.handle, "Cache-Control": "no-store"}
    return Response(_REFETCH, 409, media_type="application/json", headers=headers)


def _headers(handle: str, offset: int) -> dict[str, str]:
    return {
        "electric-handle": handle,
        "electric-offset": f"{offset}_0",
        "electric-up-to-date": "true",
        # Rows are for one role: nobody on the way may keep them for another.
        "Cache-Control": "no-store",
    }


def _up_to_date(offset: int) -> str:
    return f'{{"headers":{{"control":"up-to-date","global_last_seen_lsn":"{offset}"}}}}'


def _cursor() -> str:
    """Another one each time, so that no cache answers a live request."""
    return str(time.time_ns() // 1000)


def _schema(shape: Shape) -> str:
    told: dict[str, dict[str, Any]] = {}
    for column in shape.outline.columns:
        told[column.name] = {"type": column.pg_type} | ({"not_null": True} if column.not_null else {})
    told["id"]["pk_index"] = 0
    return msgspec.json.encode(told).decode()


def definition_of(request: Request) -> Definition:
    """What shape a request is about.

    Raises:
        ApplianceError: PGF120, a parameter cannot be read; PGF119, the list of columns cannot.
    """
    query = request.query_params
    named = _TABLE.fullmatch(query.get("table", ""))
    if named is None:
        raise _unreadable("table", query.get("table"), "Name a collection: table=beds")
    if any(name.startswith("subset__") for name in query):
        raise _unreadable("subset__", None, "Subsets of a shape are not served: ask for a shape of its own.")
    replica = query.get("replica", "default")
    if replica not in ("default", "full"):
        raise _unreadable("replica", replica, "default or full")
    columns = query.get("columns")
    return Definition(
        role_of(request),
        named[1] or named[2],
        tuple(sorted(set(read_names(columns)))) if columns else None,
        query.get("where", "").strip(),
        tuple(sorted(_parameters(request).items())),
        "full" if replica == "full" else "default",
    )


def _parameters(request: Request) -> dict[int, str]:
    """``params[1]=a`` and so on, or ``params`` as a JSON object or list."""
    told = {int(found[1]): value for name, value in request.query_params.items() if (found := _PARAMETER.match(name))}
    if whole := request.query_params.get("params"):
        try:
            given = msgspec.json.decode(whole, type=dict[int, str] | list[str])
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise _unreadable("params", whole, 'params[1]=..., or JSON: {"1": "..."}') from None
        told |= given if isinstance(given, dict) else dict(enumerate(given, 1))
    return told


def _asked(request: Request) -> _Asked:
    query = request.query_params
    definition = definition_of(request)
    start, handle = query.get("offset", "-1"), query.get("handle", "")
    log = query.get("log", "full")
    if log not in ("full", "changes_only"):
        raise _unreadable("log", log, "full or changes_only")
    if start == "now" or (start == "-1" and log == "changes_only"):
        return _Asked(definition, "now", 0, handle, live=False, stream=False)
    if start == "-1":
        return _Asked(definition, "-1", 0, handle, live=False, stream=False)
    place = _OFFSET.fullmatch(start)
    if place is None:
        raise _unreadable("offset", start, "-1, now, or what the header electric-offset said")
    if not handle:
        raise _unreadable("handle", None, "Send the handle that came with the offset.")
    stream = _flag(query.get("live_sse")) or _flag(query.get("experimental_live_sse"))
    return _Asked(definition, "", int(place[1]), handle, live=_flag(query.get("live")), stream=stream)


def _flag(value: str | None) -> bool:
    return value == "true"


def _unreadable(parameter: str, value: str | None, hint: str) -> ApplianceError:
    return ApplianceError(
        "PGF120",
        f"The parameter {parameter} of a shape cannot be read.",
        {"parameter": parameter, "value": None if value is None else value[:200]},
        hint,
    )
