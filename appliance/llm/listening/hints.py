"""Favour for what the facility calls its things: a word that its data knows is likelier than one that sounds like it.

As pieces of a hint are written one after another, each adds :data:`FAVOUR` to the score; where the hint is left before
its end, all of it is taken back (shallow fusion with a trie, Zhao et al. 2019, Interspeech). So a hint helps only where
the whole of it is heard.

>>> hints = Hints([(5, 6, 7), (5, 8)])
>>> state, favour = hints.step(hints.none, 5)
>>> favour
2.5
>>> hints.step(state, 9)[1]
-2.5
>>> hints.step(state, 8)[1]
2.5
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

FAVOUR: Final = 2.5
"""Natural logarithm of how much likelier each piece of a hint is taken to be."""
LIMIT: Final = 2000
"""Hints that are used, at most."""


class Node:
    """How far into which hints a text has come."""

    __slots__ = ("ends", "next", "owed")

    def __init__(self) -> None:
        self.next: dict[int, Node] = {}
        self.ends = False
        self.owed = 0.0


class Hints:
    """The hints, as a tree of their pieces.

    Args:
        hints: each as the pieces it is written in; at most :data:`LIMIT` are used.
    """

    def __init__(self, hints: Iterable[Sequence[int]]) -> None:
        self.none = Node()
        for hint in islice(hints, LIMIT):
            node = self.none
            for piece in hint:
                node = node.next.setdefault(piece, Node())
            node.ends = node is not self.none
        _lend(self.none)

    def step(self, node: Node, piece: int) -> tuple[Node, float]:
        """Where a text is after one piece more, and what that adds to its score."""
        if found := node.next.get(piece):
            return found, FAVOUR
        owed = -node.owed if node.owed else 0.0
        if found := self.none.next.get(piece):
            return found, owed + FAVOUR
        return self.none, owed

    def end(self, node: Node) -> float:
        """What is taken back where the text ends here."""
        return -node.owed if node.owed else 0.0

    def following(self, node: Node) -> list[int]:
        """The pieces that go on with a hint or begin one."""
        return [*node.next, *(self.none.next if node is not self.none else ())]


def _lend(root: Node) -> None:
    """Note at each node what is given back where a text leaves the hints there: all since the last whole one."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for child in node.next.values():
            child.owed = 0.0 if child.ends else node.owed + FAVOUR
            waiting.append(child)
