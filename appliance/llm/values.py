"""Values: the stored values of a collection, found by what people call them.

>>> index = Index(beds)  # doctest: +SKIP
>>> index.whole("vacant"), index.near("ocupied", 1), index.part("salcedo", 1)  # doctest: +SKIP
(Hit(('free',), ('status',)), Hit(('occupied',), ('status',)), Hit(('Dr. Andrés Salcedo',), ('doctor',)))
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

import msgspec

from appliance.llm.senses import known, nearness
from appliance.llm.words import NEGATIONS, STOP, SYNONYMS, Word, fold, stem, words
from appliance.types import Collection, Field

TYPO_RATIO: Final = 0.84
TYPO_LETTERS: Final = 5
PARTS_AT_MOST: Final = 5
CUT_FROM: Final = 3
CUT_OFF: Final = 3
CUT_NEARNESS: Final = 0.35


class Hit(msgspec.Struct, frozen=True):
    """Stored values that a phrase stands for, and the fields that hold them."""

    values: tuple[str, ...]
    fields: tuple[str, ...]


class Index:
    """The stored values of a collection, to be found by what people call them."""

    def __init__(self, collection: Collection) -> None:
        self._whole: dict[str, dict[str, list[str]]] = {}
        self._parts: dict[str, dict[str, list[str]]] = {}
        for field in collection.fields:
            for value in (*field.values, *field.examples):
                self._add(field, value)

    def _add(self, field: Field, value: str) -> None:
        told = fold(value)
        apart = told.replace("-", " ").replace("_", " ")  # "no shows" are *no-show*
        for key in {told, stems(told), stems(apart)} - {""}:
            self._whole.setdefault(key, {}).setdefault(value, []).append(field.name)
        for part in _callable_by(value) if field.values else ():
            if len(part.folded) >= 3 and part.folded not in STOP:
                self._parts.setdefault(part.stem, {}).setdefault(value, []).append(field.name)

    def whole(self, phrase: str, _: int = 1) -> Hit | None:
        """A value that is said in full, in another number, or by a synonym; every spelling of it is meant."""
        for key in (phrase, stems(phrase)):
            if key in self._whole:
                said = {value: held for value, held in self._whole[key].items() if fold(value) == phrase}
                return _hit(said or self._whole[key])
        others = [self._whole[key] for key in SYNONYMS.get(phrase, ()) if key in self._whole]
        return _hit({value: held for found in others for value, held in found.items()}) if others else None

    def near(self, phrase: str, size: int) -> Hit | None:
        """A value with a typo: same first letter, same number of words, no digits."""
        if len(phrase) < 5 or phrase in STOP or any(c.isdigit() for c in phrase):
            return None
        alike = [
            key
            for key in self._whole
            if key[0] == phrase[0] and abs(len(key) - len(phrase)) < 3 and key.count(" ") == size - 1
        ]
        close = difflib.get_close_matches(phrase, alike, 1, TYPO_RATIO)
        return _hit(self._whole[close[0]]) if close and not any(c.isdigit() for c in close[0]) else None

    def part(self, phrase: str, size: int) -> Hit | None:
        """A word that only a few values of several words contain: a family name, "masks"."""
        found = self._parts.get(stem(phrase), {}) if size == 1 else {}
        return _hit(found) if 0 < len(found) <= PARTS_AT_MOST else None

    def begun(self, phrase: str, size: int) -> Hit | None:
        """The one value that begins with a word that people cut short: "paeds" is Pediatrics, "chemo" chemotherapy."""
        cut = stem(phrase) if size == 1 else ""
        if len(cut) < CUT_FROM or not cut.isalpha() or phrase in STOP:
            return None
        longer = [key for key in self._whole if key.startswith(cut) and len(key.split()[0]) >= len(cut) + CUT_OFF]
        if len({tuple(self._whole[key]) for key in longer}) != 1:
            return None
        other = nearness(phrase, longer[0].split()[0])
        return _hit(self._whole[longer[0]]) if other >= CUT_NEARNESS or not known(phrase) else None


def _callable_by(value: str) -> Sequence[Word]:
    """The words of a value that it may be called by alone: any of a name, the last of a common noun.

    "Salcedo" is Dr. Andrés Salcedo and "masks" are FFP2 masks, but "patients" are no patient monitors, and
    "billable" is not what is "not billable".
    """
    parts = [part for part in words(value) if not part.folded.isdigit()]
    if len(parts) < 2 or any(part.folded in NEGATIONS for part in parts):
        return ()
    return parts if all(part.text[0].isupper() for part in parts) else parts[-1:]


def _hit(found: dict[str, list[str]]) -> Hit:
    names = dict.fromkeys(name for holders in found.values() for name in holders)
    # Values are only ever meant together when one field holds them all.
    first = next(iter(names))
    values = tuple(value for value, holders in found.items() if first in holders)
    return Hit(values, tuple(name for name in names if all(name in found[value] for value in values)))


def stems(text: str) -> str:
    """The stems of a folded text."""
    return " ".join(stem(part) for part in text.split())


def slip(said: str, meant: str) -> bool:
    """Whether a word is another with a slip of the finger: same first letter, almost the same length."""
    alike = len(said) >= TYPO_LETTERS and said[0] == meant[0] and abs(len(said) - len(meant)) < 2
    return alike and difflib.SequenceMatcher(None, said, meant).ratio() >= TYPO_RATIO
