"""The model's work as signals: ``model.state``, ``model.queue``, ``model.name`` and ``model.tokens_per_s``.

The events are the worker's own: ``{"state": "ready" | "busy", "queue": 2, "name": ..., "tokens_per_s": 410.0}``.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from appliance.bridge.limits import telling
from appliance.bridge.sources.feed import follow
from appliance.bridge.stream import Stream
from appliance.observation import logger
from appliance.types import Signal

NAME = "inference"
log = logger("bridge")
_KNOWN = ("state", "queue", "name", "tokens_per_s")


def signals(event: dict[str, Any]) -> list[Signal]:
    """The signals of one event of the worker."""
    return [Signal(f"model.{key}", event[key]) for key in _KNOWN if event.get(key) is not None]


async def run(client: httpx.AsyncClient, url: str, stream: Stream) -> None:
    """Feed `stream` from the worker's events at `url` until cancelled."""
    async for event in follow(client, url):
        with telling(log):
            if event.event == "work":
                stream.write(NAME, signals(msgspec.json.decode(event.data)))
            elif event.event == "lost":
                stream.write(NAME, [Signal("model.state", "down")])
