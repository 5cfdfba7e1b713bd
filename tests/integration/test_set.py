"""What a screen sets, through the doors of a real box: shared with its role, hidden from those below."""

from __future__ import annotations

from appliance.bridge import input_frame
from tests.box import Box
from tests.receiver import joined

LAMP = "set.staff.lamp"


async def test_a_screen_sets_and_the_others_of_its_role_see_it(box: Box) -> None:
    async with joined(box.url, "staff") as one, joined(box.url, "staff") as other, joined(box.url, "wall") as wall:
        await one.send(input_frame("set", values={LAMP: 0.7}))
        await other.until(lambda signals: signals.get(LAMP) == 0.7)
        await wall.send(input_frame("set", values={"set.wall.volume": 3}))
        await one.until(lambda signals: signals.get("set.wall.volume") == 3)
        await wall.until(lambda signals: signals.get("set.wall.volume") == 3)
        await other.send(input_frame("set", values={LAMP: None}))
        await one.until(lambda signals: LAMP not in signals)
        assert LAMP not in wall.history
        assert one.errors + other.errors + wall.errors == []


async def test_the_box_s_own_signals_cannot_be_set(box: Box) -> None:
    async with joined(box.url, "wall") as wall:
        name = wall.signals["box.name"]
        for bad in ("box.name", "answers.order", LAMP):
            await wall.send(input_frame("set", values={bad: "mine"}))
        await wall.send(input_frame("set", values={"set.wall.volume": None}))
        await wall.until(lambda _: len(wall.errors) == 3)
        assert {error["code"] for error in wall.errors} == {"SIG306"}
        assert wall.signals["box.name"] == name
