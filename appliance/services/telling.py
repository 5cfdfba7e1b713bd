"""What is unusual and what happened, in sentences. Every number in them is from the database.

>>> told({"label": "admissions", "what": "came", "scale": "day", "basis": "weekday", "side": "above",
...       "value": 34, "usual": 24, "percent": 42, "start": "2026-11-23T00:00:00+00:00"}, UTC)
'Admissions today are 42 % above a usual Monday by now: 34, usually 24.'
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from appliance.llm.saying import join, number, say_collection, say_day
from appliance.types import Collection

__all__ = ["UTC", "digest_rows", "digest_sentence", "told"]

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KINDS: Final = {"came": "{}", "changed": "changes of {}", "went": "removed {}"}
_VERBS: Final = {"came": "came", "changed": "changed", "went": "went"}
_CLEAR: Final = 15
"""Percent from the usual up to which a number is as usual."""


def told(event: dict[str, Any], zone: tzinfo) -> str:
    """What is unusual, in one sentence."""
    start = _moment(event["start"]).astimezone(zone)
    what = _KINDS[event["what"]].format(_many(event["label"]))
    usual = _WEEKDAYS[start.weekday()] if event["basis"] == "weekday" else "day"
    over = event.get("state") == "over"
    day, are = (f"on {say_day(start.date())}", "were") if over else ("today", "are")
    until = _moment(event["until"]).astimezone(zone) if over else start
    when, then = day, f"by {until:%H:%M}" if over else "by now"
    if event["scale"] == "hour":
        hour = f"from {start:%H:%M} to {start + timedelta(hours=1):%H:%M}"
        when, then = f"{day} {hour}" if over else hour, "at that time"
    value, normally = number(event["value"]), number(float(event["usual"]))
    if event["percent"] is None:
        return f"{_capital(what)} {when} {are} unusual for a {usual} {then}: {value}, usually none."
    away = f"{number(abs(event['percent']))} % {event['side']}"
    return f"{_capital(what)} {when} {are} {away} a usual {usual} {then}: {value}, usually {normally}."


def digest_sentence(line: dict[str, Any], zone: tzinfo) -> str:
    """What happened in a collection, in a sentence or two."""
    label, counts = line["label"], line["counts"]
    parts = [_count(line, what, n == 0) for n, what in enumerate(w for w in _VERBS if counts[w])]
    happened = _capital(join(parts)) if parts else f"Nothing happened in {_plain(label)}"
    said = f"{happened} {_since(line, zone)}."
    if counts["loaded"]:
        said += f" {number(counts['loaded'])} rows were written at once, by a load."
    return " ".join([said, *_about_rows(line)])


def digest_rows(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as rows: what, its count, what is usual, how many percent from it."""
    usual = line["usual"] or {}
    rows: list[dict[str, Any]] = []
    for what in _VERBS:
        known = usual.get(what) or {}
        counted = {"what": what, "count": line["counts"][what]}
        rows.append(counted | {"usual": known.get("value"), "percent": known.get("percent")})
    return rows


def _count(line: dict[str, Any], what: str, first: bool) -> str:
    value, known = line["counts"][what], (line["usual"] or {}).get(what)
    whom = f" {_one_or_many(line['label'], value)}" if first else ""
    said = f"{number(value)}{whom} {_VERBS[what]}"
    if known is None:
        return said
    if known["percent"] is None:
        return f"{said} (usually none)" if known["value"] == 0 else said
    if abs(known["percent"]) <= _CLEAR:
        return f"{said} (as usual)"
    side = "above" if known["percent"] > 0 else "below"
    return f"{said} ({number(abs(known['percent']))} % {side} the usual {number(float(known['value']))})"


def _about_rows(line: dict[str, Any]) -> list[str]:
    said = []
    if (groups := line["groups"]) is not None:
        each = join([f"{group['value']} {number(group['count'])}" for group in groups["top"]])
        said.append(f"Most by {_plain(groups['label'])}: {each}.")
    if line["of"] == "came":
        for each in line["sums"]:
            unit = f" {each['unit']}" if each["unit"] and each["unit"] not in each["label"] else ""
            said.append(f"{_capital(_plain(each['label']))} of those that came: {number(each['sum'])}{unit} in all.")
    return said


def _since(line: dict[str, Any], zone: tzinfo) -> str:
    """The window: from when the counts know, if that is later than asked."""
    start, end = (_moment(line[name]).astimezone(zone) for name in ("counted_from", "end"))
    if start.date() == end.date():
        return f"on {say_day(start.date())} from {start:%H:%M} to {end:%H:%M}"
    return f"from {start:%H:%M} on {say_day(start.date())} to {end:%H:%M} on {say_day(end.date())}"


def _many(label: str) -> str:
    return say_collection(Collection("", label, ()))


def _one_or_many(label: str, count: int) -> str:
    return say_collection(Collection("", label, ()), count)


def _plain(label: str) -> str:
    return label.replace("_", " ")


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
