"""The data service (writes, catalog, change feed) answers."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "data service"


async def check(probe: Probe) -> Finding:
    """Down when it does not answer, or does not hear of changes."""
    told = await probe.health("pgflex")
    if told is None:
        return _down("The data service is restarting; answers are not updated until it is back.")
    if not told.get("feed", {}).get("live", True):
        return _down("The data service hears of no changes; answers are not updated until it does.")
    return Finding(NAME, "ok", "The data service answers.")


def _down(sentence: str) -> Finding:
    return Finding(NAME, "down", sentence, "It mends itself.")
