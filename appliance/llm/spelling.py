"""Spelling: slips of the finger in a question, put right where only one word of the data or of asking is so near.

Only words that no English reader and no label knows are looked at, and never a name: "Jonsen" may be somebody else.
Stored values have their own way (:mod:`appliance.llm.values`).

    >>> from appliance.types import Collection, Field
    >>> catalog = Catalog("1", (Collection("invoices", "invoices", (Field("email", "email", "text"),)),))
    >>> spelled("unpaid invocies of tomorow", catalog)
    ('unpaid invoices of tomorrow', (('invocies', 'invoices'), ('tomorow', 'tomorrow')))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from typing import Final

from appliance.llm.kept import Kept
from appliance.llm.senses import known
from appliance.llm.words import STOP, fold, parts, singular, stem, words
from appliance.types import Catalog

_ASKING: Final = frozenset(
    """
    today tomorrow yesterday week weeks month months quarter quarters year years hours minutes
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december average total number highest lowest largest smallest longest shortest oldest youngest
    newest latest earliest cheapest expensive between before after since until which where whose overdue percentage
    address available different appointment appointments customer customers invoice invoices email patient patients
    received delivered cancelled completed scheduled outstanding unpaid quantity category schedule
    """.split()
)
"""Words of asking, and of many a catalog, that are often misspelt."""
_LETTERS: Final = 5
_LONG: Final = 8
"""From so many letters two slips may be in one word."""


def spelled(text: str, catalog: Catalog) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A question with its slips put right, and which these were: as asked, as meant.

    Args:
        text: the question.
        catalog: what the asking role may see.
    """
    held, stems = _HELD.of(catalog)
    put: list[tuple[str, str]] = []
    whole, at = "", 0
    for place, word in enumerate(words(text)):
        if _is_known(word.folded, stems) or (word.text[:1].isupper() and place) or not word.folded.isalpha():
            continue
        meant = _meant(word.folded, held)
        if meant is not None:
            put.append((word.text, meant))
            whole += text[at : word.start] + meant
            at = word.end
    return whole + text[at:], tuple(put)


def _is_known(word: str, stems: Set[str]) -> bool:
    known_word = known(word) and word not in _MISSPELT
    return len(word) < _LETTERS or word in STOP or word in _ASKING or stem(word) in stems or known_word


_MISSPELT: Final = frozenset(("tomorow", "adress", "recieved", "seperate", "calender", "febuary", "wich", "untill"))
"""Slips so frequent that tables of words hold them."""


def _meant(word: str, held: Iterable[str]) -> str | None:
    """The one word that is nearest, where it is near enough."""
    slips = 2 if len(word) >= _LONG else 1
    found: dict[str, int] = {}
    for other in held:
        if other[0] == word[0] and abs(len(other) - len(word)) <= slips:
            far = distance(word, other)
            if far <= slips:
                found[other] = far
    nearest = [other for other, far in found.items() if far == min(found.values())]
    return nearest[0] if len({stem(other) for other in nearest}) == 1 else None


def _of(catalog: Catalog) -> tuple[tuple[str, ...], frozenset[str]]:
    """The words of asking, of labels, and the common nouns of stored values; and their stems."""
    held = tuple(sorted(set(_words(catalog)) | _ASKING))
    return held, frozenset(map(stem, held))


def _words(catalog: Catalog) -> Iterator[str]:
    for collection in catalog.collections:
        values = (value for field in collection.fields for value in (*field.values, *field.examples))
        nouns = (word.folded for value in values for word in words(value) if word.text.islower())
        labels = (collection.label, *(field.label for field in collection.fields))
        for word in (*nouns, *(each.folded for label in labels for each in parts(label))):
            if len(word) >= _LETTERS and word.isalpha():
                yield word
                if singular(word) == word:
                    yield fold(f"{word}s")


_HELD: Final = Kept(_of)


@lru_cache(maxsize=16_384)
def distance(one: str, other: str) -> int:
    """How many letters are to be put in, left out, changed, or changed over with the next, to make one word another.

    The optimal string alignment distance (Damerau 1964).

    >>> distance("invocies", "invoices"), distance("adress", "address"), distance("bed", "beds")
    (1, 1, 1)
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            far = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                far = min(far, last[j - 2] + 1)
            row.append(far)
    return row[-1]
