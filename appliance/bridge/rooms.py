"""The streams of rooms: what they are called, and who may read one.

>>> own_stream("icu"), own_stream("")
('room/icu', 'main')
>>> may_read_room("room/icu", own_stream("icu"), "wall"), may_read_room("room/icu", "main", "staff")
(True, False)
"""

from __future__ import annotations

from typing import Final

from appliance.types import Role

ROOM: Final = "room/"
"""What the names of rooms' streams begin with."""


def own_stream(room: str) -> str:
    """The stream that ``main`` is for a screen of this room."""
    return ROOM + room if room else "main"


def may_read_room(stream: str, own: str, role: Role) -> bool:
    """Whether one whose own stream is `own` may read a stream: rooms are read by who is in them, and by the admin."""
    return not stream.startswith(ROOM) or stream == own or role == "admin"
