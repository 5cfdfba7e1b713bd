"""The gateway's addresses of updates, ``/api/admin/updates``: which system runs, and installing a signed bundle."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

import appliance
from appliance.errors import ApplianceError
from appliance.services.admin.door_accounts import admin_only
from appliance.services.admin.door_jobs import JobAnswer
from appliance.services.admin.programs import run_command
from appliance.services.admin.signed import note, who
from appliance.services.admin.uploads import receive
from appliance.services.internal import Json
from appliance.services.update import ENDING, SYSUPDATE, System, this_system, version_of

if TYPE_CHECKING:
    from appliance.services.admin.jobs import Report
    from appliance.services.gateway import Gateway

__all__ = ["install"]

STICKS: Final = (Path("/media"), Path("/run/media"), Path("/mnt"))
LIMIT: Final = 16 * 1024**3
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,120}")


class OfferAnswer(BaseModel):
    """A bundle on a stick."""

    name: str = BodyField(examples=["dreamstack-nuc_0.2.0.update"])
    folder: str = BodyField(examples=["/media/stick"])


class UpdatesAnswer(BaseModel):
    """Which system runs, and what could be installed."""

    version: str = BodyField(description="Of the box's program.", examples=["0.1.0"])
    image: str | None = BodyField(description="The image it was installed from.", examples=["dreamstack-nuc"])
    image_version: str | None = BodyField(examples=["0.1.0"])
    possible: bool = BodyField(description="Whether a bundle can be installed from here.")
    said: str = BodyField(description="Why not, and what to do instead.")
    slots: list[dict[str, Any]] = BodyField(description="Versions that are installed, as systemd-sysupdate tells.")
    sticks: list[OfferAnswer]


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the addresses to the gateway."""

    @app.get("/api/admin/updates", summary="Which system runs, what could be installed", response_model=UpdatesAnswer)
    async def updates(request: Request) -> Response:
        admin_only(gateway, request)
        return Json(await asyncio.to_thread(_told))

    @app.post(
        "/api/admin/updates",
        summary="Install a signed bundle: the file as the body; a job",
        status_code=202,
        response_model=JobAnswer,
        openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
    )
    async def update(
        request: Request, name: Annotated[str, Query(max_length=130, description="The file's name.")]
    ) -> Response:
        admin_only(gateway, request)
        check_possible(name)
        gateway.jobs.check_free("update")  # before gigabytes come in for nothing
        by, _ = who(gateway, request)
        folder = gateway.settings.data / "incoming" / secrets.token_hex(8)  # two may send a file of this name
        note(request, name=name)

        async def work(report: Report) -> dict[str, Any]:
            report.tell("Its signature is checked, and it is written to the other slot.")
            try:
                said = await run_command("update", str(folder / name))
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            return {"said": said.strip()}

        try:
            await receive(request, folder / name, LIMIT)
            return Json(gateway.jobs.start("update", by, f"{name} is installed.", work), 202)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise


def check_possible(name: str) -> None:
    """Raise where no bundle of this name can be installed by this process.

    Raises:
        ApplianceError: BRG420, this is no image, or no bundle for it; BRG489, the process has no right to.
    """
    system = this_system()
    if not _NAME.fullmatch(name) or not name.startswith(f"{system.image}_") or not name.endswith(ENDING):
        raise ApplianceError("BRG420", "This is no update for this box.", name[:130], f"{system.image}_VERSION{ENDING}")
    version_of(name, system)
    if os.geteuid() != 0:
        raise ApplianceError(
            "BRG489", "The door may not write the system's slots.", None, "Put the file on a stick and plug it in."
        )


def _told() -> dict[str, Any]:
    """Blocks on the disk, and on systemd-sysupdate."""
    system: System | None = None
    said = ""
    try:
        system = this_system()
        if os.geteuid() != 0:
            said = "Put the bundle on a stick and plug it in: the box installs it by itself."
    except ApplianceError as error:
        said = f"{error.message} {error.hint or ''}".strip()
    except OSError as error:
        said = str(error)
    return {
        "version": appliance.__version__,
        "image": system.image if system else None,
        "image_version": system.version if system else None,
        "possible": system is not None and not said,
        "said": said,
        "slots": _slots() if system else [],
        "sticks": _sticks(system.image) if system else [],
    }


def _slots() -> list[dict[str, Any]]:
    words = [str(SYSUPDATE), "list", "--json=short", "--offline"]
    with suppress(OSError, subprocess.SubprocessError, msgspec.DecodeError):
        done = subprocess.run(words, capture_output=True, timeout=20, check=False)
        return msgspec.json.decode(done.stdout, type=list[dict[str, Any]])
    return []


def _sticks(image: str) -> list[dict[str, str]]:
    found = []
    for place in STICKS:
        with suppress(OSError):
            found += [
                {"name": file.name, "folder": str(file.parent)}
                for file in sorted([*place.glob(f"{image}_*{ENDING}"), *place.glob(f"*/{image}_*{ENDING}")])
            ]
    return found
