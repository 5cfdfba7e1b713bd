"""Named: whether a question says the fields that a plan adds up or orders by.

Of "meeting rooms per floor" nobody said *seats*; of "when was it last serviced", *last service on* is said in whole and
*next service on* only by half. A part of a label counts as said where a word of the question is of its family or near
it in meaning, or measures by it ("the deepest" says *depth*).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from appliance.llm.amounts import stocked, substances
from appliance.llm.linking import Cue, Links
from appliance.llm.plan import NUMBERS, TIMES, Query
from appliance.llm.senses import kin, nearness
from appliance.llm.variants import groups_by
from appliance.llm.words import STOP, dimensions, label_words, parts, speaks_of, stem
from appliance.types import Field

TIED_AT_MOST: Final = 0.8
"""A word of the same sense explains another by so much, and no more: "north" is near "south"."""
_NEAR: Final = 0.4
_LINKS: Final = frozenset("on at of id the in for to by per and a".split())
"""Words of labels that nobody has to say."""
_MOST: Final = 2.0
_HALF: Final = 0.5
_AMOUNTS: Final = frozenset(map(stem, "amount total quantity value number count price cost sum".split()))
_MEANT: Final = 0.7
"""How far such a word is said where nobody says it: "our biggest invoice" has the highest *total*."""


def tie(word: str, others: Iterable[str]) -> float:
    """How far words of labels explain a folded word: 1 where one is of its family, less where one is near; 0 to 1."""
    near = 0.0
    for other in others:
        if stem(word) == stem(other) or kin(word, other):
            return 1.0
        near = max(near, nearness(word, other))
    return min(TIED_AT_MOST, max(0.0, (near - _NEAR) / _NEAR))


def counts_things(links: Links) -> bool:
    """Whether "how many" counts what a value says, and not rows: "how many spark plugs do we have"."""
    return not links.named and any(_right_behind(cue, links) for cue in links.cues if cue.phrase == "how many")


def measures_things(links: Links) -> bool:
    """Whether "how much" is of what a value says: "how much cement"."""
    return any(_right_behind(cue, links) for cue in links.cues if cue.phrase == "how much")


def _right_behind(cue: Cue, links: Links) -> bool:
    return any(value.at[0] == cue.at[1] for value in links.values)


def unnamed(plan: Query, links: Links) -> dict[str, float]:
    """How many of the fields that a plan adds up or orders by the question does not say, at most 2."""
    ordered = [order.field for order in plan.order if not order.aggregate and plan.limit < 200]
    measures = _fields(links, [item.field for item in plan.select if item.aggregate] + ordered)
    held = {at for each in links.against for at in range(*each.at)}  # "over budget" asks for no budget
    said = tuple(word.folded for at, word in enumerate(links.words) if at not in held)
    stock = stocked(links.collection) if counts_things(links) else None
    meant = {stock.name} if stock else set()
    meant |= {field.name for field in substances(links.collection)} if measures_things(links) else set()
    linked = meant | {each.field for each in links.fields if not held >= set(range(*each.at))}.union(links.measured)
    open_ones = [field for field in measures if field.name not in linked]
    return {"measure_unnamed": min(_MOST, sum(_unsaid(field.label, said) for field in open_ones))}


def _fields(links: Links, names: Iterable[str]) -> list[Field]:
    """The collection's own fields of these names, each once."""
    return [field for name in dict.fromkeys(names) if (field := links.collection.field(name))]


def half_said(field: Field, links: Links) -> bool:
    """Whether a question speaks of a field, at least by half, apart from the name of the rows."""
    own = set(links.named)
    return _unsaid(field.label, tuple(word.folded for at, word in enumerate(links.words) if at not in own)) <= _HALF


@lru_cache(maxsize=4096)
def _unsaid(label: str, said: tuple[str, ...]) -> float:
    """The share of a label's words that a question does not say."""
    wanted = [word.folded for word in parts(label) if word.folded not in _LINKS]
    wanted = [word for word in wanted if word != "date"] or wanted  # "when was she born" says *birth date*
    measured = dimensions(" ".join(said)).union(*map(speaks_of, said))
    open_words = [word for word in said if word not in STOP or word in wanted]
    ties = [
        1.0 if stem(word) in measured else max(tie(word, open_words), _MEANT if stem(word) in _AMOUNTS else 0.0)
        for word in wanted
    ]
    return 1 - sum(ties) / len(ties) if ties else 0.0


def groups_by_itself(plan: Query, links: Links) -> bool:
    """Whether it groups by what is asked for, where the collection bears its name: by bed, of "beds that are free"."""
    begins = next((place for place, word in enumerate(links.words) if word.folded not in STOP), len(links.words))
    first = {mention.field: mention.at[0] <= begins for mention in links.fields}
    collection = set(label_words(links.collection.label))
    return any(
        first.get(field.name, False)
        and field.type not in (*TIMES, *NUMBERS)
        and set(label_words(field.label)) <= collection
        and not groups_by(field.label, links.text)
        for field in _fields(links, plan.group)
    )
