"""A bridge as small as can be, as a program: signed streams over Iroh, announced, and a source that writes.

``python -m tests.integration.mesh.box FOLDER PORT``. It writes ten times a second until a line ``hold`` comes in,
goes on at ``go``, and answers every line with its epoch and version.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from appliance.bridge import Member, Session, Streams
from appliance.bridge.discovery import announcing
from appliance.bridge.frame import DEFAULT_LIMIT
from appliance.bridge.identity import load_or_create
from appliance.bridge.mesh import Mesh, next_generation
from appliance.bridge.transports import Connection
from appliance.bridge.transports.iroh import listen
from appliance.errors import ApplianceError
from appliance.types import Signal

EVERY_S = 0.1
KEY = "the key of the wall"


class Box:
    """The streams, and what writes them."""

    def __init__(self, mesh: Mesh) -> None:
        self.streams = Streams(256)
        self.stream = self.streams.open("main")
        self.mesh = mesh
        self.going = asyncio.Event()
        self.going.set()
        self.asked: list[list[str]] = []

    async def serve(self, connection: Connection) -> None:
        """One screen."""

        def admit(said: dict[str, Any]) -> Member:
            if said.get("credential") != KEY:
                raise ApplianceError("BRG401", "The box does not know this credential.")
            return Member(connection.peer[:16], "wall")

        await Session(connection, self.streams, "Mesh", self.hear, None, admit, mesh=self.mesh).run()

    def hear(self, member: Member, said: dict[str, Any]) -> None:
        """What screens ask."""
        self.asked.append([member.screen, str(said.get("question"))])

    async def write(self) -> None:
        """A hospital's worth of signals of which three change each time."""
        self.stream.write("source", [Signal(f"ward.{number}.name", f"Ward {number}") for number in range(200)])
        count = 0
        while True:
            await self.going.wait()
            count += 1
            beds = [Signal(f"ward.{(count * 7 + step) % 200}.free", count % 31) for step in range(3)]
            self.stream.write("source", [*beds, Signal("count", count)])
            await asyncio.sleep(EVERY_S)

    async def obey(self) -> None:
        """Lines on standard input."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode().strip():
            if line == "hold":
                self.going.clear()
                await asyncio.sleep(2 * EVERY_S)
            elif line == "go":
                self.going.set()
            view = self.stream.view("wall")
            told = {"e": view.epoch, "v": view.version, "signals": len(view.values), "asked": self.asked}
            print(json.dumps(told), flush=True)


async def main(folder: Path, port: str) -> None:
    """Run until standard input ends."""
    identity = await asyncio.to_thread(load_or_create, folder / "iroh.key")
    box = Box(Mesh(identity, await asyncio.to_thread(next_generation, folder / "generation")))
    listener = await listen(identity, f"0.0.0.0:{port}", box.serve, DEFAULT_LIMIT)
    tasks = [
        asyncio.create_task(box.write()),
        asyncio.create_task(announcing("Mesh", identity.endpoint_id, listener.addresses, lan=True)),
    ]
    print(json.dumps({"addresses": listener.addresses()}), flush=True)
    await box.obey()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await listener.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
