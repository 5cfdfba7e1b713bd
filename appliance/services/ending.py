"""What a credential began ends with the credential: a stream stops, an answer that is not begun is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.errors import ApplianceError
from appliance.services.internal import Json

__all__ = ["serve_until"]


async def serve_until(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, gone: Awaitable[None], refused: ApplianceError
) -> None:
    """Serve a request or a WebSocket until it is served, or until `gone` returns; then it ends with `refused`."""
    begun = False

    async def watched(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    served = asyncio.ensure_future(_serve(app, scope, receive, watched))
    ended = asyncio.ensure_future(gone)
    try:
        await asyncio.wait({served, ended}, return_when=asyncio.FIRST_COMPLETED)
        stopped = not served.done()
    finally:
        for task in (served, ended):
            task.cancel()
        results = await asyncio.gather(served, ended, return_exceptions=True)
    if not stopped and isinstance(results[0], Exception):
        raise results[0]
    if stopped:
        await _end(scope, receive, send, refused, begun=begun)


async def _serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def _end(scope: Scope, receive: Receive, send: Send, refused: ApplianceError, *, begun: bool) -> None:
    if scope["type"] == "websocket":
        with suppress(RuntimeError):  # it was closed already
            await send({"type": "websocket.close", "code": 1008, "reason": refused.code})
    elif begun:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    else:
        await Json(refused.shape(), refused.status)(scope, receive, send)
