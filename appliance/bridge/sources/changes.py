"""The change feed as signals: ``changes.<collection>`` says what happened last, never what is in the row.

Change(collection="beds", op="update", audience="wall") -> changes.beds = {"op": "update", "at": ..., "n": 12}
"""

from __future__ import annotations

import httpx
import msgspec

from appliance.bridge.sources.feed import follow
from appliance.bridge.stream import Stream
from appliance.types import Change, Signal

NAME = "changes"


class Changes:
    """Counts the changes of each collection since the bridge began, and tells the last one."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def signal(self, change: Change) -> Signal:
        """The signal of one change; its audience is the collection's."""
        count = self._seen.get(change.collection, 0) + 1
        self._seen[change.collection] = count
        return Signal(f"changes.{change.collection}", {"op": change.op, "at": change.at, "n": count}, change.audience)


async def run(client: httpx.AsyncClient, url: str, stream: Stream) -> None:
    """Feed `stream` from the change feed at `url` until cancelled."""
    changes = Changes()
    async for event in follow(client, url):
        if event.event == "change":
            stream.write(NAME, [changes.signal(msgspec.json.decode(event.data, type=Change))])
