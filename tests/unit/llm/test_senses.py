"""Senses: what is near, what is of one family, and what a table looks like."""

from pathlib import Path

import numpy as np
import pytest

from appliance.llm.senses import kin, known, nearest, nearness
from appliance.llm.training.senses import Vectors, table, write


@pytest.mark.parametrize(
    ("one", "other"), [("town", "city"), ("phone", "telephone"), ("owes", "owed"), ("kilos", "kg"), ("pay", "paid")]
)
def test_words_of_one_sense_are_near(one: str, other: str) -> None:
    assert nearness(one, other) > 0.6


@pytest.mark.parametrize(("one", "other"), [("purple", "ward"), ("cost", "minutes"), ("town", "client")])
def test_words_of_different_senses_are_not(one: str, other: str) -> None:
    assert nearness(one, other) < 0.35


def test_what_the_table_does_not_know_is_near_to_itself_alone() -> None:
    assert not known("qwxzy")
    assert nearness("qwxzy", "bed") == 0 and nearness("qwxzy", "qwxzy") == 1
    assert nearest("town", []) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("diagnosed", "diagnosis"),
        ("attendance", "attendees"),
        ("surgeons", "surgery"),
        ("operating", "operation"),
        ("expiry", "expires"),
        ("insurance", "insured"),
        ("renewal", "renew"),
        ("germination", "germinated"),
    ],
)
def test_words_of_one_family(one: str, other: str) -> None:
    assert kin(one, other) and kin(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("international", "internal"), ("market", "marked"), ("united", "units"), ("numbers", "numb"), ("bed", "beds")],
)
def test_words_that_only_begin_alike_are_none(one: str, other: str) -> None:
    assert not kin(one, other)


def test_a_table_is_made_the_same_each_time(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    words = [f"{first}{second}" for first in "abcdefghij" for second in "abcdefghij"]
    given = Vectors(100, {word: [*draw.normal(size=100), 0.0, 0.0] for word in ["The", "x-ray", *words]})
    found, directions = table(given)
    assert found == words, "what is no plain word is left out"
    assert directions.shape == (100, 64) and np.allclose(np.linalg.norm(directions, axis=1), 1)
    write(tmp_path / "one.npz", found, directions)
    first = (tmp_path / "one.npz").read_bytes()
    write(tmp_path / "one.npz", *table(given))
    assert (tmp_path / "one.npz").read_bytes() == first
