"""The gateway's addresses of settings, ``/api/admin/settings``: what there is and where each is from; other choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from pydantic import Field as BodyField

from appliance.config import CHOOSABLE
from appliance.errors import ApplianceError
from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.door_jobs import JobAnswer
from appliance.services.admin.restarting import PARTS, restart_parts
from appliance.services.admin.signed import note, who
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]


class SettingsBody(BaseModel):
    """The body of ``PATCH /api/admin/settings``; what is left out stays, an empty text is the default."""

    model_config = ConfigDict(extra="forbid")

    box_name: str | None = BodyField(None, max_length=60)
    facility: str | None = BodyField(None, max_length=200, examples=["St. Brigid Hospital"])
    timezone: str | None = BodyField(None, max_length=100, examples=["Europe/Berlin"])
    language: str | None = BodyField(None, max_length=10, examples=["en"])
    join: str | None = BodyField(None, max_length=20, examples=["approve"])
    session_idle_minutes: int | None = BodyField(None, ge=1, le=720, examples=[15])
    questions_days: int | None = BodyField(None, ge=0, le=3650, examples=[90])
    digest_at: str | None = BodyField(None, max_length=5, examples=["07:00"])
    answers_kept: int | None = BodyField(None, ge=1, le=200, examples=[12])
    record_days: int | None = BodyField(None, ge=0, le=3650, examples=[7])
    record_bytes: int | None = BodyField(None, ge=0, le=2**50, examples=[2147483648])
    speech_voice: str | None = BodyField(None, max_length=40, examples=["en"])


class SettingAnswer(BaseModel):
    """A setting."""

    name: str = BodyField(examples=["facility"])
    value: str | int | float | bool = BodyField(description="Now.")
    next: str | int | float | bool | None = BodyField(description="From the next start on, where that is another.")
    default: str | int | float | bool
    kind: Literal["str", "int", "float", "bool"]
    choices: list[str]
    help: str
    origin: str = BodyField(
        description="command line, environment, console, settings.toml, deployment or default.", examples=["console"]
    )
    changeable: bool = BodyField(description="Whether it may be chosen here.")
    applies: Literal["now", "restart"] = BodyField(description="When another choice holds.")


class SettingsAnswer(BaseModel):
    """All settings."""

    settings: list[SettingAnswer]
    restart_needed: bool = BodyField(description="Whether one was chosen that holds from the next start only.")
    restart_possible: bool = BodyField(description="Whether the box can start anew by itself: POST /api/admin/restart")


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    embedded = gateway.runtime.profile == "embedded"

    def told() -> dict[str, Any]:
        waits = any(gateway.chosen.waits(name) for name in CHOOSABLE)
        return {"settings": gateway.chosen.told(), "restart_needed": waits, "restart_possible": embedded}

    @app.get("/api/admin/settings", summary="Settings, and where each is from", response_model=SettingsAnswer)
    async def settings(request: Request) -> Response:
        admin_only(gateway, request)
        return Json(told())

    @app.patch("/api/admin/settings", summary="Choose settings", response_model=SettingsAnswer)
    async def choose(request: Request, body: SettingsBody) -> Response:
        admin_only(gateway, request)
        changes = body.model_dump(exclude_none=True)
        await gateway.chosen.set(changes)
        note(request, **changes)
        gateway.tell_box()
        return Json(told())

    @app.post(
        "/api/admin/restart",
        summary="Start all parts anew, with the settings as they are then; a job",
        status_code=202,
        response_model=JobAnswer,
    )
    async def restart(request: Request) -> Response:
        admin_only(gateway, request)
        if not embedded:
            raise ApplianceError(
                "BRG489", "The system starts the parts of this box.", None, "Restart the machine, or its units."
            )

        async def work(report: Any) -> None:
            report.tell("The parts start anew.")
            await restart_parts(gateway, PARTS)
            gateway.restart_soon()

        name, _ = who(gateway, request)
        return Json(gateway.jobs.start("update", name, "The box starts anew.", work), 202)
