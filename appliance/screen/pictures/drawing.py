"""From a look to RGBA rows: takes the layout that fits the size, and brings the colors down to what the screen has."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec
from PIL import Image

from appliance.screen.pictures.look import Look
from appliance.screen.pictures.panel import draw_panel
from appliance.screen.pictures.sheet import draw_sheet

Colors = Literal["full", "gray", "bw"]
COLORS: Final[tuple[Colors, ...]] = get_args(Colors)
PANEL_HEIGHT: Final = 96
PANEL_WIDTH: Final = 96
MIDDLE: Final = 150
"""The gray from which on a screen of two colors shows white: letters keep their weight a little above the middle."""


class Shape(msgspec.Struct, frozen=True):
    """A picture's size in pixels and the colors its screen has."""

    width: int
    height: int
    colors: Colors = "full"

    @property
    def is_panel(self) -> bool:
        """Whether it is so small that every lamp counts."""
        return self.height < PANEL_HEIGHT or self.width < PANEL_WIDTH


def draw(look: Look, shape: Shape) -> bytes:
    """The picture: ``width * height * 4`` bytes, RGBA, rows from the top, opaque."""
    layout = draw_panel if shape.is_panel else draw_sheet
    picture = layout(look, (shape.width, shape.height), few_colors=shape.colors != "full")
    return _toned(picture, shape.colors).convert("RGBA").tobytes()


def _toned(picture: Image.Image, colors: Colors) -> Image.Image:
    if colors == "full":
        return picture
    gray = picture.convert("L")
    return gray if colors == "gray" else gray.point(lambda level: 255 if level >= MIDDLE else 0)
