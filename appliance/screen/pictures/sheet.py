"""The layout for e-ink and larger screens: whose it is, what is wrong, the newest answer large, the others beside.

Lengths are told for a sheet of 800 x 480 and grow with the picture; letters are never smaller than can be read. What
has no room is left out, from the bottom of the list: the other answers first, an alert never.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

from appliance.screen.pictures.figures import draw_figure
from appliance.screen.pictures.ink import BLACK, COLOR, Box, Color, Font, Ink, cut, font, rise, wide, wrap
from appliance.screen.pictures.look import Look, Told

READABLE: Final = 13
BESIDE: Final = 480
"""From this width the other answers stand beside the newest, else below it."""
ALERT_LINES: Final = 3
FAULT_LINES: Final = 2
SLOT: Final = 96
"""Height of one of the other answers."""


def draw_sheet(look: Look, size: tuple[int, int], *, few_colors: bool) -> Image.Image:
    """The picture, RGB; for screens of few colors in black on white alone."""
    width, height = size
    across, down = (800, 480) if width >= height else (480, 800)
    ink = Ink(size, BLACK if few_colors else COLOR, min(width / across, height / down))
    margin = ink.px(24, 6)
    box = Box(margin, ink.px(18, 4), width - margin, height - ink.px(18, 5))
    _head(ink, box, look)
    _alerts(ink, box, look.alerts)
    _faults(ink, box, look.faults)
    if look.alerts or look.faults:
        box.top += ink.px(8, 2)
    if look.answers:
        _answers(ink, box, look.answers)
    return ink.picture


def _head(ink: Ink, box: Box, look: Look) -> None:
    name = font("Bold", ink.px(26, READABLE))
    base = box.top + rise(name)
    room = box.width - wide(look.clock, name) - ink.px(16)
    ink.write(box.left, base, cut(look.facility, name, room), name, ink.palette.ink)
    ink.write(box.right, base, look.clock, name, ink.palette.ink, "rs")
    under = base + ink.px(12, 4)
    ink.fill(Box(box.left, under, box.right, under + ink.px(2)), ink.palette.line)
    box.top = under + ink.px(2) + ink.px(12, 3)


def _alerts(ink: Ink, box: Box, alerts: tuple[str, ...]) -> None:
    most = 2 if box.height > ink.px(240, 200) else 1
    letters = font("Semibold", ink.px(27, READABLE))
    for index, alert in enumerate(alerts[:most]):
        more = f"  +{len(alerts) - most}" if index == most - 1 and len(alerts) > most else ""
        lines = wrap(alert, letters, _inner(ink, box) - wide(more, letters), ALERT_LINES)
        band = _band(ink, box, letters, len(lines))
        ink.fill(band, ink.palette.alert, ink.px(8, 2))
        _on_band(ink, band, [*lines[:-1], lines[-1] + more], letters, ink.palette.on_alert)


def _faults(ink: Ink, box: Box, faults: tuple[str, ...]) -> None:
    if faults:
        letters = font("Semibold", ink.px(22, READABLE))
        lines = wrap(" ".join(faults), letters, _inner(ink, box), FAULT_LINES)
        band = _band(ink, box, letters, len(lines))
        ink.fill(band, ink.palette.fault, ink.px(8, 2))
        ink.frame(band, ink.palette.ink, ink.px(8, 2), ink.px(2))
        _on_band(ink, band, lines, letters, ink.palette.ink)


def _inner(ink: Ink, box: Box) -> int:
    return box.width - 2 * ink.px(14, 5)


def _band(ink: Ink, box: Box, letters: Font, lines: int) -> Box:
    tall = round(letters.size * (0.4 + 1.15 * lines))
    band = Box(box.left, box.top, box.right, box.top + tall)
    box.top = band.bottom + ink.px(8, 3)
    return band


def _on_band(ink: Ink, band: Box, lines: list[str], letters: Font, color: Color) -> None:
    leading = letters.size * 1.15
    base = (band.top + band.bottom + rise(letters) - leading * (len(lines) - 1)) / 2
    for index, line in enumerate(lines):
        ink.write(band.left + ink.px(14, 5), base + index * leading, line, letters, color)


def _answers(ink: Ink, box: Box, answers: tuple[Told, ...]) -> None:
    slots = _slots(ink, box, len(answers) - 1)
    if not slots:
        draw_figure(ink, box, answers[0])
    elif box.width >= max(BESIDE, box.height):
        split = box.left + round(box.width * 0.6)
        _others(ink, Box(split + ink.px(40), box.top, box.right, box.bottom), answers[1 : slots + 1])
        ink.fill(Box(split + ink.px(18), box.top, split + ink.px(18) + ink.px(1), box.bottom), ink.palette.line)
        draw_figure(ink, Box(box.left, box.top, split, box.bottom), answers[0])
    else:
        split = box.bottom - slots * ink.px(SLOT + 24, 70)
        _others(ink, Box(box.left, split, box.right, box.bottom), answers[1 : slots + 1])
        draw_figure(ink, Box(box.left, box.top, box.right, split - ink.px(14)), answers[0])


def _slots(ink: Ink, box: Box, others: int) -> int:
    """How many of the other answers have room."""
    if box.width >= max(BESIDE, box.height):
        return min(others, box.height // ink.px(SLOT, 70))
    return min(others, 3, max(0, box.height - ink.px(380, 260)) // ink.px(SLOT + 24, 70))


def _others(ink: Ink, box: Box, answers: tuple[Told, ...]) -> None:
    tall = box.height // len(answers)
    for index, told in enumerate(answers):
        top = box.top + index * tall
        if index:
            ink.fill(Box(box.left, top, box.right, top + ink.px(1)), ink.palette.line)
        slot = Box(box.left, top + (ink.px(12, 5) if index else 0), box.right, top + tall - ink.px(8, 3))
        draw_figure(ink, slot, told, small=True)
