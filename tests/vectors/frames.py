"""Frames of every type, good and bad."""

from __future__ import annotations

import json

from tests.vectors.wire import (
    APP,
    AUDIO,
    CONTROL,
    DEFLATE,
    DELTA,
    DIFF,
    FROM_SCREEN,
    INPUT,
    KEYFRAME,
    LIMIT,
    PAGE,
    PIXELS,
    SYNC,
    THOUSAND_X_DEFLATED,
    WARD,
    WARD_DEFLATED,
    Json,
    bad,
    good,
    hexed,
    meaning,
    raw,
    stored,
)

DIFF_1 = raw(DIFF, {"n": 1})
MEANS_1 = meaning(DIFF, {"n": 1})
ASK = {"type": "ask", "ref": "r1", "question": "Wie viele Betten sind frei? ♥"}
SET = {"type": "set", "values": {"set.staff.lamp": 0.7, "set.staff.scene": None}, "base": {"set.staff.lamp": 41}}
ERROR = {"type": "error", "code": "BRG408", "message": "There is no such stream.", "details": "x", "hint": None}


def frames() -> list[Json]:
    return [
        good("a sync", SYNC, {"beds.free": 7, "$": {"e": "9f3c01aa", "v": 41}}, KEYFRAME, at=41),
        good("a diff", DIFF, {"beds.free": 8, "$": {"e": "9f3c01aa", "b": 41, "v": 42, "del": ["x"]}}, seq=7, at=99),
        good("a diff without versions", DIFF, {"beds.free": 7}, at=41),
        good(
            "every kind of value",
            DIFF,
            {"t": 'ä♥\U0001f6cf "\\\n', "i": -7, "f": 0.25, "b": True, "l": [None], "o": {"$": 1}},
        ),
        good("an empty object", DIFF, {}),
        *(good(f"control: {said['type']}, {n}", CONTROL, said) for n, said in enumerate(controls())),
        *(good(f"input: {said['type']}", INPUT, said, FROM_SCREEN) for said in inputs()),
        good("a picture of 2 x 1", PIXELS, bytes.fromhex("ff0000ff 00ff00ff"), KEYFRAME, size=(2, 1)),
        good("a change of a picture", DELTA, bytes.fromhex("0140 0000ff00"), size=(2, 1)),
        good("sound", AUDIO, bytes.fromhex("0000ff7f0080"), KEYFRAME, size=(220, 1)),
        good("a page", APP, PAGE.encode(), KEYFRAME),
        good("the largest header", PIXELS, b"", KEYFRAME, seq=65535, at=2**32 - 1, size=(65535, 65535)),
        *deflated(),
        *several(),
        *unreadable(),
    ]


def controls() -> list[Json]:
    return [
        {"type": "hello", "version": 1, "kind": "wall", "credential": "key"},
        {"type": "hello", "version": 1, "box": "Lobby", "role": "staff", "screen": "tablet"},
        {"type": "subscribe", "stream": "main", "e": "9f3c01aa", "v": 41},
        {"type": "subscribed", "stream": "main", "e": "9f3c01aa", "v": 42},
        {"type": "need_sync"},
        {"type": "ping", "t": 1},
        {"type": "pong", "t": 1},
        {"type": "ack", "ref": "r2", "lost": ["set.staff.lamp"]},
        {"type": "ack", "v": 42},
        {"type": "gap"},
        ERROR,
        {"type": "end"},
    ]


def inputs() -> list[Json]:
    return [
        ASK,
        SET | {"e": "9f3c01aa", "n": 3, "ref": "r2"},
        {"type": "pointer", "x": 0.5, "y": 0.25, "phase": "down", "buttons": 1},
        {"type": "touch", "id": 0, "x": 0, "y": 1, "phase": "move"},
        {"type": "key", "key": "Enter", "phase": "up"},
    ]


def deflated() -> list[Json]:
    ward = json.loads(WARD)
    return [
        {
            "name": "a deflated diff",
            "bytes": hexed(raw(DIFF, WARD_DEFLATED, DEFLATE)),
            "frames": [meaning(DIFF, ward)],
            "inflates": True,
        },
        {
            "name": "a deflated sync in a stored block",
            "bytes": hexed(raw(SYNC, stored(WARD.encode()), KEYFRAME | DEFLATE)),
            "frames": [meaning(SYNC, ward, KEYFRAME)],
            "inflates": True,
        },
        *(
            {**each, "inflates": True}
            for each in (
                bad("deflate that is none", raw(DIFF, b"\xff\xff\xff", DEFLATE), "SIG304"),
                bad("deflate that is cut short", raw(DIFF, WARD_DEFLATED[:-4], DEFLATE), "SIG304"),
                bad("nothing, deflated", raw(DIFF, b"", DEFLATE), "SIG304"),
                bad("bytes after the end of deflate", raw(DIFF, WARD_DEFLATED + b"{}", DEFLATE), "SIG304"),
                bad("small, and over the limit inflated", raw(DIFF, THOUSAND_X_DEFLATED, DEFLATE), "SIG302", limit=999),
                bad("deflated, and no JSON", raw(DIFF, stored(b"{nope"), DEFLATE), "SIG303"),
            )
        ),
        {
            "name": "an unknown type is skipped before it is inflated",
            "bytes": hexed(raw(0x7E, b"\xff\xff", DEFLATE) + DIFF_1),
            "frames": [meaning(0x7E, b"\xff\xff", DEFLATE) | {"skip": True}, MEANS_1],
        },
    ]


