"""Screens knock, are let in, moved and taken out; codes run out and cannot be guessed."""

from __future__ import annotations

import pytest

from appliance.bridge.registry import (
    ALPHABET,
    BARRED_S,
    CODE_S,
    GUESSES,
    GUESSES_S,
    WAITING_LIMIT,
    WAITING_PER_HOST,
    Caller,
    Kept,
    Registry,
)
from appliance.errors import ApplianceError


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Registry:
    return Registry(clock=clock)


WALL = Caller("iroh:aa", "wall", "192.0.2.7:4711")


def test_a_code_lets_in_once(registry: Registry) -> None:
    knock = registry.knock(WALL)
    assert len(knock.code) == 6 and set(knock.code) <= set(ALPHABET)
    screen = registry.approve(f"{knock.code[:3].lower()}-{knock.code[3:]}", " Wall  by the door ", "icu", "wall")
    assert (screen.name, screen.room, screen.role, knock.state) == ("Wall by the door", "icu", "wall", "approved")
    assert registry.find("iroh:aa") == screen and registry.rooms == {"icu": "icu"} and not registry.waiting()
    with pytest.raises(ApplianceError, match="BRG440"):
        registry.approve(knock.code, "", "", "wall")


def test_who_knocks_again_keeps_the_code_until_it_runs_out(registry: Registry, clock: Clock) -> None:
    first = registry.knock(WALL)
    assert registry.knock(WALL) is first
    clock.now += CODE_S
    second = registry.knock(WALL)
    assert second is not first and first.state == "expired" and first.decided.is_set()
    with pytest.raises(ApplianceError, match="BRG440"):
        registry.approve(first.code, "", "", "wall")


def test_a_refused_screen_is_not_heard_for_ten_minutes(registry: Registry, clock: Clock) -> None:
    knock = registry.knock(WALL)
    registry.refuse(knock.code)
    assert knock.state == "refused"
    with pytest.raises(ApplianceError, match="BRG445"):
        registry.knock(WALL)
    clock.now += BARRED_S + 1
    assert registry.knock(WALL).state == "waiting"


def test_codes_cannot_be_guessed(registry: Registry, clock: Clock) -> None:
    knock = registry.knock(WALL)
    for _ in range(GUESSES):
        with pytest.raises(ApplianceError, match="BRG440"):
            registry.approve("222222" if knock.code != "222222" else "333333", "", "", "wall")
    with pytest.raises(ApplianceError, match="BRG441"):
        registry.approve(knock.code, "", "", "wall")
    clock.now += GUESSES_S
    assert registry.approve(knock.code, "", "", "wall").key == "iroh:aa"


def test_one_machine_cannot_fill_the_list(registry: Registry) -> None:
    for number in range(WAITING_PER_HOST):
        registry.knock(Caller(f"iroh:{number}", "", f"192.0.2.7:{number}"))
    with pytest.raises(ApplianceError, match="BRG441"):
        registry.knock(Caller("iroh:more", "", "192.0.2.7:1"))
    for number in range(WAITING_LIMIT - WAITING_PER_HOST):
        registry.knock(Caller(f"iroh:x{number}", "", f"198.51.100.{number}:1"))
    with pytest.raises(ApplianceError, match="BRG441"):
        registry.knock(Caller("iroh:last", "", "203.0.113.1:1"))


def test_a_screen_is_renamed_moved_and_taken_out(registry: Registry) -> None:
    told: list[set[str]] = []
    screen = registry.admit(WALL, "Wall", "icu", "wall", "code")
    registry.listeners.append(told.append)
    assert registry.change(screen.id, name="Door", room="er", role="staff").room == "er"
    assert registry.change(screen.id, room="").room == ""
    registry.change(screen.id, room="")  # the same again is no news
    registry.revoke(screen.id)
    assert told == [{screen.id}] * 3 and registry.find("iroh:aa") is None
    with pytest.raises(ApplianceError, match="BRG442"):
        registry.change(screen.id, name="x")


def test_a_room_that_goes_leaves_its_screens_to_the_house(registry: Registry) -> None:
    screen = registry.admit(WALL, "Wall", "icu", "wall", "code")
    registry.drop_room("icu")
    assert registry.screens[screen.id].room == "" and registry.rooms == {}


@pytest.mark.parametrize(
    ("name", "room", "role"),
    [
        ("", "ICU", "wall"),
        ("", "a b", "wall"),
        ("", "x" * 41, "wall"),
        ("", "", "king"),
        ("n" * 81, "", "wall"),
        ("\x1b[2J", "", "wall"),
    ],
)
def test_what_cannot_be_is_refused_and_the_code_stays_good(registry: Registry, name: str, room: str, role: str) -> None:
    knock = registry.knock(WALL)
    with pytest.raises(ApplianceError, match="BRG443"):
        registry.approve(knock.code, name, room, role)
    assert registry.approve(knock.code, "", "", "wall").name.startswith("Wall ")


def test_what_is_kept_comes_back(registry: Registry, clock: Clock) -> None:
    screen = registry.admit(WALL, "Wall", "icu", "wall", "t1")
    registry.count_ticket("t1", 1)
    gone = registry.admit(Caller("iroh:bb"), "Old", "", "wall", "code")
    registry.revoke(gone.id)
    again = Registry(registry.kept(), clock)
    assert again.find("iroh:aa") == screen and again.rooms == registry.rooms
    assert again.tickets == {"t1": 1} and "iroh:bb" in again.revoked
    assert Registry(Kept()).kept() == Kept()
