"""Signals of a small hospital, as the box sends them to a wall."""

from __future__ import annotations

from typing import Any

WARDS = ["Emergency", "Maternity", "Orthopedics", "Intensive Care", "Surgery", "Cardiology", "Oncology", "Pediatrics"]


def answer(answer_id: str, question: str, sentence: str, view: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The signals of one finished answer."""
    said = {"question": question, "status": "answered", "sentence": sentence, "view": view, **more}
    said.setdefault("read_at", "2026-11-28T16:06:55.311+00:00")
    return {f"answer.{answer_id}.{name}": value for name, value in said.items()}


def beds(free: int = 24) -> dict[str, Any]:
    """How many beds are free."""
    view = {"kind": "number", "value": free, "label": "beds"}
    return answer("beds", "How many beds are free?", f"{free} beds are free.", view)


def wards() -> dict[str, Any]:
    """Free beds per ward, as bars."""
    rows = [{"ward": ward, "count": 4 - index // 3} for index, ward in enumerate(WARDS)]
    view = {"kind": "bars", "label": "ward", "value": "count"}
    return answer("wards", "Free beds per ward", "Most are free in Emergency (4).", view, rows=rows, row_count=8)


def cleaning() -> dict[str, Any]:
    """Beds in cleaning, as a table; every row has the same status."""
    rows = [{"bed": f"S-{n:02}", "status": "cleaning", "ward": WARDS[n % 8], "room": 300 + n} for n in range(9)]
    kinds = {"bed": "text", "status": "text", "ward": "text", "room": "integer"}
    fields = [{"name": name, "label": name, "type": kind} for name, kind in kinds.items()]
    sentence = "9 beds are cleaning: S-00, S-01, S-02, S-03 and 5 more."
    return answer(
        "clean", "Which beds are in cleaning?", sentence, {"kind": "table"}, rows=rows, fields=fields, row_count=40
    )


def alert(name: str, message: str, fired_at: str = "2026-11-28T12:00:00Z", seen: str | None = None) -> dict[str, Any]:
    """An active alert."""
    return {f"alert.{name}": {"message": message, "fired_at": fired_at, "acknowledged_at": seen}}


def signals(*order: str, **more: Any) -> dict[str, Any]:
    """All answers, in this order of their ids."""
    there = {"box.facility": "St. Brigid Hospital", "answers.order": list(order or ("beds", "wards", "clean"))}
    return there | beds() | wards() | cleaning() | more
