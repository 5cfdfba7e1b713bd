"""The box has a voice, so that answers can be spoken."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "voice"


async def check(probe: Probe) -> Finding:
    """Warn where the program that speaks is missing; nothing else needs it."""
    told = await probe.health("bridge")
    if told is not None and told.get("voice") is False:
        return Finding(NAME, "warn", "Answers cannot be spoken: espeak-ng is missing.", "apt-get install espeak-ng")
    return Finding(NAME, "ok", "Answers can be spoken." if told else "The bridge, which speaks, is restarting.")
