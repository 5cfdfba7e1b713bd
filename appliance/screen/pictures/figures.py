"""One answer on a sheet: its question, and its number, bars, table or sentence, as much of it as has room."""

from __future__ import annotations

from appliance.screen.pictures.ink import Box, Font, Ink, cut, font, largest, rise, wide, wrap
from appliance.screen.pictures.look import Line, Told

LEADING = 1.22


def draw_figure(ink: Ink, box: Box, told: Told, *, small: bool = False) -> None:
    """Draw an answer into a box; `small` is for those beside the newest."""
    _question(ink, box, told, small)
    if told.number:
        _number(ink, box, told, small)
    elif told.bars and not small:
        _sentence(ink, box, told.sentence, 26, 2)
        _bars(ink, box, told)
    elif told.table and not small:
        _sentence(ink, box, told.sentence, 26, 2)
        _table(ink, box, told)
    elif told.line and (not small or box.height > ink.px(80, 60)):
        if not small:
            _sentence(ink, box, told.sentence, 26, 2)
        _line(ink, box, told.line, 17 if small else 20)
    elif told.bars and box.height > ink.px(80, 60):
        _bars(ink, box, told, size=17)
    elif small:
        _sentence(ink, box, told.sentence, 20, 4)
    else:
        _speech(ink, box, told.sentence)


def _question(ink: Ink, box: Box, told: Told, small: bool) -> None:
    letters = font("Semibold" if small else "Regular", ink.px(17 if small else 24, 12 if small else 13))
    side = font("Regular", ink.px(17, 12))
    read = "" if small or not told.read else f"read {told.read}"
    beside = wide(told.question, letters) + wide(read, side) + ink.px(14, 6) <= box.width
    lines = [told.question] if beside else wrap(told.question, letters, box.width, 1 if small else 2)
    base = box.top + rise(letters)
    for index, line in enumerate(lines):
        base += round(letters.size * LEADING) if index else 0
        ink.write(box.left, base, line, letters, ink.palette.soft)
    if beside:
        ink.write(box.right, base, read, side, ink.palette.soft, "rs")
    elif read:
        base += round(side.size * LEADING)
        ink.write(box.left, base, read, side, ink.palette.soft)
    box.top = base + ink.px(8 if small else 14, 4)