def several() -> list[Json]:
    wrap = [(65534, 1), (65535, 2), (0, 3), (1, 4)]
    return [
        {
            "name": "several frames back to back",
            "bytes": hexed(raw(SYNC, {"n": 0}, KEYFRAME) + DIFF_1 + raw(CONTROL, {"type": "ping"})),
            "frames": [meaning(SYNC, {"n": 0}, KEYFRAME), MEANS_1, meaning(CONTROL, {"type": "ping"})],
        },
        {
            "name": "seq wraps after 65,535",
            "bytes": hexed(b"".join(raw(DIFF, {"n": n}, seq=seq) for seq, n in wrap)),
            "frames": [meaning(DIFF, {"n": n}, seq=seq) for seq, n in wrap],
        },
        {
            "name": "seq and timestamp are not looked at",
            "bytes": hexed(raw(DIFF, {"n": 1}, seq=9, at=9) + raw(DIFF, {"n": 2}, seq=3, at=4)),
            "frames": [meaning(DIFF, {"n": 1}, seq=9, at=9), meaning(DIFF, {"n": 2}, seq=3, at=4)],
        },
        {
            "name": "unknown types are skipped by their length",
            "bytes": hexed(raw(0x7E, b"??") + raw(0x03, raw(DIFF, {"n": 9})) + raw(0xFF) + DIFF_1),
            "frames": [
                meaning(0x7E, b"??") | {"skip": True},
                meaning(0x03, raw(DIFF, {"n": 9})) | {"skip": True},
                meaning(0xFF, b"") | {"skip": True},
                MEANS_1,
            ],
        },
        {
            "name": "a flag that says nothing about a type",
            "bytes": hexed(raw(DIFF, {"n": 1}, FROM_SCREEN | KEYFRAME)),
            "frames": [meaning(DIFF, {"n": 1}, FROM_SCREEN | KEYFRAME)],
        },
        {
            "name": "a payload of just the limit",
            "bytes": hexed(raw(DIFF, {"n": 1})),
            "limit": 7,
            "frames": [MEANS_1],
        },
    ]


def unreadable() -> list[Json]:
    no_json = {
        "no JSON": b"{nope",
        "a list": b"[1,2]",
        "null": b"null",
        "a number": b"7",
        "nothing": b"",
        "JSON that is cut short": b'{"a":',
        "JSON with bytes after it": b'{"a":1}}',
        "no UTF-8": b'{"a":"\xff"}',
    }
    return [
        bad("a header that is cut short", DIFF_1[:9], "SIG300", cut=True),
        bad("a payload that is cut short", DIFF_1[:-1], "SIG300", cut=True),
        bad("a frame, and half of the next", DIFF_1 + DIFF_1[:18], "SIG300", [MEANS_1], cut=True),
        *(bad(f"the unknown flag {flag:#04x}", raw(DIFF, {"n": 1}, flag), "SIG301") for flag in (8, 16, 32, 64, 128)),
        bad("an unknown flag beside a known one", raw(SYNC, {"n": 1}, KEYFRAME | 8), "SIG301"),
        bad("an unknown flag on an unknown type", raw(0x7E, b"", 0x80), "SIG301"),
        bad("a length over the limit, of which nothing is there", raw(DIFF, b"", length=LIMIT + 1), "SIG302"),
        bad("a length of 4 GiB", raw(DIFF, b"", length=2**32 - 1), "SIG302"),
        bad("a payload one byte over the limit", DIFF_1, "SIG302", limit=6),
        bad("over the limit, of an unknown type", raw(0x7E, b"", length=LIMIT + 1), "SIG302"),
        *(bad(f"a payload that is {what}", raw(DIFF, body), "SIG303") for what, body in no_json.items()),
        bad("a control frame that is no JSON", raw(CONTROL, b"ping"), "SIG303"),
        bad("good frames before a bad one", DIFF_1 + DIFF_1 + raw(DIFF, b"", 8), "SIG301", [MEANS_1, MEANS_1]),
    ]
