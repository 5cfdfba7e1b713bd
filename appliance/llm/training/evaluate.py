"""Evaluation on WikiSQL: the shipped model through llama.cpp, with the product's own prompt, rules and beams.

    python -m appliance.llm.training.evaluate --wikisql dev.jsonl.gz --limit 500

Each question's table is filled up with columns of other tables to four to nine. A plan is right when field, aggregate
and tests are those of the file, the tests in any order, values compared without regard to case.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from appliance.errors import ApplianceError
from appliance.llm.decoding import Rules
from appliance.llm.model import Model
from appliance.llm.notation import Column, Sketch, plain, question, read, schema
from appliance.llm.outline import TOKENS_AT_MOST
from appliance.llm.training.wikisql import Line, Padding, asked, columns_of, read_lines

SHIPPED: Final = Path(__file__).resolve().parents[3] / "models" / "ask-1-q8_0.gguf"
WIDTH: Final = 3


class Asked(msgspec.Struct, frozen=True):
    """A question, the columns its table is shown with, and what it means."""

    line: Line
    columns: tuple[Column, ...]
    sketch: Sketch


class Result(msgspec.Struct, frozen=True):
    """Percent right, of whole plans and of their parts, and milliseconds per question."""

    count: int
    logical_form: float
    select: float
    aggregate: float
    where: float
    in_beam: float
    p50_ms: float
    p95_ms: float


def questions(path: Path, limit: int, seed: int) -> Iterator[Asked]:
    """Questions of a file in an order of their own, each with its filled-up table."""
    lines, rng = read_lines(path), random.Random(seed)
    padding = Padding(lines)
    for line in rng.sample(lines, min(limit, len(lines)) if limit else len(lines)):
        used = {plain(line.select), *(plain(test[0]) for test in line.where)}
        shown = padding.fill(columns_of(line), used, rng)
        yield Asked(line, shown, asked(line, shown).sketch)


def sketches(model: Model, question_: Asked) -> list[Sketch]:
    """What the model makes of a question, best first."""
    put = asked(question_.line, question_.columns)
    rules = Rules(question_.columns, put.text, spans=0, loose=True)
    tail = question(put.text, put.marks)
    found = []
    for written in model.sketches(schema("", question_.columns), tail, rules, WIDTH, TOKENS_AT_MOST):
        try:
            found.append(read(written.text))
        except ApplianceError:
            continue
    return found


def parts(sketch: Sketch) -> tuple[str | None, str | None, frozenset[tuple[str, str, tuple[str, ...]]]]:
    """Field, aggregate and tests, so that equal plans are equal."""
    item = sketch.select[0]
    return item.field, item.aggregate, frozenset((test.field, test.op, test.values) for test in sketch.where)


def evaluate(model: Model, path: Path, limit: int, seed: int) -> Result:
    """How many questions of a file the model reads right.

    Args:
        model: the model.
        path: the file, as in :mod:`~appliance.llm.training.wikisql`.
        limit: so many questions; 0 takes all.
        seed: chooses the questions and what their tables are filled up with.
    """
    right: Counter[str] = Counter()
    took: list[float] = []
    for each in questions(path, limit, seed):
        began = time.perf_counter()
        found = [parts(sketch) for sketch in sketches(model, each)]
        took.append((time.perf_counter() - began) * 1000)
        gold = parts(each.sketch)
        right["beam"] += gold in found
        for name, place in (("select", 0), ("aggregate", 1), ("where", 2)):
            right[name] += bool(found) and found[0][place] == gold[place]
        right["all"] += found[:1] == [gold]
    count = len(took)
    took.sort()

    def percent(name: str) -> float:
        return 100 * right[name] / max(count, 1)

    return Result(
        count,
        percent("all"),
        percent("select"),
        percent("aggregate"),
        percent("where"),
        percent("beam"),
        took[count // 2] if took else 0.0,
        took[int(count * 0.95)] if took else 0.0,
    )


def main() -> None:
    """Print the figures; the last line is ``logical_form NN.N``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wikisql", type=Path, required=True, help="questions, gzipped or not")
    parser.add_argument("--limit", type=int, default=0, help="so many of them; 0 takes all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    model = Model.load(options.model, options.threads, 512)
    try:
        found = evaluate(model, options.wikisql, options.limit, options.seed)
    finally:
        model.close()
    print(f"questions {found.count}")
    print(f"plan p50 {found.p50_ms:.1f} ms, p95 {found.p95_ms:.1f} ms")
    for name in ("select", "aggregate", "where", "in_beam", "logical_form"):
        print(f"{name} {getattr(found, name):.1f}")


if __name__ == "__main__":
    main()
