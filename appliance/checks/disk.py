"""The data folder has room."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from appliance.checks import Finding, Probe

NAME = "disk"
LOW = 500 * 1024 * 1024
FULL = 50 * 1024 * 1024


async def check(probe: Probe) -> Finding:
    """Warn under 500 MB of free room, down under 50 MB."""
    free = await asyncio.to_thread(_free, probe.data)
    told = f"{free // (1024 * 1024):,} MB are free in {probe.data}."
    if free < FULL:
        return Finding(NAME, "down", told, "Free some room, or move the data folder to a larger disk.")
    if free < LOW:
        return Finding(NAME, "warn", told, "Free some room soon.")
    return Finding(NAME, "ok", told)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
