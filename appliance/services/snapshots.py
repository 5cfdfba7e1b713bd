"""Small pictures of what screens show now, as PNG files: drawn when asked for, and kept until something changes."""

from __future__ import annotations

import asyncio
import io
from typing import Any, Final

from PIL import Image

from appliance.bridge.stream import Stream
from appliance.services.pictures import Pictures
from appliance.types import Role

__all__ = ["SHAPES", "Snapshots", "tag_of"]

SHAPES: Final = {"wall": (1280, 720), "tablet": (1024, 768), "phone": (390, 844), "watch": (240, 240)}
"""As large each kind of screen is drawn before it is made smaller."""
KEPT: Final = 200


class Snapshots:
    """Makes them.

    Args:
        pictures: draws.
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept: dict[str, bytes] = {}
        self._turn = asyncio.Lock()

    async def png(self, stream: Stream, role: Role, surface: str, width: int) -> bytes:
        """What a role sees of a stream on such a screen, so many pixels wide.

        Raises:
            ApplianceError: BRG451, too many different pictures are drawn just now.
        """
        tag = tag_of(stream, role, surface, width)
        if tag in self._kept:
            return self._kept[tag]
        async with self._turn:
            made = self._kept.get(tag) or await self._draw(stream, role, surface, width)
            self._kept[tag] = made
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return made

    async def _draw(self, stream: Stream, role: Role, surface: str, width: int) -> bytes:
        size = SHAPES.get(surface, SHAPES["wall"])
        wish: dict[str, Any] = {"width": size[0], "height": size[1], "colors": "full"}
        flow = await self._pictures.open(stream, role, wish)
        try:
            pixels = flow.pixels
        finally:
            flow.close()
        return await asyncio.to_thread(_encoded, pixels, size, width)


def tag_of(stream: Stream, role: Role, surface: str, width: int) -> str:
    """What names a picture: another one has another name."""
    view = stream.view(role)
    return f'"{stream.name}-{role}-{view.epoch}-{view.version}-{surface}-{width}"'.encode("ascii", "replace").decode()


def _encoded(pixels: bytes, size: tuple[int, int], width: int) -> bytes:
    picture = Image.frombytes("RGBA", size, pixels).convert("RGB")
    if width < size[0]:
        picture = picture.resize((width, max(1, round(size[1] * width / size[0]))), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=4)
    return out.getvalue()
