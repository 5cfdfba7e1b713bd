"""Composed streams follow what they are made of, and never show a role more than the origin does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.mixing import Mix, Mixer, Part
from appliance.bridge.stream import Streams
from appliance.errors import ApplianceError
from appliance.types import ROLES, Role, Signal


@pytest.fixture
def streams() -> Streams:
    streams = Streams()
    streams.open("main").write(
        "s", [Signal("beds.free", 7), Signal("beds.note", "x", "staff"), Signal("box.name", "B")]
    )
    return streams


def test_a_mix_has_what_is_there_and_what_comes(streams: Streams) -> None:
    mixer = Mixer(streams)
    mixer.declare(Mix("icu", (Part("main", ("beds.*",), ("*.secret",), {"beds.": "icu.beds."}),)))
    icu, main = streams.open("icu"), streams.open("main")
    assert icu.view("wall").values == {"icu.beds.free": 7}
    main.write("s", [Signal("beds.free", 8), Signal("beds.secret", 1), Signal("other", 2)])
    assert icu.view("staff").values == {"icu.beds.free": 8, "icu.beds.note": "x"}
    main.write("s", [Signal("beds.free", None)])
    assert icu.view("staff").values == {"icu.beds.note": "x"}


def test_a_mix_of_two_and_of_a_mix(streams: Streams) -> None:
    streams.open("er").write("s", [Signal("queue", 4)])
    mixer = Mixer(streams)
    mixer.declare(Mix("both", (Part("main", ("box.*",)), Part("er", audience="staff"))))
    mixer.declare(Mix("top", (Part("both"),)))
    assert streams.open("top").view("wall").values == {"box.name": "B"}
    streams.open("er").write("s", [Signal("queue", 5)])
    assert streams.open("top").view("staff").values == {"box.name": "B", "queue": 5}


def test_what_is_declared_anew_or_taken_back_leaves_nothing_behind(streams: Streams) -> None:
    mixer = Mixer(streams)
    mixer.declare(Mix("icu", (Part("main"),)))
    mixer.declare(Mix("icu", (Part("main", ("box.*",)),)))
    assert streams.open("icu").view("admin").values == {"box.name": "B"}
    mixer.remove("icu")
    streams.open("main").write("s", [Signal("box.name", "C")])
    assert streams.open("icu").view("admin").values == {} and not streams.open("main").followers


@pytest.mark.parametrize(
    "mix",
    [
        Mix("main", (Part("x"),)),
        Mix("", (Part("x"),)),
        Mix("a", ()),
        Mix("a", (Part("a"),)),
        Mix("low", (Part("top"),)),
    ],
)
def test_what_cannot_be_composed_is_refused(streams: Streams, mix: Mix) -> None:
    mixer = Mixer(streams)
    mixer.declare(Mix("top", (Part("mid"),)))
    mixer.declare(Mix("mid", (Part("low"),)))
    with pytest.raises(ApplianceError, match="BRG446"):
        mixer.declare(mix)
    assert [each.name for each in mixer.declared()] == ["mid", "top"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3) | st.none(), st.sampled_from(ROLES)), max_size=20),
    st.sampled_from(ROLES),
)
def test_no_role_sees_in_a_mix_what_it_may_not_see_in_the_origin(
    writes: list[tuple[str, int | None, Role]], least: Role
) -> None:
    streams = Streams()
    Mixer(streams).declare(Mix("mix", (Part("main", audience=least),)))
    for name, value, audience in writes:
        streams.open("main").write("s", [Signal(name, value, audience)])
        for role in ROLES:
            shown = streams.open("mix").view(role).values
            assert shown.items() <= streams.open("main").view(role).values.items()
            assert not shown or ROLES.index(role) >= ROLES.index(least)
        assert streams.open("mix").view("admin").values == streams.open("main").view("admin").values
