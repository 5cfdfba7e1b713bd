"""The model is loaded and takes questions."""

from __future__ import annotations

from typing import Any

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
    return _beside(f"The model {told.get('name')} answers{_speed(told)}.", told)


def _speed(told: dict[str, Any]) -> str:
    """How fast it last was, and how many questions wait."""
    speed, first, queue = told.get("tokens_per_s"), told.get("first_token_ms"), told.get("queue")
    fast = f", {speed:.0f} tokens per second" if speed else ""
    fast += f", the first after {first:.0f} ms" if speed and first else ""
    return fast + (f"; {queue} wait" if queue else "")


def _beside(sentence: str, told: dict[str, Any]) -> Finding:
    """The finding, with the larger model where there is one."""
    large = told.get("large") or {}
    error = large.get("error")
    if error:
        return Finding(
            NAME, "warn", f"{sentence} The larger one does not: {error['message']}", str(error.get("hint") or "")
        )
    if large.get("paused"):
        return Finding(NAME, "warn", f"{sentence} {large['name']} failed and is left alone for a while.", _SLOW)
    if large.get("state") == "loading":
        return Finding(NAME, "ok", f"{sentence} A larger one is being loaded.")
    return Finding(
        NAME, "ok", f"{sentence} Beside it answers {large['name']}{_speed(large)}." if large.get("name") else sentence
    )


_SLOW = "Choose a smaller one, or give it more time: large_model_wait_s."
