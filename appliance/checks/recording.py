"""What screens show is being recorded."""

from __future__ import annotations

import time
from typing import Any

from appliance.checks import Finding, Probe

NAME = "recording"


async def check(probe: Probe) -> Finding:
    """Warn when recording pauses, or when nobody can tell; a box that is told to record nothing is well."""
    told = await probe.health("bridge")
    if told is None:
        return Finding(NAME, "warn", "Nothing is recorded while the bridge restarts.", "It restarts by itself.")
    said = told.get("recording")
    if not isinstance(said, dict) or not said.get("on"):
        return Finding(NAME, "ok", "Nothing is recorded: a setting says so.")
    if said.get("problem"):
        sentence = f"Recording pauses: {said['problem']}."
        return Finding(NAME, "warn", sentence, "Free some room; it goes on by itself.")
    return Finding(NAME, "ok", _sentence(said))


def _sentence(said: dict[str, Any]) -> str:
    size = int(said.get("bytes", 0)) / 1_000_000
    oldest = said.get("oldest")
    since = f", the oldest from {time.strftime('%Y-%m-%d %H:%M', time.localtime(oldest / 1000))}" if oldest else ""
    return f"{said.get('recorders', 0)} recordings are written; {size:,.1f} MB are kept{since}."
