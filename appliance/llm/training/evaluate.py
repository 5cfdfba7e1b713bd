"""Evaluation of the shipped model through llama.cpp, with the product's own prompt, rules and beams.

    python -m appliance.llm.training.evaluate --wikisql dev.jsonl.gz --limit 500

WikiSQL: each question's table is filled up with columns of other tables to four to nine. A plan is right when field,
aggregate and tests are those of the file, the tests in any order, values compared without regard to case.

The edition that is used here has lost which value belongs to which column where a question has several tests: the
columns are in the order of the alphabet, the operators and values in that of the original, mostly the question's. A
plan is put into that order (:func:`as_filed`) before it is compared with the file; `unpaired` takes the columns for
themselves and the operators with their values for themselves, and so does not depend on the order of the original.

Questions of the generator's held-out domains (`--heldout`): a sketch is right when it is the same, tests in any order.
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
from appliance.llm.notation import SPANS, Column, Sketch, plain, question, read, schema, write
from appliance.llm.outline import TOKENS_AT_MOST, Outline, Seen, sketch
from appliance.llm.training.lines import Line, read_lines
from appliance.llm.training.questions import Questions
from appliance.llm.training.wikisql import Padding, asked, columns_of

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
    unpaired: float
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


def as_filed(sketch: Sketch) -> Sketch:
    """The sketch as the file would have it: columns by the alphabet, operators and values in their own order."""
    fields = sorted(test.field for test in sketch.where)
    tests = [msgspec.structs.replace(test, field=field) for field, test in zip(fields, sketch.where, strict=True)]
    return msgspec.structs.replace(sketch, where=tuple(tests))


def unpaired(plan: tuple[str | None, str | None, frozenset[tuple[str, str, tuple[str, ...]]]]) -> object:
    """Field, aggregate, the columns that are tested, and what they are tested for, each for itself."""
    field, aggregate, tests = plan
    return field, aggregate, sorted(test[0] for test in tests), sorted(test[1:] for test in tests)


def held_out(model: Model, count: int, seed: int) -> float:
    """Percent of made questions over the held-out domains that the model reads exactly right."""
    examples, total, right = Questions.shipped(heldout=True).examples(random.Random(seed)), 0, 0
    for example in examples:
        for each in example.asked:
            spans = sum(mark.kind in SPANS for mark in each.marks)
            before = write(each.before) if each.before else ""
            seen = Seen(example.label, example.columns, each.marks, spans, before)
            found = sketch(model, Outline(each.text, (seen,)))[0]
            right += bool(found) and _any_order(found[0].text) == _any_order(write(each.sketch))
            total += 1
            if total == count:
                return 100 * right / total
    return 0.0


def _any_order(text: str) -> Sketch | str:
    try:
        sketch = read(text)
    except ApplianceError:
        return text
    return msgspec.structs.replace(sketch, where=tuple(sorted(sketch.where, key=msgspec.json.encode)))


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
        found = [parts(as_filed(sketch)) for sketch in sketches(model, each)]
        took.append((time.perf_counter() - began) * 1000)
        gold = parts(each.sketch)
        right["beam"] += gold in found
        for name, place in (("select", 0), ("aggregate", 1), ("where", 2)):
            right[name] += bool(found) and found[0][place] == gold[place]
        right["all"] += found[:1] == [gold]
        right["unpaired"] += bool(found) and unpaired(found[0]) == unpaired(gold)
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
        percent("unpaired"),
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
    parser.add_argument("--heldout", type=int, default=0, help="so many questions of the held-out domains too")
    options = parser.parse_args()
    model = Model.load(options.model, options.threads, 512)
    try:
        if options.heldout:
            print(f"heldout {held_out(model, options.heldout, options.seed):.1f}")
        found = evaluate(model, options.wikisql, options.limit, options.seed)
    finally:
        model.close()
    print(f"questions {found.count}")
    print(f"plan p50 {found.p50_ms:.1f} ms, p95 {found.p95_ms:.1f} ms")
    for name in ("select", "aggregate", "where", "in_beam", "unpaired", "logical_form"):
        print(f"{name} {getattr(found, name):.1f}")


if __name__ == "__main__":
    main()
