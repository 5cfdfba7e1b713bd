"""The change feed as signals: ``changes.<collection>`` says what happened last, never what is in the row.

Moved("beds", "update", at, n=3, audience="wall") -> changes.beds = {"op": "update", "at": ..., "n": 12}

The feed is followed in brief: rows never come here, and a million of them are a thousand events.
"""

from __future__ import annotations

import httpx
import msgspec

from appliance.bridge.limits import telling
from appliance.bridge.sources.feed import follow
from appliance.bridge.stream import Stream
from appliance.observation import logger
from appliance.types import Moved, Signal

NAME = "changes"
log = logger("bridge")


class Changes:
    """Counts the changes of each collection since the bridge began, and tells the last one."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def signal(self, moved: Moved) -> Signal:
        """The signal of some changes; its audience is the collection's."""
        count = self._seen.get(moved.collection, 0) + moved.n
        self._seen[moved.collection] = count
        return Signal(f"changes.{moved.collection}", {"op": moved.op, "at": moved.at, "n": count}, moved.audience)


async def run(client: httpx.AsyncClient, url: str, stream: Stream) -> None:
    """Feed `stream` from the change feed at `url` until cancelled."""
    changes = Changes()
    async for event in follow(client, url):
        if event.event == "moved":
            with telling(log):
                stream.write(NAME, [changes.signal(msgspec.json.decode(event.data, type=Moved))])
