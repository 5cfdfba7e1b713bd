"""The laws of signals: diff, apply, merge, and resuming from any version."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.signals import Copy, View, apply, check_name, diff, merge
from appliance.errors import ApplianceError

names = st.text(st.characters(codec="utf-8", exclude_characters="$"), min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
states = st.dictionaries(names, values, max_size=6)


def same(one: object, other: object) -> bool:
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


@given(states, states)
def test_a_diff_applied_gives_the_new_state(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert same(apply(old, diff(old, new)), new)


@given(states, states, states)
def test_merged_diffs_do_what_both_do(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert same(apply(a, merge(diff(a, b), diff(b, c))), c)


@given(states, states, states, states)
def test_merging_groups_in_any_way(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any], d: dict[str, Any]) -> None:
    one, two, three = diff(a, b), diff(b, c), diff(c, d)
    left, right = merge(merge(one, two), three), merge(one, merge(two, three))
    assert same(left, right)
    assert same(apply(a, left), d)


@given(states, states, states)
def test_a_merged_diff_changes_a_state_it_was_not_made_for_as_both_do(a: Any, b: Any, other: Any) -> None:
    one, two = diff(a, b), diff(b, a)
    assert same(apply(apply(other, one), two), apply(other, merge(one, two)))


@given(st.lists(st.dictionaries(names, values | st.just("gone"), max_size=4), max_size=12), st.integers(0, 12))
def test_resuming_from_any_version_gives_the_state(writes: list[dict[str, Any]], at: int) -> None:
    view, copy = View(diffs_kept=5), Copy()
    for step, write in enumerate(writes):
        if step == at:
            take(view, copy)
        gone = [name for name, value in write.items() if value == "gone"]
        view.write({name: value for name, value in write.items() if value != "gone"}, gone)
    take(view, copy)
    assert same(copy.values, view.values)
    assert copy.version == view.version


@given(st.lists(st.dictionaries(names, values, max_size=3), max_size=9), st.integers(0, 9))
def test_every_receiver_resumes_whatever_version_it_stopped_at(writes: list[dict[str, Any]], kept: int) -> None:
    view, copies = View(diffs_kept=kept), [Copy()]
    for write in writes:
        view.write(write, [name for name in view.values if name not in write])
        copies.append(Copy())
        take(view, copies[-1])
    for copy in copies:
        take(view, copy)
        assert same(copy.values, view.values)
        assert (copy.epoch, copy.version) == (view.epoch, view.version)


def take(view: View, copy: Copy) -> None:
    payload, is_sync = view.payload(copy.version if copy.epoch == view.epoch else None)
    (copy.sync if is_sync else copy.diff)(msgspec.json.decode(payload))


def test_true_is_not_one() -> None:
    assert diff({"a": 1}, {"a": True}).values == {"a": True}


def test_what_did_not_change_makes_no_version() -> None:
    view = View()
    assert view.write({"a": 1})
    assert not view.write({"a": 1}, ["never there"])
    assert view.version == 1


def test_a_diff_for_another_version_asks_for_a_sync() -> None:
    copy = Copy()
    copy.sync({"a": 1, "$": {"e": "x", "v": 3}})
    for head in ({"e": "x", "b": 2, "v": 4}, {"e": "y", "b": 3, "v": 4}):
        with pytest.raises(ApplianceError) as caught:
            copy.diff({"a": 2, "$": head})
        assert caught.value.code == "SIG305"
    assert copy.values == {"a": 1}


def test_a_receiver_too_far_behind_gets_the_whole_state() -> None:
    view = View(diffs_kept=2)
    view.write({"large": "x" * 200})
    for n in range(5):
        view.write({"n": n})
    assert view.payload(4)[1] is False
    assert view.payload(3)[1] is True
    assert view.payload(99)[1] is True


def test_names_are_checked() -> None:
    for name in ("", "$", "x" * 201):
        with pytest.raises(ApplianceError) as caught:
            check_name(name)
        assert caught.value.code == "SIG306"
