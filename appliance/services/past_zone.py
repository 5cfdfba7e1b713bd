"""The facility's time zone by a name that a browser knows, so that a past moment reads the same on every screen."""

from __future__ import annotations

import os
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["machine_zone", "told_zone", "zone_of"]

LOCALTIME: Final = Path("/etc/localtime")
_FOLDER: Final = "zoneinfo/"


def zone_of(timezone: str) -> tzinfo | None:
    """The zone of the setting; None for the machine's."""
    return ZoneInfo(timezone) if timezone else None


def told_zone(timezone: str, at: int) -> dict[str, Any]:
    """What a page needs to write a moment as the facility does.

    ``zone`` is an IANA name, or None where the machine does not say its own; ``offset`` is minutes east of UTC at `at`.
    """
    local = datetime.fromtimestamp(at / 1000, zone_of(timezone)).astimezone(zone_of(timezone))
    offset = local.utcoffset()
    assert offset is not None
    return {"zone": timezone or machine_zone(), "offset": int(offset.total_seconds()) // 60}


def machine_zone() -> str | None:
    """The machine's zone by name, where it has one."""
    named = os.environ.get("TZ") or str(LOCALTIME.resolve()).partition(_FOLDER)[2]
    try:
        return ZoneInfo(named.removeprefix(":")).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
