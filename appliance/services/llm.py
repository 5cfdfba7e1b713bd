"""The model's process: loads the GGUF files, takes tasks, streams what it does as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sse_starlette import EventSourceResponse, ServerSentEvent

from appliance.config import Runtime, Settings, shipped_models
from appliance.errors import ApplianceError
from appliance.llm.desk import Desk, Which
from appliance.llm.dialects import pick
from appliance.llm.guard import Guard
from appliance.llm.library import Library
from appliance.llm.model import Model
from appliance.llm.outline import Outline
from appliance.llm.prompt import Dialect, Task
from appliance.llm.prose import Prose
from appliance.llm.worker import Event, Measured, Worker
from appliance.observation import logger
from appliance.services import llm_listening, model_library
from appliance.services.internal import STREAM_GRACE_S, Json, essential, make_app, start
from appliance.services.llm_metrics import ModelMetrics

SHIPPED = "ask-1-q8_0.gguf"
log = logger("llm")
_Body = TypeVar("_Body", "PlanRequest", "ProseRequest", "SketchRequest")


class PlanRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /plan``; `model` is ``small`` or ``large`` where only that one is to be asked."""

    task: Task
    screen: str = ""
    deadline_s: float = 30.0
    model: Which = "auto"


class ProseRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /prose``."""

    prose: Prose
    screen: str = ""
    deadline_s: float = 30.0


class SketchRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /sketch``."""

    outline: Outline
    screen: str = ""
    deadline_s: float = 30.0


def model_file(settings: Settings) -> Path:
    """The GGUF file that the settings name, else the shipped one."""
    if settings.model:
        return Path(settings.model).expanduser()
    return shipped_models() / SHIPPED


def large_model(settings: Settings) -> tuple[Path, str] | None:
    """The file of the larger model and its family; None where there is none.

    Raises:
        ApplianceError: LLM220, the settings name a model that the box does not hold.
    """
    library = Library(settings.data)
    if settings.large_model.endswith(".gguf"):
        return Path(settings.large_model).expanduser(), "auto"
    held = library.find(settings.large_model) if settings.large_model else library.used()
    return (library.path(held), held.family) if held else None


class Models:
    """Both models of a box, and the guard of the larger one."""

    def __init__(self, settings: Settings, metrics: ModelMetrics) -> None:
        self.settings, self._family = settings, "auto"
        self.guard = Guard(settings.data / "models" / "guard.json")
        small = Worker(self._small, self._small_dialect, settings.queue_limit, measure=metrics.of("small"))
        self._measure_large = metrics.of("large")
        large = Worker(self._large, self._large_dialect, settings.queue_limit, lambda: self.guard, self._measured)
        self.desk = Desk(small, large, settings.large_model_wait_s)

    async def reload(self) -> None:
        """Load the larger model that is chosen now.

        Raises:
            ApplianceError: LLM208, it cannot be loaded; LLM220, the box does not hold it.
        """
        await asyncio.to_thread(self.guard.pardon)
        await self.desk.reload()

    def _measured(self, took: Measured) -> None:
        self._measure_large(took)
        if took.outcome in ("plan", "told"):
            self.guard.well()

    def _small(self) -> Model:
        return self._load(model_file(self.settings))

    def _small_dialect(self, model: Model) -> Dialect:
        return pick(self.settings.model_dialect, model.name, model.template)

    def _large(self) -> Model | None:
        chosen = large_model(self.settings)
        if chosen is None:
            return None
        self.guard.check()
        file, self._family = chosen
        with self.guard:
            return self._load(file)

    def _large_dialect(self, model: Model) -> Dialect:
        return pick(self._family, model.name, model.template)

    def _load(self, file: Path) -> Model:
        model = Model.load(file, self.settings.model_threads, self.settings.model_context)
        log.info("model loaded", name=model.name, seconds=round(model.load_s, 2), context=model.context)
        return model


def make(runtime: Runtime) -> FastAPI:
    """The model service's app."""
    metrics = ModelMetrics()
    models = Models(runtime.settings, metrics)
    desk = models.desk

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [essential("llm", desk.run()), essential("llm", llm_listening.rest(listener))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(models.guard.stopping)

    app = make_app("llm", runtime, lifespan)
    ending = asyncio.Event()
    app.state.endings = [ending.set]
    listener = llm_listening.install(app, runtime.settings)

    @app.get("/health")
    async def health() -> Json:
        return Json(_health(desk) | {"listens": listener.here})

    @app.get("/metrics")
    async def numbers() -> Response:
        return PlainTextResponse(metrics.text(desk), media_type=CONTENT_TYPE_LATEST)

    @app.get("/events")
    async def events() -> EventSourceResponse:
        return EventSourceResponse(_work_events(desk, ending), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    @app.post("/plan")
    async def plan(request: Request) -> EventSourceResponse:
        wanted = _read(await request.body(), PlanRequest)
        told = desk.plan(wanted.task, wanted.screen, wanted.deadline_s, wanted.model)
        return EventSourceResponse(_told(told), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    @app.post("/sketch")
    async def sketch(request: Request) -> EventSourceResponse:
        wanted = _read(await request.body(), SketchRequest)
        told = desk.small.plan(wanted.outline, wanted.screen, wanted.deadline_s)
        return EventSourceResponse(_told(told), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    @app.post("/prose")
    async def prose(request: Request) -> EventSourceResponse:
        wanted = _read(await request.body(), ProseRequest)
        told = desk.tell(wanted.prose, wanted.screen, wanted.deadline_s)
        return EventSourceResponse(_told(told), ping=10, shutdown_grace_period=STREAM_GRACE_S)

    model_library.install(app, models)

    @app.post("/reload")
    async def reload() -> Json:
        await models.reload()
        return Json(_health(desk))

    return app


def _health(desk: Desk) -> dict[str, Any]:
    told = desk.told()
    return {
        "status": "ok" if told["state"] in ("ready", "busy") else "down",
        "error": desk.small.fault.shape() if desk.small.fault else None,
        "done": desk.small.done + desk.large.done,
        **told,
    }


def _read(body: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApplianceError("LLM211", "The request body cannot be read.", str(error)) from None


async def _work_events(desk: Desk, ending: asyncio.Event) -> AsyncIterator[ServerSentEvent]:
    """The models' events until the service stops: a stream that ends by itself is not cut off."""
    events, ended = desk.watch(), asyncio.ensure_future(ending.wait())
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


async def _told(events: AsyncIterator[Event]) -> AsyncIterator[ServerSentEvent]:
    try:
        async for event in events:
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
