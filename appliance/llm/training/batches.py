"""Batches: examples packed into rows of tokens, and which tokens may see which.

A row holds several examples back to back. A schema's tokens see each other; a question's tokens see their schema and
each other; a sketch's tokens see the schema, the question and what is written before them. So one schema serves many
questions, and its part of the prompt can be kept when the model runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import torch

from appliance.llm.notation import question, schema, sketch_pieces
from appliance.llm.training.examples import Example
from appliance.llm.training.vocabulary import END, Vocabulary

LENGTH: Final = 320
"""Tokens in a row."""
CONTEXT: Final = 512


class Row(NamedTuple):
    """Tokens of a row, and what is known of each.

    Its example, its question in it (0 is the schema), whether it is part of a sketch, its place, and the token to
    predict next (-1 for none).
    """

    tokens: list[int]
    example: list[int]
    asked: list[int]
    written: list[bool]
    place: list[int]
    target: list[int]


def new_row() -> Row:
    """An empty row."""
    return Row([], [], [], [], [], [])


def add(row: Row, example: Example, vocabulary: Vocabulary, number: int) -> bool:
    """Add an example to a row, as many of its questions as fit; whether any did."""
    head = vocabulary.numbers(schema(example.label, example.columns))
    room = LENGTH - len(row.tokens) - len(head)
    parts = []
    for asked in example.asked:
        prompt = vocabulary.numbers(question(asked.text, asked.marks, asked.before))
        answer = [*vocabulary.numbers(sketch_pieces(asked.sketch)), END]
        if len(prompt) + len(answer) <= room:
            room -= len(prompt) + len(answer)
            parts.append((prompt, answer))
    if not parts:
        return False
    _extend(row, head, [-1] * len(head), number, 0, 0, 0)
    for place, (prompt, answer) in enumerate(parts, 1):
        # The last token of the prompt predicts the first of the answer; the token that ends it predicts nothing.
        targets = [-1] * (len(prompt) - 1) + answer + [-1]
        _extend(row, prompt + answer, targets, number, place, len(head), len(answer))
    return True


def _extend(row: Row, tokens: list[int], targets: list[int], number: int, asked: int, first: int, written: int) -> None:
    row.tokens.extend(tokens)
    row.target.extend(targets)
    row.example.extend([number] * len(tokens))
    row.asked.extend([asked] * len(tokens))
    row.written.extend([False] * (len(tokens) - written) + [True] * written)
    row.place.extend(range(first, first + len(tokens)))


def rows(examples: Iterable[Example], vocabulary: Vocabulary) -> Iterator[Row]:
    """Rows filled as far as examples fit."""
    row, number = new_row(), 1
    for example in examples:
        if not add(row, example, vocabulary, number):
            if row.tokens:
                yield row
            row, number = new_row(), 1
            if not add(row, example, vocabulary, number):
                continue
        number += 1
        if len(row.tokens) > LENGTH - 48:
            yield row
            row, number = new_row(), 1
    if row.tokens:
        yield row


class Batch(NamedTuple):
    """Tensors of some rows: tokens, places and targets are (rows, LENGTH), mask is (rows, 1, LENGTH, LENGTH)."""

    tokens: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    mask: torch.Tensor


def batch(chosen: list[Row]) -> Batch:
    """The tensors of some rows."""

    def grid(values: list[list[int]], empty: int) -> torch.Tensor:
        filled = np.full((len(values), LENGTH), empty, dtype=np.int64)
        for index, value in enumerate(values):
            filled[index, : len(value)] = value
        return torch.from_numpy(filled)

    example = grid([row.example for row in chosen], 0)
    asked = grid([row.asked for row in chosen], 0)
    written = grid([[int(each) for each in row.written] for row in chosen], 0).bool()
    same = example[:, :, None] == example[:, None, :]
    near = (asked[:, None, :] == 0) | (asked[:, :, None] == asked[:, None, :])
    order = torch.arange(LENGTH)
    before = ~written[:, None, :] | (order[None, None, :] <= order[None, :, None])
    mask = (same & near & before)[:, None]
    return Batch(
        grid([row.tokens for row in chosen], 0),
        grid([row.place for row in chosen], 0),
        grid([row.target for row in chosen], -1),
        mask,
    )
