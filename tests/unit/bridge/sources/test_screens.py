"""What screens set: their own names only, bounded, and the same outcome in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.limits import Limits
from appliance.bridge.members import Member
from appliance.bridge.registers import Write
from appliance.bridge.sources.screens import REMOVED_S, Held, Register, Screens, SetLimits
from appliance.bridge.stream import Stream
from appliance.errors import ApplianceError
from appliance.types import Signal

TABLET, PHONE, WALL = Member("tablet", "staff"), Member("phone", "staff"), Member("wall", "wall")
FEW = SetLimits(signals=3, bytes=200, all_signals=5, all_bytes=400, kept_s=100)
LAMP = "set.staff.lamp"


@pytest.fixture
def stream() -> Stream:
    stream = Stream("main")
    stream.write("box", [Signal("box.name", "Box"), Signal("set.staff.old", 1, "staff")])
    return stream


def take(screens: Screens, member: Member, stream: Stream, **said: Any) -> list[str]:
    return screens.set(member, stream, {"type": "set", **said})


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(ApplianceError) as caught:
        act()
    return caught.value.code


def test_a_screen_sets_signals_that_its_role_and_those_above_see(stream: Stream) -> None:
    screens = Screens(SetLimits())
    assert take(screens, TABLET, stream, values={LAMP: 0.7, "screen.tablet.page": 2}) == []
    assert take(screens, WALL, stream, values={"set.wall.volume": 3}) == []
    assert stream.view("wall").values == {"box.name": "Box", "set.wall.volume": 3}
    assert stream.view("staff").values[LAMP] == stream.view("admin").values[LAMP] == 0.7
    take(screens, PHONE, stream, values={LAMP: None})
    assert LAMP not in stream.view("staff").values


@pytest.mark.parametrize(
    "name",
    [
        *"box.name answers.order set.admin.lamp set.wall.lamp set.staff. set.staff set.lamp $".split(),
        *("", "screen.phone.page", "screen.tablet.", "screen.tablets.x", "set.staff." + "x" * 200),
    ],
)
def test_a_screen_cannot_set_what_is_not_its_own(stream: Stream, name: str) -> None:
    before = dict(stream.view("admin").values)
    act = lambda: take(Screens(SetLimits()), TABLET, stream, values={LAMP: 1, name: "mine"})  # noqa: E731
    assert code_of(act) == "SIG306"
    assert stream.view("admin").values == before


def test_a_screen_whose_id_has_a_dot_has_no_names_of_its_own(stream: Stream) -> None:
    act = lambda: take(Screens(SetLimits()), Member("a.b", "staff"), stream, values={"screen.a.b.c": 1})  # noqa: E731
    assert code_of(act) == "SIG306", "screen a could take it for its own"


@pytest.mark.parametrize(
    "said",
    [{}, {"values": {}}, {"values": []}, {"values": "x"}, {"values": {LAMP: 1}, "base": 7}]
    + [{"values": {LAMP: 1}, "base": {LAMP: base}} for base in (-1, 1.5, "1", True, None, 99)]
    + [{"values": {LAMP: 1}, "n": n} for n in (-1, 0.5, "1", True)],
)
def test_what_cannot_be_read_is_refused(stream: Stream, said: dict[str, Any]) -> None:
    assert code_of(lambda: take(Screens(SetLimits()), TABLET, stream, **said)) == "SIG310"
    assert LAMP not in stream.view("staff").values


def test_a_write_based_on_an_older_version_loses(stream: Stream) -> None:
    screens, version = Screens(SetLimits()), stream.view("staff").version
    stream.write("box", [Signal("box.name", "Another")])
    take(screens, PHONE, stream, values={LAMP: "new"}, base={LAMP: version + 1})
    assert take(screens, TABLET, stream, values={LAMP: "old"}, base={LAMP: version}) == [LAMP]
    assert stream.view("staff").values[LAMP] == "new"


def test_without_a_base_it_is_what_the_screen_was_last_sent(stream: Stream) -> None:
    screens, seen = Screens(SetLimits()), stream.view("staff").version
    stream.write("box", [Signal("box.name", "Another")])
    screens.set(PHONE, stream, {"values": {LAMP: "new"}}, seen + 1)
    assert screens.set(TABLET, stream, {"values": {LAMP: "old"}}, seen) == [LAMP]


def test_of_one_screen_s_writes_the_last_stands(stream: Stream) -> None:
    screens, seen = Screens(SetLimits()), stream.view("staff").version
    for level in (0.1, 0.9, 0.5):
        assert screens.set(TABLET, stream, {"values": {LAMP: level}}, seen) == []
    assert stream.view("staff").values[LAMP] == 0.5


def test_what_was_made_before_the_box_lost_its_history_stands_only_where_nobody_wrote(stream: Stream) -> None:
    screens = Screens(SetLimits())
    take(screens, PHONE, stream, values={LAMP: "now"})
    late = {
        "values": {LAMP: "late", "set.staff.other": 1},
        "base": {LAMP: 4000, "set.staff.other": 4000},
        "e": "0ldep0ch",
    }
    assert take(screens, TABLET, stream, **late) == [LAMP]
    assert stream.view("staff").values["set.staff.other"] == 1


names = st.sampled_from(["set.staff.x", "set.staff.y"])
sets = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.dictionaries(names, st.none() | st.integers(0, 3), min_size=1),
    st.integers(0, 4),
    st.integers(0, 3),
)


@given(st.lists(sets, max_size=10), st.data())
def test_the_same_sets_give_the_same_state_in_any_order(order: list[Any], data: st.DataObject) -> None:
    assert same(state(data.draw(st.permutations(order))), state(order))


def state(order: list[Any]) -> dict[str, Any]:
    stream, screens = Stream("main"), Screens(SetLimits())
    for n in range(4):
        stream.write("box", [Signal("n", n)])
    for screen, values, version, n in order:
        said = {"values": values, "base": dict.fromkeys(values, version), "n": n}
        screens.set(Member(screen, "staff"), stream, said)
    return dict(stream.view("staff").values)


def same(one: object, other: object) -> bool:
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


def test_a_screen_may_set_so_many_and_so_much(stream: Stream) -> None:
    screens = Screens(FEW)
    take(screens, TABLET, stream, values={f"set.staff.{n}": n for n in range(3)})
    before = dict(stream.view("admin").values)
    for values in ({"set.staff.more": 1}, {"set.staff.0": "x" * 200}, {f"set.staff.n{n}": 1 for n in range(4)}):
        assert code_of(lambda values=values: take(screens, TABLET, stream, values=values)) == "SIG309"  # type: ignore[misc]
        assert stream.view("admin").values == before
    take(screens, PHONE, stream, values={"set.staff.more": 1, "set.staff.0": "taken over"})
    take(screens, TABLET, stream, values={"set.staff.again": 1})
    assert stream.view("staff").values["set.staff.0"] == "taken over"


def test_all_screens_together_may_set_so_much(stream: Stream) -> None:
    screens = Screens(FEW)
    for n in range(5):
        take(screens, Member(f"s{n}", "staff"), stream, values={f"screen.s{n}.x": 1})
    assert code_of(lambda: take(screens, TABLET, stream, values={LAMP: 1})) == "SIG309"


def test_what_the_stream_has_no_room_for_is_gone_and_not_held() -> None:
    stream, screens = Stream("main", limits=Limits(signal_bytes=40)), Screens(SetLimits())
    take(screens, TABLET, stream, values={LAMP: "x"})
    assert code_of(lambda: take(screens, TABLET, stream, values={LAMP: "x" * 50})) == "SIG309"
    assert stream.view("staff").values == {}
    assert take(screens, WALL, stream, values={"set.wall.x": 1}) == []


def test_what_a_screen_set_goes_a_while_after_it_left(stream: Stream) -> None:
    now = [0.0]
    screens = Screens(FEW, lambda: now[0])
    take(screens, TABLET, stream, values={LAMP: 1})
    take(screens, PHONE, stream, values={"screen.phone.x": 1})
    for now[0] in (50.0, 120.0):
        screens.collect({"phone"})
    assert LAMP not in stream.view("staff").values
    assert stream.view("staff").values["screen.phone.x"] == 1
    now[0] = 500.0
    screens.collect(set())
    assert stream.view("staff").values == {"box.name": "Box", "set.staff.old": 1}


def test_a_removal_is_remembered_for_what_is_still_under_way(stream: Stream) -> None:
    now = [0.0]
    screens, version = Screens(FEW, lambda: now[0]), stream.view("staff").version
    take(screens, TABLET, stream, values={LAMP: 1})
    take(screens, TABLET, stream, values={LAMP: None})
    assert take(screens, PHONE, stream, values={LAMP: 2}, base={LAMP: version}) == [LAMP]
    now[0] = REMOVED_S
    screens.collect({"tablet", "phone"})
    assert take(screens, PHONE, stream, values={LAMP: 2}, base={LAMP: version}) == []


@given(st.lists(st.tuples(names, st.sampled_from(["a", "b"]), st.none() | st.integers(0, 99)), max_size=20))
def test_what_is_held_is_counted_as_it_changes(puts: list[tuple[str, str, int | None]]) -> None:
    held = Held()
    for name, source, size in puts:
        held.put(name, None if size is None else Register(Write(0, source, 0, 1), 0.0, size))
        for who in ("a", "b", None):
            mine = [each for each in held.registers.values() if who in (None, each.write.source)]
            assert held.total(who) == (len(mine), sum(each.size for each in mine))
