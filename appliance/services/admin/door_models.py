"""The gateway's addresses of models, ``/api/admin/models``: which there are, trying one, using one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.errors import ApplianceError, from_shape
from appliance.llm.linking import link, narrow
from appliance.llm.prompt import Task
from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.door_jobs import JobAnswer
from appliance.services.admin.signed import note, who
from appliance.services.assistant import now_in
from appliance.services.internal import Json
from appliance.services.model_client import model_told
from appliance.services.model_probe import Tried
from appliance.types import Catalog, Question

if TYPE_CHECKING:
    from appliance.services.admin.jobs import Report
    from appliance.services.gateway import Gateway

__all__ = ["install"]

QUESTIONS: Final = 5
TRIAL_S: Final = 1000.0
COMPARED: Final = ("collection", "select", "where", "group", "limit")


class ModelBody(BaseModel):
    """The body of ``POST /api/admin/models/trial`` and ``…/use``."""

    name: str = BodyField(
        "", max_length=80, description="As in the list; `shipped` is the small one.", examples=["shipped"]
    )
    file: str = BodyField("", max_length=200, description="Or its file's name.")


class ModelAnswer(BaseModel):
    """A model of the box, or of the catalog of those that may be brought."""

    name: str = BodyField(examples=["shipped"])
    where: str = BodyField(description="in use, in the box, or catalog.", examples=["in use"])
    file: str = BodyField(examples=["ask-1-q8_0.gguf"])
    licence: str = BodyField(examples=["Apache-2.0"])
    family: str
    context: int
    ram_gb: float
    fits: bool | None = BodyField(description="Whether this machine has room for it.")
    sha256: str
    bytes: int | None


class ModelsAnswer(BaseModel):
    """The models, and how those run that do."""

    models: list[ModelAnswer]
    running: dict[str, Any] = BodyField(description="As GET /api/model.")
    memory_bytes: int = BodyField(description="What the model's process has.")
    machine_gb: float


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/admin/models", summary="Models in the box, and how they run", response_model=ModelsAnswer)
    async def models(request: Request) -> Response:
        admin_only(gateway, request)
        told = await _asked(gateway, "GET", "/library")
        return Json(told | {"running": await model_told(gateway.client, gateway.runtime)})

    @app.post(
        "/api/admin/models/trial",
        summary="Ask a model five questions beside the one in use; a job",
        status_code=202,
        response_model=JobAnswer,
    )
    async def trial(request: Request, body: ModelBody) -> Response:
        admin_only(gateway, request)
        name = await _named(gateway, body)
        by, _ = who(gateway, request)
        return Json(
            gateway.jobs.start("model", by, f"{name} is tried.", lambda report: _trial(gateway, report, name)), 202
        )

    @app.post(
        "/api/admin/models/use",
        summary="Use a model beside the small one; a job",
        status_code=202,
        response_model=JobAnswer,
    )
    async def use(request: Request, body: ModelBody) -> Response:
        admin_only(gateway, request)
        name = await _named(gateway, body)
        note(request, name=name)
        by, _ = who(gateway, request)

        async def work(report: Report) -> dict[str, Any]:
            report.tell("It is loaded; questions go on meanwhile.")
            return await _asked(gateway, "POST", "/library/use", {"name": name}, TRIAL_S)

        return Json(gateway.jobs.start("model", by, f"{name} is put to use.", work), 202)


async def _named(gateway: Gateway, body: ModelBody) -> str:
    """The model of this name or file among those in the box.

    Raises:
        ApplianceError: LLM220, there is none.
    """
    rows = (await _asked(gateway, "GET", "/library"))["models"]
    held = [row for row in rows if row["where"] != "catalog"]
    small = held[0]["name"] if held else ""
    for number, row in enumerate(held):
        if (body.name and body.name == row["name"]) or (body.file and body.file == row["file"]):
            return "shipped" if number == 0 and row["name"] == small else str(row["name"])
    raise ApplianceError(
        "LLM220", "The box holds no such model.", (body.name or body.file)[:80], "appliance model add FILE"
    )


async def _trial(gateway: Gateway, report: Report, name: str) -> dict[str, Any]:
    """Ask the model in use, then the other one, the same questions; how fast it is and how often they agree."""
    catalog = await gateway.assistant.catalog("admin")
    asked = [found for text in _questions(gateway, catalog) if (found := _task(gateway, catalog, text)) is not None]
    if not asked:
        raise ApplianceError("LLM204", "There is no data yet to ask about.", None, "Import some first.")
    plans = []
    for number, task in enumerate(asked):
        report.tell(f"The model in use is asked: {task.question}", number / (2 * len(asked)))
        now = now_in(gateway.settings.timezone).isoformat(timespec="seconds")
        question = Question(f"t{secrets.token_hex(4)}", task.question, "admin", now)
        plans.append((await gateway.assistant.ask(question, lambda _: None)).plan)
    report.tell(f"{name} is loaded beside it, and asked the same.", 0.5)
    told = await _asked(gateway, "POST", "/library/trial", {"name": name, "tasks": asked}, TRIAL_S)
    tried = msgspec.convert(told, type=Tried)
    return _compared(name, tried, asked, plans)


def _compared(name: str, tried: Tried, asked: list[Task], plans: list[dict[str, Any] | None]) -> dict[str, Any]:
    runs = []
    for task, run, plan in zip(asked, tried.runs, plans, strict=True):
        agrees = run.plan is not None and plan is not None and _same(run.plan, plan)
        told = {"question": task.question, "agrees": agrees, "plan": run.plan, "plan_in_use": plan}
        runs.append(told | {"model_ms": run.model_ms, "tokens": run.tokens})
    took, tokens = sum(run.model_ms for run in tried.runs), sum(run.tokens for run in tried.runs)
    return {
        "name": name,
        "model": tried.name,
        "dialect": tried.dialect,
        "load_ms": tried.load_ms,
        "tokens_per_s": round(tokens / took * 1000, 1) if took else None,
        "first_token_ms": round(sum(run.first_token_ms for run in tried.runs) / len(runs), 1),
        "agreed": sum(run["agrees"] for run in runs),
        "asked": len(runs),
        "questions": runs,
    }


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(_sorted(one.get(key)) == _sorted(other.get(key)) for key in COMPARED)


def _sorted(value: Any) -> Any:
    return sorted(map(repr, value)) if isinstance(value, list | tuple) else value


def _questions(gateway: Gateway, catalog: Catalog) -> list[str]:
    """Those that the box suggests, and how many rows the largest collections have."""
    suggested = [str(text) for text in gateway.demo.get("questions") or ()]
    largest = sorted(catalog.collections, key=lambda each: -each.count)
    counts = [f"How many {each.label.replace('_', ' ')} are there?" for each in largest]
    return [*suggested, *counts][:QUESTIONS]


def _task(gateway: Gateway, catalog: Catalog, text: str) -> Task | None:
    found = link(text, catalog, now_in(gateway.settings.timezone))
    if not found:
        return None
    collection = found[0].collection
    return Task(text, collection.name, collection.label, narrow(found[0]))


async def _asked(gateway: Gateway, method: str, path: str, body: Any = None, timeout_s: float = 30.0) -> dict[str, Any]:
    """What the model's process answers.

    Raises:
        ApplianceError: LLM203, it does not; else what it says.
    """
    content = None if body is None else msgspec.json.encode(body)
    try:
        url, limit = gateway.runtime.llm_url + path, httpx.Timeout(timeout_s, connect=2.0)
        answer = await gateway.client.request(method, url, content=content, timeout=limit)
        told = msgspec.json.decode(answer.content)
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        raise ApplianceError("LLM203", "The model does not answer.", repr(error)[:200], "Try again.") from None
    if answer.is_error:
        raise from_shape(told, "LLM203")
    return dict(told)
