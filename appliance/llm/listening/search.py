"""The likeliest words for what was heard: a beam of texts that grow piece by piece.

    texts so far ──► the model: every next piece ──► with the hints' favour ──► the best few go on

The score of a text is the sum of its pieces' logarithms, and of the favours. Whole texts are compared by their score
for each piece, so that a short one is not better for being short.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from appliance.llm.listening.hints import Hints, Node
from appliance.llm.listening.tokens import BEGIN, END

WIDTH: Final = 4
"""Texts that are kept at each step."""
BEHIND: Final = 6.0
"""A text this much less likely than the best is not followed."""
AHEAD: Final = 2.0
"""A whole text this much likelier than any other is the one."""


S = TypeVar("S", bound="Chosen")


class Chosen(Protocol):
    """What a writer holds of texts side by side."""

    def chosen(self: S, texts: npt.NDArray[np.int64], /) -> S:
        """The same of some of the texts, in this order."""
        ...


class Writer(Protocol[S]):
    """What says which piece is next; see :class:`~appliance.llm.listening.network.Network`."""

    def write(self, state: S, last: npt.NDArray[np.int64], /) -> tuple[npt.NDArray[np.float32], S]:
        """Logarithms of each next piece of each text, and the state then."""
        ...


class Found(msgspec.Struct, frozen=True):
    """A text.

    Attributes:
        pieces: without the end.
        score: the sum of logarithms that the model gave, without favours.
        favoured: the same with favours.
    """

    pieces: tuple[int, ...]
    score: float
    favoured: float

    @property
    def mean(self) -> float:
        """The score for each piece, the end included."""
        return self.score / (len(self.pieces) + 1)


class _Text(NamedTuple):
    parent: int
    pieces: tuple[int, ...]
    score: float
    favoured: float
    node: Node


def search(network: Writer[S], state: S, hints: Hints, limit: int) -> list[Found]:
    """Whole texts, the best first; at least one.

    Args:
        network: what writes.
        state: what it begins with, of one text.
        hints: what is favoured.
        limit: pieces that a text may have.
    """
    texts, whole = [_Text(0, (), 0.0, 0.0, hints.none)], list[Found]()
    for _ in range(limit):
        last = np.array([text.pieces[-1] if text.pieces else BEGIN for text in texts])
        scores, state = network.write(state, last)
        grown = [longer for place, text in enumerate(texts) for longer in _grown(place, text, scores[place], hints)]
        grown.sort(key=lambda text: -text.favoured)
        whole += [_whole(text, hints) for text in grown[: 2 * WIDTH] if text.pieces[-1] == END]
        best = grown[0].favoured
        texts = [text for text in grown if text.pieces[-1] != END and text.favoured > best - BEHIND][:WIDTH]
        done = max((text.favoured for text in whole), default=-np.inf)
        if not texts or len(whole) >= WIDTH or texts[0].favoured < done - AHEAD:
            break
        state = state.chosen(np.array([text.parent for text in texts]))
    else:
        whole += [_whole(text, hints) for text in texts]
    return sorted(whole, key=lambda text: -text.favoured / (len(text.pieces) + 1))


def _grown(place: int, text: _Text, scores: npt.NDArray[np.float32], hints: Hints) -> Iterator[_Text]:
    """A text with each of its likeliest next pieces, and with those that a hint goes on with."""
    likely = np.argpartition(scores, -2 * WIDTH)[-2 * WIDTH :].tolist()
    floor = float(scores.max()) - BEHIND
    for piece in {*likely, *hints.following(text.node)}:
        gain = float(scores[piece])
        if gain < floor:
            continue
        node, favour = hints.step(text.node, piece) if piece != END else (text.node, 0.0)
        yield _Text(place, (*text.pieces, piece), text.score + gain, text.favoured + gain + favour, node)


def _whole(text: _Text, hints: Hints) -> Found:
    pieces = text.pieces[:-1] if text.pieces[-1:] == (END,) else text.pieces
    return Found(pieces, text.score, text.favoured + hints.end(text.node))
