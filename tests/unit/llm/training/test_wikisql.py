"""WikiSQL as examples, and its evaluation, on a few lines of our own."""

from __future__ import annotations

import gzip
import random
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from appliance.llm.model import Model
from appliance.llm.notation import read, write
from appliance.llm.training.evaluate import SHIPPED, evaluate, held_out, parts, questions, unpaired
from appliance.llm.training.lines import read_lines
from appliance.llm.training.wikisql import COLUMNS, Padding, WikiSql, columns_of, sketch_of

LINES = [
    {
        "question": f"What is the score of the game in {place}?",
        "table": f"t{number % 3}",
        "columns": [["place", "text"], ["score", "number"], ["date", None]],
        "aggregate": None if number % 2 else "max",
        "select": "score",
        "where": [["place", "=", place]],
    }
    for number, place in enumerate(("Oslo", "Rome", "Lima", "Kyiv", "Bonn", "Cairo"))
] + [
    {
        "question": "How many ships are older than 20 years?",
        "table": "s",
        "columns": [[label, "text"] for label in ("ship", "port", "flag", "owner", "route", "built")]
        + [["age", "number"]],
        "aggregate": "count",
        "select": "ship",
        "where": [["age", ">", "20"]],
    }
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(map(msgspec.json.encode, LINES))))
    return path


def test_a_line_means_its_sketch(file: Path) -> None:
    lines = read_lines(file)
    assert write(sketch_of(lines[0])) == "<max> score<and> place<eq> oslo<e>"
    assert write(sketch_of(lines[-1])) == "<count> ship<and> age<gt> 20<e>"
    assert [column.kind for column in columns_of(lines[0])] == ["text", "number", "text"]


def test_tables_are_filled_up_and_keep_what_is_used(file: Path) -> None:
    lines = read_lines(file)
    padding, rng = Padding(lines), random.Random(1)
    for _ in range(30):
        shown = padding.fill(columns_of(lines[0]), {"score", "place"}, rng)
        assert COLUMNS[0] <= len(shown) <= COLUMNS[1] and {"score", "place"} <= {column.label for column in shown}


def test_examples_share_a_schema_and_swap_values_in_question_and_plan(file: Path) -> None:
    for example in islice(WikiSql(file).examples(random.Random(2)), 60):
        for each in example.asked:
            for test in each.sketch.where:
                assert test.values[0] in each.text.lower()


def test_the_shipped_model_is_scored_through_llama_cpp(file: Path) -> None:
    model = Model.load(SHIPPED, 1, 512)
    try:
        found = evaluate(model, file, 0, 1)
        made = held_out(model, 20, 1)
    finally:
        model.close()
    assert found.count == len(LINES) and found.unpaired >= found.logical_form
    assert 20 <= made <= 80, "it reads some of what it was not trained on"
    assert found.where >= 50
    assert 0 <= found.logical_form <= min(found.select, found.aggregate, found.where, found.in_beam)


def test_the_questions_and_their_tables_come_from_the_seed(file: Path) -> None:
    one, two, other = (list(questions(file, 4, seed)) for seed in (1, 1, 2))
    assert one == two != other
    assert len(one) == 4


def test_tests_may_come_in_any_order(file: Path) -> None:
    sketch = sketch_of(msgspec.structs.replace(read_lines(file)[0], where=[("a", "=", "1"), ("b", ">", "2")]))
    turned = msgspec.structs.replace(sketch, where=sketch.where[::-1])
    assert parts(sketch) == parts(turned)


def test_unpaired_plans_have_the_same_columns_and_the_same_values() -> None:
    one, other, third = (
        parts(read(f"<max> score{tests}<e>"))
        for tests in (
            "<and> place<eq> oslo<and> year<gt> 3",
            "<and> place<eq> 3<and> year<gt> oslo",
            "<and> place<gt> 3<and> year<eq> oslo",
        )
    )
    assert unpaired(one) == unpaired(third) != unpaired(other)
    assert one != third
