"""Days, moments, sums of money and people, drawn by a seeded generator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

Documents: TypeAlias = dict[str, list[dict[str, Any]]]
"""The documents of a domain, by the collection they are posted to."""

_LAST = date(2026, 10, 31)
_FIRST_NAMES = (
    "Ada Bram Carla Dorian Elif Femke Goran Hanna Ivo Jasmin Kofi Lena Marek Nadia Oskar Priya Quentin Rosa Sven Tilda"
).split()
_LAST_NAMES = (
    "Abel Brandt Castellano Dvorak Eriksen Fofana Gruber Haddad Ivers Jansen Kowal Lindqvist Moreau Nakata Okafor "
    "Petrov Quist Rossi Sandoval Thorne"
).split()


def people(random: Random, count: int) -> list[str]:
    """So many names, no two alike."""
    every = [f"{first} {last}" for first in _FIRST_NAMES for last in _LAST_NAMES]
    return random.sample(every, count)


def day(random: Random, first_year: int, last_year: int) -> str:
    """A day of these years; of this year's only those that are over, so that a set does not age."""
    first = date(first_year, 1, 1)
    last = date(last_year, 12, 31) if last_year > _LAST.year else min(date(last_year, 12, 31), _LAST)
    return str(first + timedelta(days=random.randint(0, (last - first).days)))


def later(random: Random, since: str, most: int) -> str:
    """A day up to so many days after another."""
    return str(date.fromisoformat(since) + timedelta(days=random.randint(1, most)))


def moment(random: Random, year: int) -> str:
    """A minute of the first ten months of a year, with its offset."""
    begin = datetime(year, 1, 1, tzinfo=UTC)
    return (begin + timedelta(days=random.randint(0, 303), minutes=15 * random.randint(24, 88))).isoformat()


def money(random: Random, low: int, high: int) -> float:
    """An amount with cents."""
    return round(random.uniform(low, high), 2)


def perhaps(random: Random, share: float, value: Any) -> Any:
    """The value, or nothing in this share of cases."""
    return None if random.random() < share else value
