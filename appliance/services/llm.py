"""The model's process: loads the GGUF, takes tasks, streams what it does as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

import appliance
from appliance.config import Runtime, Settings
from appliance.errors import ApplianceError
from appliance.llm.dialects import pick
from appliance.llm.model import Model
from appliance.llm.prompt import Task
from appliance.llm.worker import Worker
from appliance.observation import logger
from appliance.services.internal import STREAM_GRACE_S, Json, essential, make_app, start

SHIPPED = "ask-bootstrap-q8_0.gguf"
log = logger("llm")


class PlanRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /plan``."""

    task: Task
    screen: str = ""
    deadline_s: float = 30.0


def model_file(settings: Settings) -> Path:
    """The GGUF file that the settings name, else the shipped one."""
    if settings.model:
        return Path(settings.model).expanduser()
    return Path(appliance.__file__).resolve().parent.parent / "models" / SHIPPED


def make(runtime: Runtime) -> FastAPI:
    """The model service's app."""
    settings = runtime.settings

    def load() -> Model:
        model = Model.load(model_file(settings), settings.model_threads, settings.model_context)
        log.info("model loaded", name=model.name, seconds=round(model.load_s, 2), context=model.context)
        return model

    worker = Worker(load, lambda name: pick(settings.model_dialect, name), settings.queue_limit)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = essential("llm", worker.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    app = make_app("llm", runtime, lifespan)
    ending = asyncio.Event()
    app.state.endings = [ending.set]

    @app.get("/health")
    async def health() -> Json:
        told = worker.told()
        fault = worker.fault.shape() if worker.fault else None
        return Json(
            {
                "status": "ok" if told["state"] in ("ready", "busy") else "down",
                "error": fault,
                "done": worker.done,
                **told,
            }
        )

    @app.get("/events")
    async def events() -> EventSourceResponse:
        return EventSourceResponse(_work_events(worker, ending), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    @app.post("/plan")
    async def plan(request: Request) -> EventSourceResponse:
        wanted = _read(await request.body())
        return EventSourceResponse(_plan_events(worker, wanted), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    return app


def _read(body: bytes) -> PlanRequest:
    try:
        return msgspec.json.decode(body, type=PlanRequest)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApplianceError("LLM211", "The request body cannot be read.", str(error)) from None


async def _work_events(worker: Worker, ending: asyncio.Event) -> AsyncIterator[ServerSentEvent]:
    """The worker's events until the service stops: a stream that ends by itself is not cut off."""
    events, ended = worker.watch(), asyncio.ensure_future(ending.wait())
    try:
        while not ended.done():
            step = asyncio.ensure_future(anext(events))
            await asyncio.wait({step, ended}, return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                yield _sse("work", step.result())
            else:
                step.cancel()
    finally:
        ended.cancel()


async def _plan_events(worker: Worker, wanted: PlanRequest) -> AsyncIterator[ServerSentEvent]:
    try:
        async for event in worker.plan(wanted.task, wanted.screen, wanted.deadline_s):
            yield _sse(str(event["event"]), event)
    except ApplianceError as error:
        yield _sse("error", {"event": "error", "error": error.shape()})
    except TimeoutError:
        late = ApplianceError("LLM210", "The question took too long.", None, "Ask again.")
        yield _sse("error", {"event": "error", "error": late.shape()})


def _sse(event: str, data: Any) -> ServerSentEvent:
    return ServerSentEvent(data=msgspec.json.encode(data).decode(), event=event)


def main() -> None:
    """Entry point of ``appliance-llm``."""
    start("llm", make)


if __name__ == "__main__":
    main()
