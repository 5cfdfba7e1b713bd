"""A screen as ``appliance screen`` starts it, whose picture is a line of JSON for each change of state.

``python -m tests.integration.mesh.screen '<options as JSON>'``
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import signal
import sys
from pathlib import Path

import msgspec

from appliance.screen.agent import Agent
from appliance.screen.start import ScreenOptions, make_agent, passing_on


def told(agent: Agent) -> str:
    """The state of an agent."""
    epoch, version = agent.version
    values = msgspec.json.encode(agent.signals, order="sorted")
    return json.dumps(
        {
            "state": agent.state,
            "e": epoch,
            "v": version,
            "signals": len(agent.signals),
            "hash": hashlib.sha256(values).hexdigest()[:12] if agent.state != "searching" else "",
            "age": agent.age_s(),
            "via": agent.side.via,
            "problem": agent.problem.line() if agent.problem else None,
        }
    )


async def main(options: ScreenOptions) -> None:
    """Run until terminated."""
    agent = await asyncio.to_thread(make_agent, options)
    running = asyncio.create_task(agent.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: asked.append(_ask(agent)))
    asked: list[asyncio.Task[str]] = []
    async with passing_on(agent, options):
        telling = asyncio.create_task(_tell(agent))
        with contextlib.suppress(asyncio.CancelledError):
            await running
        telling.cancel()


def _ask(agent: Agent) -> asyncio.Task[str]:
    return asyncio.create_task(agent.ask("How many beds are free?"))


async def _tell(agent: Agent) -> None:
    while True:
        print(told(agent), flush=True)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    given["data"] = Path(given["data"])
    asyncio.run(main(ScreenOptions(**given)))
