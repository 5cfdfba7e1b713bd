"""The viewer: a page that shows a stream, carried by the stream itself in an APP frame.

A source of the box may give its stream a viewer of its own; every other stream has the box's receiver page. A receiver
that subscribes with ``app: true`` gets it before anything else.

    >>> flow = ViewerFlow(b"<!doctype html>...")
    >>> flow.take().type == FrameType.APP, flow.take()
    (True, None)
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from appliance.bridge.frame import KEYFRAME, Frame, FrameType
from appliance.errors import ApplianceError

VIEWER_LIMIT: Final = 512 * 1024
"""Bytes of a viewer, inflated."""


def check_viewer(page: bytes) -> bytes:
    """The page itself; an empty one gives the stream its usual viewer back.

    Raises:
        ApplianceError: SIG302, it is over the limit; SIG303, it is not UTF-8.
    """
    if len(page) > VIEWER_LIMIT:
        details = {"bytes": len(page), "limit": VIEWER_LIMIT}
        raise ApplianceError("SIG302", "The viewer is larger than a stream may carry.", details)
    try:
        page.decode()
    except UnicodeDecodeError as error:
        raise ApplianceError("SIG303", "The viewer is not a page in UTF-8.", str(error)) from None
    return page


class ViewerFlow:
    """A :class:`~appliance.bridge.flow.Flow` of one frame: the page."""

    deflate = True

    def __init__(self, page: bytes) -> None:
        self._page: bytes | None = page

    async def wait(self) -> None:
        """Never returns: the page was the first thing sent."""
        await asyncio.Event().wait()

    def take(self) -> Frame | None:
        """The page, once."""
        page, self._page = self._page, None
        return None if page is None else Frame(FrameType.APP, page, KEYFRAME)

    def again(self) -> None:
        """A page needs nothing before it."""

    def hear(self, said: dict[str, Any]) -> bool:
        """The page here hears nothing."""
        return False

    def close(self) -> None:
        """Nothing is held."""
