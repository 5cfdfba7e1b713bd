"""The gateway's addresses of backups, ``/api/admin/backups``: the admin's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from pydantic import Field as BodyField

from appliance.services.admin.backups import Backups
from appliance.services.admin.door_accounts import RemovedAnswer, admin_only
from appliance.services.admin.door_jobs import JobAnswer
from appliance.services.admin.signed import note, who
from appliance.services.internal import Json

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

Name = Annotated[str, Path(max_length=130, examples=["dreamstack-20261128T140500Z.backup"])]


class BackupBody(BaseModel):
    """The body of ``POST /api/admin/backups``."""

    passphrase: str = BodyField("", max_length=1000, description="Seals it; nobody opens it without.")
    recordings: bool = BodyField(False, description="Recordings too.")
    models: bool = BodyField(False, description="Added models too.")


class DrillBody(BaseModel):
    """The body of ``POST /api/admin/backups/{name}/drill``."""

    passphrase: str = BodyField("", max_length=1000)


class DrilledAnswer(BaseModel):
    """When a backup was last tried."""

    at: str
    ok: bool
    took_s: float


class BackupAnswer(BaseModel):
    """A backup."""

    name: str = BodyField(examples=["dreamstack-20261128T140500Z.backup"])
    bytes: int = BodyField(examples=[1048576])
    made_at: str = BodyField(examples=["2026-11-28T14:05:00+00:00"])
    sealed: bool = BodyField(description="Whether a passphrase opens it.")
    drill: DrilledAnswer | None


class BackupsAnswer(BaseModel):
    """Backups in the box, the newest first."""

    possible: bool = BodyField(description="Whether the box can make them from here.")
    said: str = BodyField(description="Why not.")
    backups: list[BackupAnswer]


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""
    backups = Backups(gateway)

    @app.get("/api/admin/backups", summary="Backups in the box", response_model=BackupsAnswer)
    async def listed(request: Request) -> Response:
        admin_only(gateway, request)
        said = "" if backups.possible else "At the box: appliance backup /media/usb"
        found = await asyncio.to_thread(backups.all)
        return Json({"possible": backups.possible, "said": said, "backups": found})

    @app.post("/api/admin/backups", summary="Make a backup; a job", status_code=202, response_model=JobAnswer)
    async def make(request: Request, body: BackupBody) -> Response:
        admin_only(gateway, request)
        backups.check_possible()
        note(request, sealed=bool(body.passphrase), recordings=body.recordings, models=body.models)

        async def work(report: Any) -> dict[str, Any]:
            return await backups.make(report, body.passphrase, body.recordings, body.models)

        name, _ = who(gateway, request)
        return Json(gateway.jobs.start("backup", name, "The backup is made.", work), 202)

    @app.get(
        "/api/admin/backups/{name}",
        summary="Download a backup",
        response_class=FileResponse,
        responses={200: {"content": {"application/octet-stream": {}}, "description": "The file"}},
    )
    async def download(name: Name, request: Request) -> Response:
        admin_only(gateway, request)
        path = await asyncio.to_thread(backups.path, name)
        return FileResponse(path, media_type="application/octet-stream", filename=name)

    @app.delete("/api/admin/backups/{name}", summary="Remove a backup", response_model=RemovedAnswer)
    async def remove(name: Name, request: Request) -> Response:
        admin_only(gateway, request)
        await asyncio.to_thread(backups.remove, name)
        return Json({"removed": name})

    @app.post(
        "/api/admin/backups/{name}/drill",
        summary="Restore a backup beside the box and count its rows; a job",
        status_code=202,
        response_model=JobAnswer,
    )
    async def drill(name: Name, request: Request, body: DrillBody) -> Response:
        admin_only(gateway, request)
        backups.check_possible()
        await asyncio.to_thread(backups.path, name)

        async def work(report: Any) -> dict[str, Any]:
            return await backups.drill(report, name, body.passphrase)

        by, _ = who(gateway, request)
        return Json(gateway.jobs.start("drill", by, "The backup is tried.", work), 202)
