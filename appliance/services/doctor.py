"""What ``appliance doctor`` looks at when no box is running: can one run on this machine?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.checks import Finding
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.pgflex.embedded import find_postgres_bin, find_postgrest
from appliance.services.llm import model_file
from appliance.services.supervisor import check_port


def examine_machine(settings: Settings) -> list[Finding]:
    """The programs, the model file, the port and the room."""
    return [
        _tried("PostgreSQL", lambda: str(find_postgres_bin(settings))),
        _tried("PostgREST", lambda: str(find_postgrest(settings))),
        _model(settings),
        _tried("port", lambda: f"{settings.port} is free", lambda: check_port(settings)),
        _room(settings.data),
    ]


def _tried(name: str, told: Callable[[], str], act: Callable[[], None] = lambda: None) -> Finding:
    try:
        act()
        return Finding(name, "ok", told())
    except ApplianceError as error:
        return Finding(name, "down", error.message, error.hint or "")


def _model(settings: Settings) -> Finding:
    file = model_file(settings)
    if file.is_file():
        return Finding("model", "ok", f"{file.name}, {file.stat().st_size / 1e6:.1f} MB")
    return Finding(
        "model",
        "down",
        f"There is no model file {file}.",
        "Name a GGUF file in the setting model, or fetch the repository anew.",
    )


def _room(folder: Path) -> Finding:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    told = f"{free:,} MB are free in {folder}."
    return (
        Finding("disk", "ok", told)
        if free > 500
        else Finding("disk", "down", told, "Free some room, or choose another folder with --data.")
    )
