"""The bridge moves signals to screens."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "bridge"


async def check(probe: Probe) -> Finding:
    """Down when the bridge does not answer; warn when the assistant is not connected to it."""
    told = await probe.health("bridge")
    if told is None:
        return Finding(NAME, "down", "The bridge is restarting; screens keep what they show.", "It restarts by itself.")
    if "assistant" not in told.get("sources", ()):
        return Finding(NAME, "down", "The assistant is not connected to the bridge yet.", "It connects by itself.")
    return Finding(NAME, "ok", f"The bridge serves {told.get('screens')} screens.")
