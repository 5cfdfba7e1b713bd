"""A chain of signed links serves every peer what it needs, in bounded memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bridge.frame import Frame, FrameType
from appliance.bridge.mesh import chain as chains
from appliance.bridge.mesh.chain import Chain, Link
from appliance.bridge.mesh.seal import Seal
from appliance.bridge.signals import Copy

SEAL = Seal(1, 1, "")


def key(version: int, epoch: str = "e1", room: int = 0) -> Link:
    payload = {"n": version, "x": "x" * room, "$": {"e": epoch, "v": version}}
    return Link(Frame(FrameType.SIGNAL_SYNC, msgspec.json.encode(payload)), SEAL, epoch, None, version)


def step(base: int, version: int, epoch: str = "e1", room: int = 0) -> Link:
    payload = {"n": version, "x": "x" * room, "$": {"e": epoch, "b": base, "v": version}}
    return Link(Frame(FrameType.SIGNAL_DIFF, msgspec.json.encode(payload)), SEAL, epoch, base, version)


def filled(*links: Link) -> Chain:
    chain = Chain()
    for each in links:
        chain.add(each)
    return chain


def spans(links: list[Link]) -> list[Any]:
    return [(link.base, link.version) for link in links]


def test_a_newcomer_gets_the_keyframe_and_what_follows_it() -> None:
    chain = filled(key(3), step(3, 4), step(4, 7))
    assert spans(chain.follow(None)) == [(None, 3), (3, 4), (4, 7)]
    assert (chain.epoch, chain.version) == ("e1", 7)


def test_one_that_has_a_version_gets_what_follows_that() -> None:
    chain = filled(key(3), step(3, 4), step(4, 7))
    assert spans(chain.follow(chain.where("e1", 4))) == [(4, 7)]
    assert chain.follow(chain.where("e1", 7)) == []
    assert chain.where("e1", 5) is None  # between two versions of this chain
    assert chain.where("e0", 4) is None


def test_a_newer_keyframe_spares_newcomers_and_keeps_the_others_place() -> None:
    chain = filled(key(3), step(3, 4), step(4, 7))
    place = chain.end
    chain.add(key(7))
    chain.add(step(7, 8))
    assert spans(chain.follow(None)) == [(None, 7), (7, 8)]
    assert spans(chain.follow(place)) == [(7, 8)]
    assert spans(chain.follow(chain.where("e1", 3))) == [(3, 4), (4, 7), (7, 8)]


def test_an_older_keyframe_and_what_does_not_join_are_left_out() -> None:
    chain = filled(key(3), step(3, 4), key(2), step(9, 10), step(4, 5, "e2"))
    assert spans(chain.follow(None)) == [(None, 3), (3, 4)]


def test_after_a_gap_or_another_epoch_everybody_gets_the_keyframe() -> None:
    for after in (key(9), key(1, "e2")):
        chain = filled(key(3), step(3, 4))
        caught_up = chain.end
        chain.add(after)
        assert chain.follow(caught_up) == [after]
        assert chain.follow(chain.end) == []


def test_it_says_when_a_new_keyframe_would_help() -> None:
    chain = filled(key(0), *[step(n, n + 1) for n in range(chains.LONG - 1)])
    seen = [chain.is_long]
    for each in (step(chains.LONG - 1, chains.LONG), key(chains.LONG)):
        chain.add(each)
        seen.append(chain.is_long)
    assert seen == [False, True, False]


@pytest.mark.parametrize("room", [0, 50_000])
def test_it_is_bounded_though_no_new_keyframe_comes(room: int) -> None:
    chain = filled(key(0), *[step(n, n + 1, room=room) for n in range(chains.LINKS * 2)])
    assert len(chain._diffs) <= chains.LINKS
    assert sum(each.size for each in chain._diffs) <= chains.BYTES
    assert chain.follow(None) == []  # nothing that a newcomer could use: a keyframe is asked for
    chain.add(key(900))
    assert spans(chain.follow(chain.end - 1)) == [(None, 900)]


STEPS = st.lists(st.one_of(st.just("key"), st.just("epoch"), st.integers(1, 3)), min_size=1, max_size=60)


@given(steps=STEPS, peeks=st.lists(st.integers(0, 4), max_size=60))
def test_a_peer_that_follows_at_any_pace_has_what_the_chain_has(steps: list[Any], peeks: list[int]) -> None:
    chain, peer, place = filled(key(0)), Copy(), None
    version, epoch = 0, 0
    for index, each in enumerate(steps):
        if each == "key":
            chain.add(key(version, f"e{epoch}" if epoch else "e1"))
        elif each == "epoch":
            epoch, version = epoch + 2, 0
            chain.add(key(0, f"e{epoch}"))
        else:
            chain.add(step(version, version + each, f"e{epoch}" if epoch else "e1"))
            version += each
        if index < len(peeks) and peeks[index]:
            place = take(chain, peer, place)
    take(chain, peer, place)
    assert (peer.epoch, peer.version) == (chain.epoch, version)
    assert peer.values["n"] == version


def take(chain: Chain, peer: Copy, place: int | None) -> int:
    for link in chain.follow(place):
        (peer.sync if link.base is None else peer.diff)(link.frame.json())
    return chain.end
