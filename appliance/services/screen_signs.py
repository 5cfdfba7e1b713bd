"""What the box tells one screen: a message, "this is you", how to lay itself out. Signals of the screen's own stream.

    to.<id>.message    {"id", "text", "until"}            shown over everything else until then
    to.<id>.identify   {"name", "code", "room", "until"}  shown large, so that who looks for the screen finds it
    to.<id>.surface    "wall"                             laid out so from now on; gone: as the screen itself thinks

Their audience is the screen's role. What has run out is removed. Times are milliseconds since 1970.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from typing import Any, Final

from appliance.bridge import Streams
from appliance.bridge.registry import Screen
from appliance.bridge.rooms import own_stream
from appliance.errors import ApplianceError
from appliance.types import Role, Signal

__all__ = ["IDENTIFY_S", "ScreenSigns"]

SOURCE: Final = "desk"
IDENTIFY_S: Final = 10.0


class ScreenSigns:
    """Keeps these signals what they should be.

    Args:
        streams: where they are written.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._said: dict[tuple[str, str], Any] = {}
        self._places: dict[str, tuple[str, Role]] = {}
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def message(self, screen: Screen, text: str, seconds: float) -> dict[str, Any]:
        """Show a text on a screen; 0 seconds take away what is shown."""
        if seconds <= 0:
            self._say(screen.id, "message", None, 0)
            return {"screen": screen.id, "until": None}
        until = _ms(seconds)
        self._say(screen.id, "message", {"id": secrets.token_hex(3), "text": text, "until": until}, seconds)
        return {"screen": screen.id, "until": until}

    def identify(self, screen: Screen) -> dict[str, Any]:
        """Have a screen say which one it is."""
        until = _ms(IDENTIFY_S)
        told = {"name": screen.name, "code": screen.id.upper(), "room": screen.room, "until": until}
        self._say(screen.id, "identify", told, IDENTIFY_S)
        return {"screen": screen.id, "until": until}

    def follow(self, screens: Iterable[Screen]) -> None:
        """Go by the list of screens: who moved takes its signals along, who is gone has none."""
        now = {screen.id: screen for screen in screens}
        for id_ in [*self._places.keys() - now.keys()]:
            self._leave(id_)
        for id_, screen in now.items():
            place = (own_stream(screen.room), screen.role)
            if self._places.get(id_, place) != place:
                self._write(id_, {name: None for owner, name in self._said if owner == id_})
            moved = self._places.get(id_) != place
            self._places[id_] = place
            if self._said.get((id_, "surface")) != (screen.surface or None):
                self._keep(id_, "surface", screen.surface or None)
                moved = True
            if moved:
                gone = {} if screen.surface else {"surface": None}
                self._write(id_, gone | {name: value for (owner, name), value in self._said.items() if owner == id_})

    def _leave(self, id_: str) -> None:
        self._write(id_, {name: None for owner, name in self._said if owner == id_})
        for key in [key for key in self._said if key[0] == id_]:
            self._keep(*key, None)
        del self._places[id_]

    def _say(self, id_: str, name: str, value: Any, seconds: float) -> None:
        self._keep(id_, name, value)
        self._write(id_, {name: value})
        if value is not None:
            loop = asyncio.get_running_loop()
            self._timers[id_, name] = loop.call_later(seconds, self._say, id_, name, None, 0)

    def _keep(self, id_: str, name: str, value: Any) -> None:
        if (timer := self._timers.pop((id_, name), None)) is not None:
            timer.cancel()
        self._said.pop((id_, name), None)
        if value is not None:
            self._said[id_, name] = value

    def _write(self, id_: str, values: dict[str, Any]) -> None:
        place = self._places.get(id_)
        if place is None or not values:
            return
        stream, role = place
        signals = [Signal(f"to.{id_}.{name}", value, role) for name, value in values.items()]
        try:
            self._streams.open(stream).write(SOURCE, signals)
        except ApplianceError as error:
            if error.code != "SIG309":
                raise


def _ms(seconds: float) -> int:
    return round((time.time() + seconds) * 1000)
