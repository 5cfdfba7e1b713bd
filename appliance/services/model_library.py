"""The model service's addresses of the models a box holds, for the gateway.

GET  /library            the rows of `appliance model list`, with the memory the process has
POST /library/trial      {"name", "tasks"} -> what each task came to, in a process of its own
POST /library/use        {"name"} -> the larger model is another from now on; where it does not load it stays
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import FastAPI, Request

from appliance.errors import ApplianceError
from appliance.llm.library import SHIPPED_NAME, Library, machine_ram_gb
from appliance.llm.prompt import Task
from appliance.services.internal import Json
from appliance.services.model_probe import Trial, Tried

if TYPE_CHECKING:
    from appliance.services.llm import Models

__all__ = ["TrialRequest", "install"]

TRIAL_S: Final = 900.0


class TrialRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /library/trial``."""

    name: str
    tasks: tuple[Task, ...]


class UseRequest(msgspec.Struct, frozen=True):
    """The body of ``POST /library/use``."""

    name: str


def install(app: FastAPI, models: Models) -> None:
    """Add the addresses to the model service."""
    library = Library(models.settings.data)

    @app.get("/library")
    async def listed() -> Json:
        rows = await asyncio.to_thread(_rows, models)
        memory = await asyncio.to_thread(_memory)
        return Json({"models": rows, "memory_bytes": memory, "machine_gb": machine_ram_gb()})

    @app.post("/library/trial")
    async def trial(request: Request) -> Json:
        from appliance.services.admin.programs import run_module
        from appliance.services.model_command import file_of

        wanted = msgspec.json.decode(await request.body(), type=TrialRequest)
        file, family = await asyncio.to_thread(file_of, models.settings, _named(wanted.name))
        settings = models.settings
        given = Trial(str(file), family, settings.model_threads, settings.model_context, tasks=wanted.tasks)
        async with asyncio.timeout(TRIAL_S):
            told = await run_module("appliance.services.model_probe", given)
        return Json(msgspec.convert(told, type=Tried))

    @app.post("/library/use")
    async def use(request: Request) -> Json:
        wanted = msgspec.json.decode(await request.body(), type=UseRequest)
        before = await asyncio.to_thread(library.used)
        await asyncio.to_thread(library.use, _named(wanted.name))
        try:
            await models.reload()
        except ApplianceError:
            await asyncio.to_thread(library.use, before.name if before else SHIPPED_NAME)
            with suppress(ApplianceError):
                await models.reload()
            raise
        return Json(models.desk.told())


def _named(name: str) -> str:
    """A name of the list, and no path: who asks may be on another machine.

    Raises:
        ApplianceError: LLM220.
    """
    if "/" in name or name.endswith(".gguf"):
        raise ApplianceError("LLM220", "The box holds no model of this name.", name[:80], "GET /api/admin/models")
    return name


def _rows(models: Models) -> list[dict[str, Any]]:
    from appliance.services.llm import model_file
    from appliance.services.model_command import model_rows

    held = {each.name: each.bytes for each in Library(models.settings.data).held()}
    small = model_file(models.settings)
    size = small.stat().st_size if small.exists() else 0
    rows = model_rows(models.settings)
    return [row | {"bytes": held.get(row["name"], size if number == 0 else None)} for number, row in enumerate(rows)]


def _memory() -> int:
    """Bytes of memory that this process has. Blocks on the disk."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
