"""Earlier questions: what each screen asked last, so that a second question may follow it up.

"And in surgery?" changes the plan of the question before it, if that came from the same screen a few minutes ago.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

import msgspec

from appliance.llm.candidates import Candidate
from appliance.llm.notation import Sketch
from appliance.llm.plan import Query
from appliance.llm.words import STOP, words
from appliance.types import Question, RoleName

FOLLOWED_FOR: Final = timedelta(minutes=10)
SCREENS_KEPT: Final = 500
WORDS_AT_MOST: Final = 9
_BEGINS: Final = re.compile(
    r"\s*(?:ok(?:ay)?,? |so,? |now,? )?(?:and|what about|how about|only|just|same|but|now|also|then|or|the same|split|"
    r"sort|order|group|per|by|which ones|which of|show (?:me )?(?:them|those|these)|list (?:them|those|these)|"
    r"how many (?:is|are) (?:that|those|they|there)|count (?:them|those)|except|without|break)\b",
    re.IGNORECASE,
)
_POINTS_BACK: Final = frozenset({"those", "them", "they", "these", "that", "ones", "same"})


class Before(msgspec.Struct, frozen=True):
    """A question that was answered: its words, its collection, its sketch and its plan."""

    collection: str
    sketch: Sketch
    plan: Query
    role: RoleName
    at: datetime
    text: str = ""

    def followed_by(self, text: str) -> bool:
        """Whether a text reads as a second question."""
        said = [word.folded for word in words(text)]
        # "items that cost" says of itself what is meant
        told = {word for at, word in enumerate(said) if word != "that" or at == 0 or said[at - 1] in STOP}
        return len(said) <= WORDS_AT_MOST and bool(_BEGINS.match(text) or _POINTS_BACK & told)


class Earlier:
    """The last answered question of each screen."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Before] = OrderedDict()

    def keep(self, question: Question, best: Candidate, now: datetime) -> None:
        """Remember a question that was answered."""
        if question.screen and isinstance(best.plan, Query):
            self._held.pop(question.screen, None)
            told = (best.plan.collection, best.sketch, best.plan, question.role, now, question.text)
            self._held[question.screen] = Before(*told)
            while len(self._held) > SCREENS_KEPT:
                self._held.popitem(last=False)

    def of(self, question: Question, now: datetime) -> Before | None:
        """What the screen asked a few minutes ago as the same role, if anything, and if this may follow it up."""
        held = self._held.get(question.screen)
        if held is None or held.role != question.role or now - held.at > FOLLOWED_FOR:
            return None
        return held if held.followed_by(question.text) else None
