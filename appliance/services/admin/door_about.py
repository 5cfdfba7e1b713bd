"""The gateway's address of what this box is: versions, licences, the model's card, its fingerprint."""

from __future__ import annotations

import asyncio
import platform
import ssl
import time
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic import Field as BodyField

import appliance
from appliance.config import shipped_models
from appliance.errors import ApplianceError
from appliance.services.admin.door_accounts import admin_only
from appliance.services.clients import told_by_data
from appliance.services.internal import Json
from appliance.services.model_client import model_told
from appliance.services.tls.authority import fingerprint
from appliance.services.update import this_system

if TYPE_CHECKING:
    from appliance.services.gateway import Gateway

__all__ = ["install"]

BEGAN: Final = time.time()
_LICENCE: Final = 80


class PackageAnswer(BaseModel):
    """A part by others."""

    name: str = BodyField(examples=["msgspec"])
    version: str = BodyField(examples=["0.19.0"])
    licence: str = BodyField(examples=["BSD-3-Clause"])


class AboutAnswer(BaseModel):
    """What this box is."""

    version: str = BodyField(examples=["0.1.0"])
    box: str = BodyField(examples=["DreamStack"])
    facility: str
    started_at: str = BodyField(description="When the door was opened.")
    uptime_s: float
    profile: str = BodyField(description="embedded: `appliance up`; deployed: systemd or containers.")
    image: str | None = BodyField(description="The image and its version, where it was installed from one.")
    fingerprint: str | None = BodyField(description="Of the box's authority, where the door has a certificate.")
    endpoint_id: str | None = BodyField(description="What screens know it by over Iroh.")
    versions: dict[str, str] = BodyField(examples=[{"Python": "3.11.7", "PostgreSQL": "17.10"}])
    model: dict[str, Any] | None
    model_card: str
    licence: str = BodyField(examples=["Apache-2.0"])
    licences: list[PackageAnswer]


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the address to the gateway."""

    @app.get("/api/admin/about", summary="What this box is", response_model=AboutAnswer)
    async def about(request: Request) -> Response:
        admin_only(gateway, request)
        still = await asyncio.to_thread(_still, gateway)
        return Json(still | await _now(gateway))


async def _now(gateway: Gateway) -> dict[str, Any]:
    told: dict[str, Any] = {
        "started_at": datetime.fromtimestamp(BEGAN, UTC).isoformat(timespec="seconds"),
        "uptime_s": round(time.time() - BEGAN, 1),
        "facility": gateway.facility,
        "model": None,
        "endpoint_id": None,
    }
    versions = {"Python": platform.python_version(), "Linux": platform.release(), "Machine": platform.machine()}
    try:
        told["model"] = await model_told(gateway.client, gateway.runtime)
        versions["PostgreSQL"] = str(await told_by_data(gateway.client, gateway.runtime, "GET", "/version", "admin"))
        bridge = await gateway.client.get(f"{gateway.runtime.bridge_url}/health")
        told["endpoint_id"] = bridge.json().get("endpoint_id")
    except (ApplianceError, ValueError, OSError):
        pass  # what does not answer is left out
    return told | {"versions": versions}


def _still(gateway: Gateway) -> dict[str, Any]:
    """What does not change while the box runs. Blocks on the disk."""
    authority = gateway.settings.data / "keys" / "ca.crt"
    mark = fingerprint(ssl.PEM_cert_to_DER_cert(authority.read_text())) if authority.exists() else None
    try:
        image: str | None = " ".join(this_system())
    except (ApplianceError, OSError):
        image = None
    card = shipped_models() / "README.md"
    return {
        "version": appliance.__version__,
        "box": gateway.settings.box_name,
        "profile": gateway.runtime.profile,
        "image": image,
        "fingerprint": mark,
        "model_card": card.read_text(encoding="utf-8") if card.exists() else "",
        "licence": "Apache-2.0",
        "licences": _licences(),
    }


@cache
def _licences() -> list[dict[str, str]]:
    """Everything that is installed beside the box's own code."""
    found: dict[str, dict[str, str]] = {}
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name and name != "dreamstack-appliance":
            found[name.casefold()] = {"name": name, "version": each.version, "licence": _licence(each.metadata)}
    return [found[name] for name in sorted(found)]


def _licence(told: Any) -> str:
    if said := told.get("License-Expression"):
        return str(said)
    kinds = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License :: ")]
    first = str(told.get("License") or "").strip().partition("\n")[0]
    return ", ".join(kinds) or first[:_LICENCE]
