"""Wrong guesses wait: a few are free, then each doubles the time until the next may be made.

>>> waits = Waits(free=1, longest_s=60, clock=lambda: 0.0)
>>> waits.attempt("maria")
>>> waits.attempt("maria"), waits.left_s("maria")
(None, 1.0)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

from appliance.errors import ApplianceError

__all__ = ["Familiar", "Waits", "attempt_all"]

KEPT: Final = 10_000
FORGOTTEN_S: Final = 3600.0


class Waits:
    """Counts guesses by a key, such as a name or an address.

    Args:
        free: so many may be wrong without a wait.
        longest_s: the longest wait.
        clock: seconds that only grow.
    """

    def __init__(self, free: int, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._longest_s, self._clock = free, longest_s, clock
        self._tried: dict[str, tuple[int, float]] = {}
        self._told: set[str] = set()

    def left_s(self, key: str) -> float:
        """Seconds until this key may be tried again."""
        count, last = self._tried.get(key, (0, 0.0))
        over = count - self._free
        return max(0.0, last + min(2.0 ** (min(over, 40) - 1), self._longest_s) - self._clock()) if over > 0 else 0.0

    def attempt(self, key: str) -> None:
        """Count a guess before it is looked at, so that many at once gain nothing; :meth:`well` takes it back.

        Raises:
            ApplianceError: BRG481, it has to wait.
        """
        if (left := self.left_s(key)) > 0:
            raise too_many(left)
        count, _ = self._tried.pop(key, (0, 0.0))
        self._tried[key] = (count + 1, self._clock())
        self._told.discard(key)
        self._tidy()

    def well(self, key: str) -> None:
        """The guess was right: the key is new again."""
        self._tried.pop(key, None)
        self._told.discard(key)

    def is_news(self, key: str) -> bool:
        """Whether a key waits and nobody has been told of this wait yet: many refusals in a row are told once."""
        news = self.left_s(key) > 0 and key not in self._told
        if news:
            self._told.add(key)
        return news

    def _tidy(self) -> None:
        """Forget the oldest: they stand first."""
        old = self._clock() - FORGOTTEN_S
        while self._tried:
            key = next(iter(self._tried))
            if len(self._tried) <= KEPT and self._tried[key][1] > old:
                return
            del self._tried[key]
            self._told.discard(key)


class Familiar:
    """From where somebody has signed in before: who guesses at a name elsewhere does not make its owner wait there."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], None] = {}

    def add(self, name: str, address: str) -> None:
        """Somebody has signed in."""
        self._seen.pop((name, address), None)
        self._seen[name, address] = None
        if len(self._seen) > KEPT:
            del self._seen[next(iter(self._seen))]

    def has(self, name: str, address: str) -> bool:
        """Whether they have."""
        return (name, address) in self._seen


def attempt_all(guesses: Sequence[tuple[Waits, str]]) -> None:
    """Count a guess under several keys, or under none: what one refuses must not make another wait longer.

    Raises:
        ApplianceError: BRG481, one of them has to wait.
    """
    if (left := max(waits.left_s(key) for waits, key in guesses)) > 0:
        raise too_many(left)
    for waits, key in guesses:
        waits.attempt(key)


def too_many(left_s: float) -> ApplianceError:
    """That a guess came too early."""
    seconds = math.ceil(left_s)
    return ApplianceError("BRG481", "Too many wrong attempts.", {"wait_s": seconds}, f"Try again in {seconds} seconds.")
