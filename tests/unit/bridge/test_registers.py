"""Last writer wins: the same set of writes has one outcome, whatever the order, grouping or repetition."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.registers import Write, merge

values = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(0, 2), max_size=3)
)
writes = st.builds(Write, st.integers(0, 3), st.sampled_from(["a", "b", "c"]), st.integers(0, 2), values)
told = st.lists(st.tuples(st.sampled_from(["x", "y"]), writes), max_size=12)


def outcome(order: list[tuple[str, Write]]) -> dict[str, Any]:
    state: dict[str, Write] = {}
    for name, write in order:
        state = merge(state, {name: write})
    return {name: write.key() for name, write in state.items()}


@given(told, st.data())
def test_the_order_of_writes_does_not_matter(order: list[tuple[str, Write]], data: st.DataObject) -> None:
    assert outcome(data.draw(st.permutations(order))) == outcome(order)


@given(told, told)
def test_what_is_told_twice_changes_nothing(order: list[tuple[str, Write]], again: list[tuple[str, Write]]) -> None:
    assert outcome([*order, *again, *order]) == outcome([*order, *again])


@given(told, told, told)
def test_states_merge_in_any_grouping(one: Any, two: Any, three: Any) -> None:
    def state(order: list[tuple[str, Write]]) -> dict[str, Write]:
        found: dict[str, Write] = {}
        for name, write in order:
            found = merge(found, {name: write})
        return found

    def keys(found: dict[str, Write]) -> dict[str, Any]:
        return {name: write.key() for name, write in found.items()}

    a, b, c = state(one), state(two), state(three)
    assert keys(merge(merge(a, b), c)) == keys(merge(a, merge(b, c))) == keys(merge(merge(c, a), b))


def test_the_later_version_wins_then_the_higher_source_then_the_later_write() -> None:
    def stands(*order: Write) -> Any:
        state: dict[str, Write] = {}
        for write in order:
            state = merge(state, {"x": write})
        return state["x"].value

    assert stands(Write(2, "a", 1, "later"), Write(1, "z", 9, "earlier")) == "later"
    assert stands(Write(1, "a", 9, "a"), Write(1, "b", 1, "b")) == "b"
    assert stands(Write(1, "a", 2, "second"), Write(1, "a", 1, "first")) == "second"
    assert stands(Write(1, "a", 1, 1), Write(1, "a", 1, True)) is True, "true is not one"
