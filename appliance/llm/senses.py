"""Senses: how near two English words are in meaning, by a small table of word vectors.

"town" is near *city*, "owes" near *owed*, and neither is near *floor*. The table tells kinship, not sameness: "north"
is near *south*. So it weighs readings, says which field a word that is no label may speak of, and keeps a word of its
own from being taken for another cut short; it finds no stored value by itself.

    >>> nearness("town", "city") > 0.6, nearness("town", "floor") < 0.3, nearness("town", "qwx")
    (True, True, 0.0)

Made by :mod:`appliance.llm.training.senses`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from appliance.llm.words import singular

TABLE: Final = Path(__file__).with_name("senses.npz")
_KIN_LETTERS: Final = 4
_KIN_NEARNESS: Final = 0.2
_SAME_FAMILY: Final = 0.5
_ENDINGS: Final = frozenset(
    """
    s es e y d ed ing er or ers ors ion ions ation ations ment ments ance ence ances al als ity ive ist ists ee ees is
    ic ical ics ary ery age able ible ness ly
    """.split()
)


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, int], np.ndarray]:
    with np.load(TABLE, allow_pickle=False) as file:
        words, numbers = str(file["words"]).split("\n"), file["numbers"]
    return {word: place for place, word in enumerate(words)}, numbers


def ready() -> None:
    """Read the table now, so that no question waits for it."""
    _table()


def nearness(one: str, other: str) -> float:
    """How near two folded words are, at most 1; 0 where they have nothing in common or one is not in the table."""
    if one == other:
        return 1.0
    first, second = _direction(one), _direction(other)
    return 0.0 if first is None or second is None else max(0.0, float(first @ second))


@lru_cache(maxsize=4096)
def _direction(word: str) -> np.ndarray | None:
    places, numbers = _table()
    place = next((places[form] for form in (word, singular(word)) if form in places), None)
    if place is None:
        return None
    row = numbers[place].astype(np.float32)
    return np.asarray(row / np.linalg.norm(row))


def nearest(word: str, others: Iterable[str]) -> float:
    """How near a word is to the nearest of others."""
    return max((nearness(word, other) for other in others), default=0.0)


def known(word: str) -> bool:
    """Whether the table has a word."""
    return _direction(word) is not None


def kin(one: str, other: str) -> bool:
    """Whether two folded words are of one family: "diagnosed" and "diagnosis", "surgeon" and "surgery".

    They begin alike, and end as English words of a family end or mean much the same.
    """
    shared = _shared(one, other)
    if one == other or shared < _KIN_LETTERS or 2 * shared < max(len(one), len(other)):
        return False
    near = nearness(one, other)
    ends = any({one[at:], other[at:]} - {""} <= _ENDINGS for at in range(_KIN_LETTERS, shared + 1))
    if not ends:
        return shared > _KIN_LETTERS and near >= _SAME_FAMILY
    return near >= _KIN_NEARNESS or not (known(one) and known(other))


def _shared(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
