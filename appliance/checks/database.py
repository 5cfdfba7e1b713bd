"""PostgreSQL answers the data service."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "database"


async def check(probe: Probe) -> Finding:
    """Down when the data service cannot reach PostgreSQL; warn when it cannot be asked."""
    told = await probe.health("pgflex")
    if told is None:
        return Finding(NAME, "warn", "The database cannot be asked while the data service is away.", "Wait a moment.")
    if told.get("database", "ok") == "ok":
        return Finding(NAME, "ok", "The database answers.")
    return Finding(
        NAME, "down", "The database does not answer.", "It is restarted by itself; see the box's log if this stays."
    )
