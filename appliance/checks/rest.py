"""PostgREST answers: rows can be read and written."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "REST"


async def check(probe: Probe) -> Finding:
    """Down when PostgREST does not answer or has lost the database."""
    if await probe.health("postgrest") is not None:
        return Finding(NAME, "ok", "Rows can be read and written.")
    return Finding(
        NAME, "down", "Rows cannot be read just now; the last answers stay.", "PostgREST restarts by itself."
    )
