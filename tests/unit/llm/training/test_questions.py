"""The generator: every form can be asked, what it writes can be read, and held-out domains stay apart."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from appliance.llm.decoding import Rules
from appliance.llm.notation import question, read, schema, write
from appliance.llm.training.domains import read_domains
from appliance.llm.training.examples import Example
from appliance.llm.training.questions import WEIGHTS, Questions
from appliance.llm.training.wordings import forms, lines, sections

EXAMPLES = 400


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(islice(Questions.shipped(heldout=False).examples(random.Random(7)), EXAMPLES))


def test_there_are_enough_domains_and_wordings() -> None:
    domains = read_domains()
    assert sum(not domain.heldout for domain in domains) >= 40
    assert sum(domain.heldout for domain in domains) >= 6
    wordings = [line for name, lines_ in forms().items() for line in lines_]
    assert len(wordings) + sum(map(len, sections("where").values())) >= 1500
    assert len(set(wordings)) >= 0.97 * len(wordings)
    assert len(lines("unknown")) >= 100


def test_hospitals_and_law_firms_are_never_trained_on() -> None:
    said = " ".join(
        word
        for domain in read_domains()
        for collection in domain.collections
        for word in (domain.name, collection.label, *collection.also)
    )
    for word in ("hospital", "patient", "nurse", "ward", "law firm", "lawyer", "matter", "clinic"):
        assert f" {word}" not in f" {said}", word


def test_every_form_has_a_weight_and_is_asked(examples: list[Example]) -> None:
    assert set(WEIGHTS) - {"elsewhere"} == set(forms())
    asked = Counter(each.form for example in examples for each in example.asked)
    assert set(WEIGHTS) - set(asked) <= {
        "avg_under",
        "alert_avg_under",
        "alert_avg_over",
        "alert_sum_under",
        "add_plus",
    }


def test_what_is_meant_can_be_written_and_read(examples: list[Example]) -> None:
    for example in examples:
        assert schema(example.label, example.columns)
        for each in example.asked:
            assert question(each.text, each.marks, each.before)
            assert write(read(write(each.sketch))) == write(each.sketch)


def test_no_slot_is_left_open(examples: list[Example]) -> None:
    for example in examples:
        for each in example.asked:
            assert not set(each.text) & set("{}\x01\x02\x03"), each.text


def test_the_rules_let_the_model_write_what_it_is_taught(examples: list[Example]) -> None:
    """Nearly all of it: a value may be misspelt by a slip, and then stands in no question."""
    held = [(example, each) for example in examples for each in example.asked]
    fits = sum(
        _fits(example, each.text, write(each.sketch), write(each.before) if each.before else "")
        for example, each in held
    )
    assert fits / len(held) > 0.98


def _fits(example: Example, text: str, sketch: str, before: str) -> bool:
    rules = Rules(example.columns, f"{text} {before.replace('<', ' <')}", 2, earlier=bool(before))
    state = rules.start
    for token in _tokens(sketch):
        following = rules.step(state, token)
        if following is None:
            return False
        state = following
    return state.phase == "end"


def _tokens(sketch: str) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at < len(sketch):
        if sketch[at] == "<":
            end = sketch.index(">", at) + 1
            found.append(sketch[at:end].encode())
            at = end
        else:
            found.append(sketch[at].encode())
            at += 1
    return found


def test_the_same_seed_asks_the_same() -> None:
    first, second = (list(islice(Questions.shipped(True).examples(random.Random(3)), 5)) for _ in range(2))
    assert first == second
