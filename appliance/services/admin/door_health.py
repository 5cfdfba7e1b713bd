"""The gateway's addresses of the box's health for the admin: each check with its fix, and the fix itself."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Literal

import httpx
from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.checks import Finding
from appliance.errors import ApplianceError, from_shape
from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.restarting import restart_parts
from appliance.services.admin.signed import note
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Name = Annotated[str, Path(max_length=40, examples=["model"])]
Fix = Callable[[], Awaitable[str]]
PART_OF: dict[str, str] = {"data service": "pgflex", "REST": "postgrest", "model": "llm", "bridge": "bridge"}
RECORDINGS_DAYS = 1


class CheckAnswer(BaseModel):
    """A check."""

    name: str = BodyField(examples=["disk"])
    state: Literal["ok", "warn", "down"]
    sentence: str = BodyField(examples=["76,438 MB are free in /var/lib/dreamstack/box."])
    fix: str = BodyField(description="What to do, in a line; empty when all is well.", examples=[""])
    can_fix: bool = BodyField(description="Whether the box can do so itself: POST …/fix")
    took_ms: float


class HealthAnswer(BaseModel):
    """How the box is."""

    status: Literal["ok", "degraded"]
    checks: list[CheckAnswer]


class FixedAnswer(BaseModel):
    """What was done, and how the check is now."""

    done: str = BodyField(examples=["The model was started anew."])
    check: CheckAnswer


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    fixes = _fixes(gateway)

    def told(finding: Finding) -> dict[str, object]:
        can = finding.state != "ok" and finding.name in fixes
        return {name: getattr(finding, name) for name in ("name", "state", "sentence", "fix", "took_ms")} | {
            "can_fix": can
        }

    @app.get("/api/admin/health", summary="Each check, with its fix", response_model=HealthAnswer)
    async def health(request: Request) -> Response:
        admin_only(gateway, request)
        checks = [told(finding) for finding in await gateway.health.look()]
        well = gateway.health.well and gateway.bridge.connected
        return Json({"status": "ok" if well else "degraded", "checks": checks})

    @app.post("/api/admin/health/{name}/fix", summary="Have the box mend what is wrong", response_model=FixedAnswer)
    async def fix(name: Name, request: Request) -> Response:
        admin_only(gateway, request)
        if name not in fixes:
            known = [finding.name for finding in gateway.health.findings]
            if name not in known:
                raise ApplianceError("BRG487", "There is no such check.", name, f"One of {', '.join(known)}.")
            raise ApplianceError("BRG489", "The box cannot mend that by itself.", name, "See the line with the fix.")
        done = await fixes[name]()
        note(request, done=done)
        found = next(finding for finding in await gateway.health.look() if finding.name == name)
        return Json({"done": done, "check": told(found)})


def _fixes(gateway: Gateway) -> dict[str, Fix]:
    """What the box can do, by the check's name."""
    found: dict[str, Fix] = {}
    for name, part in PART_OF.items():
        if gateway.runtime.profile == "embedded" or part != "postgrest":
            found[name] = _restarting(gateway, name, part)
    found["recording"] = found["disk"] = lambda: _make_room(gateway)
    if gateway.keeper is not None:
        found["certificate"] = lambda: _renew(gateway)
    return found


def _restarting(gateway: Gateway, name: str, part: str) -> Fix:
    async def fix() -> str:
        await restart_parts(gateway, (part,))
        return f"The {name} was started anew."

    return fix


async def _make_room(gateway: Gateway) -> str:
    """Remove recordings that are older than a day, logs that were set aside and what a drill left behind."""
    url = f"{gateway.runtime.bridge_url}/recordings/old"
    try:
        answer = await gateway.client.delete(url, params={"days": RECORDINGS_DAYS}, timeout=60)
    except httpx.HTTPError as error:
        raise ApplianceError("BRG406", "The bridge does not answer.", str(error), "Try again.") from None
    if answer.is_error:
        raise from_shape(answer.json(), "BRG406")
    removed = int(answer.json()["removed"])
    drills = any(job.kind == "drill" and job.state == "running" for job in gateway.jobs.all())
    left = await asyncio.to_thread(_tidy, gateway.settings.data, drills)
    return f"{removed} recordings over a day old and {left} old files were removed."


def _tidy(data: File, drills: bool) -> int:
    """Remove old logs, and places of drills unless one of those goes on. Blocks on the disk."""
    logs = list((data / "logs").glob("*.old.log"))
    places = [place for place in data.glob("drill-*") if place.is_dir() and not drills]
    for log in logs:
        log.unlink(missing_ok=True)
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    return len(logs) + len(places)


async def _renew(gateway: Gateway) -> str:
    assert gateway.keeper is not None
    new = await asyncio.to_thread(gateway.keeper.renew)
    return "The door has a new certificate." if new else "The certificate was good, and stays."
