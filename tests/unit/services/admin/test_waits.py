"""Wrong guesses wait, longer and longer; the right one does not."""

import pytest

from appliance.errors import ApplianceError
from appliance.services.admin.waits import FORGOTTEN_S, KEPT, Waits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(waits: Waits, key: str) -> bool:
    try:
        waits.attempt(key)
    except ApplianceError as error:
        assert error.code == "BRG481"
        assert error.status == 429
        assert error.details["wait_s"] >= 1
        return True
    return False


def test_some_are_free_and_the_next_waits() -> None:
    waits = Waits(3, 60, Clock())
    assert [refused(waits, "maria") for _ in range(6)] == [False, False, False, False, True, True]


def test_each_wait_is_twice_the_last_up_to_the_longest() -> None:
    clock = Clock()
    waits, seen = Waits(1, 10, clock), []
    for _ in range(8):
        clock.now += waits.left_s("maria")
        waits.attempt("maria")
        seen.append(waits.left_s("maria"))
    assert seen == [0, 1, 2, 4, 8, 10, 10, 10]


def test_a_refused_guess_does_not_count() -> None:
    clock = Clock()
    waits = Waits(1, 60, clock)
    waits.attempt("maria")
    waits.attempt("maria")
    before = waits.left_s("maria")
    assert refused(waits, "maria")
    assert waits.left_s("maria") == before


def test_keys_do_not_wait_for_each_other() -> None:
    waits = Waits(1, 60, Clock())
    waits.attempt("maria")
    waits.attempt("maria")
    assert not refused(waits, "jonas")


def test_the_right_guess_begins_anew() -> None:
    waits = Waits(1, 60, Clock())
    waits.attempt("maria")
    waits.attempt("maria")
    waits.well("maria")
    assert waits.left_s("maria") == 0


def test_what_is_old_is_forgotten_and_there_is_an_end_to_what_is_kept() -> None:
    clock = Clock()
    waits = Waits(1, 60, clock)
    for number in range(KEPT + 50):
        waits.attempt(f"name {number}")
    assert len(waits._tried) <= KEPT
    clock.now += FORGOTTEN_S + 1
    waits.attempt("last")
    assert list(waits._tried) == ["last"]


@pytest.mark.parametrize("tries", [50, 2000])
def test_very_many_guesses_are_no_error(tries: int) -> None:
    clock = Clock()
    waits = Waits(1, 900, clock)
    for _ in range(tries):
        clock.now += waits.left_s("maria")
        waits.attempt("maria")
    assert waits.left_s("maria") == 900
