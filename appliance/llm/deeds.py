"""Deeds: verbs that say no more than that something is somebody's, and who did it.

>>> from appliance.llm.words import words
>>> passive(words("calls handled by units"), 2), passive(words("calls by unit"), 1)
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.llm.fields import FieldMention
from appliance.llm.mentions import ValueMention
from appliance.llm.words import Word

_DO: Final = frozenset("do does did has have had".split())
_DEEDS: Final = frozenset(
    """
    give gave given gives lead led leads handle handled handles run ran runs collect collected bring brings
    brought produce produced perform performed carry carried conduct conducted receive received receives attend
    attended teach taught get got do done manage managed contribute contributed go gone went travel traveled
    travelled drive drove driven log logged record recorded put accumulate accumulated rack racked clock clocked
    cover covered
    """.split()
)
"""Verbs that say no more than that something is somebody's."""


def done_by(
    asked: tuple[Word, ...], values: Iterable[ValueMention], fields: Iterable[FieldMention], named: bool
) -> set[int]:
    """Where a verb says that something is somebody's: "how many visits did Ines *lead*", "which guide *leads* most"."""
    found = set()
    begins_of = {one.at[0] for one in fields}
    for value in values:
        begins, behind = value.at[0] - 1, range(value.at[1], len(asked))
        if begins >= 0 and asked[begins].folded in _DO:
            found |= set([at for at in behind if asked[at].folded in _DEEDS][:1])
    ranks = {at for at, word in enumerate(asked) if word.folded in ("most", "fewest", "least")}
    for end in (one.at[1] for one in fields):
        if end < len(asked) and (asked[end].folded in _DEEDS or (named and ranks & {end + 1, end + 2})):
            found.add(end)
    return found | {at + 1 for at in ranks if at + 2 in begins_of and asked[at + 1].folded.endswith(("ed", "en"))}


def passive(asked: tuple[Word, ...], at: int) -> bool:
    """Whether a "by" says who did something: "calls *handled by* units from Harbor" groups nothing."""
    done = asked[at - 1].folded if at > 0 else ""
    return asked[at].folded == "by" and done not in _SORTED and done.endswith(("ed", "en", "ght", "ade", "ung", "old"))


_SORTED: Final = frozenset("sorted ordered grouped ranked arranged listed counted split summed".split())
