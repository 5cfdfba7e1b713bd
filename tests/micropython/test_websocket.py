"""The receiver for microcontrollers talks with the bridge: MicroPython over a WebSocket, and main.py over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from appliance.bridge import Streams
from appliance.types import Signal
from tests.micropython.bridge import KEY, bridge
from tests.micropython.machine import RECEIVER, Machine, machine

LARGE = "x" * 70_000


class Board:
    """MicroPython at one end of a TCP connection: what comes is fed to it, what it writes goes out."""

    def __init__(self, micropython: Machine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._micropython, self._reader, self._writer = micropython, reader, writer
        self.told: dict[str, Any] = {}
        self.bytes = 0

    async def run(self, call: Callable[[], Any]) -> None:
        self.told = await asyncio.to_thread(call)
        self._writer.write(bytes.fromhex(self.told["out"]))
        await self._writer.drain()

    async def until(self, met: Callable[[dict[str, Any]], Any]) -> None:
        async with asyncio.timeout(20):
            while not met(self.told):
                data = await self._reader.read(500)
                assert data, self.told
                self.bytes += len(data)
                await self.run(lambda data=data: self._micropython.call("arrived", data.hex()))  # type: ignore[misc]


@asynccontextmanager
async def board(port: int, key: str = KEY, limit: int = 32768) -> AsyncIterator[Board]:
    with machine() as micropython:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found = Board(micropython, reader, writer)
        try:
            micropython.call("connect", "/ws", key, limit)
            await found.run(lambda: micropython.call("tell"))
            yield found
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_it_follows_the_bridge_and_sets_signals() -> None:
    streams = Streams()
    stream = streams.open("main")
    stream.write("test", [Signal("beds.free", 7), Signal("ward", "Kardiologie ♥"), Signal("private", 1, "staff")])
    async with bridge(streams) as port, board(port) as screen:
        await screen.until(lambda told: told["signals"] == {"beds.free": 7, "ward": "Kardiologie ♥"})
        stream.write("test", [Signal("beds.free", 8), Signal("ward", None)])
        await screen.until(lambda told: told["signals"] == {"beds.free": 8})
        stream.write("test", [Signal("text", "x" * 300)])  # a WebSocket frame with a longer length
        await screen.until(lambda told: len(told["signals"].get("text", "")) == 300)
        await screen.run(lambda: screen._micropython.call("put", "set.wall.lamp", 0.5))
        await screen.until(lambda told: told["signals"].get("set.wall.lamp") == 0.5)
        assert screen.told["at"] == [stream.view("wall").epoch, stream.view("wall").version]


async def test_its_memory_does_not_grow_with_what_happens() -> None:
    streams = Streams()
    stream = streams.open("main")
    async with bridge(streams) as port, board(port) as screen:
        held = []
        for n in range(1, 401):
            stream.write(
                "test", [Signal("n", n), Signal(f"name.{n % 50}", "x" * 20), Signal(f"name.{(n + 25) % 50}", None)]
            )
            await screen.until(lambda told, n=n: told.get("signals", {}).get("n") == n)  # type: ignore[misc]
            held.append(screen.told["memory"])
    first, last = max(held[100:200]), max(held[300:])
    print(f"\nMicroPython holds {first} bytes with 27 signals after 200 versions, {last} after 400")
    assert last < first + 2_000
    assert last < 32_000


async def test_a_large_state_is_taken_in_pieces() -> None:
    streams = Streams()
    streams.open("main").write("test", [Signal("large", LARGE)])
    async with bridge(streams) as port, board(port, limit=100_000) as screen:
        await screen.until(lambda told: told["signals"] == {"large": LARGE})


async def test_a_state_over_its_limit_is_refused_before_it_is_read() -> None:
    streams = Streams()
    streams.open("main").write("test", [Signal("large", LARGE)])
    async with bridge(streams) as port, board(port) as screen:
        await screen.until(lambda told: told["fault"])
        assert screen.told["fault"] == "SIG302"
        assert screen.bytes < 2_000, "neither the receiver nor the WebSocket waits for the rest"


async def test_a_key_that_is_wrong_is_told() -> None:
    async with bridge(Streams()) as port, board(port, key="wrong") as screen:
        await screen.until(lambda told: told["fault"])
        assert "BRG401" in screen.told["fault"]


async def test_main_runs_over_a_real_socket() -> None:
    streams = Streams()
    stream = streams.open("main")
    stream.write("test", [Signal("beds.free", 7)])
    async with bridge(streams) as port:
        command = [sys.executable, "-u", str(RECEIVER / "main.py"), "127.0.0.1", str(port), KEY]
        program = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert program.stdout is not None
        try:
            for version, beds in ((1, 7), (2, 8)):
                line = await asyncio.wait_for(program.stdout.readline(), 10)
                assert line.decode().strip() == f"{version} {{'beds.free': {beds}}}"
                stream.write("test", [Signal("beds.free", beds + 1)])
        finally:
            program.kill()
            await program.communicate()
