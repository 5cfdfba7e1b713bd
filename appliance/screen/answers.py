"""Reads answers out of a stream's signals; a value of the wrong kind counts as missing, so a screen never falls over.

>>> shown = answers({"answers.order": ["a1"], "answer.a1.question": "Free beds?", "answer.a1.sentence": "7."})
>>> shown[0].question, shown[0].told
('Free beds?', '7.')
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

_STAGES: Final = {
    "queued": "Waiting for the model",
    "reading": "Reading the question",
    "looking": "Looking in the data",
}

Row = dict[str, Any]


class Column(msgspec.Struct, frozen=True):
    """A column of an answer's rows: its key, what people call it, its type."""

    name: str
    label: str
    type: str


class ShownAnswer(msgspec.Struct, frozen=True):
    """An answer as signals tell it; see ``answer.<id>.*``. `status` is empty while it is being worked on."""

    id: str
    question: str
    status: str
    stage: str
    position: int
    reading: str
    sentence: str
    rows: tuple[Row, ...]
    row_count: int
    columns: tuple[Column, ...]
    view: Mapping[str, Any]
    choices: tuple[str, ...]
    error: Mapping[str, Any]
    read_at: str
    took_ms: int | None
    pinned: bool

    @property
    def told(self) -> str:
        """What to say in one line: the sentence, the error's message, or how far the box is."""
        if self.status:
            return self.sentence or _text(self.error.get("message")) or self.status
        if self.position > 1:
            return f"Waiting, place {self.position} in the queue"
        return _STAGES.get(self.stage, _STAGES["queued"])

    @property
    def hint(self) -> str:
        """What the box suggests when it could not answer."""
        return _text(self.error.get("hint"))


def answers(signals: Mapping[str, Any]) -> list[ShownAnswer]:
    """The answers a screen shows, newest first; the pinned ones that are not among them follow."""
    order = [item for item in _list(signals.get("answers.order")) if isinstance(item, str)]
    pinned = [item for item in _list(signals.get("answers.pinned")) if isinstance(item, str)]
    ids = dict.fromkeys([*order, *pinned])
    there = [item for item in ids if f"answer.{item}.question" in signals or f"answer.{item}.shared" in signals]
    return [_read(signals, item, item in pinned) for item in there]


def faults(signals: Mapping[str, Any]) -> list[str]:
    """A sentence for each part of the box that is not well."""
    parts = [part for part in _list(signals.get("box.parts")) if isinstance(part, dict)]
    return [
        _text(part.get("sentence")) or f"{part.get('name')} is away." for part in parts if part.get("state") != "ok"
    ]


def alerts(signals: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Messages of active alerts and whether somebody has seen them: unseen ones first, then the newest."""
    active = [
        value
        for name, value in signals.items()
        if name.startswith("alert.") and isinstance(value, dict) and _text(value.get("message"))
    ]
    active.sort(key=lambda alert: _text(alert.get("fired_at")), reverse=True)
    active.sort(key=lambda alert: bool(alert.get("acknowledged_at")))
    return [(_text(alert["message"]), bool(alert.get("acknowledged_at"))) for alert in active]


def say(value: Any) -> str:
    """A value as people read it: thousands apart, at most two decimals, times without seconds."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, str):
        return _say_time(value)
    return msgspec.json.encode(value).decode()


def ago(seconds: float) -> str:
    """An age in words."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length * (2 if unit == "days" else 1):
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} s ago"


def _read(signals: Mapping[str, Any], answer_id: str, pinned: bool) -> ShownAnswer:
    shared = _dict(signals.get(f"answer.{answer_id}.shared"))  # what walls may see of an answer that is not for them

    def get(name: str) -> Any:
        value = signals.get(f"answer.{answer_id}.{name}")
        return shared.get(name) if value is None else value

    rows = tuple(row for row in _list(get("rows")) if isinstance(row, dict))
    choices = (choice.get("label") for choice in _list(get("choices")) if isinstance(choice, dict))
    return ShownAnswer(
        id=answer_id,
        question=_text(get("question")),
        status=_text(get("status")),
        stage=_text(get("stage")),
        position=_whole(get("position")) or 0,
        reading=_text(get("reading")),
        sentence=_text(get("sentence")),
        rows=rows,
        row_count=_whole(get("row_count")) or len(rows),
        columns=_columns(_list(get("fields")), rows),
        view=_dict(get("view")),
        choices=tuple(_text(label) for label in choices if label),
        error=_dict(get("error")),
        read_at=_text(get("read_at")),
        took_ms=_whole(get("took_ms")),
        pinned=pinned,
    )


def _columns(fields: list[Any], rows: tuple[Row, ...]) -> tuple[Column, ...]:
    told = [field for field in fields if isinstance(field, dict) and isinstance(field.get("name"), str)]
    if not told and rows:
        told = [{"name": name} for name in rows[0] if name != "id"]
    return tuple(Column(f["name"], _text(f.get("label")) or f["name"], _text(f.get("type"))) for f in told)


def _say_time(text: str) -> str:
    if len(text) < 16 or text[4:5] != "-" or text[10] not in "T ":
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = moment.astimezone() if moment.tzinfo else moment
    return local.strftime("%Y-%m-%d %H:%M")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
