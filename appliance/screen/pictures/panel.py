"""The layout for panels of lamps (64 x 32 and such): one number as large as fits, and what it counts below.

Light on black. An alert takes a red strip at the top; what is not kept up is amber and says since when. Texts that
are too long are cut at a letter: nothing moves, so that the frame that stays when the line is cut is whole.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

from appliance.screen.pictures.glyphs import HEIGHT, lamps, plain, width_of
from appliance.screen.pictures.look import Look, Told

Color = tuple[int, int, int]

BLACK: Final[Color] = (0, 0, 0)
NUMBER: Final[Color] = (255, 255, 255)
LABEL: Final[Color] = (87, 217, 197)
AMBER: Final[Color] = (255, 170, 0)
ALERT: Final[Color] = (200, 0, 10)
LINE: Final = HEIGHT + 1
LARGEST: Final = 12


class Panel:
    """A black picture and how far it is filled from the top."""

    def __init__(self, size: tuple[int, int], *, few_colors: bool) -> None:
        self.picture = Image.new("RGB", size, BLACK)
        self.width, self.height = size
        self.unit = max(1, min(self.height // 32, self.width // 64))
        self.top = 0
        self._alert, self._on_alert = (NUMBER, BLACK) if few_colors else (ALERT, NUMBER)

    @property
    def left(self) -> int:
        """Rows of lamps that are free."""
        return self.height - self.top

    def write(self, text: str, color: Color, scale: int, *, x: int | None = None, y: int | None = None) -> None:
        """Put a plain text, centered unless `x` is given; what runs out of the panel is not seen."""
        mask = Image.frombytes("L", (width_of(text), HEIGHT), bytes(255 * lamp for row in lamps(text) for lamp in row))
        mask = mask.resize((mask.width * scale, mask.height * scale), Image.Resampling.NEAREST)
        at = ((self.width - mask.width) // 2 if x is None else x, self.top if y is None else y)
        self.picture.paste(color, at, mask)

    def line(self, text: str, color: Color) -> None:
        """A line of small letters, if there is room for one."""
        if self.left >= HEIGHT * self.unit:
            self.write(cut(plain(text), self.width // self.unit), color, self.unit)
            self.top += LINE * self.unit

    def strip(self, text: str) -> None:
        """A strip across the top: light letters on red, or where there is no red black ones on white."""
        tall = (HEIGHT + 2) * self.unit
        self.picture.paste(self._alert, (0, self.top, self.width, self.top + tall))
        self.write(cut(plain(text), self.width // self.unit - 2), self._on_alert, self.unit, y=self.top + self.unit)
        self.top += tall + self.unit


def draw_panel(look: Look, size: tuple[int, int], *, few_colors: bool) -> Image.Image:
    """The picture, RGB."""
    panel = Panel(size, few_colors=few_colors)
    if look.alerts:
        panel.strip(look.alerts[0])
    if look.faults and panel.left >= 2 * LINE * panel.unit:
        panel.line(_fault(look.faults[0], panel.width // panel.unit), AMBER)
    bright, label = (AMBER, AMBER) if look.faults else (NUMBER, LABEL)
    if not look.answers:
        _words(panel, look.clock or look.facility, label)
    elif look.answers[0].number:
        _number(panel, look.answers[0], bright, label)
    elif look.answers[0].bars and panel.left >= 2 * LINE * panel.unit:
        _bars(panel, look.answers[0], bright, label)
    else:
        _words(panel, look.answers[0].sentence, bright)
    return panel.picture


def _fault(text: str, room: int) -> str:
    """``Not kept up since 13:40.`` in what a panel has: the time last, and first what is left out."""
    short = text.removeprefix("Not kept up ").rstrip(".")
    return short if width_of(plain(short)) <= room or not short.startswith("since") else short.removeprefix("since ")


def _number(panel: Panel, told: Told, bright: Color, label: Color) -> None:
    number, line = plain(told.number), LINE * panel.unit
    labels = wrap(plain(told.unit), panel.width // panel.unit)[:2]
    while labels and panel.left - line * len(labels) < HEIGHT * panel.unit + 1:
        labels.pop()
    room = panel.left - line * len(labels) - (panel.unit if labels else 0)
    scale = max(1, min(LARGEST * panel.unit, room // HEIGHT, panel.width // max(1, width_of(number))))
    panel.write(number, bright, scale, y=panel.top + max(0, (room - HEIGHT * scale) // 2))
    panel.top += room + (panel.unit if labels else 0)
    for text in labels:
        panel.line(text, label)


def _bars(panel: Panel, told: Told, bright: Color, label: Color) -> None:
    """A line per row: its name, its value at the right, its length as a thin bar where there is room."""
    unit, rows = panel.unit, told.bars[: panel.left // (LINE * panel.unit)]
    for bar in rows:
        value = plain(bar.value)
        space = panel.width // unit - width_of(value) - 3
        panel.write(cut(plain(bar.name), space), label, unit, x=0)
        panel.write(value, bright, unit, x=panel.width - width_of(value) * unit)
        panel.top += LINE * unit


def _words(panel: Panel, text: str, color: Color) -> None:
    room = panel.left // (LINE * panel.unit) or 1
    lines = wrap(plain(text), panel.width // panel.unit)
    panel.top += max(0, (panel.left - min(len(lines), room) * LINE * panel.unit) // 2)
    for index, line in enumerate(lines[:room]):
        panel.line(line + ("..." if index == room - 1 and len(lines) > room else ""), color)


def cut(text: str, room: int) -> str:
    """A plain text cut to so many lamps, with two dots where something is missing."""
    if width_of(text) <= room:
        return text
    while text and width_of(text + "..") > room:
        text = text[:-1].rstrip()
    return text + ".." if text else ""


def wrap(text: str, room: int) -> list[str]:
    """A plain text in lines of at most so many lamps; a word that is too long is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(cut(word, room))
    return lines
