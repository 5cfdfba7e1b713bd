"""Type and colors of the larger pictures: the font, texts that fit a width, and two palettes."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
from PIL import Image, ImageDraw, ImageFont

Weight = Literal["Regular", "Semibold", "Bold"]
Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont
_FOLDER: Final = files("font_source_sans_pro") / "files"


class Palette(msgspec.Struct, frozen=True):
    """The colors of a sheet: what is written with `on_alert` stands on `alert`, and so on."""

    paper: Color
    ink: Color
    soft: Color
    line: Color
    bar: Color
    alert: Color
    on_alert: Color
    fault: Color


COLOR: Final = Palette(
    paper=(241, 244, 242),
    ink=(14, 31, 29),
    soft=(78, 92, 90),
    line=(200, 207, 204),
    bar=(0, 103, 93),
    alert=(179, 22, 27),
    on_alert=(255, 255, 255),
    fault=(255, 226, 150),
)
BLACK: Final = Palette(
    paper=(255, 255, 255),
    ink=(0, 0, 0),
    soft=(0, 0, 0),
    line=(0, 0, 0),
    bar=(0, 0, 0),
    alert=(0, 0, 0),
    on_alert=(255, 255, 255),
    fault=(255, 255, 255),
)


@lru_cache(64)
def font(weight: Weight, size: int) -> Font:
    """The font in a weight at a size in pixels."""
    return ImageFont.truetype(str(_FOLDER / f"SourceSansPro-{weight}.otf"), size, layout_engine=ImageFont.Layout.BASIC)


class Box(msgspec.Struct):
    """A part of the picture, in pixels; `right` and `bottom` are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Pixels down."""
        return max(0, self.bottom - self.top)


class Ink:
    """A picture that is being drawn.

    Args:
        size: width and height in pixels.
        palette: the colors.
        sharp: no gray at the edges of letters, for screens of two colors.
    """

    def __init__(self, size: tuple[int, int], palette: Palette, unit: float) -> None:
        self.picture = Image.new("RGB", size, palette.paper)
        self.palette = palette
        self._unit = unit
        self._draw = ImageDraw.Draw(self.picture)

    def px(self, length: float, least: int = 1) -> int:
        """A length of the sheet of 800 x 480 in pixels of this one."""
        return max(least, round(length * self._unit))

    def write(self, x: float, y: float, text: str, font: Font, color: Color, anchor: str = "ls") -> None:
        """Text by its baseline: `anchor` is ``ls`` (from the left), ``rs`` (to the right) or ``ms`` (centered)."""
        self._draw.text((round(x), round(y)), text, fill=color, font=font, anchor=anchor)

    def fill(self, box: Box, color: Color, radius: int = 0) -> None:
        """A filled box with round corners."""
        if box.width and box.height:
            self._draw.rounded_rectangle((box.left, box.top, box.right - 1, box.bottom - 1), radius, fill=color)

    def area(self, line: list[tuple[float, float]], floor: float) -> None:
        """What lies between a line and its floor."""
        under = [(line[-1][0], floor), (line[0][0], floor)]
        self._draw.polygon([*line, *under], fill=self.palette.bar)

    def frame(self, box: Box, color: Color, radius: int, thick: int) -> None:
        """The outline of a box."""
        corners = (box.left, box.top, box.right - 1, box.bottom - 1)
        self._draw.rounded_rectangle(corners, radius, outline=color, width=thick)


def wide(text: str, font: Font) -> float:
    """Pixels a text takes."""
    return font.getlength(text)


def cut(text: str, font: Font, room: float) -> str:
    """The text, with an ellipsis where it had to be cut."""
    if wide(text, font) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if wide(text[:middle].rstrip() + "…", font) <= room else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""


def wrap(text: str, font: Font, room: float, most: int) -> list[str]:
    """The text in at most so many lines; what is left over is cut with an ellipsis."""
    lines: list[str] = []
    words = text.split()
    for index, word in enumerate(words):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and wide(longer, font) <= room:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {' '.join(words[index:])}"
            break
    return [cut(line, font, room) for line in lines]


def largest(text: str, weight: Weight, width: float, height: float, most: int) -> Font:
    """The font, at most `most` pixels, in which digits and capitals of `text` fit a box on one line."""
    sample = font(weight, 100)
    high = -sample.getbbox("0", anchor="ls")[1]
    size = min(most, 100 * height / high, 100 * width / max(1.0, wide(text, sample)))
    return font(weight, max(8, int(size)))


def rise(font: Font) -> int:
    """Pixels from the baseline to the top of a digit."""
    return round(-font.getbbox("0", anchor="ls")[1])
