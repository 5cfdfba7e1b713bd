"""A screen agent in a container of its own: tells its state and all it shows, a line of JSON for each change.

``python screen.py '{"box": "ID@IP:PORT", "credential": "...", "kind": "wall"}'``
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msgspec

from appliance.screen.start import ScreenOptions, make_agent


async def main(box: str, credential: str, kind: str) -> None:
    """Run until terminated."""
    options = ScreenOptions(box=box, credential=credential, kind=kind, data=Path("/tmp/screen"))
    agent = await asyncio.to_thread(make_agent, options)
    running = asyncio.create_task(agent.run())
    last = ""
    while not running.done():
        now = msgspec.json.encode({"state": agent.state, "signals": agent.signals}, order="sorted").decode()
        if now != last:
            print(now, flush=True)
            last = now
        await asyncio.sleep(0.1)
    await running


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
