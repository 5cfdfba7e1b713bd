"""Pairing: which value of a question belongs to which column, where a file of WikiSQL has lost it.

In the edition that is used, a line with several tests has its columns in the order of the alphabet, and its operators
and values in the order of the original, mostly that of the question ("heat = japan, nationality < 3"). A third of all
lines has several tests. The pairs are found again from lines with one test, where nothing can be lost: what kind and
shape of value a column has there, which values; and from the question, where a column is named next to its value.

    >>> known = Line("rank of japan", "t", [], None, "rank", [("nation", "=", "japan")])
    >>> lost = Line("rank over 3 in japan", "t", [], None, "time", [("nation", ">", 3), ("rank", "=", "japan")])
    >>> Pairing([known] * 3).paired(lost).where
    [('rank', '>', 3), ('nation', '=', 'japan')]
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from itertools import permutations
from typing import Final

import msgspec

from appliance.llm.notation import plain
from appliance.llm.training.lines import Line, Where

_NUMBER: Final = re.compile(r"[-+]?[\d,]*\.?\d+")
_SURE: Final = 2.0
"""A pairing that is so much better than the next one, in nats, is learned from in its turn."""
_ROUNDS: Final = 2
_NEAR: Final = 18
"""A column that is named so many letters from a value says nothing about it any more."""
_APART: Final = re.compile(r",| and | with ")
"""What stands between two tests rather than in one; each weighs as much as eight letters."""


def numeric(value: str | float) -> bool:
    """Whether a value is a number."""
    return bool(_NUMBER.fullmatch(str(value).strip()))


class Pairing:
    """What is known of columns and their values from some lines."""

    def __init__(self, lines: list[Line]) -> None:
        self._shapes = defaultdict[str, Counter[str]](Counter)
        self._numbers = defaultdict[str, list[float]](lambda: [1.0, 2.0])
        self._values = defaultdict[str, set[str]](set)
        self._of_table = defaultdict[tuple[str, str], set[str]](set)
        self._all = Counter[str]()
        for line in lines:
            if len(line.where) == 1:
                self._learn(line)
        several = [line for line in lines if len(line.where) > 1]
        for _ in range(_ROUNDS - 1):
            for line in [self.paired(line) for line in several if self.margin(line) > _SURE]:
                self._learn(line)

    def paired(self, line: Line) -> Line:
        """The line with its likeliest pairs, the tests in the order of their values."""
        if len(line.where) < 2:
            return line
        return msgspec.structs.replace(line, where=self._ranked(line)[0][1])

    def margin(self, line: Line) -> float:
        """How much better the likeliest pairs are than the next ones, in nats."""
        ranked = self._ranked(line)
        return ranked[0][0] - ranked[1][0] if len(ranked) > 1 else 0.0

    def _ranked(self, line: Line) -> list[tuple[float, list[Where]]]:
        labels = [test[0] for test in line.where]
        places = [[self._fit(line, label, test) for test in line.where] for label in labels]
        found = []
        for order in permutations(range(len(labels))):
            score = sum(places[column][value] for value, column in enumerate(order))
            pairs = [(labels[column], *line.where[value][1:]) for value, column in enumerate(order)]
            found.append((score, pairs))
        return sorted(found, key=lambda each: -each[0])

    def _learn(self, line: Line) -> None:
        for label, _, value in line.where:
            name, text = plain(label), plain(str(value))
            self._shapes[name][_shape(text)] += 1
            self._all[_shape(text)] += 1
            self._numbers[name][0] += numeric(value)
            self._numbers[name][1] += 1
            self._values[name].add(text)
            self._of_table[line.table, name].add(text)

    def _fit(self, line: Line, label: str, test: Where) -> float:
        """How well a test's operator and value fit a column, in nats."""
        name, value = plain(label), plain(str(test[2]))
        score = 1.5 * (value in self._of_table[line.table, name]) + 1.5 * (value in self._values[name])
        share = self._numbers[name][0] / self._numbers[name][1]
        if test[1] != "=" or numeric(test[2]):
            score += math.log(min(max(share, 0.02), 0.98))
        else:
            score += math.log(1 - min(max(share, 0.02), 0.98))
        same = self.kinds(line.table, name)
        if same is not None:
            score -= 2.0 * (same != numeric(test[2]))
        shapes, shape = self._shapes[name], _shape(value)
        common = (self._all[shape] + 0.5) / (self._all.total() + 10)
        score += math.log((shapes[shape] + 5 * common) / (shapes.total() + 5)) - math.log(common)
        return score + 3.0 * _nearness(line.question.lower(), label.lower(), str(test[2]).lower())

    def kinds(self, table: str, label: str) -> bool | None:
        """Whether a column of a table holds numbers, as far as its values are known."""
        known = self._of_table.get((table, plain(label)))
        return all(numeric(value) for value in known) if known else None


def _shape(text: str) -> str:
    """The look of a value: digits as 9, letters as a, runs of a kind as one."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))[:12]


def _nearness(question: str, label: str, value: str) -> float:
    """How near a column is named to a value, 0 to 1: by its words that are said, and the letters between."""
    words = [word for word in re.findall(r"\w+", label) if len(word) > 1] or [label]
    places = [place.start() for place in re.finditer(re.escape(value), question)]
    if not places:
        return 0.0
    best = 0.0
    for start in places:
        end, found = start + len(value), 0.0
        for word in words:
            near = [
                _gap(question, said.end(), start) if said.end() <= start else _gap(question, end, said.start())
                for said in re.finditer(re.escape(word[: max(4, len(word) - 2)]), question)
                if said.end() <= start or said.start() >= end
            ]
            found += max(0.0, 1 - min(near, default=_NEAR) / _NEAR)
        best = max(best, found / len(words))
    return best


def _gap(question: str, begin: int, end: int) -> int:
    return end - begin + 8 * len(_APART.findall(question[max(begin - 1, 0) : end]))
