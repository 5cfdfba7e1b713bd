"""The page of a stream, taken from the stream itself, with a policy that lets its own scripts and styles run alone."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Final

import websockets
from websockets.asyncio.client import ClientConnection, connect

from appliance.bridge import Decoder, Frame, FrameType, control, encode
from appliance.config import Runtime
from appliance.errors import ApplianceError, from_shape
from appliance.screen.receiver import Page, policy, squeeze
from appliance.types import Role

WAIT_S: Final = 3.0
KEPT: Final = 16
_PARTS: Final = re.compile(r"<(script|style)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


class Viewers:
    """The viewers of streams as pages; what belongs to the same bytes is worked out once.

    Args:
        runtime: where the bridge is.
        usual: the box's own receiver page.
    """

    def __init__(self, runtime: Runtime, usual: Page) -> None:
        self._runtime = runtime
        self._pages: dict[bytes, Page] = {usual.plain: usual}
        self._usual = usual
        self._last: dict[str, Page] = {}

    async def page(self, stream: str, role: Role, screen: str) -> Page:
        """The page that the stream carries; while the bridge is away the last one, which will wait for it.

        Raises:
            ApplianceError: BRG408, there is no such stream for this role and screen.
        """
        try:
            page = await self._page(await fetch(self._runtime, stream, role, screen))
        except ApplianceError as error:
            if error.code != "BRG406":
                raise
            return self._last.get(stream, self._usual)
        self._last.pop(stream, None)
        self._last[stream] = page
        if len(self._last) > KEPT:
            self._last.pop(next(iter(self._last)))
        return page

    async def _page(self, raw: bytes) -> Page:
        if raw not in self._pages:
            while len(self._pages) >= KEPT:
                self._pages.pop(next(key for key in self._pages if key is not self._usual.plain))
            self._pages[raw] = await asyncio.to_thread(page_of, raw, self._usual.icon)
        return self._pages[raw]


def page_of(raw: bytes, icon: bytes) -> Page:
    """A viewer as a page: gzipped, with the policy that fits its inlined scripts and styles."""
    text = raw.decode()
    found = [(kind.lower(), inside) for kind, inside in _PARTS.findall(text)]
    styles = [inside for kind, inside in found if kind == "style"]
    scripts = [inside for kind, inside in found if kind == "script"]
    etag = f'"{hashlib.sha256(raw).hexdigest()[:16]}"'
    return Page(raw, squeeze(raw), etag, policy(styles, scripts), icon)


async def fetch(runtime: Runtime, stream: str, role: Role, screen: str) -> bytes:
    """What a stream carries as its viewer, over a connection as any receiver has it.

    Raises:
        ApplianceError: BRG408, as :meth:`Viewers.page`; BRG406, the bridge does not answer.
    """
    headers = {"Authorization": f"Bearer {runtime.token}", "X-Role": role, "X-Screen": screen}
    url = runtime.bridge_url.replace("http", "ws", 1) + "/ws"
    try:
        async with (
            asyncio.timeout(WAIT_S),
            connect(url, additional_headers=headers, compression=None, max_size=None, proxy=None) as bridge,
        ):
            await bridge.send(encode(control("subscribe", stream=stream, app=True, signals=False)))
            return await _first(bridge, runtime.settings.frame_limit)
    except (OSError, websockets.WebSocketException, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise ApplianceError(
            "BRG406", "The bridge does not answer.", reason, "It is being restarted; try again in a moment."
        ) from None


async def _first(bridge: ClientConnection, limit: int) -> bytes:
    decoder = Decoder(limit)
    while True:
        message = await bridge.recv()
        for frame in decoder.feed(message if isinstance(message, bytes) else message.encode()):
            if frame.type == FrameType.APP:
                return frame.payload
            _check(frame)


def _check(frame: Frame) -> None:
    if frame.type == FrameType.CONTROL and frame.json().get("type") == "error":
        raise from_shape(frame.json(), "BRG406")
