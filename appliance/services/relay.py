"""A browser's WebSocket, passed on to the bridge frame for frame. When either side goes, both go."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

import websockets
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import control, encode
from appliance.config import Runtime
from appliance.errors import ApplianceError
from appliance.services.internal import Json
from appliance.types import Role

GOING_AWAY = 1001
POLICY_VIOLATION = 1008
TRY_AGAIN = 1013


async def relay(browser: WebSocket, runtime: Runtime, role: Role, screen: str = "") -> None:
    """Serve one browser until it leaves or the bridge goes away; `screen` is its id where it joined as one."""
    await browser.accept()
    headers = {
        "Authorization": f"Bearer {runtime.token}",
        "X-Role": role,
        "X-Screen": screen or f"browser-{secrets.token_hex(3)}",
    }
    url = runtime.bridge_url.replace("http", "ws", 1) + "/ws"
    try:
        async with connect(
            url, additional_headers=headers, compression=None, max_size=None, proxy=None, open_timeout=2
        ) as bridge:
            await _both_ways(browser, bridge)
    except (OSError, websockets.WebSocketException, TimeoutError):
        await _told_to_wait(browser)


async def refuse(browser: WebSocket, error: ApplianceError, *, told: bool) -> None:
    """Do not serve a browser. A page learns nothing of a refused handshake, so one that can act on it is `told`."""
    if not told:
        await browser.send_denial_response(Json(error.shape(), 403))
        return
    await browser.accept()
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await browser.send_bytes(encode(control("error", **error.shape())))
        await browser.close(POLICY_VIOLATION, error.code)


async def _both_ways(browser: WebSocket, bridge: ClientConnection) -> None:
    tasks = {asyncio.create_task(_up(browser, bridge)), asyncio.create_task(_down(browser, bridge))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:  # also where the relay itself is ended: whoever ends it says why
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _up(browser: WebSocket, bridge: ClientConnection) -> None:
    while True:
        message = await browser.receive()
        if message["type"] == "websocket.disconnect":
            return
        raw = message.get("bytes")
        await bridge.send(raw if raw is not None else message.get("text") or "")


async def _down(browser: WebSocket, bridge: ClientConnection) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        async for message in bridge:
            await browser.send_bytes(message if isinstance(message, bytes) else message.encode())
    code = bridge.close_code if bridge.close_code in (1008, 1009) else GOING_AWAY
    await browser.close(code, bridge.close_reason or None)


async def _told_to_wait(browser: WebSocket) -> None:
    error = ApplianceError("BRG406", "The bridge is restarting.", None, "The page reconnects by itself.")
    try:
        await browser.send_bytes(encode(control("error", **error.shape())))
        await browser.close(TRY_AGAIN)
    except (RuntimeError, WebSocketDisconnect):
        return