def _number(ink: Ink, box: Box, told: Told, small: bool) -> None:
    unit = font("Semibold", ink.px(20 if small else 36, 12 if small else 15))
    lines = wrap(told.unit, unit, box.width, 1 if small else 2)
    leading = round(unit.size * LEADING)
    gap = ink.px(8 if small else 22, 4)
    box.top += 0 if small else gap // 2
    room = box.height - leading * len(lines) - gap
    if small and room < ink.px(30, 20):
        _sentence(ink, box, f"{told.number} {told.unit}", 26, 2)
        return
    digits = largest(told.number, "Bold", box.width, room, ink.px(64 if small else 400))
    base = box.top + (rise(digits) if small else (room + rise(digits)) // 2)
    ink.write(box.left - round(digits.size * 0.04), base, told.number, digits, ink.palette.bar)
    base += gap
    for line in lines:
        base += round(unit.size * 0.95) if line is lines[0] else leading
        ink.write(box.left, base, line, unit, ink.palette.ink)


def _sentence(ink: Ink, box: Box, text: str, size: int, most: int) -> None:
    letters = font("Semibold", ink.px(size, 14))
    leading = round(letters.size * LEADING)
    most = max(1, min(most, box.height // leading))
    for line in wrap(text, letters, box.width, most):
        ink.write(box.left, box.top + rise(letters) + (leading - rise(letters)) // 2, line, letters, ink.palette.ink)
        box.top += leading
    box.top += ink.px(12, 4)


def _speech(ink: Ink, box: Box, text: str) -> None:
    """A sentence that stands for itself, as large as fits."""
    for size in (64, 54, 46, 40, 34, 30, 26, 22, 18):
        letters = font("Semibold", ink.px(size, 14))
        leading = round(letters.size * LEADING)
        most = max(1, box.height // leading)
        lines = wrap(text, letters, box.width, most)
        if not lines or not lines[-1].endswith("…"):
            break
    base = box.top + max(0, box.height - leading * len(lines)) // 3 + rise(letters)
    for index, line in enumerate(lines):
        ink.write(box.left, base + index * leading, line, letters, ink.palette.ink)


def _bars(ink: Ink, box: Box, told: Told, size: int = 24) -> None:
    letters = font("Regular", ink.px(size, 12))
    tall = max(round(letters.size * 1.35), min(ink.px(size * 2), box.height // len(told.bars)))
    shown = told.bars[: max(1, box.height // tall)]
    left = told.more + len(told.bars) - len(shown)
    names = min(max(wide(bar.name, letters) for bar in shown), box.width * 0.42)
    values = max(wide(bar.value, letters) for bar in shown)
    gap = ink.px(12, 5)
    start, room = box.left + names + gap, box.width - names - values - 2 * gap
    for index, bar in enumerate(shown):
        middle = box.top + index * tall + tall // 2
        base, half = middle + rise(letters) // 2, round(letters.size * 0.42)
        end = start + max(2, room * bar.length)
        ink.write(box.left, base, cut(bar.name, letters, names), letters, ink.palette.ink)
        ink.fill(Box(round(start), middle - half, round(end), middle + half), ink.palette.bar, ink.px(3))
        ink.write(end + gap, base, bar.value, letters, ink.palette.ink)
    _more(ink, box, box.top + tall * len(shown), left, letters)


def _line(ink: Ink, box: Box, line: Line, size: int) -> None:
    """What lies under the line, the ends told below it and the top above."""
    letters = font("Regular", ink.px(size, 12))
    base = box.bottom - round(letters.size * 0.3)
    ink.write(box.left, base, line.first, letters, ink.palette.soft)
    if wide(line.first, letters) + wide(line.last, letters) < box.width:
        ink.write(box.right, base, line.last, letters, ink.palette.ink, "rs")
    ink.write(box.left, box.top + rise(letters), f"at most {line.top}", letters, ink.palette.soft)
    top, floor = box.top + rise(letters) + ink.px(10, 4), base - round(letters.size * 1.2)
    ink.area([(box.left + x * box.width, floor - y * max(1, floor - top)) for x, y in line.points], floor)


def _table(ink: Ink, box: Box, told: Told) -> None:
    letters, bold = font("Regular", ink.px(22, 12)), font("Semibold", ink.px(18, 12))
    tall = max(round(letters.size * 1.4), min(ink.px(40), box.height // (len(told.table))))
    lines = told.table[: max(2, box.height // tall)]
    gap = ink.px(22, 8)
    widths = _columns(lines, letters, box.width, gap)
    for row, cells in enumerate(lines):
        base = box.top + row * tall + (tall + rise(letters)) // 2
        x: float = box.left
        for cell, width, numeric in zip(cells, widths, told.numeric, strict=False):
            face, color = (bold, ink.palette.soft) if row == 0 else (letters, ink.palette.ink)
            at, anchor = (x + width, "rs") if numeric else (x, "ls")
            ink.write(at, base, cut(cell, face, width), face, color, anchor)
            x += width + gap
        if row:
            ink.fill(Box(box.left, box.top + row * tall, box.right, box.top + row * tall + 1), ink.palette.line)
    _more(ink, box, box.top + tall * len(lines), told.more + len(told.table) - len(lines), letters)


def _columns(lines: tuple[tuple[str, ...], ...], letters: Font, room: float, gap: int) -> list[float]:
    """Widths of the columns that fit, from the left; the first is there whatever it takes."""
    widths: list[float] = []
    for column in zip(*lines, strict=True):
        width = min(max(wide(cell, letters) for cell in column), room * 0.55)
        if widths and sum(widths) + gap * len(widths) + width > room:
            break
        widths.append(min(width, room))
    return widths


def _more(ink: Ink, box: Box, top: int, left: int, letters: Font) -> None:
    if left > 0 and box.bottom - top >= letters.size:
        ink.write(box.left, top + letters.size, f"and {left:,} more", letters, ink.palette.soft)
