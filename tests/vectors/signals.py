"""What SYNC and DIFF do to what a receiver holds."""

from __future__ import annotations

from typing import Any

from tests.vectors.wire import CONTROL, DIFF, KEYFRAME, SYNC, Json, hexed, raw

E, OTHER = "9f3c01aa", "00c0ffee"
HELD: Json = {"e": E, "v": 41, "values": {"beds.free": 7, "ward.name": "Cardiology"}}


def sync(values: Json, v: int, e: str = E) -> str:
    return hexed(raw(SYNC, values | {"$": {"e": e, "v": v}}, KEYFRAME))


def diff(values: Json, b: int, v: int, e: str = E, gone: list[str] | None = None) -> str:
    head = {"e": e, "b": b, "v": v} | ({"del": gone} if gone else {})
    return hexed(raw(DIFF, values | {"$": head}))


def holds(data: str, values: Json, v: int, e: str = E, **more: Any) -> Json:
    return {"bytes": data, "e": e, "v": v, "values": values, **more}


def signals() -> list[Json]:
    kept: Json = HELD["values"]
    return [
        {
            "name": "a sync takes the place of everything",
            "have": HELD,
            "steps": [holds(sync({"a": 1}, 3, OTHER), {"a": 1}, 3, OTHER)],
        },
        {
            "name": "a diff sets, adds and removes",
            "have": HELD,
            "steps": [
                holds(diff({"beds.free": 8, "new": [1]}, 41, 42, gone=["ward.name"]), {"beds.free": 8, "new": [1]}, 42)
            ],
        },
        {
            "name": "a diff may stand for several steps",
            "have": HELD,
            "steps": [holds(diff({"beds.free": 9}, 41, 47), kept | {"beds.free": 9}, 47)],
        },
        {
            "name": "a diff that only removes, also what is not there",
            "have": HELD,
            "steps": [holds(diff({}, 41, 42, gone=["beds.free", "never.was"]), {"ward.name": "Cardiology"}, 42)],
        },
        {
            "name": "a value that is false, 0 or empty is a value",
            "have": HELD,
            "steps": [
                holds(
                    diff({"a": False, "b": 0, "c": "", "d": []}, 41, 42),
                    kept | {"a": False, "b": 0, "c": "", "d": []},
                    42,
                )
            ],
        },
        {
            "name": "a diff for another version changes nothing and asks for a sync, which mends it",
            "have": HELD,
            "steps": [
                holds(diff({"beds.free": 8}, 40, 41), kept, 41, asks="need_sync"),
                holds(sync({"beds.free": 9}, 43), {"beds.free": 9}, 43),
                holds(diff({"beds.free": 10}, 43, 44), {"beds.free": 10}, 44),
            ],
        },
        {
            "name": "a diff for a version to come",
            "have": HELD,
            "steps": [holds(diff({"a": 1}, 42, 43), kept, 41, asks="need_sync")],
        },
        {
            "name": "a diff of another epoch",
            "have": HELD,
            "steps": [holds(diff({"a": 1}, 41, 42, OTHER), kept, 41, asks="need_sync")],
        },
        {
            "name": "a gap",
            "have": HELD,
            "steps": [holds(hexed(raw(CONTROL, {"type": "gap"})), kept, 41, asks="need_sync")],
        },
        {
            "name": "resume: what changed since, then on",
            "have": HELD,
            "steps": [
                holds(diff({"beds.free": 5}, 41, 60), kept | {"beds.free": 5}, 60),
                holds(
                    hexed(raw(CONTROL, {"type": "subscribed", "stream": "main", "e": E, "v": 60})),
                    kept | {"beds.free": 5},
                    60,
                ),
                holds(diff({"beds.free": 4}, 60, 61), kept | {"beds.free": 4}, 61),
            ],
        },
        {
            "name": "resume: nothing has changed",
            "have": HELD,
            "steps": [holds(hexed(raw(CONTROL, {"type": "subscribed", "stream": "main", "e": E, "v": 41})), kept, 41)],
        },
        {
            "name": "resume: the box was restarted",
            "have": HELD,
            "steps": [holds(sync({"beds.free": 1}, 2, OTHER), {"beds.free": 1}, 2, OTHER)],
        },
        {
            "name": "names that programs stumble over",
            "have": HELD,
            "steps": [
                holds(
                    sync({"__proto__": 1, "constructor": 2, "é": 3}, 1), {"__proto__": 1, "constructor": 2, "é": 3}, 1
                )
            ],
        },
    ]
