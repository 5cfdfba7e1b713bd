"""What a picture shows, read out of signals: alerts, what is not well, the answers, the time.

>>> look = read_look({"box.facility": "St. Brigid", "answers.order": ["a"], "answer.a.question": "Free?",
...                   "answer.a.status": "answered", "answer.a.sentence": "7 beds are free."}, Moment(clock="14:03"))
>>> look.facility, look.clock, look.answers[0].sentence
('St. Brigid', '14:03', '7 beds are free.')
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import msgspec

from appliance.screen.answers import Row, ShownAnswer, answers, faults, say

ANSWERS: Final = 7
ROWS: Final = 12
TEXT: Final = 400
"""Characters of one text that a picture has any use for."""

Values = Mapping[str, Any]


class Moment(msgspec.Struct, frozen=True):
    """When the picture is drawn.

    Attributes:
        clock: the time to show, or empty.
        away: since when nobody keeps the answers true, as ``14:03``; empty while somebody does.
        zone: the facility's timezone.
    """

    clock: str = ""
    away: str = ""
    zone: tzinfo = UTC


class Bar(msgspec.Struct, frozen=True):
    """A row of a chart: its name, its value as people read it, its length from 0 to 1."""

    name: str
    value: str
    length: float


class Line(msgspec.Struct, frozen=True):
    """Values over time: points from 0 to 1 each way, from the left and the bottom; the ends and the top in words."""

    points: tuple[tuple[float, float], ...]
    first: str
    last: str
    top: str


class Told(msgspec.Struct, frozen=True):
    """One answer as it can be seen.

    Attributes:
        number: the one number it is, as people read it, or empty.
        unit: what the number counts: the rest of the sentence, else the number's label.
        bars: a chart's rows.
        line: the same over time.
        table: lines of cells, the first one the columns' names.
        more: how many rows are not in `bars` or `table`.
        read: when the rows were read, as ``14:03``.
    """

    question: str
    sentence: str
    number: str = ""
    unit: str = ""
    bars: tuple[Bar, ...] = ()
    line: Line | None = None
    table: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[bool, ...] = ()
    more: int = 0
    read: str = ""


class Look(msgspec.Struct, frozen=True):
    """All that a picture may show, in the order of its weight; layouts leave out what has no room.

    Attributes:
        facility: whose screen it is.
        clock: the time, or empty.
        alerts: messages of active alerts, those nobody has seen first.
        faults: what is not well, a sentence each.
        answers: the newest first, the pinned ones last.
    """

    facility: str
    clock: str
    alerts: tuple[str, ...]
    faults: tuple[str, ...]
    answers: tuple[Told, ...]


def read_look(signals: Values, moment: Moment) -> Look:
    """What there is to see in `signals` at this moment."""
    name = signals.get("box.facility") or signals.get("box.name") or "DreamStack"
    return Look(
        _line(name),
        moment.clock,
        tuple(_alerts(signals)),
        tuple(_faults(signals, moment)),
        tuple(_told(shown, moment.zone) for shown in _shown(signals)),
    )


def _shown(signals: Values) -> list[ShownAnswer]:
    """The answered ones, each question once; what is still worked on or was refused only when there is nothing else."""
    there = answers(signals)
    answered = [shown for shown in there if shown.status == "answered"]
    once = {shown.question.casefold(): shown for shown in reversed(answered)}
    kept = [shown for shown in answered if once[shown.question.casefold()] is shown]
    return kept[:ANSWERS] or there[:1]


def _alerts(signals: Values) -> list[str]:
    active = [
        value
        for name, value in signals.items()
        if name.startswith("alert.") and isinstance(value, dict) and value.get("message")
    ]
    active.sort(key=lambda alert: str(alert.get("fired_at")), reverse=True)
    active.sort(key=lambda alert: bool(alert.get("acknowledged_at")))
    return [message for alert in active if (message := _line(alert["message"]))]


def _faults(signals: Values, moment: Moment) -> list[str]:
    if moment.away:  # who tells of the parts is away: what is known of them is old
        return [f"Not kept up since {moment.away}."]
    return [sentence for told in faults(signals) if (sentence := _line(told))]


def _told(shown: ShownAnswer, zone: tzinfo) -> Told:
    kind = shown.view.get("kind") if shown.status == "answered" else "text"
    number = _number(shown.view.get("value")) if kind == "number" else ""
    line = _over_time(shown) if kind == "line" else None
    bars = _bars(shown) if kind in ("bars", "line") and line is None else ()
    drawable = shown.rows and not number and not bars and line is None and kind != "text"
    table, numeric = _table(shown, zone) if drawable else ((), ())
    drawn = len(bars) or max(0, len(table) - 1)
    return Told(
        _line(shown.question),
        _line(shown.told),
        number,
        _unit(shown, number),
        bars,
        line,
        table,
        numeric,
        max(0, shown.row_count - drawn) if drawn else 0,
        _clock(shown.read_at, zone),
    )


def _number(value: Any) -> str:
    return _line(say(value)) if isinstance(value, int | float | str) else ""


def _unit(shown: ShownAnswer, number: str) -> str:
    """``24 beds are free.`` says of 24: beds are free."""
    said = _line(shown.told)
    if number and said.startswith(f"{number} "):
        return said.removeprefix(number).strip().rstrip(".")
    return _line(shown.view.get("label"))


def _bars(shown: ShownAnswer) -> tuple[Bar, ...]:
    name, value = str(shown.view.get("label")), str(shown.view.get("value"))
    lengths = [_length(row, value) for row in shown.rows]
    top = max(lengths, default=0.0)
    if top <= 0:
        return ()
    told = list(zip(shown.rows, lengths, strict=True))[:ROWS]
    return tuple(Bar(_line(say(row.get(name))), _line(say(row.get(value))), length / top) for row, length in told)


def _over_time(shown: ShownAnswer) -> Line | None:
    """The rows at their times; None where there are fewer than two, or nothing above 0."""
    name, value = str(shown.view.get("label")), str(shown.view.get("value"))
    rows = [(at, row) for row in shown.rows if (at := _seconds(row.get(name))) is not None]
    top = max((_length(row, value) for _, row in rows), default=0.0)
    if len(rows) < 2 or top <= 0 or rows[-1][0] <= rows[0][0]:
        return None
    start, span = rows[0][0], rows[-1][0] - rows[0][0]
    points = tuple((min(1.0, max(0.0, (at - start) / span)), _length(row, value) / top) for at, row in rows)
    said = [_line(say(row.get(value))) for _, row in rows]
    first, last = (f"{_line(say(rows[end][1].get(name)))}: {said[end]}" for end in (0, -1))
    return Line(points, first, last, said[max(range(len(rows)), key=lambda index: points[index][1])])


def _seconds(value: Any) -> float | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _length(row: Row, name: str) -> float:
    value = row.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        return max(0.0, float(value)) if math.isfinite(value) else 0.0
    except OverflowError:
        return 0.0


def _table(shown: ShownAnswer, zone: tzinfo) -> tuple[tuple[tuple[str, ...], ...], tuple[bool, ...]]:
    """Lines of cells; a column that says the same in every row says nothing and is left out where others remain."""
    columns = [c for c in shown.columns if len(shown.rows) < 2 or len({say(r.get(c.name)) for r in shown.rows}) > 1]
    columns = columns or list(shown.columns)
    lines = [tuple(_line(column.label) for column in columns)]
    lines += [tuple(_line(say(row.get(column.name))) for column in columns) for row in shown.rows[:ROWS]]
    return tuple(lines), tuple(column.type in ("integer", "numeric") for column in columns)


def _clock(iso: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return ""
    return moment.astimezone(zone).strftime("%H:%M")


def _line(value: Any) -> str:
    """A text on one line: no control characters, bounded."""
    text = value if isinstance(value, str) else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:TEXT]).split())
