"""The data service (writes, catalog, change feed) answers."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "data service"
LATE_S = 5.0


async def check(probe: Probe) -> Finding:
    """Down when it does not answer or does not hear of changes; warn when it is long in handing them on."""
    told = await probe.health("pgflex")
    if told is None:
        return _down("The data service is restarting; answers are not updated until it is back.")
    feed = told.get("feed", {})
    if not feed.get("live", True):
        return _down("The data service hears of no changes; answers are not updated until it does.")
    if feed.get("lag_s", 0.0) > LATE_S:
        late = f"Changes reach the screens {feed['lag_s']:.0f} s late; {feed['lag_commits']} commits wait."
        return Finding(NAME, "warn", late, "It catches up when fewer rows are written; see the box's load.")
    return Finding(NAME, "ok", "The data service answers.")


def _down(sentence: str) -> Finding:
    return Finding(NAME, "down", sentence, "It mends itself.")
