"""Following a server-sent event feed of another part of the box, for as long as the bridge lives.

>>> async for event in follow(client, "http://127.0.0.1:9001/changes"):  # doctest: +SKIP
...     print(event.event, event.data)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
SILENCE_S = 25.0
"""The feeds send a heartbeat every 10 s; a feed silent for so long is taken for dead."""


async def follow(client: httpx.AsyncClient, url: str) -> AsyncIterator[ServerSentEvent]:
    """Every event of a feed; resumes after a loss with the last event's id, with backoff up to 2 s.

    Yields an event named ``lost`` each time the feed breaks, so that the reader can say so.
    """
    last, wait = "", FIRST_WAIT_S
    while True:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            timeout = httpx.Timeout(5.0, read=SILENCE_S)
            async with aconnect_sse(client, "GET", url, headers=headers, timeout=timeout) as feed:
                feed.response.raise_for_status()
                async for event in feed.aiter_sse():
                    last, wait = event.id or last, FIRST_WAIT_S
                    if event.event == "gap":
                        last = ""
                    yield event
        except (httpx.HTTPError, SSEError):
            pass
        yield ServerSentEvent(event="lost")
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT_S)
