"""The model is loaded and takes questions."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "model"


async def check(probe: Probe) -> Finding:
    """Down when the worker does not answer or its file cannot be loaded."""
    told = await probe.health("llm")
    if told is None:
        return Finding(
            NAME, "down", "The model is restarting; answers stay live, new questions wait.", "It restarts by itself."
        )
    error = told.get("error")
    if error:
        return Finding(NAME, "down", str(error.get("message")), str(error.get("hint") or ""))
    if told.get("state") == "loading":
        return Finding(NAME, "down", "The model is being loaded.", "Wait a moment.")
    return Finding(NAME, "ok", f"The model {told.get('name')} answers.")
