"""What the box tells one screen: in its own stream, for its role, gone when it has run out or the screen moved."""

import asyncio

from appliance.bridge import Streams
from appliance.bridge.registry import Screen
from appliance.services.screen_signs import ScreenSigns
from appliance.types import Role


def screen(room: str = "", role: Role = "wall", surface: str = "") -> Screen:
    return Screen(id="s1", key="web:1", name="Wall by the door", room=room, role=role, surface=surface)


def held(streams: Streams, stream: str, role: Role = "wall") -> dict[str, object]:
    return {name: value for name, value in streams.open(stream).view(role).values.items() if name.startswith("to.")}


async def test_a_message_is_in_its_stream_for_its_role_until_it_has_run_out() -> None:
    streams = Streams()
    signs, here = ScreenSigns(streams), screen("icu", "staff")
    signs.follow([here])
    signs.message(here, "Call the desk.", 0.05)
    [(name, value)] = held(streams, "room/icu", "staff").items()
    assert name == "to.s1.message"
    assert isinstance(value, dict)
    assert value["text"] == "Call the desk."
    assert held(streams, "room/icu", "wall") == held(streams, "main", "admin") == {}
    await asyncio.sleep(0.15)
    assert held(streams, "room/icu", "staff") == {}


async def test_it_moves_with_the_screen_and_goes_with_it() -> None:
    streams = Streams()
    signs = ScreenSigns(streams)
    signs.follow([screen("icu", surface="phone")])
    assert held(streams, "room/icu") == {"to.s1.surface": "phone"}
    signs.identify(screen("icu"))
    signs.follow([screen("er", surface="tablet")])
    assert held(streams, "room/icu") == {}
    assert held(streams, "room/er")["to.s1.surface"] == "tablet"
    assert "to.s1.identify" in held(streams, "room/er")
    signs.follow([screen("er")])
    assert "to.s1.surface" not in held(streams, "room/er")
    signs.follow([])
    assert held(streams, "room/er") == {}
