"""What a screen sends and what a box answers."""

from __future__ import annotations

from typing import Any

from tests.vectors.signals import OTHER
from tests.vectors.wire import APP, CONTROL, FROM_SCREEN, INPUT, SYNC, Json, hexed, raw


def said(kind: int, value: Json) -> str:
    return hexed(raw(kind, value, FROM_SCREEN if kind == INPUT else 0))


def talk(name: str, *sent: str, answers: list[Json], closes: bool = False, after: Json | None = None) -> Json:
    found = {"name": name, "send": list(sent), "answers": answers, "closes": closes}
    return found if after is None else found | {"after": after}


def sets(values: Json, **more: Any) -> str:
    return said(INPUT, {"type": "set", "values": values, "ref": "r"} | more)


def box() -> list[Json]:
    join, live = said(CONTROL, {"type": "subscribe", "stream": "main"}), {"type": "subscribed", "stream": "main"}
    ack, pong, alive = {"type": "ack", "ref": "r"}, {"type": "pong", "t": 9}, said(CONTROL, {"type": "ping", "t": 9})
    lamp = "set.staff.lamp"
    unreadable: dict[str, Json] = {
        "without values": {},
        "values that are a list": {"values": [1]},
        "a version that has not been": {"values": {lamp: 1}, "base": {lamp: 99}},
        "a version that is no number": {"values": {lamp: 1}, "base": {lamp: "1"}},
    }

    def refused(code: str, **more: Any) -> Json:
        return {"type": "error", "code": code, **more}

    return [
        talk("subscribe", join, answers=[live]),
        talk("ping", said(CONTROL, {"type": "ping", "t": {"any": 1}}), answers=[{"type": "pong", "t": {"any": 1}}]),
        talk(
            "what a screen may say of itself",
            *(said(CONTROL, {"type": kind}) for kind in ("pong", "ack", "error")),
            alive,
            answers=[pong],
        ),
        talk(
            "a stream that is not there",
            said(CONTROL, {"type": "subscribe", "stream": "x"}),
            alive,
            answers=[refused("BRG408"), pong],
        ),
        talk("end", said(CONTROL, {"type": "end"}), answers=[], closes=True),
        talk("an unknown control", said(CONTROL, {"type": "dance"}), answers=[refused("SIG307")], closes=True),
        talk("a control without a type", said(CONTROL, {}), answers=[refused("SIG307")], closes=True),
        talk("an unknown input", said(INPUT, {"type": "dance"}), answers=[refused("SIG307")], closes=True),
        talk(
            "frames that go the other way are skipped",
            hexed(raw(SYNC, {"beds.free": 0})),
            hexed(raw(APP, b"x")),
            alive,
            answers=[pong],
        ),
        talk("a frame that cannot be read", hexed(raw(CONTROL, b"{")), answers=[refused("SIG303")], closes=True),
        talk("an input with a ref", said(INPUT, {"type": "key", "key": "a", "ref": "r"}), answers=[ack]),
        talk("an input without one", said(INPUT, {"type": "key", "key": "a"}), alive, answers=[pong]),
        talk(
            "set",
            join,
            sets({lamp: 0.7, "screen.tablet.page": 2}),
            answers=[live, ack],
            after={lamp: 0.7, "screen.tablet.page": 2},
        ),
        talk("set, then remove", join, sets({lamp: 1}), sets({lamp: None}), answers=[live, ack, ack], after={}),
        talk(
            "an older base loses",
            join,
            sets({lamp: 1}, base={lamp: 1}),
            sets({lamp: 2}, base={lamp: 0}),
            answers=[live, ack, ack | {"lost": [lamp]}],
            after={lamp: 1},
        ),
        talk(
            "a later write of the same screen wins",
            join,
            sets({lamp: 1}, base={lamp: 1}, n=1),
            sets({lamp: 2}, base={lamp: 1}, n=3),
            sets({lamp: 3}, base={lamp: 1}, n=2),
            answers=[live, ack, ack, ack | {"lost": [lamp]}],
            after={lamp: 2},
        ),
        talk(
            "another epoch counts as version 0",
            join,
            sets({lamp: 1}),
            sets({lamp: 2, "set.staff.new": 3}, base={lamp: 4000}, e=OTHER),
            answers=[live, ack, ack | {"lost": [lamp]}],
            after={lamp: 1, "set.staff.new": 3},
        ),
        *(
            talk(
                f"set: {what}",
                join,
                sets({"set.staff.fine": 1, name: 1}),
                alive,
                answers=[live, refused("SIG306", ref="r"), pong],
                after={},
            )
            for what, name in {
                "a signal of the box": "beds.free",
                "another role's": "set.admin.lamp",
                "another screen's": "screen.phone.page",
                "no name after the prefix": "set.staff.",
                "the reserved name": "$",
                "a name of 201 characters": "set.staff." + "x" * 191,
            }.items()
        ),
        *(
            talk(
                f"set: {what}",
                join,
                said(INPUT, {"type": "set", "ref": "r"} | keys),
                alive,
                answers=[live, refused("SIG310", ref="r"), pong],
                after={},
            )
            for what, keys in unreadable.items()
        ),
        talk(
            "set: too many",
            join,
            sets({f"set.staff.{n}": 1 for n in range(65)}),
            answers=[live, refused("SIG309", ref="r")],
            after={},
        ),
        talk("set before a subscribe", sets({lamp: 1}), alive, answers=[refused("BRG408", ref="r"), pong], after={}),
    ]
