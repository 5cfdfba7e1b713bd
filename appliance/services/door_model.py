"""The gateway's addresses of the model: how it is, prose of an answer's rows, and another larger model."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request
from pydantic import BaseModel
from pydantic import Field as BodyField
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.errors import ApplianceError, from_shape
from appliance.llm.prose import Prose
from appliance.services.assistant import now_in
from appliance.services.internal import STREAM_GRACE_S, Json
from appliance.services.model_client import model_told, prose, reload_model
from appliance.types import Answer, Question

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]


class ProseBody(BaseModel):
    """The body of ``POST /api/prose``: as of ``/api/ask``."""

    question: str = BodyField(examples=["Which beds are in cleaning?"])
    role: str | None = BodyField(None, description="Act as this role; at most the credential's own.")
    plan: dict[str, Any] | None = BodyField(None, description="The plan of an answer, or one of the choices.")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/model", summary="Which models answer, and how they are")
    async def model() -> Json:
        return Json(await model_told(gateway.client, gateway.runtime))

    @app.post("/api/model/reload", summary="Load the larger model that is chosen now; admin")
    async def reload(request: Request) -> Json:
        gateway.access.acting(gateway.role(request), "admin")
        return Json(await reload_model(gateway.client, gateway.runtime))

    @app.post("/api/prose", summary="Ask, and have the rows told by the larger model; server-sent events")
    async def tell(request: Request, body: ProseBody) -> EventSourceResponse:
        role = gateway.access.acting(gateway.role(request), body.role)
        text = gateway.assistant.check(body.question)
        now = now_in(gateway.settings.timezone).isoformat(timespec="seconds")
        question = Question(f"p{secrets.token_hex(4)}", text, role, now, "", body.plan)
        events = _events(gateway, question, gateway.account(request))
        return EventSourceResponse(events, ping=10, shutdown_grace_period=STREAM_GRACE_S)


async def _events(gateway: Gateway, question: Question, account: str) -> AsyncIterator[ServerSentEvent]:
    found = await gateway.assistant.ask(question, lambda _: None)
    gateway.tell_asked(question, found, account)
    yield _sse("answer", found)
    try:
        if found.status != "answered":
            raise from_shape(found.error, "LLM204")
        async for event in prose(gateway.client, gateway.runtime, of_answer(found), question.role):
            yield _sse(str(event["event"]), event)
    except ApplianceError as error:
        yield _sse("error", {"event": "error", "error": error.shape()})


def of_answer(found: Answer) -> Prose:
    """What is to be told of an answer: its rows under their labels."""
    fields = found.view.get("fields") or [{"name": name} for name in (found.rows[0] if found.rows else ())]
    columns = tuple((str(field["name"]), str(field.get("label") or field["name"])) for field in fields)
    return Prose(found.question, columns, found.rows)


def _sse(event: str, data: Any) -> ServerSentEvent:
    return ServerSentEvent(data=msgspec.json.encode(data).decode(), event=event)
