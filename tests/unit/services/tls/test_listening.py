"""One port for TLS and for callers in the open, with a certificate that changes under open connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import websockets
from fastapi import FastAPI, Request, WebSocket
from starlette.responses import PlainTextResponse
from websockets.asyncio.client import connect

from appliance.services.internal import bind
from appliance.services.tls import Keeper, listening
from appliance.services.tls.authority import trusted
from appliance.services.tls.serving import SecureServer
from tests.unit.services.tls.made import Surroundings


def app() -> FastAPI:
    made = FastAPI(openapi_url=None)

    @made.get("/scheme")
    async def scheme(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.url.scheme)

    @made.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"{websocket.url.scheme} {text}")

    return made


class Server(SecureServer):
    """Tells when it is open."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(app(), PlainTextResponse("in the open"), keeper)
        self.opened = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.opened.set()


class Running:
    """A door that is open: its port, and whom to trust."""

    def __init__(self, port: int, keeper: Keeper, trust: ssl.SSLContext, second: int) -> None:
        self.port, self.keeper, self.trust, self.second = port, keeper, trust, second

    async def serial(self) -> str:
        """The number of the certificate a new connection is met with."""
        _, writer = await asyncio.open_connection("localhost", self.port, ssl=self.trust)
        told = writer.get_extra_info("peercert")["serialNumber"]
        writer.close()
        return str(told)

    async def say(self, words: bytes, wait_s: float = 5) -> bytes:
        """What is answered to raw bytes, until the door closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(words)
        try:
            return await asyncio.wait_for(reader.read(), wait_s)
        finally:
            writer.close()


@asynccontextmanager
async def running(data: Path, around: Surroundings) -> AsyncIterator[Running]:
    around.now = datetime.now(UTC) + around.ahead
    keeper = await asyncio.to_thread(around.keeper, data)
    await asyncio.to_thread(keeper.renew)
    trust = await asyncio.to_thread(ssl.create_default_context, cafile=str(data / "keys" / "ca.crt"))
    sockets = [bind("https://127.0.0.1:0"), bind("http://127.0.0.1:0")]
    ports = [each.getsockname()[1] for each in sockets]
    server = Server(keeper)
    task = asyncio.create_task(server._serve(sockets))
    await asyncio.wait_for(server.opened.wait(), 10)
    try:
        yield Running(ports[0], keeper, trust, ports[1])
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)


async def test_tls_gets_the_app_and_the_open_gets_the_other(tmp_path: Path) -> None:
    async with running(tmp_path, Surroundings()) as door:
        async with httpx.AsyncClient(verify=door.trust, trust_env=False) as client:
            assert (await client.get(f"https://localhost:{door.port}/scheme")).text == "https"
            assert (await client.get(f"http://localhost:{door.port}/scheme")).text == "in the open"
            assert (await client.get(f"http://localhost:{door.second}/scheme")).text == "in the open"
            with pytest.raises(httpx.TransportError):
                await client.get(f"https://localhost:{door.second}/scheme")
        async with httpx.AsyncClient(trust_env=False) as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(f"https://localhost:{door.port}/scheme")


async def test_the_certificate_changes_under_open_connections(tmp_path: Path) -> None:
    around = Surroundings()
    async with running(tmp_path, around) as door:
        url = f"wss://localhost:{door.port}/ws"
        async with connect(url, ssl=door.trust, proxy=None) as held:
            await held.send("before")
            assert await held.recv() == "wss before"
            first = await door.serial()
            around.move(1)
            assert await asyncio.to_thread(door.keeper.renew)
            second = await door.serial()
            assert first != second
            await held.send("after")
            assert await held.recv() == "wss after", "a connection that is open keeps the certificate it has"
            async with connect(url, ssl=door.trust, proxy=None) as anew:
                await anew.send("too")
                assert await anew.recv() == "wss too"


async def test_renewing_again_and_again_fails_no_handshake(tmp_path: Path) -> None:
    around = Surroundings()
    async with running(tmp_path, around) as door:
        seen: set[str] = set()

        async def call() -> None:
            for _ in range(40):
                seen.add(await door.serial())

        async def renew() -> None:
            for at in range(8):
                around.move(at)
                await asyncio.to_thread(door.keeper.renew)
                await asyncio.sleep(0.01)

        await asyncio.gather(call(), call(), renew())
        assert len(seen) > 2


async def test_callers_that_are_no_good_lose_only_their_own_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FIRST_BYTE_S", 0.2)
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.3)
    async with running(tmp_path, Surroundings()) as door:
        assert await door.say(b"") == b"", "who says nothing is let go"
        assert await door.say(b"\x16") == b"", "who begins a handshake and does not go on"
        assert b"HTTP" not in await door.say(b"\x16\x03\x01\x00\x05hello")
        assert (await door.say(b"\x15\x03\x01\x00\x02\x01\x00\r\n\r\n")).startswith(b"HTTP/1.1 400")
        assert (await door.say(b"\x00" * 20 + b"\r\n\r\n")).startswith(b"HTTP/1.1 400")
        gone = socket.create_connection(("127.0.0.1", door.port))
        gone.close()
        assert await door.serial()


async def test_silent_callers_make_room_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "WAITING", 20)
    async with running(tmp_path, Surroundings()) as door:
        silent = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(60)]
        assert await door.serial()
        assert await silent[0][0].read() == b"", "the oldest was let go"
        for _, writer in silent:
            writer.close()


async def test_the_box_itself_gets_in_whatever_the_clock_says(tmp_path: Path) -> None:
    around = Surroundings()
    around.ahead = timedelta(days=900)  # for the clients of this test the certificate is not valid yet
    async with running(tmp_path, around) as door:
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            await door.serial()
        door.trust = await asyncio.to_thread(trusted, tmp_path / "keys")
        assert await door.serial()
        door.trust = await asyncio.to_thread(ssl.create_default_context)
        with pytest.raises(ssl.SSLCertVerificationError):
            await door.serial()


async def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path, Surroundings()) as door:
        old = ssl.create_default_context(cafile=str(tmp_path / "keys" / "ca.crt"))
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("localhost", door.port, ssl=old)


async def test_the_door_closes_with_connections_open(tmp_path: Path) -> None:
    async with running(tmp_path, Surroundings()) as door:
        held = await connect(f"wss://localhost:{door.port}/ws", ssl=door.trust, proxy=None)
        silent = await asyncio.open_connection("127.0.0.1", door.port)
    with pytest.raises(websockets.ConnectionClosed):
        await held.recv()
    assert await silent[0].read() == b""
    silent[1].close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", door.port)
