"""Superlatives: the words and phrases that ask for an end of an order, and what kind of end each asks for."""

from __future__ import annotations

from typing import Final

from appliance.llm.words import MOST_MONEY, MOST_TIME, SELLING

WEAK: Final = frozenset({"first", "last", "next", "most", "least"})

COMMON: Final = frozenset(
    {
        f"{how} {word}"
        for how in ("most", "least")
        for word in ("common", "popular", "frequent", "often", "frequently", "used")
    }
)
BUSY: Final = frozenset({"busiest", "quietest"})
RANKS: Final = frozenset({"most", "fewest", "least"}) | COMMON | BUSY | frozenset((*SELLING, *MOST_TIME, *MOST_MONEY))
SMALLEST: Final = frozenset({"fewest", "least", "quietest"}) | {
    phrase for phrase in COMMON if phrase.startswith("least")
}
TIMELY: Final = frozenset({"latest", "most recent", "newest", "last", "earliest", "oldest", "first", "next", "soonest"})
SIZES: Final = frozenset("highest largest biggest greatest lowest smallest".split())
"""What is the largest is not the latest."""
AGES: Final = frozenset({"oldest", "youngest"})
"""The oldest has the highest age, and the earliest birth."""
SMALL: Final = {
    word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
"""Numbers that are said beside an end: "the three largest"."""
HIGH: Final = frozenset("highest largest biggest greatest longest heaviest tallest fastest deepest widest".split())
LOW: Final = frozenset("lowest smallest cheapest shortest lightest slowest fewest narrowest shallowest".split())
MEASURED: Final = SIZES | frozenset("heaviest tallest cheapest lightest".split())
"""Ends of what is no time: "the largest order" is not the latest."""
LATE: Final = frozenset("latest newest".split())
EARLY: Final = frozenset("earliest".split())
